# ruff: noqa: S101 - this module makes assertions
"""Test a decider: given events, when a command or an event, then events or a refusal.

    given(ENGAGEMENT, "E-0000000000001", records=[ann]).consumed(DealWon(...)).after(OpenFile(...))
        .on(date(2026, 3, 2)).when(DraftSow(...), by="lena").then(SowDrafted(...))

No clock, network or store is used. Events are compared by their data, never by their ids. Events of
`published` and `consumed` are recorded without any reaction; `after`, `when` and the like react as
in a running service. Every step returns a new scenario, so a common beginning can be reused by many
tests, and a `then` can be followed by the next `when`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from itertools import count
from typing import Any, Generic, TypeVar

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import DeadlinePassed
from chassis.domain.decider import Decider, Step, handle_command, handle_events, replay
from chassis.domain.documents import DocumentKept
from chassis.domain.internal import Internal
from chassis.domain.pending import OutcomeRecorded, Refusal, Requested
from chassis.domain.requests import RecordOutcome
from chassis.domain.state import Part
from chassis.domain.stream import Stream
from chassis.domain.work_items import WorkItem
from contracts.event import Event, Recorded
from contracts.reference import Reference
from contracts.refusals import RefusalCode
from contracts.roles import Role
from testkit.matchers import START, Like, RecordsOf, described, difference, like, recorded_as

__all__ = [
    "START",
    "Like",
    "Outcome",
    "RecordsOf",
    "Scenario",
    "given",
    "like",
    "permutations_agree",
]

S = TypeVar("S", bound=Part)


@dataclass(frozen=True)
class Scenario(Generic[S]):
    """Stream of one decider at a moment, with the reference data."""

    decider: Decider[S]
    stream: Stream[S]
    records: RecordsOf
    moment: datetime = START
    steps: int = 0
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()

    @property
    def state(self) -> S:
        """Return the current state."""
        return self.stream.state

    def reaches(self, event: Event) -> bool:
        """Return whether an event about this stream's subject is routed to this stream."""
        return self.decider.subject_for(self._recorded(event, None, None)) == self.stream.subject

    def on(self, moment: date | datetime) -> "Scenario[S]":
        """Set the moment of the following steps; a date means 09:00 UTC on that day."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time(9), UTC)
        return replace(self, moment=moment.astimezone(UTC))

    def knowing(self, *records: Reference) -> "Scenario[S]":
        """Replace the reference data of the kinds of these records, or all without any record."""
        kept = () if not records else self.records.without({type(each) for each in records})
        return replace(self, records=RecordsOf((*kept, *records)))

    def uploaded(self, *hashes: str) -> "Scenario[S]":
        """Add documents, by their hash, to those that the department's store has."""
        return replace(self, documents=self.documents | frozenset(hashes))

    def published(self, *events: Event, by: str = "someone") -> "Scenario[S]":
        """Record events of the stream's own, of before; nothing reacts to them."""
        scenario = self
        for event in events:
            department = self.decider.department
            is_own = isinstance(event, Internal) or event.channel.department == department
            assert is_own, (
                f"{department} does not publish {type(event).__name__}: use consumed(...)"
            )
            scenario = scenario._with(scenario._recorded(event, None, by))
        return scenario

    def consumed(
        self,
        *events: Event,
        by: str | None = None,
        about: str | None = None,
        knowing: Mapping[str, int] | None = None,
    ) -> "Scenario[S]":
        """Record events of other streams that have been processed already; nothing reacts to them.

        `by` is their actor, `about` their engagement where it is not the stream's own, and
        `knowing` their `heard`: the positions that their author had processed, by channel.
        """
        scenario = self
        for event in events:
            scenario = scenario._with(
                scenario._routed(scenario._recorded(event, about, by, knowing))
            )
        return scenario

    def after(self, command: Command, *, by: str = "someone") -> "Scenario[S]":
        """Give a command that must be accepted, with its reactions, and go on."""
        return self.when(command, by=by).then_accepted()

    def when(
        self,
        command: Command,
        *,
        by: str = "someone",
        roles: Iterable[Role] = (),
        on_behalf_of: str | None = None,
    ) -> "Outcome[S]":
        """Give a command, with its reactions; `roles` are those of the person who gives it."""
        context = replace(self._context(by), roles=frozenset(roles), on_behalf_of=on_behalf_of)
        try:
            step = handle_command(self.decider, self.stream, command, context)
        except Refused as refusal:
            return Outcome(self, self, (), refusal)
        _require_sound_work(self.decider, step.stream.state)
        return Outcome(self, self._after(step.stream), step.new_events)

    def when_outcome(
        self, id: str, item: str, *events: Event, refused: Refusal | None = None
    ) -> "Outcome[S]":
        """Record the outcome of a pending request: the events of the other stream, or a refusal.

        Raises AssertionError where no such request is pending.
        """
        key = f"{id}/{item}"
        pending = self.stream.requests
        assert key in pending, f"no request {key!r} is pending, only {sorted(pending)}"
        command = RecordOutcome(key=key, asked=pending[key].id, events=events, refusal=refused)
        return self.when(command, by=self.decider.department)

    def when_consumed(
        self,
        *events: Event,
        by: str | None = None,
        about: str | None = None,
        knowing: Mapping[str, int] | None = None,
    ) -> "Outcome[S]":
        """Process events of other streams one after the other, with the reactions to each.

        The arguments are those of `consumed`.
        """
        scenario = self
        published: list[Recorded[Event]] = []
        for event in events:
            recorded = scenario._routed(scenario._recorded(event, about, by, knowing))
            step = scenario._handle(recorded)
            published.extend(step.new_events)
            scenario = scenario._after(step.stream, recorded)
        return Outcome(self, scenario, tuple(published))

    def when_deadline(self, name: str) -> "Outcome[S]":
        """Let a deadline of the state pass at its moment.

        Raises AssertionError where the state has no deadline of this name.
        """
        pending = {deadline.name: deadline for deadline in self.decider.deadlines(self.state)}
        assert name in pending, f"there is no deadline {name!r}, only {sorted(pending)}"
        at = pending[name].at
        command = DeadlinePassed(deadline=name, at=at)
        return self.on(at).when(command, by=self.decider.department)

    @property
    def view(self) -> Mapping[str, Any]:
        """Return the view of the stream, with its confidential fields."""
        return self.decider.views(self.state) | self.decider.confidential_views(self.state)

    @property
    def work(self) -> tuple[WorkItem, ...]:
        """Return the work items of the stream, open ones and then confidential ones."""
        return tuple(
            item
            for confidential in (False, True)
            for item in self.decider.work(self.state, confidential=confidential)
        )

    def then_work(self, code: RefusalCode, *about: str, **fields: Any) -> "Scenario[S]":
        """Assert about what there are items of a code: exactly these, in any order.

        `fields` are values that a field or property of each of them has.
        """
        items = [item for item in self.work if item.kind.code == code]
        found = sorted(item.about for item in items)
        assert found == sorted(about), f"{code} is about {found}, not about {sorted(about)}"
        for item in items:
            actual = {name: getattr(item, name) for name in fields}
            assert actual == fields, f"{code}, {item.about}: {actual}, not {fields}"
        return self

    def then_view(self, **fields: Any) -> "Scenario[S]":
        """Assert the values of some fields of the view; ``delivery__on_hold`` is nested."""
        actual = {name: reduce(_field, name.split("__"), self.view) for name in fields}
        assert actual == fields, "the view differs\n" + difference([fields], [actual])
        return self

    def then_deadlines(self, **expected: date | datetime) -> "Scenario[S]":
        """Assert all deadlines of the state, by name (``_`` for a dash) and moment or day."""
        actual: dict[str, date | datetime] = {}
        for deadline in self.decider.deadlines(self.state):
            name = deadline.name.replace("-", "_")
            by_day = not isinstance(expected.get(name, deadline.at), datetime)
            actual[name] = deadline.at.date() if by_day else deadline.at
        assert actual == expected, "the deadlines differ\n" + difference([expected], [actual])
        return self

    def _handle(self, recorded: Recorded[Event]) -> Step[S]:
        context = self._context(self.decider.department)
        return handle_events(self.decider, self.stream, [recorded], lambda _: context)

    def _with(self, recorded: Recorded[Event]) -> "Scenario[S]":
        position = self.stream.position
        if not isinstance(recorded.event, Internal):
            position = {**position, recorded.channel.name: recorded.sequence}
        return self._after(replay(self.decider, self.stream, [recorded], position, {}), recorded)

    def _recorded(
        self,
        event: Event,
        about: str | None,
        by: str | None,
        knowing: Mapping[str, int] | None = None,
    ) -> Recorded[Event]:
        subject = event.subject(about or self.stream.subject)
        if isinstance(event, Internal):
            number = self.stream.number + 1
            return recorded_as(event, subject, number, by or "someone", self.moment, {})
        channel = event.channel
        last = max(
            self.counts.get((channel.name, subject), 0),
            self.stream.position.get(channel.name, 0),
        )
        actor = by or channel.department
        return recorded_as(event, subject, last + 1, actor, self.moment, knowing or {})

    def _routed(self, recorded: Recorded[Event]) -> Recorded[Event]:
        assert self.decider.subject_for(recorded) == self.stream.subject, (
            f"{type(recorded.event).__name__} about {recorded.subject} is not routed to"
            f" {self.stream.id} but to {self.decider.subject_for(recorded) or 'no stream'}"
        )
        return recorded

    def _after(self, stream: Stream[S], heard: Recorded[Event] | None = None) -> "Scenario[S]":
        counts = dict(self.counts)
        if heard is not None:
            counts[heard.channel.name, heard.subject] = heard.sequence
        return replace(self, stream=stream, steps=self.steps + 1, counts=counts)

    def _context(self, actor: str) -> Context:
        numbers = count(1)
        cause = f"step-{self.steps + 1}"
        return Context(
            actor=actor,
            occurred_at=self.moment,
            recorded_at=self.moment,
            cause=cause,
            reference_data=self.records,
            new_event_id=lambda: f"{cause}-event-{next(numbers)}",
            documents=self.documents,
        )


@dataclass(frozen=True)
class Outcome(Generic[S]):
    """Result of a command or of processed events: new events and requests, or a refusal."""

    before: Scenario[S]
    after: Scenario[S]
    recorded: tuple[Recorded[Event], ...]
    refusal: Refused | None = None

    @property
    def published(self) -> tuple[Recorded[Event], ...]:
        """Return the new events that are published, in order."""
        return tuple(each for each in self.recorded if not isinstance(each.event, Internal))

    @property
    def events(self) -> tuple[Event, ...]:
        """Return the new events in order, internal ones and reactions included, without requests.

        That the outcome of a request is recorded is not among them, either.
        """
        every = (recorded.event for recorded in self.recorded)
        return tuple(
            event
            for event in every
            if not isinstance(event, Requested | OutcomeRecorded | DocumentKept)
        )

    @property
    def requests(self) -> tuple[Requested, ...]:
        """Return the new requests in order."""
        return tuple(
            recorded.event for recorded in self.recorded if isinstance(recorded.event, Requested)
        )

    def then(self, *expected: Event | Like) -> Scenario[S]:
        """Assert exactly these new events in this order, reactions included."""
        self.then_accepted()
        agree = len(expected) == len(self.events) and all(
            one.matches(event) if isinstance(one, Like) else one == event
            for one, event in zip(expected, self.events, strict=True)
        )
        assert agree, "the events differ\n" + difference(expected, self.events)
        return self.after

    def then_requests(self, *expected: Requested) -> Scenario[S]:
        """Assert exactly these new requests, in this order; events are not compared.

        Nor is the id of the commit whose command they decide.
        """
        self.then_accepted()
        found = tuple(each.model_copy(update={"decides": None}) for each in self.requests)
        assert found == expected, "the requests differ\n" + difference(expected, found)
        return self.after

    def then_nothing(self) -> Scenario[S]:
        """Assert that there was no refusal, no new event and no new request."""
        self.then_requests()
        return self.then()

    def then_accepted(self) -> Scenario[S]:
        """Assert that there was no refusal."""
        refusal = self.refusal
        assert refusal is None, f"refused as {refusal.code}: {refusal}"
        return self.after

    def then_refused(
        self,
        code: RefusalCode,
        *,
        missing: Iterable[RefusalCode] | None = None,
        fields: Iterable[str] | None = None,
        saying: str = "",
    ) -> Scenario[S]:
        """Assert a refusal by code, all missing codes, all fields and a part of the sentence."""
        assert self.refusal is not None, "it was not refused, but led to\n" + described(self.events)
        refusal = self.refusal
        assert refusal.code == code, f"refused as {refusal.code}, not {code}: {refusal}"
        if missing is not None:
            codes = {item.code for item in refusal.missing}
            assert codes == set(missing), f"{sorted(codes)} is missing, not {sorted(missing)}"
        if fields is not None:
            named = {item.field for item in refusal.missing}
            assert named == set(fields), f"{named} are named, not {set(fields)}"
        assert saying in str(refusal), f"{saying!r} is not in: {refusal}"
        return self.before


def _require_sound_work(decider: Decider[S], state: S) -> None:
    """Assert that every work item is of a declared kind, and that no two have the same key."""
    for source in decider.work_sources:
        for item in source.items(state):
            assert item.kind in source.kinds, f"{item} is of a kind that is not declared"
    keys = Counter(
        item.key for each in (False, True) for item in decider.work(state, confidential=each)
    )
    twice = [key for key, times in keys.items() if times > 1]
    assert not twice, f"there are several work items {twice}"


def _field(view: Any, name: str) -> Any:
    return view[name] if isinstance(view, Mapping) else getattr(view, name)


def given(decider: Decider[S], subject: str, *, records: Iterable[Reference] = ()) -> Scenario[S]:
    """Return the scenario of a stream without events, with the given reference data."""
    stream = Stream(decider.stream(subject), decider.initial(subject))
    return Scenario(decider, stream, RecordsOf(records))


def permutations_agree(
    scenario: Scenario[S],
    *events: Event,
    apart: timedelta = timedelta(0),
    examples: int = 60,
    knowing: Mapping[str, int] | None = None,
) -> None:
    """Assert that the order in which channels arrive changes neither the state nor the new events.

    The events follow those of the scenario. Each channel's events keep their order; the channels
    are interleaved at random, in `examples` ways. The stream's own events count as a channel: they
    are published as by a command, at any place among the others. The events happen at one moment
    or, with `apart`, that long after one another. `knowing` is the `heard` of all events of
    others, by channel.
    """
    from hypothesis import HealthCheck, Phase, settings, strategies
    from hypothesis import given as hypothesis_given

    channels = [event.channel.name for event in events]
    expected = _processed(scenario, events, channels, apart, knowing)

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis_given(strategies.permutations(channels))
    def agrees(order: list[str]) -> None:
        actual = _processed(scenario, events, order, apart, knowing)
        orders = f"in the order {', '.join(channels)} and in the order {', '.join(order)}, "
        assert actual[1] == expected[1], f"{orders}the events differ\n" + difference(
            expected[1].elements(), actual[1].elements()
        )
        assert actual[0] == expected[0], f"{orders}the states differ\n" + difference(
            [expected[0]], [actual[0]]
        )

    agrees()


class _Publish(Command):
    event: Event


def _publishing() -> Capability[Any]:
    capability: Capability[Any] = Capability(__name__)

    @capability.decide(_Publish, by=None)
    def publish(state: Part, command: _Publish, context: Context) -> Iterable[Event]:
        return (command.event,)

    return capability


def _process(
    scenario: Scenario[S], event: Event, knowing: Mapping[str, int] | None
) -> "Outcome[S]":
    """Return the outcome of an event; the stream's own is published by a command."""
    own = event.channel.department == scenario.decider.department
    if not own or scenario.reaches(event):
        return scenario.when_consumed(event, knowing=knowing)
    decider = scenario.decider
    capabilities = (*decider.capabilities, _publishing())
    publishing = replace(scenario, decider=replace(decider, capabilities=capabilities))
    outcome = publishing.when(_Publish.model_construct(event=event))
    return replace(outcome, after=replace(outcome.after, decider=scenario.decider))


def _processed(
    scenario: Scenario[S],
    events: Sequence[Event],
    order: Sequence[str],
    apart: timedelta,
    knowing: Mapping[str, int] | None,
) -> tuple[S, Counter[tuple[str, str]]]:
    """Return the state after the events in this order of channels, and all new events."""
    waiting: dict[str, list[tuple[Event, datetime]]] = {}
    for number, event in enumerate(events):
        happens = scenario.moment + number * apart
        waiting.setdefault(event.channel.name, []).append((event, happens))
    published: list[Event] = []
    for name in order:
        event, happens = waiting[name].pop(0)
        scenario = scenario.on(happens)
        outcome = _process(scenario, event, knowing)
        published.extend(outcome.events)
        scenario = outcome.after
    return scenario.state, Counter(
        (type(event).__name__, event.model_dump_json()) for event in published
    )
