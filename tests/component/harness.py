"""Run one department's service as a process, and act as its clients and the other departments.

Tests of a department start it once with `running`, and use it in a `World`: through HTTP and Kafka
alone.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.base.settings import LOCAL_ISSUER
from chassis.domain.ids import derived
from chassis.eventstore.journal import kafka_key
from chassis.kafka.topics import create_topics
from chassis.web.auth import issue
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded, decode, encode, write_position
from contracts.reference import Reference
from contracts.roles import Role
from local.paths import free_port
from local.platform import is_healthy
from local.processes import Process
from tests.infrastructure import KafkaServer, StoreServer, unique_name

T = TypeVar("T")
SECRET = "pU7z-Qm2vK9sXw4tRb6yLh3eNc8aGd5f"


def token(actor: str, *roles: Role, valid: timedelta = timedelta(hours=8)) -> str:
    """Return a bearer token with these roles."""
    now = datetime.now(UTC)
    return issue(SECRET, actor, roles, issuer=LOCAL_ISSUER, now=now, valid=valid)


def bearer(by: str) -> dict[str, str]:
    """Return the Authorization header for a token."""
    return {"Authorization": f"Bearer {by}"}


def engagement_id() -> str:
    """Return a new engagement id."""
    return f"E-{derived(secrets.token_hex())}"


def accepted(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of an answer, whose status must be 200."""
    assert answer.status_code == 200, f"{answer.url}: {answer.text}"
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem of an answer, which must have this status and code."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    return problem


def owed(problem: dict[str, Any]) -> dict[str, str]:
    """Return which department owes each missing item of a refusal."""
    return {item["code"]: item["owed_by"] for item in problem["missing"]}


async def asked_until(
    ask: Callable[[], Awaitable[T]], is_so: Callable[[T], bool], limit: float = 20
) -> T:
    """Repeat a request until `is_so` holds for its answer, at most `limit` seconds; return it."""
    ends = time.monotonic() + limit
    while not is_so(answer := await ask()):
        assert time.monotonic() < ends, getattr(answer, "text", answer)
        await asyncio.sleep(0.05)
    return answer


@dataclass(frozen=True)
class Running:
    """A running service: its name and URL, and the Kafka and prefix of its topics."""

    name: str
    url: str
    kafka: str
    prefix: str

    @asynccontextmanager
    async def world(self, by: str) -> AsyncIterator["World"]:
        """Yield a `World` with a new engagement; `by` is the default token."""
        async with (
            AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all") as producer,
            httpx.AsyncClient(base_url=self.url, timeout=40) as client,
        ):
            yield World(self, client, producer, by)


@contextmanager
def running(name: str, kafka: KafkaServer, store: StoreServer, folder: Path) -> Iterator[Running]:
    """Run a department's service with its own topics and database; it logs to `folder`."""
    prefix, port = unique_name(name), free_port()
    asyncio.run(create_topics(kafka.bootstrap, prefix))
    process = Process(
        name,
        [sys.executable, "-m", f"{name}.service"],
        log=folder / f"{name}.log",
        environment={
            "CONCORD_SERVICE_PORT": str(port),
            "CONCORD_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "CONCORD_TOPIC_PREFIX": prefix,
            "CONCORD_STORE_URL": store.url,
            "CONCORD_STORE_DATABASE": prefix,
            "CONCORD_TOKEN_SECRET": SECRET,
        },
    )
    url = f"http://127.0.0.1:{port}"
    process.start()
    try:
        process.wait_ready(lambda: is_healthy(url))
        yield Running(name, url, kafka.bootstrap, prefix)
    finally:
        process.stop()


@dataclass
class World:
    """Clients of a service, and publisher of the other departments' events, for one engagement."""

    service: Running
    client: httpx.AsyncClient
    producer: AIOKafkaProducer
    by: str
    engagement: str = field(default_factory=engagement_id)
    said: dict[tuple[str, str], int] = field(default_factory=dict)
    """Number of events that other departments published, by channel and subject."""

    async def say(
        self, *events: Event, about: str | None = None, knowing: Mapping[str, int] | None = None
    ) -> None:
        """Publish events of other departments; `knowing` is their `heard`, by channel."""
        about = about or self.engagement
        for event in events:
            place = (event.channel.name, about)
            self.said[place] = self.said.get(place, 0) + 1
            now = datetime.now(UTC)
            recorded = Recorded(
                id=f"{about}-{event.channel.name}-{self.said[place]}",
                subject=about,
                sequence=self.said[place],
                event=event,
                actor="ann",
                cause="test",
                occurred_at=now,
                recorded_at=now,
                heard=knowing or {},
            )
            topic = event.channel.topic(self.service.prefix)
            await self.producer.send_and_wait(topic, encode(recorded), kafka_key(recorded).encode())

    def heard(self, about: str) -> str:
        """Return the position (Concord-After) of all events published about an engagement."""
        return write_position({ch: n for (ch, who), n in self.said.items() if who == about})

    async def ask(
        self,
        command: str,
        body: Mapping[str, Any] | None = None,
        *,
        by: str | None = None,
        about: str | None = None,
        wait: int = 20,
        after: str | None = None,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> httpx.Response:
        """Send a command, to be decided when the service has processed all published events.

        The answer has the view in `state`.
        `command` is one on the engagement, or a whole path (`/people/ann/publish-person`).
        """
        about = about or self.engagement
        path = f"/engagements/{about}/{command}"
        if command.startswith("/"):
            path, after = command, after or ""
        return await self.client.post(
            path,
            json=body or {},
            headers={
                **bearer(by or self.by),
                "Idempotency-Key": key or secrets.token_hex(8),
                "Concord-After": self.heard(about) if after is None else after,
                "Prefer": f"return=representation, wait={wait}",
                **({"Occurred-At": occurred_at.isoformat()} if occurred_at else {}),
            },
        )

    async def do(
        self, command: str, body: Mapping[str, Any] | None = None, *, by: str | None = None
    ) -> dict[str, Any]:
        """Send a command that must succeed, as `ask` does, and return its answer."""
        return accepted(await self.ask(command, body, by=by))

    async def get(
        self, path: str, *, by: str | None = None, after: str = "", **filters: str
    ) -> httpx.Response:
        """Read a path, with `after` once the service has processed events up to that position."""
        options = {"Concord-After": after, "Prefer": "wait=20"} if after else {}
        headers = {**bearer(by or self.by), **options}
        return await self.client.get(path, params=filters, headers=headers)

    async def view(self, about: str | None = None, *, by: str | None = None) -> dict[str, Any]:
        """Return the engagement's view once the service has processed all published events."""
        about = about or self.engagement
        return accepted(await self.get(f"/engagements/{about}", by=by, after=self.heard(about)))

    async def listed(self, *, by: str | None = None, **filters: str) -> dict[str, dict[str, Any]]:
        """Return the rows of the list of engagements, by id; lists are updated asynchronously."""
        rows = accepted(await self.get("/engagements", by=by, **filters))["rows"]
        return {row["id"]: row for row in rows}

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Yield a consumer of the department's own topics from their beginning, for 20 seconds."""
        channels = (each for each in CHANNELS.values() if each.department == self.service.name)
        consumer = AIOKafkaConsumer(
            *(channel.topic(self.service.prefix) for channel in channels),
            bootstrap_servers=self.service.kafka,
            auto_offset_reset="earliest",
        )
        async with consumer, asyncio.timeout(20):
            yield consumer

    async def events(
        self, count: int = 1, of: type[Event] = Event, *, about: str | None = None
    ) -> list[Recorded[Any]]:
        """Return the department's first events of a type and subject (`""` means any subject)."""
        wanted = self.engagement if about is None else about
        found: list[Recorded[Any]] = []
        async with self.reading() as records:
            while len(found) < count:
                record = await records.getone()
                if record.value is None:
                    continue  # a tombstone
                recorded = decode(record.value)
                if isinstance(recorded.event, of) and wanted in {"", recorded.subject}:
                    is_reference = isinstance(recorded.event, Reference)
                    assert is_reference or record.key == recorded.subject.encode()
                    found.append(recorded)
        return found
