"""Start a separate platform for benchmarks, and measure the processor time of its processes."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from bench.client import Answer, Connection
from chassis.base.settings import LOCAL_ISSUER
from chassis.web.auth import issue
from contracts.roles import ROLES
from local.platform import SERVICES, Layout, Platform
from local.processes import Process
from sales.accounts.names import account_id

ACCOUNT = account_id("Bench")
SELLER = "bench-seller"
_TICKS = os.sysconf("SC_CLK_TCK")


class Testbed:
    """A platform in a given folder, on free ports."""

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self.report = report
        self.platform = Platform(Layout.on_free_ports(folder), report=report)

    @property
    def bootstrap(self) -> str:
        return self.platform.kafka.bootstrap

    def connection(self, service: str, actor: str = SELLER) -> Connection:
        """Return a connection with a token for all roles."""
        secret = self.platform.outside_environment()["CONCORD_TOKEN_SECRET"]
        token = issue(
            secret,
            actor,
            ROLES,
            issuer=LOCAL_ISSUER,
            now=datetime.now(UTC),
            valid=timedelta(hours=2),
        )
        return Connection(self.platform.layout.ports[service], token)

    async def publish(self) -> None:
        """Publish the reference data that the commands need: an account and a person."""
        person = {"name": "Sol Seller", "department": "sales"}
        async with self.connection("delivery") as delivery:
            done = await delivery.post(
                f"/people/{SELLER}/publish-person", orjson.dumps(person), Idempotency_Key="person"
            )
            expect(done, 200)
        async with self.connection("sales") as sales:
            done = await sales.post(
                "/accounts", orjson.dumps({"name": "Bench"}), Idempotency_Key="account"
            )
            expect(done, 201)
        await asyncio.sleep(0.5)

    def with_prefix(self, service: str, prefix: str, database: str) -> Process:
        """Return a process of a service on its usual port, with other topics and database."""
        environment = self.platform.environment(service)
        environment |= {"CONCORD_TOPIC_PREFIX": prefix, "CONCORD_STORE_DATABASE": database}
        usual = self.platform.services[service]
        return Process(service, usual.command, log=usual.log, environment=environment)

    def create_topics(self, prefix: str) -> None:
        """Create the contracts' topics with another prefix; raises RuntimeError on failure."""
        environment = self.platform.outside_environment() | {"CONCORD_TOPIC_PREFIX": prefix}
        usual = self.platform.services["sales"]
        maker = Process(
            "topics",
            [usual.command[0], "-m", "chassis.kafka.topics"],
            log=None,
            environment=environment,
        )
        maker.log = self.platform.layout.logs / "topics.log"
        maker.start()
        if maker.wait(60) != 0:
            raise RuntimeError(maker.trouble("failed"))

    @contextmanager
    def metered(self) -> Iterator[dict[str, float]]:
        """Yield a mapping that is filled, at the end, with processor seconds used per process."""
        before, used = self._used(), dict[str, float]()
        yield used
        used |= {name: after - before.get(name, 0.0) for name, after in self._used().items()}

    def _used(self) -> Mapping[str, float]:
        used = {each.name: processor_seconds(each.pid) for each in self.platform.processes}
        return used | {"bench": time.process_time()}


def processor_seconds(pid: int | None) -> float:
    """Return the user and system time of a process in seconds; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def expect(answer: Answer, *statuses: int) -> Answer:
    """Return the answer; raises RuntimeError where its status is not one of those expected."""
    if answer.status not in statuses:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:500].decode()}")
    return answer


def busy() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


__all__ = ["ACCOUNT", "SELLER", "SERVICES", "Testbed", "busy", "expect", "processor_seconds"]
