"""The decider: how commands and heard facts become new facts, with no clock, network or store.

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
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.channels import Channel, Department
from contracts.fact import Fact, Recorded, Undecoded
from contracts.reference import Reference

S = TypeVar("S", bound=BaseModel)
C = TypeVar("C", bound="Command")
F = TypeVar("F", bound=Fact)
R = TypeVar("R", bound=Reference)

REACTIONS_LIMIT = 50
"""Rounds of reactions to one fact after which a department is said never to come to rest."""

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

    Nobody could read what the engagement says from then on.
    """

    def __init__(self, event: str, field: str, why: str) -> None:
        super().__init__(
            "not-recordable", f"what would follow cannot be recorded: {event}, {field}: {why}"
        )
        self.field, self.why = field, why


def gate(name: str, missing: Iterable[Missing | None]) -> None:
    """Pass a gate, or refuse with all that it waits for (None entries are fulfilled)."""
    lacking = tuple(item for item in missing if item is not None)
    if lacking:
        raise Refused(name, "; ".join(item.sentence for item in lacking), lacking)


class Records(Protocol):
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
    records: Records
    new_fact_id: Callable[[], str]
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
    """How facts, own and heard, change a state: one small function per type of fact.

    What other departments' types stand here is what the department hears.
    """

    def __init__(self) -> None:
        self._steps: dict[type[Fact], Callable[[S, Any], S]] = {}

    def on(
        self, kind: type[F]
    ) -> Callable[[Callable[[S, Recorded[F]], S]], Callable[[S, Recorded[F]], S]]:
        """Register the step for a type of fact."""

        def register(step: Callable[[S, Recorded[F]], S]) -> Callable[[S, Recorded[F]], S]:
            if kind in self._steps:
                raise TypeError(f"{kind.type} evolves twice")
            self._steps[kind] = step
            return step

        return register

    def on_each(
        self, kinds: Sequence[type[Fact]]
    ) -> Callable[[Callable[[S, Recorded[Any]], S]], Callable[[S, Recorded[Any]], S]]:
        """Register one step for several types of fact."""

        def register(step: Callable[[S, Recorded[Any]], S]) -> Callable[[S, Recorded[Any]], S]:
            for kind in kinds:
                self.on(kind)(step)
            return step

        return register

    def __call__(self, state: S, recorded: Recorded[Fact]) -> S:
        """The state after the fact; types that nobody registered change nothing."""
        step = self._steps.get(type(recorded.fact))
        return state if step is None else step(state, recorded)

    @property
    def types(self) -> frozenset[type[Fact]]:
        """Types of fact that change this state."""
        return frozenset(self._steps)


class Decisions(Generic[S]):
    """What a department decides: one function per command, yielding facts or raising Refused."""

    def __init__(self) -> None:
        self._decisions: dict[type[Command], Callable[[S, Any, Context], Iterable[Fact]]] = {}

    def on(
        self, kind: type[C]
    ) -> Callable[
        [Callable[[S, C, Context], Iterable[Fact]]], Callable[[S, C, Context], Iterable[Fact]]
    ]:
        """Register the decision on a type of command."""

        def register(
            decision: Callable[[S, C, Context], Iterable[Fact]],
        ) -> Callable[[S, C, Context], Iterable[Fact]]:
            if kind in self._decisions:
                raise TypeError(f"{kind.named()} is decided twice")
            self._decisions[kind] = decision
            return decision

        return register

    def __call__(self, state: S, command: Command, context: Context) -> tuple[Fact, ...]:
        """The facts that follow from the command; raises Refused, or KeyError if none decides."""
        return tuple(self._decisions[type(command)](state, command, context))

    @property
    def types(self) -> frozenset[type[Command]]:
        """Commands that are decided here."""
        return frozenset(self._decisions)


def _nothing(state: Any, context: Context) -> Iterable[Fact]:
    return ()


def _no_deadlines(state: Any) -> Iterable[Deadline]:
    return ()


@dataclass(frozen=True, slots=True)
class Decider(Generic[S]):
    """All that a department knows about one kind of stream.

    `kind` is ``engagement`` for engagements; a stream's id is ``<kind>:<subject>``. `opens` are the
    commands that may begin a stream. `react` reads new facts off a state, again and again until it
    has none. `route` names the subject of this kind that hears a fact (None: nobody); as a rule the
    engagement that other departments, or a register, speak about. `numbered` streams hear each
    channel of facts without a gap; a register, which many engagements reach, is not numbered and
    must know by itself what it already did.
    """

    department: Department
    kind: str
    initial: Callable[[str], S]
    evolve: Evolution[S]
    decide: Decisions[S]
    react: Callable[[S, Context], Iterable[Fact]] = _nothing
    deadlines: Callable[[S], Iterable[Deadline]] = _no_deadlines
    opens: frozenset[type[Command]] = frozenset()
    route: Callable[[Recorded[Fact]], str | None] | None = None
    numbered: bool = True

    def hearer(self, recorded: Recorded[Fact]) -> str | None:
        """Return the subject whose stream of this kind hears the fact, or None.

        Raises NotDecoded where a route cannot tell, since the event cannot be read.
        """
        if self.route is not None:
            self._refuse_unroutable(recorded.fact)
            return self.route(recorded)
        channel = recorded.channel
        if self.kind != "engagement" or channel.kind == "reference":
            return None
        if channel.department == self.department and channel.kind != "register":
            return None
        return recorded.subject

    def _refuse_unroutable(self, fact: Fact) -> None:
        """Raise NotDecoded for what may be of a type that this kind of stream evolves by."""
        if isinstance(fact, Undecoded) and any(
            kind.channel is fact.channel and (fact.why is None or kind.type == fact.name)
            for kind in self.evolve.types
        ):
            raise NotDecoded(fact)

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

    def covers(self, recorded: Recorded[Fact]) -> bool:
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
    `passed_over` which events it was decided to do without. `measured` are the bytes of the state
    as JSON when it was last measured, and `since` those of the facts after that: together about as
    many as the state has now.
    """

    id: str
    state: S
    number: int = 0
    position: Mapping[str, int] = field(default_factory=dict)
    passed_over: tuple[PassedOver, ...] = ()
    measured: int = field(default=0, compare=False)
    since: int = field(default=0, compare=False)

    @property
    def subject(self) -> str:
        """What the stream is about: an engagement's id, a person's id."""
        return self.id.partition(":")[2]


class Gap(Exception):
    """A fact came before the one that must precede it on its channel."""

    def __init__(self, recorded: Recorded[Fact], expected: int) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came where {expected} was expected"
        )
        self.recorded, self.expected = recorded, expected


class NotDecoded(Exception):
    """The next event of its channel cannot be read by this version of the contracts."""

    def __init__(self, event: Undecoded) -> None:
        super().__init__(event.sentence)
        self.newer_version = event.why is None


class CameLate(Exception):
    """An event came after a person had decided to do without it."""

    def __init__(self, recorded: Recorded[Fact], passed: PassedOver) -> None:
        super().__init__(
            f"{recorded.channel.name} {recorded.sequence} came after {passed.by} had passed over it"
        )


def is_next(recorded: Recorded[Fact], last: int, passed_over: Sequence[PassedOver] = ()) -> bool:
    """Return whether a numbered stream that has heard a channel up to `last` takes the event in.

    It does not where it has heard it already. Raises Gap where another must precede it, CameLate
    and NotDecoded.
    """
    if recorded.sequence <= last:
        for passed in passed_over:
            if passed.covers(recorded):
                raise CameLate(recorded, passed)
        return False
    if recorded.sequence > last + 1 and recorded.channel.kind == "facts":
        raise Gap(recorded, last + 1)
    refuse_undecoded(recorded)
    return True


def refuse_undecoded(recorded: Recorded[Fact]) -> None:
    """Raise NotDecoded for an event that this version of the contracts cannot read."""
    if isinstance(recorded.fact, Undecoded):
        raise NotDecoded(recorded.fact)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a commit: said by this stream, or heard by it and kept since it matters here."""

    recorded: Recorded[Fact]
    said: bool


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """What one commit adds: the stream after it, and its facts in the order they were taken in.

    `moved` says whether there is anything to commit: facts that only move the position (heard, but
    of no consequence here) leave no entry and are still remembered.
    """

    stream: Stream[S]
    entries: tuple[Entry, ...]
    moved: bool

    @property
    def said(self) -> tuple[Recorded[Fact], ...]:
        """The facts this step says, in order."""
        return tuple(entry.recorded for entry in self.entries if entry.said)


def take(decider: Decider[S], stream: Stream[S], command: Command, context: Context) -> Step[S]:
    """Decide a command and let the department react to what follows; raises Refused."""
    entries: list[Entry] = []
    after = stream
    try:
        for fact in decider.decide(stream.state, command, context):
            after = _say(decider, after, fact, context, entries)
        if entries:
            after = _settle(decider, after, replace(context, actor=decider.department), entries)
            after = replace(after, number=stream.number + 1)
    except ValidationError as error:  # of an event, or of the state after one
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise NotRecordable(error.title, field, first["msg"]) from error
    return Step(after, tuple(entries), bool(entries))


def hear(
    decider: Decider[S],
    stream: Stream[S],
    facts: Iterable[Recorded[Fact]],
    context_of: Callable[[Recorded[Fact]], Context],
) -> Step[S]:
    """Take in facts of other streams, one after the other, and react to each; seen ones pass by.

    Raises Gap where a numbered stream misses a fact of a channel of facts, CameLate where it was
    decided to do without one, and NotDecoded where it cannot be read.
    """
    entries: list[Entry] = []
    after = stream
    moved = False
    for recorded in facts:
        channel = recorded.channel
        if decider.numbered:
            last = after.position.get(channel.name, 0)
            if not is_next(recorded, last, after.passed_over):
                continue
            after = replace(after, position={**after.position, channel.name: recorded.sequence})
        else:
            refuse_undecoded(recorded)
        moved = True
        if type(recorded.fact) in decider.evolve.types:
            entries.append(Entry(recorded, said=False))
            after = replace(after, state=decider.evolve(after.state, recorded))
            after = _settle(decider, after, context_of(recorded), entries)
    if moved:
        after = replace(after, number=stream.number + 1)
    return Step(after, tuple(entries), moved)


def replay(
    decider: Decider[S],
    stream: Stream[S],
    facts: Iterable[Recorded[Fact]],
    position: Mapping[str, int],
) -> Stream[S]:
    """The stream after one more recorded commit: its entries' facts in order, its position."""
    state = stream.state
    for recorded in facts:
        state = decider.evolve(state, recorded)
    return replace(stream, state=state, position=dict(position), number=stream.number + 1)


def _say(
    decider: Decider[S],
    stream: Stream[S],
    fact: Fact,
    context: Context,
    entries: list[Entry],
) -> Stream[S]:
    channel = fact.channel.name
    if fact.channel.department != decider.department:
        raise TypeError(f"{decider.department} cannot say {fact.type}")
    sequence = stream.position.get(channel, 0) + 1
    recorded: Recorded[Fact] = Recorded(
        id=context.new_fact_id(),
        subject=fact.subject(stream.subject),
        sequence=sequence,
        fact=fact,
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
        facts = tuple(decider.react(stream.state, context))
        if not facts:
            return stream
        for fact in facts:
            stream = _say(decider, stream, fact, context, entries)
    raise RuntimeError(f"{decider.department} never comes to rest on {stream.id}")


def heard_channels(deciders: Iterable[Decider[Any]]) -> frozenset[Channel]:
    """The channels to listen to, so that these deciders hear what they evolve by."""
    return frozenset(
        kind.channel
        for decider in deciders
        for kind in decider.evolve.types
        if kind.channel.kind == "register"
        or kind.channel.department != decider.department
        or not decider.numbered
    )
