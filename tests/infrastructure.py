"""Provide tests with a real Kafka and a real document store.

In this order: the servers that the environment names (`CONCORD_TEST_KAFKA`, `CONCORD_TEST_STORE`);
containers, where Docker answers, already has the images (nothing is pulled) and can run them; else
processes on this machine. The same tests run on all three. Tests are isolated by a database name
and topic prefix of their own (`unique_name`), or by a separate Kafka or store.
"""

import os
import re
import secrets
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import pytest

from local import kafka, paths, store

KAFKA_IMAGE = f"apache/kafka:{kafka.version()}"
STORE_IMAGE = "mongo:8.0"
DOCKER_ANSWERS_WITHIN = 2
"""Timeout, in seconds, of each request to Docker."""


class Server(Protocol):
    """A server that can be stopped and started again with all acknowledged data."""

    def start(self) -> object:
        """Start it, and wait until it is ready."""

    def stop(self) -> object:
        """Stop it in order."""

    def kill(self) -> object:
        """Kill it, as a crash would."""

    def pause(self) -> object:
        """Suspend it: connections stay open, nothing is answered."""

    def resume(self) -> object:
        """Resume it after `pause`."""


class KafkaServer(Server, Protocol):
    """A Kafka for tests."""

    @property
    def bootstrap(self) -> str:
        """Return the bootstrap addresses."""


class StoreServer(Server, Protocol):
    """A document store for tests."""

    @property
    def url(self) -> str:
        """Return the connection string."""


class Given:
    """A server named by the environment; a test that would stop or start it is skipped."""

    def __init__(self, address: str) -> None:
        self.address = address

    bootstrap = property(lambda self: self.address)
    url = property(lambda self: self.address)

    def start(self) -> None:
        self._not_ours()

    def stop(self) -> None:
        self._not_ours()

    def kill(self) -> None:
        self._not_ours()

    def pause(self) -> None:
        self._not_ours()

    def resume(self) -> None:
        self._not_ours()

    def _not_ours(self) -> None:
        pytest.skip("the environment names this server: a test may not stop or start it")


class Contained:
    """A server in a container, on a port that stays the same when it is restarted."""

    def __init__(self, container: Any, is_ready: Callable[[], bool]) -> None:
        self._container = container
        self._is_ready = is_ready
        self._created = False

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
        wait_until(self._is_ready, limit=60)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop(timeout=15)

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        self._container.get_wrapped_container().unpause()

    def remove(self) -> None:
        """Remove it with its data."""
        self._container.stop(force=True, delete_volume=True)


class KafkaContainer(Contained):
    """One Kafka node from Apache's image."""

    def __init__(self) -> None:
        port = paths.free_port()
        self.bootstrap = f"{paths.HOST}:{port}"
        container = container_of(KAFKA_IMAGE, 9092, port)
        for name, value in {
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{self.bootstrap}",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
            "KAFKA_BROKER_SESSION_TIMEOUT_MS": "3000",
        }.items():
            container = container.with_env(name, value)
        super().__init__(container, lambda: kafka.known_brokers(self.bootstrap) == 1)


class StoreContainer(Contained):
    """A MongoDB replica set of one node, which change streams need."""

    def __init__(self) -> None:
        port = paths.free_port()
        self.url = f"mongodb://{paths.HOST}:{port}/?directConnection=true&retryWrites=false"
        container = container_of(STORE_IMAGE, 27017, port)
        container = container.with_command("mongod --replSet concord --bind_ip_all")
        super().__init__(container, self._is_primary)

    def _is_primary(self) -> bool:
        from pymongo import MongoClient
        from pymongo.errors import OperationFailure, PyMongoError

        with MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=1_000) as client:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return True
                member = {"_id": 0, "host": "127.0.0.1:27017"}
                client.admin.command("replSetInitiate", {"_id": "concord", "members": [member]})
            except OperationFailure:
                return False  # initiated already, but without a primary yet
            except PyMongoError:
                return False
        return False


def container_of(image: str, inside: int, outside: int) -> Any:
    """Return a container, not started, with one port published on a fixed loopback port."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # Ryuk's image would be pulled; `Supply.end` removes the containers instead.
    testcontainers_config.ryuk_disabled = True
    container: Any = DockerContainer(image)
    container.ports[f"{inside}/tcp"] = (paths.HOST, outside)
    return container


@cache
def docker_has(image: str) -> bool:
    """Return whether a Docker engine on this machine answers and already has this image."""
    try:
        from testcontainers.core.docker_client import DockerClient

        client = DockerClient(timeout=DOCKER_ANSWERS_WITHIN).client
    except Exception:  # noqa: BLE001 - with any error, Docker cannot be used
        return False
    try:
        # Ports are published on the loopback interface of the engine's machine.
        is_here = urlsplit(client.api.base_url).hostname in {"localhost", paths.HOST}
        if is_here:
            client.images.get(image)
    except Exception:  # noqa: BLE001 - as above
        return False
    else:
        return is_here
    finally:
        client.close()


C = TypeVar("C", bound=Contained)

_unusable: set[str] = set()
"""Images that Docker has but could not run; they are not tried again."""


class Supply:
    """Servers started for tests; `end` stops them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends: list[Callable[[], object]] = []

    def kafka(self, *, given: bool = True, brokers: int = 1) -> KafkaServer:
        """Return a running Kafka; with `given`, the one that the environment names, if any."""
        named = os.environ.get("CONCORD_TEST_KAFKA")
        if given and named:
            return Given(named)
        if brokers == 1 and (contained := self._contained(KAFKA_IMAGE, KafkaContainer)):
            return contained
        process = kafka.Kafka(self._folder / unique_name("kafka"), brokers=brokers)
        self._ends.append(process.kill)
        process.start()
        return process

    def store(self, *, given: bool = True) -> StoreServer:
        """Return a running store; with `given`, the one that the environment names, if any."""
        named = os.environ.get("CONCORD_TEST_STORE")
        if given and named:
            return Given(named)
        if contained := self._contained(STORE_IMAGE, StoreContainer):
            return contained
        process = store.Store(self._folder / unique_name("store"))
        self._ends.append(process.kill)
        process.start()
        return process

    def _contained(self, image: str, make: Callable[[], C]) -> C | None:
        """Return a running container, or None where Docker cannot run the image."""
        if image in _unusable or not docker_has(image):
            return None
        contained: C | None = None
        try:
            contained = make()
            contained.start()
        except Exception as error:  # noqa: BLE001 - processes are used instead
            warnings.warn(f"Docker has {image} and cannot run it: {error!r}", stacklevel=2)
            _unusable.add(image)
            if contained is not None:
                with suppress(Exception):
                    contained.remove()
            return None
        self._ends.append(contained.remove)
        return contained

    def end(self) -> None:
        """Kill or remove all servers, without an orderly stop, since their data are not needed."""
        while self._ends:
            self._ends.pop()()


def unique_name(stem: str) -> str:
    """Return a unique name for a database, a topic prefix or a folder."""
    return f"{re.sub('[^a-z0-9]+', '-', stem.lower()).strip('-')}-{secrets.token_hex(4)}"


def wait_until(is_so: Callable[[], bool], *, limit: float = 30.0, pause: float = 0.05) -> None:
    """Wait until `is_so` returns true; raises AssertionError after `limit` seconds."""
    ends = time.monotonic() + limit
    while not is_so():
        if time.monotonic() > ends:
            raise AssertionError(f"condition not met within {limit:g} s")
        time.sleep(pause)
