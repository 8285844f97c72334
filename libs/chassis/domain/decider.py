"""The decider: turns commands and consumed events into new events, without clock, network or store.

A department has one `Decider` per kind of stream, made from its capabilities. Decisions answer
commands and may refuse them. Reactions are computed from the state alone, so the order in which
events of other departments arrive does not matter, see
docs/adr/0003-derive-reactions-from-the-state.md. Everything here is pure: moments, ids, the actor
and reference data are given in the context.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from chassis.domain.capability import Capability, CommandEntry, Composed, WorkSource
from chassis.domain.commands import Command, NotRecordable, Refused
from chassis.domain.context import Context, ReferenceData
from chassis.domain.currencies import require_in_use
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.documents import contents_of, require_documents
from chassis.domain.internal import Internal, published_only
from chassis.domain.latest_ids import LatestIds, with_latest
from chassis.domain.pending import (
    Deferred,
    DeferredDecided,
    OutcomeRecorded,
    Refusal,
    Requested,
    pending_after,
)
from chassis.domain.requests import AnyAsking, RecordOutcome
from chassis.domain.state import Part
from chassis.domain.stream import Stream, is_next
from chassis.domain.work_items import WorkItem
from contracts.channels import CHANNELS, Channel, Department, named_in_heard
from contracts.event import EVENTS, Event, Recorded
from contracts.places import day_at

S = TypeVar("S", bound=Part)

REACTIONS_LIMIT = 50
"""Rounds of reactions to one command or event; more are a bug of the department (RuntimeError)."""


@dataclass(frozen=True)
class Decider(Generic[S]):
    """The rules of a department for one kind of stream, made from its capabilities.

    `kind` is ``engagement`` for engagements; a stream's id is ``<kind>:<subject>``. `initial`
    returns the state of a subject before its first event. Streams of engagements process the events
    of the other departments about them, those of each channel without a gap. `zone` returns the
    time zone in which days are judged, by the records of a day (UTC), or None where it is not
    known. `documents` returns the hashes of documents that the state knows from events; commands
    may name them, as they may those in the department's store. `begins` says how a stream begins
    that no command opens, for the answer to who asks for an unknown one. Raises TypeError where two
    capabilities decide the same command, ask streams of one kind for the same command, or use the
    same name for a field of the view or the row.
    """

    department: Department
    kind: str
    initial: Callable[[str], S]
    capabilities: tuple[Capability[S], ...]
    zone: Callable[[S, ReferenceData, date], tzinfo | None] | None = None
    documents: Callable[[S], Collection[str]] = lambda _: ()
    begins: str = ""

    def __post_init__(self) -> None:
        decided = [entry.command for each in self.capabilities for entry in each.commands]
        for command in set(decided) - {DeadlinePassed}:
            if decided.count(command) > 1:
                raise TypeError(f"{command.named()} is decided twice")
        asked = [(asking.kind, asking.command) for asking in self._askings]
        for kind, command in set(asked):
            if asked.count((kind, command)) > 1:
                raise TypeError(f"{command.named()} of {kind} is asked for by two capabilities")
        _ = self.rows
        names = {*self.views.fields, "passed_over", "requests", "work", "confidential_work"}
        if both := names & {*self.confidential_views.fields}:
            raise TypeError(f"{', '.join(sorted(both))}: open and confidential in one view")

    @cached_property
    def state_type(self) -> type[S]:
        """The class of the state."""
        return type(self.initial("-"))

    @cached_property
    def evolves_by(self) -> frozenset[type[Event]]:
        """Types of published event that change the state, own and consumed."""
        return published_only(self.state_type.steps)

    @cached_property
    def commands(self) -> Mapping[type[Command], CommandEntry]:
        """The commands by their type, without `DeadlinePassed`."""
        entries = (entry for each in self.capabilities for entry in each.commands)
        return {each.command: each for each in entries if each.command is not DeadlinePassed}

    @cached_property
    def by_name(self) -> Mapping[str, CommandEntry]:
        """The commands by their name, without `DeadlinePassed`."""
        return {kind.named(): entry for kind, entry in self.commands.items()}

    @cached_property
    def asks(self) -> Mapping[tuple[str, str], AnyAsking]:
        """The requests that the capabilities declare, by kind of stream and name of the command."""
        return {(asking.kind, asking.command.named()): asking for asking in self._askings}

    @cached_property
    def _askings(self) -> tuple[AnyAsking, ...]:
        return tuple(asking for each in self.capabilities for asking in each.askings)

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

    def is_given_by_people(self, command: Command) -> bool:
        """Return whether people give the command, not the service itself."""
        entry = self.commands.get(type(command))
        return entry is not None and entry.by is not None

    def decide(self, state: S, command: Command, context: Context) -> tuple[Event, ...]:
        """Return the resulting events; raises Refused, or KeyError for an unknown command."""
        if isinstance(command, DeadlinePassed):
            return tuple(
                event
                for decision in self._on_deadline
                for event in decision(state, command, context)
            )
        return tuple(self.commands[type(command)].decision(state, command, context))

    def zone_at(self, state: S, records: ReferenceData, moment: datetime) -> tzinfo | None:
        """Return the time zone in which days are judged at a moment; None where it is not known."""
        return self.zone and self.zone(state, records, day_at(moment, None))

    def in_zone(self, state: S, context: Context) -> Context:
        """Return the context with the time zone in which the days of its command are judged."""
        zone = self.zone_at(state, context.reference_data, context.occurred_at)
        return replace(context, zone=zone)

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
    def work_sources(self) -> tuple[WorkSource[S], ...]:
        """The sources of work items of all capabilities."""
        return tuple(source for each in self.capabilities for source in each.work_sources)

    def work(self, state: S, *, confidential: bool) -> tuple[WorkItem, ...]:
        """Return what waits in a state: the confidential items, or the open ones."""
        return tuple(
            item
            for source in self.work_sources
            if source.confidential is confidential
            for item in source.items(state)
        )

    @cached_property
    def views(self) -> Composed[S]:
        """The view, composed of those of the capabilities."""
        return Composed([view for each in self.capabilities for view in each.views])

    def narrowed(
        self, fields: Mapping[str, Any], state: S, reading: Callable[[], Context]
    ) -> dict[str, Any]:
        """Return fields of the view as the reader may see them.

        `work` and `confidential_work` are fields with work items. `reading` returns the context of
        the reader; it is called only where a capability narrows a field.
        """
        values = dict(fields)
        if not any(each.narrowings for each in self.capabilities):
            return values
        context = reading()
        for each in self.capabilities:
            for name, narrowing in each.narrowings.items():
                if name in values:
                    values[name] = narrowing(values[name], state, context)
        return values

    @cached_property
    def confidential_views(self) -> Composed[S]:
        """The additional fields of the view for callers with the role `confidential`."""
        return Composed([view for each in self.capabilities for view in each.confidential_views])

    @cached_property
    def rows(self) -> Composed[S]:
        """The list row, composed of those of the capabilities."""
        return Composed([row for each in self.capabilities for row in each.rows])

    def subject_for(self, recorded: Recorded[Event]) -> str | None:
        """Return the subject whose stream of this kind processes the event, or None."""
        channel = recorded.channel
        if self.kind != "engagement" or channel.kind == "reference":
            return None
        return None if channel.department == self.department else recorded.subject

    def stream(self, subject: str) -> str:
        """Return the id of a subject's stream."""
        return f"{self.kind}:{subject}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a commit.

    `own` events were recorded by this stream and are published. Of the others, internal events were
    recorded by this stream, too; the rest was consumed, and is kept because it changes the state.
    """

    recorded: Recorded[Event]
    own: bool

    @property
    def is_internal(self) -> bool:
        """True for an internal event."""
        return isinstance(self.recorded.event, Internal)


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
        """The published events that this stream recorded in this step, in order."""
        return tuple(entry.recorded for entry in self.entries if entry.own)

    @property
    def new_events(self) -> tuple[Recorded[Event], ...]:
        """All events that this stream recorded in this step, internal ones too, in order."""
        return tuple(each.recorded for each in self.entries if each.own or each.is_internal)

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The contents of documents that this stream recorded in this step."""
        return contents_of(self.new_events)

    @property
    def requests(self) -> tuple[Recorded[Requested], ...]:
        """The requests that this stream recorded in this step, in order."""
        return requests_in(entry.recorded for entry in self.entries)


def handle_command(
    decider: Decider[S], stream: Stream[S], command: Command, context: Context
) -> Step[S]:
    """Decide a command, and add the department's reactions to the resulting events.

    Raises Refused, also for a document that is not known, NotRecordable if an event, or the state
    after it, is invalid, and RuntimeError where a request is made again on its outcome: it would
    get the same outcome, without an end.
    """
    entries: list[Entry] = []
    after = stream
    context = decider.in_zone(stream.state, context)
    require_documents(command, decider.documents(stream.state), stream.subject, context)
    if decider.is_given_by_people(command):
        require_in_use(command, stream.state, context)
    try:
        decided = (
            _decide_outcome(decider, stream, command, context)
            if isinstance(command, RecordOutcome)
            else decider.decide(stream.state, command, context)
        )
        for event in decided:
            after = _record(decider, after, event, context, entries)
        if entries:
            own = replace(context, actor=decider.department, on_behalf_of=None, roles=frozenset())
            after = _react(decider, after, own, entries)
            after = after.numbered_after(each.recorded for each in entries)
            if isinstance(command, RecordOutcome) and command.key in after.requests:
                raise RuntimeError(f"{after.id} asks for {command.key} again on its outcome")
    except ValidationError as error:  # of an event, or of the state after one
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        confidential = _may_be_confidential(error.title, decider.department)
        why = first["type"] if confidential else first["msg"]
        raise NotRecordable(error.title, field, why, confidential=confidential) from error
    return Step(after, tuple(entries), bool(entries))


def _decide_outcome(
    decider: Decider[S], stream: Stream[S], command: RecordOutcome, context: Context
) -> tuple[Event, ...]:
    """Return the events that follow from an outcome: none if it is recorded already."""
    asked = stream.requests.get(command.key)
    if asked is None or asked.id != command.asked:
        return ()
    request = asked.event
    asking = decider.asks[request.kind, request.command]
    return tuple(asking.decide(stream.state, request, command, context))


def handle_request(
    decider: Decider[S], stream: Stream[S], command: Command, context: Context
) -> tuple[Step[S], Refusal | None]:
    """Decide a command that another stream requested; return the content of a commit, or a refusal.

    A refusal, or a command without effect, is a commit without events, too: the outcome of a
    request is decided once.
    """
    try:
        step = handle_command(decider, stream, command, context)
    except Refused as refused:
        return without_events(stream), Refusal(refused.code, str(refused))
    return (step if step.changed else without_events(stream)), None


def without_events(stream: Stream[S]) -> Step[S]:
    """Return the content of a commit without events."""
    return Step(stream.numbered_after(()), (), changed=True)


def requests_in(events: Iterable[Recorded[Event]]) -> tuple[Recorded[Requested], ...]:
    """Return those of the events that are requests, in order."""
    return tuple(
        cast("Recorded[Requested]", each) for each in events if isinstance(each.event, Requested)
    )


def outcomes_in(events: Iterable[Recorded[Event]]) -> tuple[OutcomeRecorded, ...]:
    """Return those of the events that are outcomes of requests, in order."""
    return tuple(each.event for each in events if isinstance(each.event, OutcomeRecorded))


def deferrals_in(
    events: Iterable[Recorded[Event]],
) -> tuple[Deferred | DeferredDecided, ...]:
    """Return those of the events that defer a command, or tell what became of one, in order."""
    return tuple(
        each.event for each in events if isinstance(each.event, Deferred | DeferredDecided)
    )


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

    Raises Gap if the stream would miss an event of a channel, CameLate for an event that was passed
    over, OtherEvent for a second event with a used number, and NotDecoded for one that cannot be
    decoded.
    """
    entries: list[Entry] = []
    after = stream
    changed = False
    for recorded in events:
        name = recorded.channel.name
        last = after.position.get(name, 0)
        ids = after.latest_ids.get(name, ())
        if not is_next(recorded, last, after.passed_over, ids):
            continue
        changed = True
        after = replace(
            after,
            position={**after.position, name: recorded.sequence},
            latest_ids={**after.latest_ids, name: with_latest(ids, last, recorded)},
        )
        if type(recorded.event) in decider.evolves_by:
            entries.append(Entry(recorded, own=False))
            after = replace(after, state=after.state.after(recorded))
            after = _react(decider, after, context_of(recorded), entries)
    if changed:
        after = after.numbered_after(each.recorded for each in entries)
    return Step(after, tuple(entries), changed)


def replay(
    decider: Decider[S],
    stream: Stream[S],
    events: Sequence[Recorded[Event]],
    position: Mapping[str, int],
    latest_ids: LatestIds,
) -> Stream[S]:
    """Return the stream after one more commit of the journal: its events, position and ids."""
    state, requests = stream.state, stream.requests
    for recorded in events:
        state, requests = state.after(recorded), pending_after(requests, recorded)
    return replace(
        stream.numbered_after(events),
        state=state,
        requests=requests,
        position=dict(position),
        latest_ids=latest_ids,
    )


def _record(
    decider: Decider[S],
    stream: Stream[S],
    event: Event,
    context: Context,
    entries: list[Entry],
) -> Stream[S]:
    """Add an event of the stream's own; raises TypeError for one of another department.

    A request that is pending already is not added again.
    """
    if isinstance(event, Internal):
        return _record_internal(stream, event, context, entries)
    channel = event.channel
    if channel.department != decider.department:
        raise TypeError(f"{decider.department} cannot record {event.type}")
    sequence = stream.position.get(channel.name, 0) + 1
    heard = {
        name: last
        for name, last in stream.position.items()
        if name != channel.name and named_in_heard(channel, name)
    }
    recorded = _recorded(stream, event, context, sequence, heard)
    entries.append(Entry(recorded, own=True))
    return replace(
        stream,
        state=stream.state.after(recorded),
        position={**stream.position, channel.name: sequence},
    )


def _record_internal(
    stream: Stream[S], event: Internal, context: Context, entries: list[Entry]
) -> Stream[S]:
    if isinstance(event, Requested) and event.key in stream.requests:
        return stream
    recorded = _recorded(stream, event, context, stream.number + 1, {})
    entries.append(Entry(recorded, own=False))
    return replace(
        stream,
        state=stream.state.after(recorded),
        requests=pending_after(stream.requests, recorded),
    )


def _recorded(
    stream: Stream[S], event: Event, context: Context, sequence: int, heard: Mapping[str, int]
) -> Recorded[Event]:
    return Recorded(
        id=context.new_event_id(),
        subject=event.subject(stream.subject),
        sequence=sequence,
        event=event,
        actor=context.actor,
        cause=context.cause,
        occurred_at=context.occurred_at.astimezone(UTC),
        recorded_at=context.recorded_at.astimezone(UTC),
        heard=heard,
        traceparent=context.traceparent,
        on_behalf_of=context.on_behalf_of,
    )


def _react(
    decider: Decider[S], stream: Stream[S], context: Context, entries: list[Entry]
) -> Stream[S]:
    """Record reactions until there are none; raises RuntimeError after REACTIONS_LIMIT rounds."""
    for _ in range(REACTIONS_LIMIT):
        recorded = len(entries)
        for event in decider.react(stream.state, context):
            stream = _record(decider, stream, event, context, entries)
        if len(entries) == recorded:
            return stream
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
        if kind.channel.department != decider.department
    )
