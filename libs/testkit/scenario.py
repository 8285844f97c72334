# ruff: noqa: S101 - asserting is what this module is for
"""Test departments: given events, when a command (or an event), then events or a refusal.

    given(ENGAGEMENT, "E-0000000000001", records=[ann]).heard(DealWon(...)).said(FileOpened(...))
        .on(date(2026, 3, 2)).when(SignSow(...), by="carl").then(SowSigned(...))

Pure: no clock, network or store. Events are compared by what they say, never by their ids. What a
`given` states is on record as it stands, and nothing reacts to it; `when` and what follows it react
as in a running service. Every step answers with a new scenario, so a common beginning can be kept
and continued in many tests, and a `then` can be followed by the next `when`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from chassis.domain.decider import (
    Command,
    Context,
    DeadlinePassed,
    Decider,
    Decisions,
    Refused,
    Step,
    Stream,
    handle_command,
    handle_events,
    replay,
)
from contracts.event import Event, Recorded
from contracts.reference import Reference
from testkit.matchers import START, Like, RecordsOf, difference, like, recorded_as, told

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

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class Scenario(Generic[S]):
    """A stream of one decider at a moment, and the world around it."""

    decider: Decider[S]
    stream: Stream[S]
    records: RecordsOf
    moment: datetime = START
    steps: int = 0
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def state(self) -> S:
        """The state as it is now."""
        return self.stream.state

    def reaches(self, event: Event) -> bool:
        """Tell whether this stream hears such an event when another stream says it about it."""
        return self.decider.subject_for(self._recorded(event, None, None)) == self.stream.subject

    def on(self, moment: date | datetime) -> "Scenario[S]":
        """Let what follows happen then; a date stands for nine o'clock UTC on it."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time(9), UTC)
        return replace(self, moment=moment.astimezone(UTC))

    def knowing(self, *records: Reference) -> "Scenario[S]":
        """Go on with exactly this reference data."""
        return replace(self, records=RecordsOf(records))

    def said(self, *events: Event, by: str = "someone") -> "Scenario[S]":
        """The stream has said these events already."""
        scenario = self
        for event in events:
            assert event.channel.department == self.decider.department, (
                f"{self.decider.department} cannot say {type(event).__name__}: use heard(...)"
            )
            scenario = scenario._keeping(scenario._recorded(event, None, by))
        return scenario

    def heard(
        self,
        *events: Event,
        by: str | None = None,
        about: str | None = None,
        knowing: Mapping[str, int] | None = None,
    ) -> "Scenario[S]":
        """The stream has heard these events already, and said whatever they led to.

        `by` is their actor, `about` the engagement they are of where that is not the stream's own,
        `knowing` what their author had heard by then, by channel.
        """
        scenario = self
        for event in events:
            scenario = scenario._keeping(
                scenario._reaching(scenario._recorded(event, about, by, knowing))
            )
        return scenario

    def took(self, command: Command, *, by: str = "someone") -> "Scenario[S]":
        """The stream has taken this command already, reactions and all."""
        return self.when(command, by=by).then_accepted()

    def when(self, command: Command, *, by: str = "someone") -> "Outcome[S]":
        """Give the command; reactions follow."""
        try:
            step = handle_command(self.decider, self.stream, command, self._context(by))
        except Refused as refusal:
            return Outcome(self, self, (), refusal)
        return Outcome(self, self._after(step.stream), step.said)

    def when_heard(
        self,
        *events: Event,
        by: str | None = None,
        about: str | None = None,
        knowing: Mapping[str, int] | None = None,
    ) -> "Outcome[S]":
        """Hear these events, one after the other; reactions follow each."""
        scenario = self
        said: list[Recorded[Event]] = []
        for event in events:
            recorded = scenario._reaching(scenario._recorded(event, about, by, knowing))
            step = scenario._hear(recorded)
            said.extend(step.said)
            scenario = scenario._after(step.stream, recorded)
        return Outcome(self, scenario, tuple(said))

    def when_deadline(self, name: str) -> "Outcome[S]":
        """Let the deadline of this name, which the state has to ask for, pass at its moment."""
        asked = {deadline.name: deadline for deadline in self.decider.deadlines(self.state)}
        assert name in asked, f"no deadline {name!r} is asked for, only {sorted(asked)}"
        at = asked[name].at
        command = DeadlinePassed(deadline=name, at=at)
        return self.on(at).when(command, by=self.decider.department)

    def then_state(self, **fields: Any) -> "Scenario[S]":
        """Check these fields of the state."""
        actual = {name: getattr(self.state, name) for name in fields}
        assert actual == fields, "the state differs\n" + difference([fields], [actual])
        return self

    def then_deadlines(self, **expected: date | datetime) -> "Scenario[S]":
        """Check all deadlines that the state asks for, by name (``_`` for a dash) and moment."""
        actual: dict[str, date | datetime] = {}
        for deadline in self.decider.deadlines(self.state):
            name = deadline.name.replace("-", "_")
            by_day = not isinstance(expected.get(name, deadline.at), datetime)
            actual[name] = deadline.at.date() if by_day else deadline.at
        assert actual == expected, "the deadlines differ\n" + difference([expected], [actual])
        return self

    def _hear(self, recorded: Recorded[Event]) -> Step[S]:
        context = self._context(self.decider.department)
        return handle_events(self.decider, self.stream, [recorded], lambda _: context)

    def _keeping(self, recorded: Recorded[Event]) -> "Scenario[S]":
        position = dict(self.stream.position)
        if self.decider.gap_free or recorded.channel.department == self.decider.department:
            position[recorded.channel.name] = recorded.sequence
        return self._after(replay(self.decider, self.stream, [recorded], position, {}), recorded)

    def _recorded(
        self,
        event: Event,
        about: str | None,
        by: str | None,
        knowing: Mapping[str, int] | None = None,
    ) -> Recorded[Event]:
        subject = event.subject(about or self.stream.subject)
        channel = event.channel
        last = max(
            self.counts.get((channel.name, subject), 0),
            self.stream.position.get(channel.name, 0),
        )
        actor = by or channel.department
        return recorded_as(event, subject, last + 1, actor, self.moment, knowing or {})

    def _reaching(self, recorded: Recorded[Event]) -> Recorded[Event]:
        assert self.decider.subject_for(recorded) == self.stream.subject, (
            f"{type(recorded.event).__name__} about {recorded.subject} does not reach"
            f" {self.stream.id}, but {self.decider.subject_for(recorded) or 'nobody'}"
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
            records=self.records,
            new_event_id=lambda: f"{cause}-event-{next(numbers)}",
        )


@dataclass(frozen=True)
class Outcome(Generic[S]):
    """What came of a command or a heard event: events, or a refusal."""

    before: Scenario[S]
    after: Scenario[S]
    recorded: tuple[Recorded[Event], ...]
    refusal: Refused | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were said, in order, reactions included."""
        return tuple(recorded.event for recorded in self.recorded)

    def then(self, *expected: Event | Like) -> Scenario[S]:
        """Exactly these events were said, in this order, reactions included."""
        self.then_accepted()
        agree = len(expected) == len(self.events) and all(
            one.matches(event) if isinstance(one, Like) else one == event
            for one, event in zip(expected, self.events, strict=True)
        )
        assert agree, "other events were said\n" + difference(expected, self.events)
        return self.after

    def then_nothing(self) -> Scenario[S]:
        """It was accepted, and nothing was said."""
        return self.then()

    def then_accepted(self) -> Scenario[S]:
        """It was not refused, whatever was said."""
        refusal = self.refusal
        assert refusal is None, f"refused as {refusal.code}: {refusal}"
        return self.after

    def then_refused(
        self, code: str, *, missing: Iterable[str] | None = None, saying: str = ""
    ) -> Scenario[S]:
        """It was refused with this code, for want of exactly these, in a sentence with `saying`."""
        assert self.refusal is not None, "it was not refused, but said\n" + told(self.events)
        refusal = self.refusal
        assert refusal.code == code, f"refused as {refusal.code}, not {code}: {refusal}"
        if missing is not None:
            lacking = {item.code for item in refusal.missing}
            assert lacking == set(missing), f"{sorted(lacking)} is missing, not {sorted(missing)}"
        assert saying in str(refusal), f"{saying!r} is not in: {refusal}"
        return self.before


def given(decider: Decider[S], subject: str, *, records: Iterable[Reference] = ()) -> Scenario[S]:
    """A stream of which nothing has been heard yet, and the reference data that is known."""
    stream = Stream(decider.stream(subject), decider.initial(subject))
    return Scenario(decider, stream, RecordsOf(records))


def permutations_agree(
    scenario: Scenario[S],
    *events: Event,
    apart: timedelta = timedelta(0),
    examples: int = 60,
    knowing: Mapping[str, int] | None = None,
) -> None:
    """Check that the order in which channels arrive changes neither the state nor what is said.

    The events are taken from the scenario on; each channel's events keep their order, and anything
    else is shuffled. The stream's own events count as a channel: they are said as by a command, at
    any place among what is heard. All happen at one moment unless they lie `apart`. `knowing` says
    how far every heard event's author had heard, by channel.
    """
    from hypothesis import HealthCheck, Phase, settings, strategies
    from hypothesis import given as hypothesis_given

    channels = [event.channel.name for event in events]
    expected = _played(scenario, events, channels, apart, knowing)

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis_given(strategies.permutations(channels))
    def agrees(order: list[str]) -> None:
        actual = _played(scenario, events, order, apart, knowing)
        told = f"in the order {', '.join(channels)} and in the order {', '.join(order)}, "
        assert actual[1] == expected[1], f"{told}other events were said\n" + difference(
            expected[1].elements(), actual[1].elements()
        )
        assert actual[0] == expected[0], f"{told}the states differ\n" + difference(
            [expected[0]], [actual[0]]
        )

    agrees()


class _Say(Command):
    event: Event


def _say_it(state: Any, command: _Say, context: Context) -> Iterable[Event]:
    return (command.event,)


def _taken_in(
    scenario: Scenario[S], event: Event, knowing: Mapping[str, int] | None
) -> "Outcome[S]":
    """What comes of an event, heard or, where it is the stream's own, said by a command."""
    own = event.channel.department == scenario.decider.department
    if not own or scenario.reaches(event):
        return scenario.when_heard(event, knowing=knowing)
    decisions: Decisions[S] = Decisions()
    decisions.on(_Say)(_say_it)
    saying = replace(scenario, decider=replace(scenario.decider, decide=decisions))
    outcome = saying.when(_Say.model_construct(event=event))
    return replace(outcome, after=replace(outcome.after, decider=scenario.decider))


def _played(
    scenario: Scenario[S],
    events: Sequence[Event],
    order: Sequence[str],
    apart: timedelta,
    knowing: Mapping[str, int] | None,
) -> tuple[S, Counter[tuple[str, str]]]:
    """The state after the events in this order of channels, and all that was said on the way."""
    waiting: dict[str, list[tuple[Event, datetime]]] = {}
    for number, event in enumerate(events):
        happens = scenario.moment + number * apart
        waiting.setdefault(event.channel.name, []).append((event, happens))
    said: list[Event] = []
    for name in order:
        event, happens = waiting[name].pop(0)
        scenario = scenario.on(happens)
        outcome = _taken_in(scenario, event, knowing)
        said.extend(outcome.events)
        scenario = outcome.after
    return scenario.state, Counter(
        (type(event).__name__, event.model_dump_json()) for event in said
    )
