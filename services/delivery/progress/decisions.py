"""Record the progress of tasks, reached milestones, status reports and the forecast method."""

from collections.abc import Iterable
from datetime import date

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, past_day, same_day, unless_recorded
from contracts.delivery import (
    ForecastMethodChosen,
    MilestoneReached,
    MilestoneWithdrawal,
    MilestoneWithdrawn,
    StatusReport,
    StatusReportPublished,
    TaskProgress,
    TaskProgressed,
)
from contracts.event import Event
from contracts.values import RAG, Day, ForecastMethodChoice, Identifier
from delivery.engagement import Engagement
from delivery.policies import few_of, not_implementable, require_active, require_open
from delivery.progress import work_items
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class ProgressTask(TaskProgress, Command):
    """Record how far a task is, in percent, and how many hours it still needs."""

    as_of: Day | None = Field(default=None, description="today unless given")


class ReachMilestone(Command):
    """Record that a milestone of the baseline was reached."""

    milestone: Identifier
    reached_on: Day | None = Field(default=None, description="today unless given")


class PublishStatusReport(StatusReport, Command):
    """Publish a status report: scope, schedule and cost as RAG, a narrative and a forecast.

    `estimate_to_complete` is the hours still needed in the manager's judgement.
    """

    as_of: Day | None = Field(default=None, description="today unless given")


@capability.decide(ProgressTask, by=WORKERS)
def progress_task(state: Engagement, command: ProgressTask, context: Context) -> Iterable[Event]:
    """Record the progress of a task; tasks of implementation need gate 4.

    The percentage may decrease. Raises Refused where the task is not in the plan, or where progress
    is known as of a later day.
    """
    day = past_day("as_of", command.as_of, context)
    require_active(state, day)
    task = state.planning.task(command.task)
    if task is None:
        raise Refused("task-unknown", f"task {command.task} is not in the plan")
    if task.implementation:
        gate("implementation-not-released", not_implementable(state, day))
    last = state.progress.tasks.get(command.task)
    if last and day < last.as_of:
        raise Refused("date-before-known", f"progress is known as of {last.as_of}")
    event = TaskProgressed(**{**dict(command), "as_of": day})
    if event != last:
        yield event


@capability.decide(ReachMilestone, by=MANAGERS)
def reach_milestone(
    state: Engagement, command: ReachMilestone, context: Context
) -> Iterable[Event]:
    """Record that a milestone of the baseline was reached.

    Raises Refused where there is no baseline, where the milestone is not in it, or where it was
    reached on another day.
    """
    name, baseline = command.milestone, state.planning.baseline
    known = state.progress.milestones.get(name)
    day = same_day("reached_on", command, known, context)
    require_active(state, day)
    if baseline is None:
        sentence = "the plan has no baseline"
        gate("plan-not-baselined", [Missing("plan-not-baselined", sentence, "delivery")])
    elif name not in {each.milestone for each in baseline.milestones}:
        sentence = f"milestone {name} is not in baseline {baseline.version}"
        raise Refused("milestone-unknown", sentence)
    event = MilestoneReached(milestone=name, reached_on=day)
    yield from unless_recorded(known, event, f"milestone {name}")


class WithdrawMilestone(MilestoneWithdrawal, Command):
    """Withdraw the record that a milestone was reached; it may be recorded again."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(WithdrawMilestone, by=MANAGERS)
def withdraw_milestone(
    state: Engagement, command: WithdrawMilestone, context: Context
) -> Iterable[Event]:
    """Withdraw the record of the milestone; also after a termination.

    Raises Refused where the milestone is not recorded as reached.
    """
    require_open(state, after_termination=True)
    name = command.milestone
    reached = state.progress.milestones.get(name)
    if reached is None:
        sentence = f"milestone {name} is not recorded as reached, or that was withdrawn"
        raise Refused("milestone-not-reached", sentence)
    day = correction_day("withdrawn_on", command, reached.reached_on, context)
    yield MilestoneWithdrawn(
        milestone=name, reached_on=reached.reached_on, why=command.why, withdrawn_on=day
    )


@capability.decide(PublishStatusReport, by=MANAGERS)
def publish_status_report(
    state: Engagement, command: PublishStatusReport, context: Context
) -> Iterable[Event]:
    """Publish the report with the next number.

    Nothing happens where it equals the last one and nothing that is measured with it has changed
    since. Raises Refused where the last report is as of a later day, or where the forecast finish
    is before the day of the report and deliverables are open.
    """
    require_open(state)
    last = state.progress.report
    day = past_day("as_of", command.as_of, context)
    if last and day < last.as_of:
        raise Refused("date-before-known", f"report {last.report} is as of {last.as_of}")
    _require_finish(state, command, day)
    number = last.report if last else 1
    event = StatusReportPublished(**{**dict(command), "as_of": day, "report": number})
    if last is None:
        yield event
    elif event != last or state.progress.changed_since_report:
        yield event.model_copy(update={"report": number + 1})


def _require_finish(state: Engagement, command: PublishStatusReport, day: date) -> None:
    """Refuse a finish before the day of the report while deliverables are open."""
    waits = [name for name in state.owed if not state.acceptance.is_accepted(name)]
    if waits and command.forecast_finish < day:
        sentence = (
            f"forecast_finish: {command.forecast_finish} is before {day}, the day of the report, "
            f"and not accepted: {few_of(waits)}"
        )
        raise refused_field("finish-in-past", "forecast_finish", sentence)


class ChooseForecastMethod(ForecastMethodChoice, Command):
    """Choose how the cost at completion is forecast, with a reason.

    It applies to the status reports that follow. Without a choice, it is the cost to date and that
    of the hours to complete, as the manager states them in each report.
    """


@capability.decide(ChooseForecastMethod, by=MANAGERS)
def choose_forecast_method(
    state: Engagement, command: ChooseForecastMethod, context: Context
) -> Iterable[Event]:
    """Record the choice, unless it is the one in force."""
    require_open(state)
    chosen = ForecastMethodChosen(**dict(command))
    if chosen != state.progress.forecast_method:
        yield chosen


class ProgressFields(ViewModel):
    """The last report, its worst status and the next milestone in the view of an engagement.

    `forecast_method` is null before a choice.
    """

    next_milestone: date | None
    status: RAG | None
    report: StatusReportPublished | None
    forecast_method: ForecastMethodChosen | None


@capability.view
def progress_view(state: Engagement) -> ProgressFields:
    """Return the progress for the view of an engagement."""
    baseline, report = state.planning.baseline, state.progress.report
    ahead = [
        each.due_on
        for each in (baseline.milestones if baseline else ())
        if each.milestone not in state.progress.milestones
    ]
    return ProgressFields(
        next_milestone=min(ahead, default=None),
        status=_worst(report) if report else None,
        report=report,
        forecast_method=state.progress.forecast_method,
    )


class ProgressRow(ViewModel):
    """The columns of the progress in the list of engagements; a day is written YYYY-MM-DD."""

    status: str | None
    next_milestone: str | None


@capability.row
def progress_row(state: Engagement) -> ProgressRow:
    """Return the columns of the progress."""
    view = progress_view(state)
    due = view.next_milestone
    return ProgressRow(status=view.status, next_milestone=str(due) if due else None)


def _worst(report: StatusReport) -> RAG:
    rags = {report.scope, report.schedule, report.cost}
    return "red" if "red" in rags else "amber" if "amber" in rags else "green"
