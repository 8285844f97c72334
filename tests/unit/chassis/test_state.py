"""Parts of a state keep events and change with them; a mistake in a part is named at once."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Self

import pytest
from pydantic import Field

from chassis.domain.state import Keep, KeepDay, Kept, Part, on_event
from contracts.delivery import (
    EngagementPutOnHold,
    EngagementResumed,
    MilestoneReached,
    MilestoneWithdrawn,
    RaidItemClosed,
    RiskRaised,
)
from contracts.event import Event, Recorded
from contracts.sales import (
    OpportunityAdvanced,
    OpportunityOpened,
    OpportunityUpdated,
    ProposalRevised,
)
from contracts.values import Day
from testkit.matchers import recorded_as

HOLD = EngagementPutOnHold(reason="Budget freeze.", held_on=date(2026, 4, 1))
MOMENT = datetime(2026, 4, 1, 9, tzinfo=UTC)
NEXT = EngagementPutOnHold(reason="Holidays.", held_on=date(2026, 8, 1))


class Work(Part):
    on_hold: Annotated[EngagementPutOnHold | None, Keep(until=(EngagementResumed,))] = None
    all_holds: Annotated[tuple[EngagementPutOnHold, ...], Keep()] = ()
    revised: Annotated[dict[int, ProposalRevised], Keep(by="version")] = Field(default_factory=dict)
    longest: date | None = None

    @on_event
    def _held(self, event: EngagementPutOnHold) -> Self:
        return self.updated(longest=max(event.held_on, self.longest or event.held_on))


class Whole(Part):
    name: str
    work: Work = Work()
    raised: Kept[RiskRaised] = None


def after(part, *events: Event):
    for event in events:
        part = part.after(recorded_as(event, "E-0000000000001", 1, "ann", MOMENT, {}))
    return part


def test_a_kept_field_has_the_newest_event_and_a_step_is_applied_after_it() -> None:
    held = after(Work(), HOLD, NEXT)
    assert (held.on_hold, held.longest) == (NEXT, date(2026, 8, 1))
    assert after(held, EngagementResumed(resumed_on=date(2026, 8, 20))).on_hold is None


def test_a_tuple_keeps_all_events_and_a_dictionary_the_newest_for_each_key() -> None:
    first, again = (ProposalRevised(version=1, reason=reason) for reason in ("Price.", "Scope."))
    other = ProposalRevised(version=2, reason="Scope.")
    work = after(Work(), HOLD, first, NEXT, other, again)
    assert work.all_holds == (HOLD, NEXT)
    assert work.revised == {1: again, 2: other}


def test_an_event_ends_what_is_kept_with_the_same_key() -> None:
    class Reached(Part):
        milestones: Annotated[
            dict[str, MilestoneReached], Keep(by="milestone", until=(MilestoneWithdrawn,))
        ] = Field(default_factory=dict)

    one, two = (MilestoneReached(milestone=name, reached_on=HOLD.held_on) for name in ("1", "2"))
    withdrawn = MilestoneWithdrawn(
        milestone="1", why="Mistake.", reached_on=HOLD.held_on, withdrawn_on=HOLD.held_on
    )
    assert after(Reached(), one, two, withdrawn).milestones == {"2": two}
    assert after(Reached(), withdrawn, one).milestones == {"1": one}


def test_the_day_of_the_newest_event_is_kept_until_another_ends_it() -> None:
    class Days(Part):
        held_on: Annotated[
            date | None, KeepDay((EngagementPutOnHold,), until=(EngagementResumed,))
        ] = None
        revised_on: Annotated[dict[int, date], KeepDay((ProposalRevised,), by="version")] = Field(
            default_factory=dict
        )

    first = ProposalRevised(version=1, reason="Price.")
    days = after(Days(), HOLD, first)
    assert days.held_on == days.revised_on[1] == MOMENT.date()
    assert after(days, EngagementResumed(resumed_on=date(2026, 8, 20))).held_on is None
    assert Days.model_validate_json(days.model_dump_json()) == days


def test_a_part_is_reached_through_the_whole_and_nothing_else_changes() -> None:
    whole = Whole(name="E-1")
    changed = after(whole, HOLD)
    assert changed == Whole(name="E-1", work=after(Work(), HOLD))
    assert whole == Whole(name="E-1")
    advanced = OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50))
    assert after(whole, advanced) is whole
    assert set(Whole.steps) == {EngagementPutOnHold, EngagementResumed, ProposalRevised, RiskRaised}


def test_a_state_survives_serialisation() -> None:
    work = after(Work(), HOLD, ProposalRevised(version=1, reason="Price."))
    assert Work.model_validate_json(work.model_dump_json()) == work


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Work has no field holds"):
        Work().updated(holds=())


def test_a_step_or_a_kept_field_without_an_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Broken\.kept names no type of event"):

        class Broken(Part):
            kept: Annotated[date | None, Keep()] = None

    with pytest.raises(TypeError, match=r"Wrong\._step names no type of event"):

        class Wrong(Part):
            @on_event
            def _step(self, moment: datetime) -> Self:
                return self

    with pytest.raises(TypeError, match="no field 'person' to keep it by"):

        class Keyless(Part):
            closed: Annotated[dict[str, RaidItemClosed], Keep(by="person")]


def test_a_step_may_take_the_envelope_and_several_types() -> None:
    class Last(Part):
        at: datetime | None = None

        @on_event
        def _any(self, recorded: Recorded[EngagementPutOnHold | EngagementResumed]) -> Self:
            return self.updated(at=recorded.occurred_at)

    assert set(Last.steps) == {EngagementPutOnHold, EngagementResumed}
    assert after(Last(), HOLD).at == MOMENT


def test_an_overridden_step_is_applied_once() -> None:
    class Counting(Part):
        count: int = 0

        @on_event
        def _held(self, event: EngagementPutOnHold) -> Self:
            return self.updated(count=self.count + 1)

    class Doubling(Counting):
        @on_event
        def _held(self, event: EngagementPutOnHold) -> Self:
            return self.updated(count=self.count + 2)

    assert after(Doubling(), HOLD).count == 2


def test_a_field_that_could_not_change_with_events_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Optional\.work is not always a part"):

        class Optional(Part):
            work: Work | None = None

    with pytest.raises(TypeError, match=r"Keyed\.hold is no dictionary"):

        class Keyed(Part):
            hold: Annotated[EngagementPutOnHold | None, Keep(by="reason")] = None

    with pytest.raises(TypeError, match=r"Alike\.last keeps two types with the same fields"):

        class Alike(Part):
            last: Annotated[OpportunityOpened | OpportunityUpdated | None, Keep()] = None


def test_an_event_that_cannot_end_what_is_kept_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Held\.holds keeps all events, so that none is dropped"):

        class Held(Part):
            holds: Annotated[tuple[EngagementPutOnHold, ...], Keep(until=(EngagementResumed,))] = ()

    with pytest.raises(TypeError, match=r"engagement-resumed\.v1 has no field 'held_on'"):

        class Days(Part):
            holds: Annotated[
                dict[Day, EngagementPutOnHold], Keep(by="held_on", until=(EngagementResumed,))
            ] = Field(default_factory=dict)


def test_events_are_kept_by_a_day() -> None:
    class Days(Part):
        holds: Annotated[dict[Day, EngagementPutOnHold], Keep(by="held_on")] = Field(
            default_factory=dict
        )

    assert after(Days(), HOLD, NEXT).holds == {HOLD.held_on: HOLD, NEXT.held_on: NEXT}


def test_a_copy_is_equal_to_one_of_pydantic() -> None:
    held = after(Work(), HOLD)
    assert held.updated(on_hold=NEXT) == held.model_copy(update={"on_hold": NEXT})
    assert Work.model_validate_json(held.updated(on_hold=NEXT).model_dump_json()).on_hold == NEXT
