"""Test that a person is allocated beyond their hours only where no way to work them exists."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given as given_any
from hypothesis import strategies as st

from contracts.delivery import BeyondHours, WorkloadMeasured
from contracts.reference import LeavePeriod, LeavePublished, PersonPublished
from delivery.resources.decisions import ReleaseResource
from delivery.resources.requests import NoteWorkload
from delivery.service import WORKLOAD
from delivery.workloads.beyond import beyond_hours
from delivery.workloads.events import Allocated, AllocationNoted
from delivery.workloads.requests import NoteAllocation
from delivery.workloads.state import Workload
from testkit.scenario import Scenario, given
from tests.unit.delivery.builders import FINISH, START
from tests.unit.delivery.test_resources import GIVE, allocated, wanted

MONDAY = date(2026, 3, 2)
X, Y, Z = "E-0000000000001", "E-0000000000002", "E-0000000000003"
DEV = PersonPublished(person="dev", name="Dev", department="delivery")
PERSON = given(WORKLOAD, "dev", records=[DEV]).on(MONDAY)


def period(hours: int, first_week: int, weeks: int) -> Allocated:
    first = MONDAY + timedelta(weeks=first_week)
    return Allocated(
        hours=Decimal(hours), starts_on=first, finishes_on=first + timedelta(days=7 * weeks - 3)
    )


def note(engagement: str, given: Allocated | None, number: int = 1) -> NoteAllocation:
    return NoteAllocation(engagement=engagement, request="R", number=number, allocated=given)


def beyond(first: int, weeks: int, allocated: int, available: int, engagements: int) -> BeyondHours:
    days = period(1, first, weeks)
    return BeyondHours(
        starts_on=days.starts_on,
        finishes_on=days.finishes_on,
        allocated=Decimal(allocated),
        available=Decimal(available),
        engagements=engagements,
    )


def told(scenario: Scenario[Workload]) -> dict[str, BeyondHours]:
    return scenario.state.told


def test_two_whole_allocations_in_the_same_weeks_are_told_to_both_engagements() -> None:
    one = PERSON.after(note(X, period(320, 0, 8)))
    assert told(one) == {}
    both = one.after(note(Y, period(320, 4, 8)))
    assert told(both) == dict.fromkeys((X, Y), beyond(0, 12, 640, 480, 2))

    free = both.after(note(Y, None, 2))
    assert told(free) == {}


def test_an_allocation_that_leaves_time_for_the_other_is_not_beyond() -> None:
    """Of 160 h in eight weeks, all can be worked in the four weeks in which the other is not."""
    one = PERSON.after(note(X, period(160, 0, 8)))
    assert told(one.after(note(Y, period(160, 4, 4)))) == {}
    assert told(one.after(note(Y, period(161, 4, 4)))) == {Y: beyond(4, 4, 161, 160, 1)}


def test_an_engagement_in_other_weeks_is_not_told() -> None:
    busy = PERSON.after(note(X, period(160, 0, 4))).after(note(Y, period(160, 0, 4)))
    assert told(busy.after(note(Z, period(100, 20, 4)))).keys() == {X, Y}


def test_holidays_and_leave_are_no_hours() -> None:
    leave = LeavePublished(
        person="dev",
        periods=(LeavePeriod(first=MONDAY, last=MONDAY + timedelta(days=6)),),
    )
    away = PERSON.knowing(leave).after(note(X, period(80, 0, 2)))
    assert told(away) == {X: beyond(0, 2, 80, 40, 1)}


def test_an_older_note_and_the_same_again_change_nothing() -> None:
    newer = PERSON.after(note(X, None, 2))
    newer.when(note(X, period(400, 0, 1), 1)).then_nothing()
    newer.when(note(X, None, 2)).then_nothing()


def test_weeks_that_are_over_are_not_told() -> None:
    busy = PERSON.after(note(X, period(160, 0, 4))).after(note(Y, period(160, 0, 4)))
    later = busy.on(date(2026, 6, 1)).after(note(Z, period(40, 13, 1)))
    assert told(later) == {}


spans = st.builds(
    lambda hours, first, days: Allocated(
        hours=Decimal(hours),
        starts_on=MONDAY + timedelta(days=first),
        finishes_on=MONDAY + timedelta(days=first + days),
    ),
    st.integers(0, 40),
    st.integers(0, 12),
    st.integers(0, 8),
)


@given_any(st.lists(spans, max_size=5))
def test_hours_are_beyond_exactly_where_no_way_to_work_them_exists(parts: list[Allocated]) -> None:
    """Compare with working what ends first, 8 h on each day, which works all that can be worked."""
    left = {number: each.hours for number, each in enumerate(parts)}
    for number in range(25):
        day, hours = MONDAY + timedelta(days=number), Decimal(8)
        for place, each in sorted(enumerate(parts), key=lambda one: one[1].finishes_on):
            if each.starts_on <= day <= each.finishes_on:
                done = min(hours, left[place])
                left[place], hours = left[place] - done, hours - done
    noted = [
        AllocationNoted(engagement=X, request=f"R-{number}", number=1, allocated=each)
        for number, each in enumerate(parts)
    ]
    found = beyond_hours(noted, lambda first, last: Decimal(8 * ((last - first).days + 1)), MONDAY)
    assert bool(found) == any(left.values())


# ---- the engagement ----------------------------------------------------------------------------


def test_an_allocation_and_a_release_are_noted_with_the_hours_that_are_left() -> None:
    (asked,) = wanted().when(GIVE).requests
    assert asked.stream == "workload:dev"
    assert NoteAllocation.model_validate_json(asked.content).allocated is not None

    first_day = allocated().on(START)
    (gone,) = first_day.when(ReleaseResource(request="RQ-1", person="dev")).requests
    noted = NoteAllocation.model_validate_json(gone.content)
    assert (noted.allocated, noted.number) == (None, 2)

    half = allocated().on(START + (FINISH - START + timedelta(days=1)) / 2)
    (gone,) = half.when(ReleaseResource(request="RQ-1", person="dev")).requests
    left = NoteAllocation.model_validate_json(gone.content).allocated
    assert left is not None
    assert 19 <= left.hours <= 20
    assert left.finishes_on == START + (FINISH - START + timedelta(days=1)) / 2 - timedelta(days=1)


def test_what_a_workload_tells_is_recorded_unless_newer_is_known() -> None:
    too_much = beyond(0, 1, 80, 40, 2)
    second = NoteWorkload(person="dev", revision=2, beyond=None)
    known = allocated().when(second).then(WorkloadMeasured(**dict(second)))
    known.when(NoteWorkload(person="dev", revision=1, beyond=too_much)).then_nothing()
    third = NoteWorkload(person="dev", revision=3, beyond=too_much)
    known.when(third).then(WorkloadMeasured(**dict(third)))
