"""Tasks that follow each other are scheduled on working days, and the critical path is found."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.working_days import WorkingDays
from contracts.reference import CalendarDetails
from contracts.values import PlannedTask, TaskLink
from delivery.planning.network import link_contradictions, network, scheduled

MONDAY = date(2026, 1, 5)
EVERY_DAY = WorkingDays(
    CalendarDetails(
        name="Every day",
        weekdays=("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    )
)
WEEKDAYS = WorkingDays(CalendarDetails(name="Working week"))
GERMANY = WorkingDays(CalendarDetails(name="Germany", country="DE"))

HEIZER_RENDER = {
    "A": (2, ""),
    "B": (3, ""),
    "C": (2, "A"),
    "D": (4, "AB"),
    "E": (4, "C"),
    "F": (3, "C"),
    "G": (5, "DE"),
    "H": (2, "FG"),
}
"""Milwaukee Paper Manufacturing, in Heizer, Render: Operations Management, chapter 3."""
HILLIER_LIEBERMAN = {
    "A": (2, ""),
    "B": (4, "A"),
    "C": (10, "B"),
    "D": (6, "C"),
    "E": (4, "C"),
    "F": (5, "E"),
    "G": (7, "D"),
    "H": (9, "EG"),
    "I": (7, "C"),
    "J": (8, "FI"),
    "K": (4, "J"),
    "L": (5, "J"),
    "M": (2, "H"),
    "N": (6, "KL"),
}
"""Reliable Construction Co., in Hillier, Lieberman: Introduction to Operations Research."""


def task(name: str, days: int, after: tuple[TaskLink, ...] = ()) -> PlannedTask:
    """Return a task of a number of calendar days from `MONDAY`."""
    return PlannedTask(
        task=name,
        title=name,
        phase="Build",
        starts_on=MONDAY,
        finishes_on=MONDAY + timedelta(days=days - 1),
        hours=(),
        after=after,
    )


def follows(name: str, kind: str = "finish-to-start", lag: int = 0) -> TaskLink:
    """Return a link to another task."""
    return TaskLink.model_validate({"task": name, "kind": kind, "lag_days": lag})


def published(activities: dict[str, tuple[int, str]]) -> tuple[PlannedTask, ...]:
    """Return the tasks of a published network, by duration and predecessors."""
    return tuple(
        task(name, days, tuple(follows(each) for each in before))
        for name, (days, before) in activities.items()
    )


@pytest.mark.parametrize(
    ("activities", "length", "path", "floats"),
    [
        (HEIZER_RENDER, 15, "ACEGH", {"B": 1, "D": 1, "F": 6}),
        (
            HILLIER_LIEBERMAN,
            44,
            "ABCEFJLN",
            {"D": 4, "G": 4, "H": 4, "M": 4, "I": 2, "K": 1},
        ),
    ],
)
def test_published_networks_have_their_length_critical_path_and_floats(
    activities: dict[str, tuple[int, str]], length: int, path: str, floats: dict[str, int]
) -> None:
    dates = network(published(activities), EVERY_DAY)
    finish = max(each.finishes_on for each in dates.values())
    assert (finish - MONDAY).days + 1 == length
    assert "".join(name for name, each in dates.items() if each.critical) == path
    assert {name: each.total_float for name, each in dates.items() if not each.critical} == floats


def test_a_task_begins_on_the_working_day_after_the_one_it_follows() -> None:
    tasks = (task("design", 5), task("build", 2, (follows("design"),)))
    dates = network(tasks, WEEKDAYS)["build"]
    assert (dates.starts_on, dates.finishes_on) == (date(2026, 1, 12), date(2026, 1, 13))


def test_lag_counts_working_days_and_not_holidays() -> None:
    first = task("design", 1).model_copy(
        update={"starts_on": date(2026, 4, 2), "finishes_on": date(2026, 4, 2)}
    )
    tasks = (first, task("build", 1, (follows("design", lag=1),)))
    # Good Friday and Easter Monday are no working days: Tuesday is the lag, Wednesday the start.
    assert network(tasks, GERMANY)["build"].starts_on == date(2026, 4, 8)


@pytest.mark.parametrize(
    ("link", "starts_on"),
    [
        (follows("design", "start-to-start"), date(2026, 1, 5)),
        (follows("design", "start-to-start", 2), date(2026, 1, 7)),
        (follows("design", "finish-to-start", -2), date(2026, 1, 8)),
        (follows("design", "finish-to-start", -9), date(2026, 1, 5)),
    ],
)
def test_a_link_allows_an_earlier_start_by_its_kind_and_lag(
    link: TaskLink, starts_on: date
) -> None:
    tasks = (task("design", 5), task("build", 2, (link,)))
    assert network(tasks, WEEKDAYS)["build"].starts_on == starts_on


def test_a_task_does_not_begin_before_its_planned_start() -> None:
    later = task("build", 1, (follows("design"),)).model_copy(
        update={"starts_on": date(2026, 2, 2), "finishes_on": date(2026, 2, 2)}
    )
    dates = network((task("design", 5), later), WEEKDAYS)
    assert dates["build"].starts_on == date(2026, 2, 2)
    assert (dates["design"].total_float, dates["design"].latest_finish) == (15, date(2026, 1, 30))


def test_only_tasks_with_links_are_moved() -> None:
    alone = task("training", 3).model_copy(update={"finishes_on": date(2026, 1, 11)})
    moved = scheduled((alone, task("design", 5), task("build", 1, (follows("design"),))), WEEKDAYS)
    assert moved[0] == alone
    assert moved[2].starts_on == moved[2].finishes_on == date(2026, 1, 12)


def test_a_circle_and_an_unknown_task_are_named() -> None:
    tasks = (
        task("a", 1, (follows("c"),)),
        task("b", 1, (follows("a"),)),
        task("c", 1, (follows("b"), follows("z"))),
    )
    wrong = link_contradictions(tasks)
    assert wrong[0] == "task c follows task z, which the plan does not list"
    assert wrong[1].startswith("tasks follow each other in a circle: ")
    assert {*wrong[1].partition(": ")[2].split(" -> ")} == {"a", "b", "c"}


@st.composite
def plans(draw: st.DrawFn) -> tuple[PlannedTask, ...]:
    """Draw a plan whose tasks follow earlier ones."""
    kinds = st.sampled_from(["finish-to-start", "start-to-start"])
    tasks: list[PlannedTask] = []
    for number in range(draw(st.integers(1, 8))):
        before = draw(st.lists(st.integers(0, number - 1), max_size=3)) if number else []
        links = tuple(follows(str(each), draw(kinds), draw(st.integers(-3, 5))) for each in before)
        tasks.append(task(str(number), draw(st.integers(1, 20)), links))
    return tuple(tasks)


@given(plans())
def test_a_critical_task_moves_the_finish_and_a_float_does_not(
    tasks: tuple[PlannedTask, ...],
) -> None:
    dates = network(tasks, WEEKDAYS)
    finish = max(each.finishes_on for each in dates.values())
    for place, each in enumerate(tasks):
        slack = dates[each.task].total_float
        assert slack >= 0
        for late_by, moved in ((slack, False), (slack + 1, True)):
            late = each.model_copy(
                update={
                    "starts_on": WEEKDAYS.add(dates[each.task].starts_on, late_by),
                    "finishes_on": WEEKDAYS.add(dates[each.task].finishes_on, late_by),
                }
            )
            delayed = network((*tasks[:place], late, *tasks[place + 1 :]), WEEKDAYS)
            assert (max(known.finishes_on for known in delayed.values()) > finish) == moved
