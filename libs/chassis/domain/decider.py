"""The decider: how commands and heard events become new events, with no clock, network or store.

A department is one `Decider` per kind of stream. Decisions are taken on commands and may be
refused; reactions are read off the state alone, so the order in which other departments are heard
never matters (see docs/adr/0003). Everything here is pure: moments, ids, the actor and reference
data come in through the context.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.domain.latest_ids import LatestIds, id_taken_in, with_latest
from chassis.domain.trouble import AsideCode
from contracts.channels import CHANNELS, Channel, Department
from contracts.event import EVENTS, Event, Recorded, Undecoded
from contracts.reference import Reference

S = TypeVar("S", bound=BaseModel)
C = TypeVar("C", bound="Command")
F = TypeVar("F", bound=Event)
R = TypeVar("R", bound=Reference)

REACTIONS_LIMIT = 50
"""Rounds of reactions to one event after which a department is said never to come to rest."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Command(BaseModel):
    """What a person (or the clock) asks a department to do; refused input names its field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def named(cls) -> str:
        """The command's name on the wire: its class name in kebab case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


class DeadlinePassed(Command):
    """The clock says that a deadline the state named is over. Given by the chassis alone."""

    deadline: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment (UTC) at which a stream wants to be told that it passed, under a name of its own."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a gate waits for: a stable code, a sentence, and who owes it."""

    code: str
    sentence: str
    owed_by: Department | None = None


class Refused(Exception):
    """The decision is no: a stable code, a sentence, and what would change it."""

    def __init__(self, code: str, sentence: str, missing: Sequence[Missing] = ()) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.missing = code, sentence, tuple(missing)


class NotRecordable(Refused):
    """An event that would follow cannot be recorded: `field` of it, by its path, and why.

    Nobody could read what the engagement says from then on. Of a `confidential` event, or of what
    such an event follows from, the error's own words say no more than that there is one.
    """

    def __init__(self, event: str, field: str, why: str, *, confidential: bool) -> None:
        self.whole = f"what would follow cannot be recorded: {event}, {field}: {why}"
        hidden = "a confidential event that would follow cannot be recorded"
        super().__init__("not-recordable", hidden if confidential else self.whole)
        self.event, self.field, self.why, self.confidential = event, field, why, confidential
        self.safe_words = f"{event}, {field}"


def gate(name: str, missing: Iterable[Missing | None]) -> None:
    """Pass a gate, or refuse with all that it waits for (None entries are fulfilled)."""
    lacking = tuple(item for item in missing if item is not None)
    if lacking:
        raise Refused(name, "; ".join(item.sentence for item in lacking), lacking)


class ReferenceData(Protocol):
    """Reference data as far as this process has heard it."""

    @property
    def revision(self) -> int:
        """Changes whenever any record does."""

    def latest(self, kind: type[R], id: str) -> Recorded[R] | None:
        """The newest version of a record; its `sequence` is the version."""

    def on(self, kind: type[R], id: str, day: date) -> Recorded[R] | None:
        """The version in force on a day: the newest whose effective_from is not after it."""

    def all(self, kind: type[R]) -> Sequence[Recorded[R]]:
        """The newest version of every record of a kind."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a decision takes from outside its state.

    `actor` is the person's id, or the department's name in reactions. `occurred_at` is the moment
    by which the business judges (it may lie in the past); `recorded_at` is when it is written.
    """

    actor: str
    occurred_at: datetime
    recorded_at: datetime
    cause: str
    records: ReferenceData
    new_event_id: Callable[[], str]
    traceparent: str | None = None

    @property
    def today(self) -> date:
        """The business day in UTC."""
        return self.occurred_at.date()

    def new_id(self, prefix: str) -> str:
        """An id for a thing this command makes: the same command always makes the same id.

        Reactions name things after what they follow from instead, so that order does not matter.
        """
        return f"{prefix}-{derived(f'{self.cause}/{prefix}', 10)}"


def derived(text: str, length: int = 13) -> str:
    """`length` (at most 25) characters of Crockford's base 32, drawn from a hash of the text."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
    return "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in reversed(range(length)))


class Evolution(Generic[S]):
    """How events, own and heard, change a state: one small function per type of event.

    What other departments' types stand here is what the department hears.
    """

    def __init__(self) -> None:
        self._steps: dict[type[Event], Callable[[S, Any], S]] = {}

    def on(
        self, kind: type[F]
    ) -> Callable[[Callable[[S, Recorded[F]], S]], Callable[[S, Recorded[F]], S]]:
        """Register the step for a type of event."""

        def register(step: Callable[[S, Recorded[F]], S]) -> Callable[[S, Recorded[F]], S]:
            if kind in self._steps:
                raise TypeError(f"{kind.type} evolves twice")
            self._steps[kind] = step
            return step

        return register

    def on_each(
        self, kinds: Sequence[type[Event]]
    ) -> Callable[[Callable[[S, Recorded[Any]], S]], Callable[[S, Recorded[Any]], S]]:
        """Register one step for several types of event."""

        def register(step: Callable[[S, Recorded[Any]], S]) -> Callable[[S, Recorded[Any]], S]:
            for kind in kinds:
                self.on(kind)(step)
            return step

        return register

    def __call__(self, state: S, recorded: Recorded[Event]) -> S:
        """The state after the event; types that nobody registered change nothing."""
        step = self._steps.get(type(recorded.event))
        return state if step is None else step(state, recorded)

    @property
    def types(self) -> frozenset[type[Event]]:
        """Types of event that change this state."""
        return frozenset(self._steps)


class Decisions(Generic[S]):
    """What a department decides: one function per command, yielding events or raising Refused."""

    def __init__(self) -> None:
        self._decisions: dict[type[Command], Callable[[S, Any, Context], Iterable[Event]]] = {}

    def on(
        self, kind: type[C]
    ) -> Callable[
        [Callable[[S, C, Context], Iterable[Event]]], Callable[[S, C, Context], Iterable[Event]]
    ]:
        """Register the decision on a type of command."""

        def register(
            decision: Callable[[S, C, Context], Iterable[Event]],
        ) -> Callable[[S, C, Context], Iterable[Event]]:
            if kind in self._decisions:
                raise TypeError(f"{kind.named()} is decided twice")
            self._decisions[kind] = decision
            return decision

        return register

    def __call__(self, state: S, command: Command, context: Context) -> tuple[Event, ...]:
        """The events that follow from the command; raises Refused, or KeyError if none decides."""
        return tuple(self._decisions[type(command)](state, command, context))

    @property
    def types(self) -> frozenset[type[Command]]:
        """Commands that are decided here."""
        return frozenset(self._decisions)


def _nothing(state: Any, context: Context) -> Iterable[Event]:
    return ()


def _no_deadlines(state: Any) -> Iterable[Deadline]:
    return ()


@dataclass(frozen=True, slots=True)
class Decider(Generic[S]):
    """All that a department knows about one kind of stream.

    `kind` is ``engagement`` for engagements; a stream's id is ``<kind>:<subject>``. `opens` are the
    commands that may begin a stream. `react` reads new events off a state, again and again until it
    has none. `route` names the subject of this kind that hears an event (None: nobody); as a rule
    the engagement that other departments, or a register, speak about. `gap_free` streams hear each
    channel of events without a gap; a register, which many engagements reach, is not numbered and
    must know by itself what it already did.
    """

    department: Department
    kind: str
    initial: Callable[[str], S]
    evolve: Evolution[S]
    decide: Decisions[S]
    react: Callable[[S, Context], Iterable[Event]] = _nothing
    deadlines: Callable[[S], Iterable[Deadline]] = _no_deadlines
    opens: frozenset[type[Command]] = frozenset()
    route: Callable[[Recorded[Event]], str | None] | None = None
    gap_free: bool = True

    def subject_for(self, recorded: Recorded[Event]) -> str | None:
        """Return the subject whose stream of this kind hears the event, or None.

        Raises NotDecoded where a route cannot tell, since the event cannot be read.
        """
        if self.route is not None:
            self._refuse_unroutable(recorded.event)
            return self.route(recorded)
        channel = recorded.channel
        if self.kind != "engagement" or channel.kind == "reference":
            return None
        if channel.department == self.department and channel.kind != "register":
            return None
        return recorded.subject

    def _refuse_unroutable(self, event: Event) -> None:
        """Raise NotDecoded for what may be of a type that this kind of stream evolves by."""
        if isinstance(event, Undecoded) and any(
            kind.channel is event.channel and (event.why is None or kind.type == event.name)
            for kind in self.evolve.types
        ):
            raise NotDecoded(event)

    def stream(self, subject: str) -> str:
        """The id of a subject's stream."""
        return f"{self.kind}:{subject}"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Missing events of a channel, numbered `first` to `last`, that a person decided to do without.

    `at` is in UTC.
    """

    channel: str
    first: int
    last: int
    by: str
    why: str
    at: datetime

    def covers(self, recorded: Recorded[Event]) -> bool:
        """Return whether the event is one of them."""
        return (
            self.channel == recorded.channel.name and self.first <= recorded.sequence <= self.last
        )

    def document(self) -> dict[str, Any]:
        """Return it as a document of the store has it."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "PassedOver":
        """Read it back from a document of the store."""
        return cls(**{**document, "at": document["at"].astimezone(UTC)})


@dataclass(frozen=True, slots=True)
class Stream(Generic[S]):
    """A stream as far as it is known: its state, how many commits it has, and its position.

    `position` says by channel the last sequence said (own channels) or heard (all others), and
    `latest_ids` the ids of the last that were heard, and `passed_over` which events it was decided
    to do without. `measured` are the bytes of the state as JSON when it was last measured, and
    `since` those of the events after that: together about as many as the state has now.
    """

    id: str
    state: S
    number: int = 0
    position: Mapping[str, int] = field(default_factory=dict)
    latest_ids: LatestIds = field(default_factory=dict)
    passed_over: tuple[PassedOver, ...] = ()
    measured: int = field(default=0, compare=False)
    since: int = field(default=0, compare=False)

    @property
    def subject(self) -> str:
        """What the stream is about: an engagement's id, a person's id."""
        return self.id.partition(":")[2]


class Gap(Exception):
    """An event came before the one that must precede it on its channel."""

    def __init__(self, recorded: Recorded[Event], expected: int) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came where {expected} was expected"
        )
        self.recorded, self.expected = recorded, expected


class NotDecoded(Exception):
    """The next event of its channel cannot be read by this version of the contracts."""

    def __init__(self, event: Undecoded) -> None:
        super().__init__(event.sentence)
        self.newer_version = event.why is None


class NotTakenIn(Exception):
    """An event whose number was used up before, and that is no repeat: it is set aside.

    `without_numbers` says so where the numbers of its channel are confidential.
    """

    code: ClassVar[AsideCode]
    without_numbers: ClassVar[str]


class CameLate(NotTakenIn):
    """An event came after a person had decided to do without it."""

    code = "passed-over"
    without_numbers = "it came after it had been passed over"

    def __init__(self, recorded: Recorded[Event], passed: PassedOver) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came after {passed.by} had passed over it"
        )


class OtherEvent(NotTakenIn):
    """An event came under a number under which another one was taken in."""

    code = "other-event"
    without_numbers = "another event was taken in under its number"

    def __init__(self, recorded: Recorded[Event], taken_in: str) -> None:
        super().__init__(
            f"another event, {taken_in}, was taken in as {recorded.channel.name}"
            f" {recorded.sequence}"
        )


def is_next(
    recorded: Recorded[Event],
    last: int,
    passed_over: Sequence[PassedOver] = (),
    latest_ids: Sequence[str] = (),
) -> bool:
    """Return whether a numbered stream that has heard a channel up to `last` takes the event in.

    It does not where it has heard it already; `latest_ids` are the ids of the last that it heard.
    Raises Gap where another must precede it, CameLate, OtherEvent and NotDecoded.
    """
    if recorded.sequence <= last:
        for passed in passed_over:
            if passed.covers(recorded):
                raise CameLate(recorded, passed)
        taken_in = id_taken_in(latest_ids, last, recorded.sequence)
        if taken_in is not None and taken_in != recorded.id:
            raise OtherEvent(recorded, taken_in)
        return False
    if recorded.sequence > last + 1 and recorded.channel.kind == "events":
        raise Gap(recorded, last + 1)
    refuse_undecoded(recorded)
    return True


def refuse_undecoded(recorded: Recorded[Event]) -> None:
    """Raise NotDecoded for an event that this version of the contracts cannot read."""
    if isinstance(recorded.event, Undecoded):
        raise NotDecoded(recorded.event)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a commit: said by this stream, or heard by it and kept since it matters here."""

    recorded: Recorded[Event]
    said: bool


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """What one commit adds: the stream after it, and its events in the order they were taken in.

    `changed` says whether there is anything to commit: events that only move the position (heard,
    but of no consequence here) leave no entry and are still remembered.
    """

    stream: Stream[S]
    entries: tuple[Entry, ...]
    changed: bool

    @property
    def said(self) -> tuple[Recorded[Event], ...]:
        """The events this step says, in order."""
        return tuple(entry.recorded for entry in self.entries if entry.said)


def handle_command(
    decider: Decider[S], stream: Stream[S], command: Command, context: Context
) -> Step[S]:
    """Decide a command and let the department react to what follows; raises Refused."""
    entries: list[Entry] = []
    after = stream
    try:
        for event in decider.decide(stream.state, command, context):
            after = _say(decider, after, event, context, entries)
        if entries:
            after = _settle(decider, after, replace(context, actor=decider.department), entries)
            after = replace(after, number=stream.number + 1)
    except ValidationError as error:  # of an event, or of the state after one
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        confidential = _may_be_confidential(error.title, decider.department)
        why = first["type"] if confidential else first["msg"]
        raise NotRecordable(error.title, field, why, confidential=confidential) from error
    return Step(after, tuple(entries), bool(entries))


def _may_be_confidential(title: str, department: Department) -> bool:
    """Tell whether what failed validation is, or may have come of, what the department hides.

    Where it hides anything, only an open event certainly is not: states and values hold both.
    """
    hides = any(each.confidential and each.department == department for each in CHANNELS.values())
    return hides and not any(
        kind.__name__ == title and not kind.channel.confidential
        for kind in EVENTS.values()
        if kind.channel.department == department
    )


def handle_events(
    decider: Decider[S],
    stream: Stream[S],
    events: Iterable[Recorded[Event]],
    context_of: Callable[[Recorded[Event]], Context],
) -> Step[S]:
    """Take in events of other streams, one after the other, and react to each; seen ones pass by.

    Raises Gap where a numbered stream misses an event of a channel of events, CameLate where it was
    decided to do without one, OtherEvent where another has its number, and NotDecoded where it
    cannot be read.
    """
    entries: list[Entry] = []
    after = stream
    changed = False
    for recorded in events:
        channel = recorded.channel
        if decider.gap_free:
            last = after.position.get(channel.name, 0)
            ids = after.latest_ids.get(channel.name, ())
            if not is_next(recorded, last, after.passed_over, ids):
                continue
            after = replace(after, position={**after.position, channel.name: recorded.sequence})
            if channel.kind == "events":
                ids = with_latest(ids, last, recorded)
                after = replace(after, latest_ids={**after.latest_ids, channel.name: ids})
        else:
            refuse_undecoded(recorded)
        changed = True
        if type(recorded.event) in decider.evolve.types:
            entries.append(Entry(recorded, said=False))
            after = replace(after, state=decider.evolve(after.state, recorded))
            after = _settle(decider, after, context_of(recorded), entries)
    if changed:
        after = replace(after, number=stream.number + 1)
    return Step(after, tuple(entries), changed)


def replay(
    decider: Decider[S],
    stream: Stream[S],
    events: Iterable[Recorded[Event]],
    position: Mapping[str, int],
    latest_ids: LatestIds,
) -> Stream[S]:
    """The stream after one more recorded commit: its entries' events in order, how far it heard."""
    state = stream.state
    for recorded in events:
        state = decider.evolve(state, recorded)
    return replace(
        stream,
        state=state,
        position=dict(position),
        latest_ids=latest_ids,
        number=stream.number + 1,
    )


def _say(
    decider: Decider[S],
    stream: Stream[S],
    event: Event,
    context: Context,
    entries: list[Entry],
) -> Stream[S]:
    channel = event.channel.name
    if event.channel.department != decider.department:
        raise TypeError(f"{decider.department} cannot say {event.type}")
    sequence = stream.position.get(channel, 0) + 1
    recorded: Recorded[Event] = Recorded(
        id=context.new_event_id(),
        subject=event.subject(stream.subject),
        sequence=sequence,
        event=event,
        actor=context.actor,
        cause=context.cause,
        occurred_at=context.occurred_at.astimezone(UTC),
        recorded_at=context.recorded_at.astimezone(UTC),
        heard={name: last for name, last in stream.position.items() if name != channel},
        traceparent=context.traceparent,
    )
    entries.append(Entry(recorded, said=True))
    return replace(
        stream,
        state=decider.evolve(stream.state, recorded),
        position={**stream.position, channel: sequence},
    )


def _settle(
    decider: Decider[S], stream: Stream[S], context: Context, entries: list[Entry]
) -> Stream[S]:
    for _ in range(REACTIONS_LIMIT):
        events = tuple(decider.react(stream.state, context))
        if not events:
            return stream
        for event in events:
            stream = _say(decider, stream, event, context, entries)
    raise RuntimeError(f"{decider.department} never comes to rest on {stream.id}")


def consumed_channels(deciders: Iterable[Decider[Any]]) -> frozenset[Channel]:
    """The channels to listen to, so that these deciders hear what they evolve by."""
    return frozenset(
        kind.channel
        for decider in deciders
        for kind in decider.evolve.types
        if kind.channel.kind == "register"
        or kind.channel.department != decider.department
        or not decider.gap_free
    )
