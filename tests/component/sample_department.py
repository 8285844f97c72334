"""Define a small department on Sales' events, and run its command and event handlers in a test."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self, TypeVar

from uuid_utils import uuid7

from chassis.application.command_handler import CommandHandler
from chassis.application.event_handler import StreamEventHandler
from chassis.application.repository import (
    LARGEST_CONSUMED,
    LARGEST_STATE,
    ContextFactory,
    Repository,
)
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context, ReferenceData
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.decider import Decider
from chassis.domain.state import Part, on_event
from chassis.eventstore.journal import Journal
from chassis.eventstore.mongo import Store
from chassis.eventstore.snapshots import Snapshots
from contracts.delivery import ManagerAssigned, TierChosen
from contracts.event import Event, Recorded
from contracts.money import Money
from contracts.reference import PersonPublished
from contracts.roles import Role
from contracts.sales import OpportunityAdvanced, OpportunityOpened, OpportunityQualified

F = TypeVar("F", bound=Event)
SELLERS: tuple[Role, ...] = ("account-executive",)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Deal(Part):
    title: str = ""
    chances: tuple[int, ...] = ()
    manager: str | None = None
    silent: bool = False
    since: datetime | None = None

    @on_event
    def opened(self, recorded: Recorded[OpportunityOpened]) -> Self:
        return self.updated(title=recorded.event.title, since=recorded.occurred_at)

    @on_event
    def advanced(self, event: OpportunityAdvanced) -> Self:
        return self.updated(chances=(*self.chances, int(event.probability)))

    @on_event
    def qualified(self, event: OpportunityQualified) -> Self:
        return self.updated(silent=True)

    @on_event
    def managed(self, event: ManagerAssigned) -> Self:
        return self.updated(manager=event.manager)


class Open(Command):
    title: str


class Advance(Command):
    probability: int
    times: int = 1


deals: Capability[Deal] = Capability(__name__)


def moved(probability: int) -> OpportunityAdvanced:
    return OpportunityAdvanced(pipeline_stage="qualifying", probability=Decimal(probability))


@deals.decide(Open, by=SELLERS, prefix="E")
def open_deal(state: Deal, command: Open, context: Context) -> Iterable[Event]:
    if state.title:
        raise Refused("opportunity-opened", "it was opened before")
    yield OpportunityOpened(
        account="acme",
        title=command.title,
        expected_value=Money(amount=Decimal(1000), currency="EUR"),
        expected_close=date(2026, 6, 1),
        owner="ann",
    )


@deals.decide(Advance, by=SELLERS)
def advance(state: Deal, command: Advance, context: Context) -> Iterable[Event]:
    if state.chances and command.probability < state.chances[-1]:
        raise Refused("date-before-known", "chances only rise here")
    if not state.chances or command.probability > state.chances[-1]:
        for _ in range(command.times):
            yield moved(command.probability)


@deals.decide(DeadlinePassed, by=None)
def silence(state: Deal, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    if not state.silent:
        yield OpportunityQualified(
            budget=False, authority=False, need=False, timing=False, score=Decimal(0)
        )


@deals.react
def react(state: Deal, context: Context) -> Iterable[Event]:
    if state.manager and not state.chances:
        yield moved(50)


@deals.deadlines
def deadlines(state: Deal) -> Iterable[Deadline]:
    if state.since and not state.silent:
        yield Deadline("silence", state.since + timedelta(days=5))


DEALS: Decider[Deal] = Decider(
    department="sales",
    kind="engagement",
    initial=lambda _: Deal(),
    capabilities=(deals,),
)


class Person(Part):
    name: str = ""
    version: int = 0

    @on_event
    def published(self, recorded: Recorded[PersonPublished]) -> Self:
        return self.updated(name=recorded.event.name, version=recorded.sequence)


class Publish(Command):
    name: str


people: Capability[Person] = Capability(__name__)


@people.decide(Publish, by=SELLERS, opens=True)
def publish(state: Person, command: Publish, context: Context) -> Iterable[Event]:
    if command.name != state.name:
        yield PersonPublished(person="bob", name=command.name, department="delivery")


PEOPLE: Decider[Person] = Decider(
    department="delivery",
    kind="person",
    initial=lambda _: Person(),
    capabilities=(people,),
)


class NoRecords:
    """Reference data without any record."""

    revision = 0

    def latest(self, *_: object) -> None:
        return None

    def on(self, *_: object) -> None:
        return None

    def all(self, *_: object) -> Sequence[Recorded[Any]]:
        return ()


def assigned(subject: str, sequence: int = 1, manager: str = "max") -> Recorded[ManagerAssigned]:
    return _from_delivery(
        subject, sequence, ManagerAssigned(manager=manager, assigned_on=NOW.date())
    )


def of_no_consequence(subject: str, sequence: int) -> Recorded[TierChosen]:
    """Return an event that this department consumes and that does not change its state."""
    chosen = TierChosen(tier="standard", proposed="standard", reason="as large as most")
    return _from_delivery(subject, sequence, chosen)


def _from_delivery(subject: str, sequence: int, event: F) -> Recorded[F]:
    return Recorded(
        id=str(uuid7()),
        subject=subject,
        sequence=sequence,
        event=event,
        actor="pat",
        cause="test",
        occurred_at=NOW,
        recorded_at=NOW,
        heard={},
    )


async def until(is_so: Callable[[], bool | Awaitable[bool]], limit: float = 90.0) -> None:
    """Wait until `is_so` returns true; raises TimeoutError after `limit` seconds."""
    async with asyncio.timeout(limit):
        while True:
            so = is_so()
            if so if isinstance(so, bool) else await so:
                return
            await asyncio.sleep(0.02)


@dataclass
class Process:
    """One process of the department, with its own caches on the shared store."""

    url: str
    database: str
    deciders: tuple[Decider[Any], ...] = (DEALS,)
    records: ReferenceData = field(default_factory=NoRecords)
    moment: datetime = NOW
    patience: float = 8.0
    deferred_for: float = 1.0
    poll: float = 0.1
    largest_state: int = LARGEST_STATE
    largest_consumed: int = LARGEST_CONSUMED

    def __post_init__(self) -> None:
        self.store = Store(self.url, self.database)
        self.journal = Journal(self.store, patience=self.patience)
        self.snapshots = Snapshots(self.store, {each.kind: each for each in self.deciders})
        contexts = ContextFactory(self.records, lambda: self.moment, lambda: str(uuid7()))
        self.repository = Repository(
            self.deciders,
            self.journal,
            self.snapshots,
            now=lambda: self.moment,
            deferred_for=self.deferred_for,
            poll=self.poll,
            largest_state=self.largest_state,
            largest_consumed=self.largest_consumed,
        )
        self.engine = CommandHandler(self.repository, contexts)
        self.event_handler = StreamEventHandler(self.repository, contexts)

    async def __aenter__(self) -> "Process":
        await self.store.prepare("relay", "views")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.journal.close()
        await self.store.close()
