"""The platform on one machine: Kafka, a store for each service, the services, and their order."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from local import places
from local.kafka import Kafka
from local.processes import Process, ProcessError, stop_all
from local.store import Store

HEALTH_TIMEOUT = 5.0
"""Seconds that a service is given to say how it is; it answers within less."""

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


DATA_FORMAT = "2"
"""Raised when data of earlier code cannot be read any more: events, journals and views in stores.

1: before events had their name. 2: events.
"""


class OldDataError(RuntimeError):
    """The data folder was written by code that kept data in another form."""


class PortTakenError(RuntimeError):
    """Something else listens where a part of the platform should; the message says what to set."""


def port_variable(part: str) -> str:
    """Return the environment variable that moves a part of the platform to another port."""
    return f"CONCORD_{part.upper().replace('-', '_')}_PORT"


@dataclass(frozen=True)
class Layout:
    """Where a platform keeps its things, and on which ports its parts listen."""

    folder: Path
    ports: Mapping[str, int]

    @classmethod
    def from_environment(cls) -> "Layout":
        """Return the layout of the platform that a person runs here."""
        return cls(
            places.home(),
            {part: int(os.environ.get(port_variable(part), port)) for part, port in _PORTS.items()},
        )

    @staticmethod
    def published(service: str, environment: Mapping[str, str]) -> str:
        """Return the address that a service has on this machine when the environment is this."""
        port = environment.get(port_variable(service), _PORTS[service])
        return f"http://{places.HOST}:{port}"

    @classmethod
    def on_free_ports(cls, folder: Path) -> "Layout":
        """Return the layout of a platform of its own, for a test."""
        return cls(folder, {part: places.free_port() for part in _PORTS})

    @property
    def data(self) -> Path:
        """The folder of what Kafka and the stores keep."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """The folder of everybody's logs."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """The folder of process ids and of the local secret."""
        return self.folder / "run"

    def url(self, service: str) -> str:
        """Return the address of a service."""
        return f"http://{places.HOST}:{self.ports[service]}"

    def check_data(self) -> None:
        """Note the format of new data; raise `OldDataError` where data of another format exist."""
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
        """Raise `PortTakenError` when something listens on a port that is to be ours."""
        for part, port in self.ports.items():
            if not places.is_free(port):
                raise PortTakenError(
                    f"port {port}, meant for {part}, is taken by another program: stop that one, "
                    f"or set {port_variable(part)} to a free port."
                )


def token_secret(layout: Layout) -> str:
    """Return the secret that signs this platform's tokens, made the first time; never logged."""
    file = layout.run / "token-secret"
    layout.run.mkdir(parents=True, exist_ok=True)
    try:
        # Nobody else may read it, from the first moment it is there.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as opened:
        secret = secrets.token_urlsafe(48)
        opened.write(secret + "\n")
    return secret


class Platform:
    """Everything that runs, in the order in which it has to start and stop.

    A test may start it whole (`start`), or take it apart: `kafka`, `stores["sales"]` and
    `services["sales"]` can each be killed and started again.
    """

    def __init__(self, layout: Layout, *, say: Callable[[str], None] = print) -> None:
        """Describe it; nothing starts yet."""
        self.layout = layout
        self.run_elsewhere: set[str] = set()
        """Services that another terminal runs at present (`local.dev`)."""
        self._say = say
        self._secret = token_secret(layout)
        self.kafka = Kafka(
            layout.data / "kafka",
            port=layout.ports["kafka"],
            controller_port=layout.ports["kafka-controller"],
            log=layout.logs / "kafka.log",
            say=say,
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
        """Return what a service is told: where it listens, and what it talks to."""
        return {
            **self.outside_environment(),
            "CONCORD_SERVICE_PORT": str(self.layout.ports[service]),
            "CONCORD_STORE_URL": self.stores[service].url,
            "CONCORD_STORE_DATABASE": service,
        }

    def outside_environment(self) -> dict[str, str]:
        """Return what a program beside the services needs: a person's commands, the play, tests.

        Holds the secret that signs tokens: pass it on, never print it.
        """
        return {
            "CONCORD_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CONCORD_TOKEN_SECRET": self._secret,
            **{f"CONCORD_{name.upper()}_URL": self.layout.url(name) for name in SERVICES},
        }

    @property
    def processes(self) -> list[Process]:
        """All that was started, whether it still runs or not."""
        every = [*self.kafka.processes, *(store.process for store in self.stores.values())]
        every += self.services.values()
        return [process for process in every if process.pid is not None]

    def start(self) -> None:
        """Start everything and wait until every part of every service does its work."""
        self.start_infrastructure()
        self.create_topics()
        self.start_services()

    def start_infrastructure(self) -> None:
        """Start Kafka and the stores, all at once, and wait for them."""
        self._say("Starting Kafka and five document stores ...")
        self.kafka.begin()
        for store in self.stores.values():
            store.begin()
        self.kafka.wait_ready(limit=90)
        for store in self.stores.values():
            store.wait_ready()

    def create_topics(self) -> None:
        """Create the topics that the contracts name; those that stand already stay."""
        self._say("Creating the topics of the contracts ...")
        self.run("chassis.kafka.topics", log=self.layout.logs / "topics.log", limit=60)

    def start_services(self, *, limit: float = 90.0) -> None:
        """Start the five services, all at once, and wait until each says that it is healthy."""
        self._say("Starting the five services ...")
        for service in self.services.values():
            service.start()
        for name in self.services:
            self.wait_healthy(name, limit=limit, needs_all=True)

    def wait_healthy(self, service: str, *, limit: float = 60.0, needs_all: bool = False) -> float:
        """Wait until one service says that it is healthy; return the seconds.

        A service takes requests before: this waits until events flow, too. With `needs_all`, give
        up as soon as any part of the platform has ended.
        """

        def healthy() -> bool:
            dead = self.dead() if needs_all else None
            if dead is not None:
                raise ProcessError(dead.trouble("ended early"))
            return is_healthy(self.layout.url(service))

        return self.services[service].wait_ready(healthy, limit=limit)

    def run(self, module: str, *arguments: str, log: Path | None, limit: float | None) -> None:
        """Run a module of the project beside the services to its end.

        Raises `ProcessError` when it fails or takes too long. With `log=None` it writes where
        this program does.
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
        """Return a process that has ended and that nobody runs elsewhere."""
        elsewhere = [self.services[name] for name in self.run_elsewhere]
        return next(
            (each for each in self.processes if not each.running and each not in elsewhere), None
        )

    def stop(self) -> None:
        """Stop everything that was started: first who writes, then what they write to."""
        stop_all(list(self.services.values()), grace=20)
        stop_all([*self.kafka.processes, *(store.process for store in self.stores.values())])

    def kill(self) -> None:
        """End everything at once."""
        for process in self.processes:
            process.kill()

    def _service(self, name: str) -> Process:
        return Process(
            name,
            [sys.executable, "-m", f"{name}.app"],
            log=self.layout.logs / f"{name}.log",
            environment=self.environment(name),
            pid_file=self.layout.run / f"{name}.pid",
        )


def health(url: str) -> dict[str, Any] | None:
    """Return what the service at this address says of its parts; None where it does not answer."""
    try:
        answer = httpx.get(f"{url}/health", timeout=HEALTH_TIMEOUT)
        said: dict[str, Any] = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    return said


def is_healthy(url: str) -> bool:
    """Tell whether every part of the service at this address does its work."""
    said = health(url)
    return said is not None and said["healthy"] is True
