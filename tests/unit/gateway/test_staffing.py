"""Test that people are allocated for the hours to come that the plan has, role by role."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from contracts import delivery
from contracts.reference import Tolerances
from contracts.values import PlannedTask, RoleHours
from gateway.rules import Disconnect, judge
from tests.amounts import eur
from tests.builders import Life
from tests.unit.gateway.test_amounts import rated
from tests.unit.gateway.test_engagement_view import view_of


def allocated(
    life: Life, role: str, hours: int, first: int = 35, last: int = 145, person: str = "eve"
) -> delivery.ResourceAllocated:
    """Return an allocation; its days count from the beginning of the engagement."""
    return delivery.ResourceAllocated(
        request=f"R-{role}",
        person=person,
        role=role,
        hours=Decimal(hours),
        starts_on=life.day(first),
        finishes_on=life.day(last),
        commitment="hard",
    )


def released(life: Life, role: str, day: int, person: str = "eve") -> delivery.ResourceReleased:
    return delivery.ResourceReleased(request=f"R-{role}", person=person, released_on=life.day(day))


def staffed(engineer: int = 800, manager: int = 160, last: int = 145) -> Life:
    """Return an engagement that plans 800 h of engineers and 160 h of project management."""
    life = Life().kicked_off()
    return life.say(
        34,
        allocated(life, "engineer", engineer, last=last),
        allocated(life, "project-manager", manager, 30, 150, person="max"),
    )


def found(life: Life, days: int, allowed: Tolerances | None = None) -> Disconnect | None:
    return judge(view_of(life.events), life.day(days), allowed).get("allocated-hours-differ")


def sentence(life: Life, days: int) -> str:
    disconnect = found(life, days)
    assert disconnect is not None
    return disconnect.sentence


def test_nothing_is_compared_before_anyone_is_allocated() -> None:
    assert found(Life().kicked_off(), 45) is None


@pytest.mark.parametrize("days", [36, 60, 90, 120, 140, 144, 160])
def test_people_who_are_allocated_as_planned_are_on_no_day_a_disconnect(days: int) -> None:
    assert found(staffed(), days) is None


def test_too_few_hours_of_a_role_are_found_while_the_total_is_right() -> None:
    life = rated(staffed(engineer=480, manager=480), engineer="100", manager="125")
    disconnect = found(life, 34)

    assert disconnect is not None
    assert disconnect.sentence == (
        "800 h of engineer are planned after today, people are allocated for 480 h; "
        "154.48 h of project-manager are planned after today, people are allocated for 463.45 h."
    )
    # 320 h x 100 EUR and 308.97 h x 125 EUR
    assert disconnect.at_stake == eur("70621.25")
    assert disconnect.exposure == eur(100_000)


def test_the_difference_is_that_of_the_hours_to_come() -> None:
    # From Monday 9 February to Saturday 30 May are 80 working days; 40 of them are after 5 April.
    assert sentence(staffed(engineer=480), 90) == (
        "400 h of engineer are planned after today, people are allocated for 240 h."
    )


def test_people_who_are_released_as_planned_keep_their_hours_before() -> None:
    life = staffed(last=140)
    life.say(141, released(life, "engineer", 140))
    assert found(life, 141) is None


def test_an_early_release_is_a_disconnect_until_someone_else_is_allocated() -> None:
    life = staffed()
    life.say(90, released(life, "engineer", 90))
    assert sentence(life, 90) == (
        "400 h of engineer are planned after today, people are allocated for 0 h."
    )

    life.say(91, allocated(life, "engineer", 400, first=91, person="ida"))
    assert found(life, 91) is None


def test_a_smaller_plan_is_a_disconnect_until_people_are_released() -> None:
    life = staffed()
    plan = life.plan(2)
    build, manage = plan.tasks
    fewer = build.model_copy(update={"hours": (RoleHours(role="engineer", hours=Decimal(400)),)})
    life.say(35, plan.model_copy(update={"tasks": (fewer, manage)}))
    assert sentence(life, 36) == (
        "390 h of engineer are planned after today, people are allocated for 780 h."
    )

    life.say(37, allocated(life, "engineer", 400))
    assert found(life, 38) is None


def test_people_who_stay_when_all_is_done_are_a_disconnect_until_they_are_released() -> None:
    life = staffed()
    life.say(
        100,
        delivery.TaskProgressed(
            task="build", complete=Decimal(100), remaining_hours=Decimal(0), as_of=life.day(100)
        ),
    )
    assert sentence(life, 100).startswith("0 h of engineer are planned after today")

    life.say(101, released(life, "engineer", 101))
    assert found(life, 101) is None


def phased(life: Life, tasks: Sequence[tuple[str, int, int, int]]) -> Life:
    """Replace the plan by tasks of engineers: id, hours, first and last day."""
    _, manage = life.plan(2).tasks
    build = tuple(
        PlannedTask(
            task=task,
            title=task,
            phase="Build",
            starts_on=life.day(first),
            finishes_on=life.day(last),
            hours=(RoleHours(role="engineer", hours=Decimal(hours)),),
            line="build",
        )
        for task, hours, first, last in tasks
    )
    return life.say(35, life.plan(2).model_copy(update={"tasks": (*build, manage)}))


@pytest.mark.parametrize("days", range(36, 150, 7))
def test_an_allocation_follows_the_phases_of_the_plan(days: int) -> None:
    life = phased(staffed(), [("core", 700, 35, 70), ("rest", 100, 71, 145)])
    assert found(life, days) is None


def test_days_off_of_the_plan_have_no_hours() -> None:
    life = phased(staffed(), [("core", 800, 35, 48)])  # 9 to 22 February
    week = tuple(date(2026, 2, day) for day in range(9, 14))
    calendar = delivery.PlanCalendar(calendar="munich", weekdays=("monday",), days_off=week)
    plan = life.events[-1].event
    assert isinstance(plan, delivery.PlanBaselined)
    life.say(36, plan.model_copy(update={"version": 3, "calendar": calendar}))
    life.say(36, released(life, "engineer", 36))

    # All 800 h are on Monday 16 February, the only working day.
    assert sentence(life, 41).startswith("800 h of engineer")
    assert found(life, 42) is None


def test_a_difference_within_one_of_both_tolerances_is_none() -> None:
    assert found(staffed(engineer=650), 34) is None  # 19 %
    assert found(staffed(engineer=630), 34) is not None  # 21 %
    assert found(staffed(manager=121), 34) is None  # 39 h
    narrow = Tolerances(allocation_hours=Decimal(10))
    assert found(staffed(manager=121), 34, narrow) is not None


def overloaded(hours: int | None, revision: int = 1) -> delivery.WorkloadMeasured:
    """Return that eve, who has 400 h in ten weeks, is allocated for more over two engagements."""
    life = Life()
    beyond = hours and delivery.BeyondHours(
        starts_on=life.day(35),
        finishes_on=life.day(102),
        allocated=Decimal(hours),
        available=Decimal(400),
        engagements=2,
    )
    return delivery.WorkloadMeasured(person="eve", revision=revision, beyond=beyond or None)


def test_a_person_beyond_their_hours_is_found_until_it_ends_or_its_days_are_over() -> None:
    life = rated(staffed(), engineer="100")
    life.say(36, overloaded(500))
    disconnect = judge(view_of(life.events), life.day(40))["allocated-beyond-hours.eve"]
    assert disconnect.sentence == (
        "From 9 February 2026 to 17 April 2026, eve is allocated for 500 h over 2 engagements, "
        "and has 400 h."
    )
    assert disconnect.at_stake == eur(10_000)
    assert "allocated-beyond-hours.eve" in judge(view_of(life.events), life.day(102))
    assert "allocated-beyond-hours.eve" not in judge(view_of(life.events), life.day(103))

    life.say(41, overloaded(None, 2))
    assert judge(view_of(life.events), life.day(42)) == {}


def test_a_person_slightly_beyond_their_hours_is_tolerated() -> None:
    life = staffed().say(36, overloaded(440))
    assert judge(view_of(life.events), life.day(40)) == {}
    narrow = Tolerances(person_percent=Decimal(9))
    assert judge(view_of(life.events), life.day(40), narrow).keys() == {
        "allocated-beyond-hours.eve"
    }
