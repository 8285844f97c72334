"""Define a small department on Sales' events, and run its command and event handlers in a test."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from uuid_utils import uuid7

from chassis.application.command_handler import CommandHandler
from chassis.application.event_handler import StreamEventHandler
from chassis.application.repository import (
    LARGEST_CONSUMED,
    LARGEST_STATE,
    ContextFactory,
    Repository,
)
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.decider import Decider, Decisions, Evolution
from chassis.eventstore.journal import Journal
from chassis.eventstore.mongo import Store
from chassis.eventstore.snapshots import Snapshots
from contracts.delivery import ManagerAssigned, TierChosen
from contracts.event import Event, Recorded
from contracts.money import Money
from contracts.reference import PersonPublished
from contracts.sales import OpportunityAdvanced, OpportunityOpened, OpportunityQualified

F = TypeVar("F", bound=Event)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Deal(BaseModel):
    model_config = ConfigDict(frozen=True)

    title: str = ""
    chances: tuple[int, ...] = ()
    manager: str | None = None
    silent: bool = False
    since: datetime | None = None


class Open(Command):
    title: str


class Advance(Command):
    probability: int
    times: int = 1


evolve: Evolution[Deal] = Evolution()
decide: Decisions[Deal] = Decisions()


@evolve.on(OpportunityOpened)
def opened(state: Deal, recorded: Recorded[OpportunityOpened]) -> Deal:
    return state.model_copy(update={"title": recorded.event.title, "since": recorded.occurred_at})


@evolve.on(OpportunityAdvanced)
def advanced(state: Deal, recorded: Recorded[OpportunityAdvanced]) -> Deal:
    chances = (*state.chances, int(recorded.event.probability))
    return state.model_copy(update={"chances": chances})


@evolve.on(OpportunityQualified)
def qualified(state: Deal, recorded: Recorded[OpportunityQualified]) -> Deal:
    return state.model_copy(update={"silent": True})


@evolve.on(ManagerAssigned)
def managed(state: Deal, recorded: Recorded[ManagerAssigned]) -> Deal:
    return state.model_copy(update={"manager": recorded.event.manager})


def moved(probability: int) -> OpportunityAdvanced:
    return OpportunityAdvanced(pipeline_stage="qualifying", probability=Decimal(probability))


@decide.on(Open)
def open_deal(state: Deal, command: Open, context: Context) -> Iterable[Event]:
    if state.title:
        raise Refused("open-already", "it was opened before")
    yield OpportunityOpened(
        account="acme",
        title=command.title,
        expected_value=Money(amount=Decimal(1000), currency="EUR"),
        expected_close=date(2026, 6, 1),
        owner="ann",
    )


@decide.on(Advance)
def advance(state: Deal, command: Advance, context: Context) -> Iterable[Event]:
    if state.chances and command.probability < state.chances[-1]:
        raise Refused("falls", "chances only rise here")
    if not state.chances or command.probability > state.chances[-1]:
        for _ in range(command.times):
            yield moved(command.probability)


@decide.on(DeadlinePassed)
def silence(state: Deal, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    if not state.silent:
        yield OpportunityQualified(
            budget=False, authority=False, need=False, timing=False, score=Decimal(0)
        )


def react(state: Deal, context: Context) -> Iterable[Event]:
    if state.manager and not state.chances:
        yield moved(50)


def deadlines(state: Deal) -> Iterable[Deadline]:
    if state.since and not state.silent:
        yield Deadline("silence", state.since + timedelta(days=5))


DEALS: Decider[Deal] = Decider(
    department="sales",
    kind="engagement",
    initial=lambda _: Deal(),
    evolve=evolve,
    decide=decide,
    react=react,
    deadlines=deadlines,
    opens=frozenset({Open}),
)


class Person(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str = ""
    version: int = 0


class Publish(Command):
    name: str


people_evolve: Evolution[Person] = Evolution()
people_decide: Decisions[Person] = Decisions()


@people_evolve.on(PersonPublished)
def published(state: Person, recorded: Recorded[PersonPublished]) -> Person:
    return Person(name=recorded.event.name, version=recorded.sequence)


@people_decide.on(Publish)
def publish(state: Person, command: Publish, context: Context) -> Iterable[Event]:
    if command.name != state.name:
        yield PersonPublished(person="bob", name=command.name, department="delivery")


PEOPLE: Decider[Person] = Decider(
    department="delivery",
    kind="person",
    initial=lambda _: Person(),
    evolve=people_evolve,
    decide=people_decide,
    opens=frozenset({Publish}),
)


class Managers(BaseModel):
    model_config = ConfigDict(frozen=True)

    of: dict[str, str] = {}


register_evolve: Evolution[Managers] = Evolution()


@register_evolve.on(ManagerAssigned)
def registered(state: Managers, recorded: Recorded[ManagerAssigned]) -> Managers:
    return Managers(of={**state.of, recorded.subject: recorded.event.manager})


REGISTER: Decider[Managers] = Decider(
    department="sales",
    kind="managers",
    initial=lambda _: Managers(),
    evolve=register_evolve,
    decide=Decisions(),
    route=lambda _: "all",
    gap_free=False,
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
        contexts = ContextFactory(NoRecords(), lambda: self.moment, lambda: str(uuid7()))
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
