"""Start and stop the platform on one machine: Kafka, a store per service, and the services."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local import paths
from local.kafka import Kafka
from local.processes import Process, ProcessError, stop_all
from local.store import Store

HEALTH_TIMEOUT = 5.0
"""Seconds to wait for an answer of GET /health; a service answers in less."""

DEPARTMENTS = ("sales", "legal", "delivery", "finance")
SERVICES = (*DEPARTMENTS, "gateway")

_PORTS = {
    "gateway": 8100,
    "sales": 8101,
    "legal": 8102,
    "delivery": 8103,
    "finance": 8104,
    "kafka": 19092,
    "kafka-controller": 19093,
    "gateway-store": 27100,
    "sales-store": 27101,
    "legal-store": 27102,
    "delivery-store": 27103,
    "finance-store": 27104,
}


DATA_FORMAT = "4"
"""Version of what the stores and topics contain; increased when earlier data cannot be read.

1: before `Fact` was renamed to `Event`. 2: until amounts had to be whole in the minor unit, and
texts without hidden characters. 3: until disconnects had two sides, tasks ids of their own, and a
month one event with its postings. 4: since then.
"""


class OldDataError(RuntimeError):
    """The data folder was written in another format."""


class PortTakenError(RuntimeError):
    """A port of the platform is taken; the message names the variable that changes it."""


def port_variable(part: str) -> str:
    """Return the environment variable that sets the port of a process."""
    return f"CONCORD_{part.upper().replace('-', '_')}_PORT"


@dataclass(frozen=True)
class Layout:
    """Folders and ports of one platform."""

    folder: Path
    ports: Mapping[str, int]

    @classmethod
    def from_environment(cls) -> "Layout":
        """Return the layout that the environment variables define, with the default ports."""
        return cls(
            paths.home(),
            {part: int(os.environ.get(port_variable(part), port)) for part, port in _PORTS.items()},
        )

    @staticmethod
    def published(service: str, environment: Mapping[str, str]) -> str:
        """Return a service's address on this machine in an environment."""
        port = environment.get(port_variable(service), _PORTS[service])
        return f"http://{paths.HOST}:{port}"

    @classmethod
    def on_free_ports(cls, folder: Path) -> "Layout":
        """Return the layout of a separate platform, for a test."""
        return cls(folder, {part: paths.free_port() for part in _PORTS})

    @property
    def data(self) -> Path:
        """Return the folder of the data of Kafka and the stores."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """Return the folder of all logs."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Return the folder of pid files and the token secret."""
        return self.folder / "run"

    def url(self, service: str) -> str:
        """Return the address of a service."""
        return f"http://{paths.HOST}:{self.ports[service]}"

    def check_data(self) -> None:
        """Record the format of new data; raise OldDataError where data of another format exist."""
        mark = self.data / "format"
        found = mark.read_text().strip() if mark.is_file() else "1"
        if not self.data.is_dir() or not any(self.data.iterdir()):
            self.data.mkdir(parents=True, exist_ok=True)
            mark.write_text(DATA_FORMAT + "\n")
        elif found != DATA_FORMAT:
            raise OldDataError(
                f"the data in {self.data} were written by an earlier version (format {found}, this "
                f"version reads format {DATA_FORMAT}): type `make run FRESH=1` to delete them and "
                "start with new demo data."
            )

    def check_ports(self) -> None:
        """Raise PortTakenError where something listens on a port of this layout."""
        for part, port in self.ports.items():
            if not paths.is_free(port):
                raise PortTakenError(
                    f"port {port}, meant for {part}, is taken by another program: stop that one, "
                    f"or set {port_variable(part)} to a free port."
                )


def token_secret(layout: Layout) -> str:
    """Return the secret that signs this platform's tokens, created the first time; never log it."""
    file = layout.run / "token-secret"
    layout.run.mkdir(parents=True, exist_ok=True)
    try:
        # Created with these permissions, so that no other user can ever read it.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as opened:
        secret = secrets.token_urlsafe(48)
        opened.write(secret + "\n")
    return secret


class Platform:
    """All processes of a platform, in the order in which they start and stop.

    Tests may also kill and restart single processes: `kafka`, `stores["sales"]`,
    `services["sales"]`.
    """

    def __init__(self, layout: Layout, *, report: Callable[[str], None] = print) -> None:
        """Create the processes without starting them; `report` is called with progress messages."""
        self.layout = layout
        self._report = report
        self.run_elsewhere: set[str] = set()
        """Services that another terminal runs at present (`local.dev`)."""
        self._secret = token_secret(layout)
        self.kafka = Kafka(
            layout.data / "kafka",
            port=layout.ports["kafka"],
            controller_port=layout.ports["kafka-controller"],
            log=layout.logs / "kafka.log",
            report=report,
        )
        self.stores = {
            service: Store(
                layout.data / "stores" / service,
                port=layout.ports[f"{service}-store"],
                name=f"{service}-store",
                log=layout.logs / f"{service}-store.log",
            )
            for service in SERVICES
        }
        self.services = {service: self._service(service) for service in SERVICES}

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment variables of a service: its port, store, Kafka and secret."""
        return {
            **self.outside_environment(),
            "CONCORD_SERVICE_PORT": str(self.layout.ports[service]),
            "CONCORD_SCHEMAS_URL": f"{self.layout.url('gateway')}/schemas",
            "CONCORD_STORE_URL": self.stores[service].url,
            "CONCORD_STORE_DATABASE": service,
        }

    def outside_environment(self) -> dict[str, str]:
        """Return the environment variables of a client, such as the demo or a test.

        They contain the secret that signs tokens: never print them.
        """
        return {
            "CONCORD_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CONCORD_TOKEN_SECRET": self._secret,
            **{f"CONCORD_{name.upper()}_URL": self.layout.url(name) for name in SERVICES},
        }

    @property
    def processes(self) -> list[Process]:
        """Return all processes that were started, whether they still run or not."""
        every = [*self.kafka.processes, *(store.process for store in self.stores.values())]
        every += self.services.values()
        return [process for process in every if process.pid is not None]

    def start(self) -> None:
        """Start everything and wait until every service is healthy."""
        self.start_infrastructure()
        self.create_topics()
        self.start_services()

    def start_infrastructure(self) -> None:
        """Start Kafka and the stores at the same time, and wait until they are ready."""
        self._report("Starting Kafka and five document stores ...")
        self.kafka.begin()
        for store in self.stores.values():
            store.begin()
        self.kafka.wait_ready(limit=90)
        for store in self.stores.values():
            store.wait_ready()

    def create_topics(self) -> None:
        """Create the topics that the contracts define; existing topics are not changed."""
        self._report("Creating the topics of the contracts ...")
        self.run("chassis.kafka.topics", log=self.layout.logs / "topics.log", limit=60)

    def start_services(self, *, limit: float = 90.0) -> None:
        """Start the five services at the same time, and wait until each is healthy."""
        self._report("Starting the five services ...")
        for service in self.services.values():
            service.start()
        for name in self.services:
            self.wait_healthy(name, limit=limit, needs_all=True)

    def wait_healthy(self, service: str, *, limit: float = 60.0, needs_all: bool = False) -> float:
        """Wait until a service is healthy, that is, also processes events; return the seconds.

        With `needs_all`, raises ProcessError as soon as any process of the platform has ended.
        """

        def healthy() -> bool:
            dead = self.dead() if needs_all else None
            if dead is not None:
                raise ProcessError(dead.trouble("ended early"))
            return is_healthy(self.layout.url(service))

        return self.services[service].wait_ready(healthy, limit=limit)

    def run(self, module: str, *arguments: str, log: Path | None, limit: float | None) -> None:
        """Run a module of the project as a client of the services, and wait for its end.

        Raises ProcessError where it fails or takes longer than `limit` seconds. With `log=None` it
        shares this process's output.
        """
        process = Process(
            module,
            [sys.executable, "-m", module, *arguments],
            log=log,
            environment=self.outside_environment(),
        )
        process.start()
        try:
            if process.wait(limit) != 0:
                raise ProcessError(process.trouble("failed"))
        finally:
            process.stop()

    def dead(self) -> Process | None:
        """Return a process that has ended and that no other terminal runs, or None."""
        elsewhere = [self.services[name] for name in self.run_elsewhere]
        return next(
            (each for each in self.processes if not each.running and each not in elsewhere), None
        )

    def stop(self) -> None:
        """Stop all processes: first the services, then Kafka and the stores."""
        try:
            stop_all(list(self.services.values()), grace=20)
        finally:
            stop_all([*self.kafka.processes, *(store.process for store in self.stores.values())])

    def kill(self) -> None:
        """Kill all processes."""
        for process in self.processes:
            process.kill()

    def _service(self, name: str) -> Process:
        return Process(
            name,
            [sys.executable, "-m", f"{name}.service"],
            log=self.layout.logs / f"{name}.log",
            environment=self.environment(name),
            pid_file=self.layout.run / f"{name}.pid",
        )


def health(url: str) -> dict[str, Any] | None:
    """Return a service's answer to GET /health; None where it does not answer."""
    try:
        answer = httpx.get(f"{url}/health", timeout=HEALTH_TIMEOUT)
        found: dict[str, Any] = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    return found


def is_healthy(url: str) -> bool:
    """Return whether the service at this address reports that it is healthy."""
    found = health(url)
    return found is not None and found["healthy"] is True
