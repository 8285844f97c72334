from datetime import date

import pytest

from contracts.delivery import (
    ForecastMethodChosen,
    MilestoneReached,
    MilestoneWithdrawn,
    StatusReportPublished,
    TaskProgressed,
)
from contracts.event import Event
from delivery.planning.decisions import BaselinePlan
from delivery.progress.decisions import (
    ChooseForecastMethod,
    ProgressTask,
    PublishStatusReport,
    ReachMilestone,
    WithdrawMilestone,
)
from delivery.time_entries.decisions import ApproveTime
from testkit.scenario import like
from tests.amounts import hours
from tests.unit.delivery.builders import (
    DRAFTED,
    FINISH,
    REBASELINED,
    TERMINATED,
    TODAY,
    WEEK,
    accepted,
    entry,
    kicked_off,
    managed,
    released,
    with_time,
)

BUILD = ProgressTask(task="build", complete=hours(10), remaining_hours=hours(180))
REPORT = PublishStatusReport(
    scope="green",
    schedule="amber",
    cost="green",
    narrative="On the way.",
    forecast_finish=FINISH,
    estimate_to_complete=hours(230),
)


def test_progress_of_a_task_may_decrease() -> None:
    moved = (
        released()
        .when(BUILD)
        .then(
            TaskProgressed(
                task="build", complete=hours(10), remaining_hours=hours(180), as_of=TODAY
            )
        )
    )
    moved.when(BUILD).then_nothing()
    back = BUILD.model_copy(update={"complete": hours(5)})
    moved.when(back).then_accepted()
    older = BUILD.model_copy(update={"as_of": date(2026, 4, 7), "complete": hours(9)})
    moved.when(older).then_refused("date-before-known", saying="2026-04-08")


def test_implementation_has_no_progress_before_gate_4() -> None:
    drafted = kicked_off().published(DRAFTED)
    drafted.when(BUILD).then_refused(
        "implementation-not-released", missing=["brd-not-signed-off", "plan-not-baselined"]
    )
    drafted.when(BUILD.model_copy(update={"task": "analysis"})).then_accepted()
    drafted.after(BaselinePlan(version=1)).when(BUILD).then_refused(
        "implementation-not-released", missing=["brd-not-signed-off"]
    )
    kicked_off().when(BUILD).then_refused("task-unknown")


def test_milestones_of_the_baseline_are_reached_once() -> None:
    reached = (
        released()
        .when(ReachMilestone(milestone="M1"))
        .then(MilestoneReached(milestone="M1", reached_on=TODAY))
    )
    reached.on(date(2026, 4, 10)).when(ReachMilestone(milestone="M1")).then_nothing()
    other_day = ReachMilestone(milestone="M1", reached_on=date(2026, 4, 7))
    reached.when(other_day).then_refused("already-recorded")
    released().when(ReachMilestone(milestone="M9")).then_refused("milestone-unknown")
    kicked_off().published(DRAFTED).when(ReachMilestone(milestone="M1")).then_refused(
        "plan-not-baselined"
    )


def test_status_reports_count_up() -> None:
    first = (
        released()
        .when(REPORT)
        .then(StatusReportPublished(report=1, as_of=TODAY, **REPORT.model_dump(exclude={"as_of"})))
    )
    first.when(REPORT).then_nothing()
    red = REPORT.model_copy(update={"cost": "red", "as_of": date(2026, 4, 9)})
    second = (
        first.on(date(2026, 4, 9)).when(red).then(like(StatusReportPublished, report=2, cost="red"))
    )
    second.on(TODAY).when(REPORT).then_refused("date-before-known", saying="report 2")


@pytest.mark.parametrize(
    "changed",
    [
        TaskProgressed(task="build", complete=hours(10), remaining_hours=hours(180), as_of=TODAY),
        MilestoneReached(milestone="M1", reached_on=TODAY),
        MilestoneWithdrawn(milestone="M1", reached_on=TODAY, why="Wrong.", withdrawn_on=TODAY),
        REBASELINED,
        ForecastMethodChosen(method="as-planned", reason="The rest is as planned."),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_same_report_is_another_one_after_what_it_measures_changed(changed: Event) -> None:
    first = released().after(REPORT)
    first.when(REPORT).then_nothing()
    second = first.published(changed).when(REPORT).then(like(StatusReportPublished, report=2))
    second.when(REPORT).then_nothing()


def test_the_same_report_is_another_one_after_time_was_approved() -> None:
    first = with_time(released(), entry()).after(REPORT)
    first.when(REPORT).then_nothing()
    approved = first.after(ApproveTime(person="dev", week=WEEK), by="mara")
    approved.when(REPORT).then(like(StatusReportPublished, report=2))


def test_a_finish_before_the_day_of_the_report_is_refused_while_deliverables_are_open() -> None:
    past = REPORT.model_copy(update={"forecast_finish": date(2026, 4, 7)})
    released().when(past).then_refused(
        "finish-in-past", saying="forecast_finish: 2026-04-07 is before 2026-04-08"
    )
    today = past.model_copy(update={"forecast_finish": TODAY})
    released().when(today).then_accepted()
    managed().on(TODAY).when(past).then_accepted()
    accepted(released(), "design", "portal").when(past).then_accepted()


def test_a_milestone_recorded_by_mistake_is_withdrawn_and_reached_again() -> None:
    withdraw = WithdrawMilestone(milestone="M1", why="A part is missing.")
    reach = ReachMilestone(milestone="M1")
    reached = released().after(reach)
    assert reached.view["next_milestone"] == FINISH
    withdrawn = reached.when(withdraw).then(
        MilestoneWithdrawn(
            milestone="M1", reached_on=TODAY, why="A part is missing.", withdrawn_on=TODAY
        )
    )
    withdrawn.then_view(next_milestone=date(2026, 4, 30))
    withdrawn.when(withdraw).then_refused("milestone-not-reached")
    released().when(withdraw).then_refused("milestone-not-reached")
    other_day = ReachMilestone(milestone="M1", reached_on=date(2026, 4, 7))
    withdrawn.when(other_day).then(MilestoneReached(milestone="M1", reached_on=date(2026, 4, 7)))


CHOOSE = ChooseForecastMethod(
    method="as-planned", reason="Access was late; the rest is as planned."
)


def test_the_forecast_method_is_chosen_with_a_reason_and_chosen_otherwise() -> None:
    assert released().view["forecast_method"] is None
    chosen = released().when(CHOOSE).then(ForecastMethodChosen(**dict(CHOOSE)))
    chosen.then_view(forecast_method=ForecastMethodChosen(**dict(CHOOSE)))
    chosen.when(CHOOSE).then_nothing()
    for other in ({"method": "trend"}, {"reason": "Another one."}):
        command = CHOOSE.model_copy(update=other)
        chosen.when(command).then(ForecastMethodChosen(**dict(command)))


def test_no_forecast_method_is_chosen_after_the_end() -> None:
    ended = released().consumed(TERMINATED).on(TERMINATED.terminated_on)
    ended.when(CHOOSE).then_refused("engagement-over")
