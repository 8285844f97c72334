"""Inject invalid records into the topics, with keys of engagements that the load works on.

The injecting client may write to every topic. `Operator` sets the parked records aside.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from aiokafka import AIOKafkaProducer
from uuid_utils import uuid7

from chassis.base.partitioning import partition_of
from contracts import delivery, finance, gateway, legal, reference, sales
from contracts.channels import CHANNELS, PARTITIONS
from contracts.event import Event, Recorded, encode
from contracts.money import Money, Rate
from contracts.values import RoleRate
from local.platform import SERVICES, Platform
from tests import hostile_records
from tests.faults.collected_state import FORGED, NO_EVENT, PLANTED, UNKNOWN, UNREADABLE
from tests.faults.load import Load
from tests.invoices import untaxed

_EUR = Money(amount=Decimal(1_000), currency="EUR")
_DAY = date(2025, 3, 3)
_RATE = RoleRate(role="architect", rate=Rate(amount=Decimal(1), currency="EUR"))
_EXAMPLES: Sequence[Event] = (
    sales.OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50)),
    legal.FileOpened(account="novamed", title="Migration"),
    delivery.EngagementResumed(resumed_on=_DAY),
    finance.InvoiceApproved(invoice="inv-planted", issue_on=_DAY, **untaxed(_EUR)),
    finance.EstimateCosted(estimate_version=1, cost=_EUR, margin=None),
    gateway.DisconnectResolved(finding="planted", rule="planted"),
    gateway.ConfidentialDisconnectResolved(finding="planted", rule="planted"),
    reference.AccountPublished(account="planted", name="Planted"),
    reference.AgreementPublished(
        agreement="planted",
        account="planted",
        agreement_type="nda",
        signed_on=_DAY,
        starts_on=_DAY,
    ),
    reference.PersonPublished(person="planted", name="Planted", department="delivery"),
    reference.RateCardPublished(rate_card="planted", currency="EUR", rates=(_RATE,)),
    reference.CostRatesPublished(cost_rates="planted", currency="EUR", rates=(_RATE,)),
)
"""An event of each channel."""

EXAMPLES: Mapping[str, Event] = {event.channel.name: event for event in _EXAMPLES}
assert EXAMPLES.keys() == CHANNELS.keys(), "a channel has no example"
NUMBERED = tuple(name for name, channel in CHANNELS.items() if channel.kind == "events")
FORGEABLE: Mapping[str, Event] = {name: EXAMPLES[name] for name in NUMBERED}
"""Events that are published with a forged sequence."""

AHEAD = (500, 5_000, hostile_records.LARGEST_NUMBER)
"""Sequences, near and far, that no author reaches here: none publishes 500 events of one engagement
on one channel."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A record to be injected: its family, its kind, and the channel."""

    family: str
    kind: str
    channel: str


def event(event: Event, subject: str, sequence: int) -> hostile_records.RawEvent:
    """Return the attributes of a valid event, as in JSON."""
    moment = datetime(2025, 3, 3, 9, tzinfo=UTC)
    recorded: Recorded[Event] = Recorded(
        id=str(uuid7()),
        subject=subject,
        sequence=sequence,
        event=event,
        actor="mallory",
        cause="planted",
        occurred_at=moment,
        recorded_at=moment,
        heard={},
    )
    made: dict[str, Any] = orjson.loads(encode(recorded))
    return made


def everything() -> list[Seed]:
    """Return every kind of record on every channel on which it is possible."""
    return [
        *(
            Seed(NO_EVENT, kind, channel)
            for channel in CHANNELS
            for kind in [*_no_events(channel, "E-1", 1), *_odd_places(channel)]
        ),
        *(
            Seed(family, kind, channel)
            for channel in NUMBERED
            for family, kinds in _parking(channel, "E-1", 1).items()
            for kind in kinds
        ),
    ]


def some(random: Random, parking: int) -> list[Seed]:
    """Return all records that are not events, and `parking` others that park an engagement."""
    every = everything()
    harmless = [each for each in every if each.family == NO_EVENT]
    return harmless + random.sample([each for each in every if each.family != NO_EVENT], parking)


class Planter:
    """Injects records into the topics while a load runs (``async with``)."""

    def __init__(self, bootstrap: str, load: Load, seed: int, prefix: str = "concord") -> None:
        self.done: list[str] = []
        """The places of all injected records: topic/partition/offset."""
        self._load = load
        self._random = Random(f"planted-{seed}")
        self._prefix = prefix
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", max_request_size=2**21
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def plant(self, seeds: Sequence[Seed], *, seconds: float) -> None:
        """Inject records in an order drawn from the seed, spread over about `seconds`."""
        async with asyncio.timeout(120):
            while not self._begun():  # noqa: ASYNC110 - the load gives no signal
                await asyncio.sleep(0.05)
        order = self._random.sample(seeds, len(seeds))
        ends = time.monotonic() + seconds
        for number, seed in enumerate(order):
            await self._plant(seed)
            left = max(0.0, ends - time.monotonic()) / (len(order) - number)
            await asyncio.sleep(left * self._random.uniform(0.5, 1.5))

    async def _plant(self, seed: Seed) -> None:
        channel = CHANNELS[seed.channel]
        subject, sequence = self._engagement(seed)
        key: bytes | None = subject.encode()
        partition: int | None = None
        value: bytes | None
        if seed.family != NO_EVENT:
            value = _parking(seed.channel, subject, sequence)[seed.family][seed.kind]
        elif seed.kind in (places := _odd_places(seed.channel)):
            key, away = places[seed.kind]
            value = hostile_records.written(event(EXAMPLES[seed.channel], subject, sequence))
            if away:
                key = subject.encode()
                partition = (partition_of(subject) + away) % PARTITIONS
        else:
            if channel.kind == "reference":
                subject = f"planted-{len(self.done)}"
                key = f"{EXAMPLES[seed.channel].kind}:{subject}@1".encode()  # type: ignore[attr-defined]
                sequence = 1
            value = _no_events(seed.channel, subject, sequence)[seed.kind]
        sent = await self._producer.send_and_wait(
            channel.topic(self._prefix),
            value,
            key,
            partition,
            headers=[(PLANTED, f"{seed.family}: {seed.kind}".encode())],
        )
        self.done.append(f"{sent.topic}/{sent.partition}/{sent.offset}")

    def _begun(self) -> list[str]:
        """Return the engagements of the load, the newest last."""
        subjects = dict.fromkeys(each.subject for each in self._load.acknowledged)
        return [subject for subject in subjects if subject.startswith("E-")]

    def _engagement(self, seed: Seed) -> tuple[str, int]:
        """Return an engagement of the load, and the sequence for the record."""
        engagement = self._random.choice(self._begun()[-12:])
        if seed.family == FORGED:
            return engagement, 1  # replaced by that of its kind
        known = [
            each.position.get(seed.channel, 0)
            for each in self._load.acknowledged
            if each.subject == engagement
        ]
        return engagement, max(known, default=0) + self._random.choice((1, 1, 1, 2, 5, 5_000))


def _no_events(channel: str, subject: str, sequence: int) -> Mapping[str, bytes | None]:
    other = "legal" if channel != "legal" else "sales"
    return hostile_records.no_events(
        event(EXAMPLES[channel], subject, sequence), event(EXAMPLES[other], subject, sequence)
    )


def _odd_places(channel: str) -> Mapping[str, tuple[bytes | None, int]]:
    """Return keys that make a valid event invalid, and the offset from its right partition."""
    places: dict[str, tuple[bytes | None, int]] = {
        "a key that is no text": (b"\xff\xfe", 0),
        "a key with control characters": (b"E-1\x00", 0),
        "a key beyond bounds": (b"K" * 201, 0),
        "a huge key": (b"K" * 500_000, 0),
        "a key of no bytes": (b"", 0),
    }
    if CHANNELS[channel].kind != "reference":  # a compacted topic rejects records without a key
        places |= {"no key": (None, 0), "another partition": (None, 1)}
    return places


def _parking(channel: str, subject: str, sequence: int) -> Mapping[str, Mapping[str, bytes]]:
    """Return records that park an engagement, by family and kind."""
    valid = event(EXAMPLES[channel], subject, sequence)
    found: dict[str, dict[str, bytes]] = {
        UNREADABLE: hostile_records.unreadable_data(valid),
        UNKNOWN: hostile_records.unknown_types(valid),
    }
    if channel in FORGEABLE:
        found[FORGED] = {
            f"number {number}": hostile_records.written(event(FORGEABLE[channel], subject, number))
            for number in AHEAD
        }
    return found


class Operator:
    """Sets aside, over HTTP, injected records that park an engagement, and nothing else."""

    def __init__(self, platform: Platform, load: Load, planter: Planter) -> None:
        self.decided: set[tuple[str, str]] = set()
        """Pairs of a service and a record that it set aside."""
        self._platform = platform
        self._load = load
        self._planter = planter
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="operator")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task  # raises the error that ended it, if any

    async def _run(self) -> None:
        while True:
            await asyncio.gather(*(self._set_aside(service) for service in SERVICES))
            await asyncio.sleep(0.5)

    async def _set_aside(self, service: str) -> None:
        pages = [
            await self._ask(service, "GET", f"/operations/{kind}") for kind in ("parked", "waiting")
        ]
        for engagement in [each for page in pages if page for each in page["items"]]:
            path = f"/operations/parked/{engagement['engagement']}"
            records = await self._ask(service, "GET", path)
            for record in records:
                if record["code"] != "waiting" and record["id"] in self._planter.done:
                    body = {"record": record["id"], "why": "it was planted by a test"}
                    await self._ask(service, "POST", f"{path}/set-aside", body)
                    self.decided.add((service, record["id"]))

    async def _ask(
        self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        answer = await self._load.driver._ask(method, service, path, "everybody", {}, body)
        if isinstance(answer, httpx.Response):
            if answer.is_success:
                return answer.json()
            assert answer.status_code in {404, 503, 504}, f"{service}{path}: {answer.text}"
        return []
