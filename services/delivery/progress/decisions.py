"""Record the progress of tasks, reached milestones and status reports."""

from collections.abc import Iterator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import MilestoneReached, StatusReportPublished, TaskProgressed
from contracts.event import Event
from contracts.values import RAG, Day, Hours, Identifier, Percent, Text
from delivery.policies import day_of, implementation, once, require_active, require_open
from delivery.state import Engagement, decide


class ProgressTask(Command):
    """Record how far a task is, in percent, and how many hours it still needs."""

    task: Identifier
    complete: Percent
    remaining_hours: Hours
    as_of: Day | None = None


class ReachMilestone(Command):
    """Record that a milestone of the baseline was reached."""

    milestone: Identifier
    reached_on: Day | None = None


class PublishStatusReport(Command):
    """Publish a status report: scope, schedule and cost as RAG, a narrative and a forecast.

    `estimate_to_complete` is the hours still needed in the manager's judgement.
    """

    as_of: Day | None = None
    scope: RAG
    schedule: RAG
    cost: RAG
    narrative: Text
    forecast_finish: Day
    estimate_to_complete: Hours


@decide.on(ProgressTask)
def progress_task(state: Engagement, command: ProgressTask, context: Context) -> Iterator[Event]:
    """Record the progress of a task; tasks of implementation need gate 4.

    The percentage may decrease. Raises Refused where the task is not in the plan, or where progress
    is known as of a later day.
    """
    require_active(state)
    task = state.planning.task(command.task)
    if task is None:
        raise Refused("task-unknown", f"task {command.task} is not in the plan")
    day = day_of(context, command.as_of)
    if task.implementation:
        gate("implementation-not-released", implementation(state, day))
    last = state.progress.get(command.task)
    if last and day < last.as_of:
        raise Refused("date-before-known", f"progress is known as of {last.as_of}")
    event = TaskProgressed(
        task=command.task,
        complete=command.complete,
        remaining_hours=command.remaining_hours,
        as_of=day,
    )
    if event != last:
        yield event


@decide.on(ReachMilestone)
def reach_milestone(
    state: Engagement, command: ReachMilestone, context: Context
) -> Iterator[Event]:
    """Record that a milestone of the baseline was reached.

    Raises Refused where there is no baseline, where the milestone is not in it, or where it was
    reached on another day.
    """
    require_active(state)
    baseline = state.planning.baseline
    if baseline is None:
        sentence = "the plan has no baseline"
        gate("plan-not-baselined", [Missing("plan-not-baselined", sentence, "delivery")])
    elif command.milestone not in {each.milestone for each in baseline.milestones}:
        sentence = f"milestone {command.milestone} is not in baseline {baseline.version}"
        raise Refused("milestone-unknown", sentence)
    known = state.milestones.get(command.milestone)
    day = day_of(context, command.reached_on or (known.reached_on if known else None))
    event = MilestoneReached(milestone=command.milestone, reached_on=day)
    sentence = f"milestone {command.milestone} was reached on another day"
    yield from once(known, event, "already-recorded", sentence)


@decide.on(PublishStatusReport)
def publish_status_report(
    state: Engagement, command: PublishStatusReport, context: Context
) -> Iterator[Event]:
    """Publish the report with the next number, unless it equals the last one.

    Raises Refused where the last report is as of a later day.
    """
    require_open(state)
    last = state.report
    day = day_of(context, command.as_of)
    if last and day < last.as_of:
        raise Refused("date-before-known", f"report {last.report} is as of {last.as_of}")
    event = StatusReportPublished(
        report=last.report + 1 if last else 1,
        as_of=day,
        **command.model_dump(exclude={"as_of"}),
    )
    if last is None or event.model_copy(update={"report": last.report}) != last:
        yield event
