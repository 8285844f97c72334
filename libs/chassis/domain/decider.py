"""The decider: turns commands and consumed events into new events, without clock, network or store.

A department has one `Decider` per kind of stream, made from its capabilities. Decisions answer
commands and may refuse them. Reactions are computed from the state alone, so the order in which
events of other departments arrive does not matter, see
docs/adr/0003-derive-reactions-from-the-state.md. Everything here is pure: moments, ids, the actor
and reference data are given in the context.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from chassis.domain.capability import Capability, CommandEntry, Composed
from chassis.domain.commands import Command, NotRecordable
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.latest_ids import LatestIds, with_latest
from chassis.domain.state import Part
from chassis.domain.stream import NotDecoded, Stream, is_next, refuse_undecoded
from contracts.channels import CHANNELS, Channel, Department, named_in_heard
from contracts.event import EVENTS, Event, Recorded, Undecoded

S = TypeVar("S", bound=Part)

REACTIONS_LIMIT = 50
"""Rounds of reactions to one command or event; more are a bug of the department (RuntimeError)."""


@dataclass(frozen=True)
class Decider(Generic[S]):
    """The rules of a department for one kind of stream, made from its capabilities.

    `kind` is ``engagement`` for engagements; a stream's id is ``<kind>:<subject>``. `initial`
    returns the state of a subject before its first event. `route` returns the subject of this kind
    that an event is for, or None; without it, an event goes to the stream of its engagement if it
    is from another department or from a register. `gap_free` streams process the events of each
    channel without a gap. A stream that gets events of many engagements is not gap-free: their
    numbers are not checked, and it must recognise repeats by its state. Raises TypeError where two
    capabilities decide the same command, or use the same name for a field of the view or the row.
    """

    department: Department
    kind: str
    initial: Callable[[str], S]
    capabilities: tuple[Capability[S], ...]
    route: Callable[[Recorded[Event]], str | None] | None = None
    gap_free: bool = True

    def __post_init__(self) -> None:
        decided = [entry.command for each in self.capabilities for entry in each.commands]
        for command in set(decided) - {DeadlinePassed}:
            if decided.count(command) > 1:
                raise TypeError(f"{command.named()} is decided twice")
        _ = self.rows
        names = {*self.views.fields, "passed_over"}
        if both := names & {*self.confidential_views.fields}:
            raise TypeError(f"{', '.join(sorted(both))}: open and confidential in one view")

    @cached_property
    def state_type(self) -> type[S]:
        """The class of the state."""
        return type(self.initial("-"))

    @cached_property
    def evolves_by(self) -> frozenset[type[Event]]:
        """Types of event that change the state, own and consumed."""
        return frozenset(self.state_type.steps)

    @cached_property
    def commands(self) -> Mapping[type[Command], CommandEntry]:
        """The commands by their type, without `DeadlinePassed`."""
        entries = (entry for each in self.capabilities for entry in each.commands)
        return {each.command: each for each in entries if each.command is not DeadlinePassed}

    @property
    def has_deadlines(self) -> bool:
        """True if a capability declares deadlines."""
        return bool(self._deadline_sources)

    @property
    def decides_deadlines(self) -> bool:
        """True if a capability decides on passed deadlines."""
        return bool(self._on_deadline)

    @cached_property
    def opens(self) -> frozenset[type[Command]]:
        """Types of command that may begin a stream."""
        return frozenset(kind for kind, entry in self.commands.items() if entry.opens)

    def decide(self, state: S, command: Command, context: Context) -> tuple[Event, ...]:
        """Return the resulting events; raises Refused, or KeyError for an unknown command."""
        if isinstance(command, DeadlinePassed):
            return tuple(
                event
                for decision in self._on_deadline
                for event in decision(state, command, context)
            )
        return tuple(self.commands[type(command)].decision(state, command, context))

    @cached_property
    def _on_deadline(self) -> tuple[Callable[[S, DeadlinePassed, Context], Iterable[Event]], ...]:
        entries = (entry for each in self.capabilities for entry in each.commands)
        return tuple(each.decision for each in entries if each.command is DeadlinePassed)

    @cached_property
    def _deadline_sources(self) -> tuple[Callable[[S], Iterable[Deadline]], ...]:
        return tuple(source for each in self.capabilities for source in each.deadline_sources)

    @cached_property
    def _reactions(self) -> tuple[Callable[[S, Context], Iterable[Event]], ...]:
        return tuple(reaction for each in self.capabilities for reaction in each.reactions)

    def react(self, state: S, context: Context) -> tuple[Event, ...]:
        """Return the events that follow from a state without a command."""
        return tuple(event for reaction in self._reactions for event in reaction(state, context))

    def deadlines(self, state: S) -> tuple[Deadline, ...]:
        """Return the deadlines of a state."""
        return tuple(deadline for source in self._deadline_sources for deadline in source(state))

    @cached_property
    def views(self) -> Composed[S]:
        """The view, composed of those of the capabilities."""
        return Composed([view for each in self.capabilities for view in each.views])

    @cached_property
    def confidential_views(self) -> Composed[S]:
        """The additional fields of the view for callers with the role `confidential`."""
        return Composed([view for each in self.capabilities for view in each.confidential_views])

    @cached_property
    def rows(self) -> Composed[S]:
        """The list row, composed of those of the capabilities."""
        return Composed([row for each in self.capabilities for row in each.rows])

    def subject_for(self, recorded: Recorded[Event]) -> str | None:
        """Return the subject whose stream of this kind processes the event, or None.

        Raises NotDecoded if `route` is needed and the event cannot be decoded.
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
        """Raise NotDecoded for an undecoded event that may change the state."""
        if isinstance(event, Undecoded) and any(
            kind.channel is event.channel and (event.why is None or kind.type == event.name)
            for kind in self.evolves_by
        ):
            raise NotDecoded(event)

    def stream(self, subject: str) -> str:
        """Return the id of a subject's stream."""
        return f"{self.kind}:{subject}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a commit.

    `own` events were recorded by this stream and are published; the others were consumed and are
    kept because they change the state.
    """

    recorded: Recorded[Event]
    own: bool


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """The content of one commit: the stream after it, and its events in the order of processing.

    `changed` is false if there is nothing to commit. Consumed events that change no state only move
    the position: they add no entry, and `changed` is true.
    """

    stream: Stream[S]
    entries: tuple[Entry, ...]
    changed: bool

    @property
    def own_events(self) -> tuple[Recorded[Event], ...]:
        """The events that this stream recorded in this step, in order."""
        return tuple(entry.recorded for entry in self.entries if entry.own)


def handle_command(
    decider: Decider[S], stream: Stream[S], command: Command, context: Context
) -> Step[S]:
    """Decide a command, and add the department's reactions to the resulting events.

    Raises Refused, and NotRecordable if an event, or the state after it, is invalid.
    """
    entries: list[Entry] = []
    after = stream
    try:
        for event in decider.decide(stream.state, command, context):
            after = _record(decider, after, event, context, entries)
        if entries:
            own = replace(context, actor=decider.department, on_behalf_of=None)
            after = _react(decider, after, own, entries)
            after = replace(after, number=stream.number + 1)
    except ValidationError as error:  # of an event, or of the state after one
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        confidential = _may_be_confidential(error.title, decider.department)
        why = first["type"] if confidential else first["msg"]
        raise NotRecordable(error.title, field, why, confidential=confidential) from error
    return Step(after, tuple(entries), bool(entries))


def _may_be_confidential(title: str, department: Department) -> bool:
    """Return whether the model that failed validation may contain confidential values.

    In a department with a confidential channel, only the models of open events certainly do not:
    states and value types contain both.
    """
    has_confidential_channel = any(
        each.confidential and each.department == department for each in CHANNELS.values()
    )
    return has_confidential_channel and not any(
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
    """Apply events from other streams in order, with the reactions to each; skip repeats.

    Raises Gap if a gap-free stream would miss an event of a channel of events, CameLate for an
    event that was passed over, OtherEvent for a second event with a used number, and NotDecoded for
    one that cannot be decoded.
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
        if type(recorded.event) in decider.evolves_by:
            entries.append(Entry(recorded, own=False))
            after = replace(after, state=after.state.after(recorded))
            after = _react(decider, after, context_of(recorded), entries)
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
    """Return the stream after one more commit of the journal: its events, position and ids."""
    state = stream.state
    for recorded in events:
        state = state.after(recorded)
    return replace(
        stream,
        state=state,
        position=dict(position),
        latest_ids=latest_ids,
        number=stream.number + 1,
    )


def _record(
    decider: Decider[S],
    stream: Stream[S],
    event: Event,
    context: Context,
    entries: list[Entry],
) -> Stream[S]:
    """Add an event of the stream's own; raises TypeError for one of another department."""
    channel = event.channel
    if channel.department != decider.department:
        raise TypeError(f"{decider.department} cannot record {event.type}")
    sequence = stream.position.get(channel.name, 0) + 1
    recorded: Recorded[Event] = Recorded(
        id=context.new_event_id(),
        subject=event.subject(stream.subject),
        sequence=sequence,
        event=event,
        actor=context.actor,
        cause=context.cause,
        occurred_at=context.occurred_at.astimezone(UTC),
        recorded_at=context.recorded_at.astimezone(UTC),
        heard={
            name: last
            for name, last in stream.position.items()
            if name != channel.name and named_in_heard(channel, name)
        },
        traceparent=context.traceparent,
        on_behalf_of=context.on_behalf_of,
    )
    entries.append(Entry(recorded, own=True))
    return replace(
        stream,
        state=stream.state.after(recorded),
        position={**stream.position, channel.name: sequence},
    )


def _react(
    decider: Decider[S], stream: Stream[S], context: Context, entries: list[Entry]
) -> Stream[S]:
    """Record reactions until there are none; raises RuntimeError after REACTIONS_LIMIT rounds."""
    for _ in range(REACTIONS_LIMIT):
        events = decider.react(stream.state, context)
        if not events:
            return stream
        for event in events:
            stream = _record(decider, stream, event, context, entries)
    raise RuntimeError(
        f"{decider.department}: the reactions on {stream.id} do not end after"
        f" {REACTIONS_LIMIT} rounds"
    )


def consumed_channels(deciders: Iterable[Decider[Any]]) -> frozenset[Channel]:
    """Return the channels to consume, so that these deciders get the events they evolve by."""
    return frozenset(
        kind.channel
        for decider in deciders
        for kind in decider.evolves_by
        if kind.channel.kind == "register"
        or kind.channel.department != decider.department
        or not decider.gap_free
    )
