"""Test that a rolling update of a service under load loses no request.

Two instances are reached through a small forwarder that behaves like a Service of Kubernetes: it
forwards connections, not requests; existing connections are kept; and it learns late that an
instance is not ready or is stopping. Order and times are those of the manifests.
"""

import asyncio
import contextlib
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from chassis.kafka.topics import create_topics
from local import paths
from local.platform import is_healthy
from local.processes import Process
from sales.accounts.names import account_id
from tests.component.harness import SECRET, bearer, token
from tests.infrastructure import KafkaServer, StoreServer

pytestmark = pytest.mark.long

DEPLOYMENT = Path(__file__).parents[2] / "deploy" / "k8s" / "base" / "service" / "deployment.yaml"
POD: dict[str, Any] = yaml.safe_load(DEPLOYMENT.read_text())["spec"]["template"]["spec"]
PRE_STOP: list[str] = POD["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
GRACE: int = POD["terminationGracePeriodSeconds"]
PROBE: dict[str, Any] = POD["containers"][0]["readinessProbe"]

ACME = account_id("Acme")
PER_SECOND = 40
LEARNS_AFTER = 2.0
"""Seconds until every node knows that an instance comes or goes."""


class Forwarder:
    """A proxy that spreads new connections over the instances that it believes to be ready."""

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.connections = Counter[int]()
        """Number of connections that each instance was given, by port."""
        self.port = paths.free_port()
        self._links: set[asyncio.Task[None]] = set()
        self._known: dict[int, float] = {}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Forward from an address of its own, and probe whether the instances are ready."""
        server = await asyncio.start_server(self._connected, paths.HOST, self.port)
        probing = asyncio.create_task(self._probe())
        try:
            async with server:
                yield f"http://{paths.HOST}:{self.port}"
        finally:
            probing.cancel()
            for link in self._links:
                link.cancel()

    def add(self, port: int) -> None:
        """Add an instance that is ready."""
        self._known[port] = asyncio.get_running_loop().time()
        self.ready.append(port)

    async def remove(self, port: int) -> None:
        """Remove an instance that is about to stop, after the delay `LEARNS_AFTER`."""
        await asyncio.sleep(LEARNS_AFTER)
        self._known.pop(port)
        self.ready = [each for each in self.ready if each != port]

    async def _probe(self) -> None:
        patience = PROBE["periodSeconds"] * PROBE["failureThreshold"] + LEARNS_AFTER
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(timeout=PROBE["timeoutSeconds"]) as client:
            while True:
                for port in list(self._known):
                    with contextlib.suppress(httpx.HTTPError):
                        url = f"http://{paths.HOST}:{port}{PROBE['httpGet']['path']}"
                        if (await client.get(url)).is_success and port in self._known:
                            self._known[port] = loop.time()
                late = loop.time() - patience
                self.ready = [port for port, seen in self._known.items() if seen > late]
                await asyncio.sleep(1)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = random.choice(self.ready)
        self.connections[port] += 1
        try:
            there, back = await asyncio.open_connection(paths.HOST, port)
        except OSError:
            writer.transport.abort()  # like a connection that no process accepts
            return
        for each in (self._pass_on(reader, back), self._pass_on(there, writer)):
            link = asyncio.create_task(each)
            self._links.add(link)
            link.add_done_callback(self._links.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


class Load:
    """Commands and queries at an even pace: half on new connections, half on kept ones."""

    def __init__(self, url: str) -> None:
        self.lost: list[str] = []
        self.asked = 0
        self._url = url
        self._headers = bearer(token("sam", "sales-manager"))

    async def run(self, until: asyncio.Event) -> None:
        """Send requests until the event is set."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with (
            httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=20) as kept,
            asyncio.TaskGroup() as group,
        ):
            while not until.is_set():
                group.create_task(self._ask(kept if self.asked % 2 else None))
                self.asked += 1
                await asyncio.sleep(max(0.0, began + self.asked / PER_SECOND - loop.time()))

    async def _ask(self, kept: httpx.AsyncClient | None) -> None:
        number = self.asked
        try:
            if kept is not None:
                answer = await self._send(kept, number)
            else:
                async with httpx.AsyncClient(
                    base_url=self._url, headers=self._headers, timeout=20
                ) as once:
                    answer = await self._send(once, number)
        except httpx.HTTPError as error:
            self.lost.append(f"{number} at {time.monotonic():.2f}: {error!r}")
        else:
            if not answer.is_success:
                self.lost.append(f"{number}: {answer.status_code} {answer.text}")

    async def _send(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        if number % 4 < 2:
            return await client.get(f"/accounts/{ACME}")
        key = {"Idempotency-Key": secrets.token_hex(8)}
        body = {"name": f"Acme {number}"}
        return await client.post(f"/accounts/{ACME}/publish-account", json=body, headers=key)


class Instances:
    """Processes of one service, on one Kafka and one database."""

    def __init__(self, kafka: KafkaServer, store: StoreServer, name: str, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "CONCORD_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "CONCORD_TOPIC_PREFIX": name,
            "CONCORD_STORE_URL": store.url,
            "CONCORD_STORE_DATABASE": name,
            "CONCORD_TOKEN_SECRET": SECRET,
        }
        self.all: dict[int, Process] = {}

    async def start(self) -> int:
        """Start another instance, and return its port when it is ready."""
        port = paths.free_port()
        process = self.all[port] = Process(
            f"sales-{port}",
            [sys.executable, "-m", "sales.service"],
            log=self._folder / f"sales-{port}.log",
            environment={**self._environment, "CONCORD_SERVICE_PORT": str(port)},
        )
        process.start()
        url = f"http://{paths.HOST}:{port}"
        await asyncio.to_thread(process.wait_ready, lambda: is_healthy(url))
        return port

    async def end_as_kubernetes_does(self, port: int) -> None:
        """Run preStop, ask to stop, and wait for as long as the manifest grants."""
        began = time.monotonic()
        await (await asyncio.create_subprocess_exec(*PRE_STOP)).wait()
        process = self.all[port]
        process.ask_to_stop()
        await asyncio.to_thread(process.wait, GRACE - (time.monotonic() - began))


@pytest.fixture
def instances(
    kafka: KafkaServer, store: StoreServer, isolation: str, tmp_path: Path
) -> Iterator[Instances]:
    asyncio.run(create_topics(kafka.bootstrap, isolation))
    made = Instances(kafka, store, isolation, tmp_path)
    yield made
    for process in made.all.values():
        process.kill()


async def test_no_request_is_lost_while_an_instance_is_replaced(instances: Instances) -> None:
    old, other = await asyncio.gather(instances.start(), instances.start())
    forwarder, end = Forwarder(), asyncio.Event()
    forwarder.add(old)
    forwarder.add(other)
    async with forwarder.serving() as url:
        load = Load(url)
        async with httpx.AsyncClient(base_url=url, headers=load._headers) as client:
            recorded = await client.post(
                "/accounts", json={"name": "Acme"}, headers={"Idempotency-Key": "acme"}
            )
        assert recorded.is_success, recorded.text
        loading = asyncio.create_task(load.run(end))
        new = await instances.start()
        forwarder.add(new)

        began = time.monotonic()
        await asyncio.gather(forwarder.remove(old), instances.end_as_kubernetes_does(old))
        took = time.monotonic() - began

        before = forwarder.connections.copy()
        await asyncio.sleep(1)
        end.set()
        await loading

    assert load.lost == []
    assert instances.all[old].returncode == 0
    assert load.asked >= PER_SECOND * took * 0.4  # a busy machine asks less often
    # All three had load, and the replaced one was given no connection after it had stopped.
    assert all(forwarder.connections[port] > 10 for port in (old, other, new))
    assert forwarder.connections[old] == before[old]
