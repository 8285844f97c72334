"""Progress: how far tasks are, milestones reached, and the one standard status report."""

from collections.abc import Iterator

from chassis.domain.decider import Command, Context, Missing, Refused, gate
from contracts.delivery import MilestoneReached, StatusReportPublished, TaskProgressed
from contracts.event import Event
from contracts.values import RAG, Day, Hours, Identifier, Percent, Text
from delivery.gates import at_work, day_of, implementation, once, standing
from delivery.state import Engagement, decide


class ProgressTask(Command):
    """Say how far a task is, in percent, and how many hours it still needs."""

    task: Identifier
    complete: Percent
    remaining_hours: Hours
    as_of: Day | None = None


class ReachMilestone(Command):
    """Record that a milestone of the baseline was reached."""

    milestone: Identifier
    reached_on: Day | None = None


class PublishStatusReport(Command):
    """Publish the standard report: scope, schedule and cost as RAG, the narrative, the forecast.

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
    """Gate 4 for tasks of implementation. A task may fall back, but not in the past."""
    at_work(state)
    task = state.planning.task(command.task)
    if task is None:
        raise Refused("unknown-task", f"task {command.task} is not in the plan")
    day = day_of(context, command.as_of)
    if task.implementation:
        gate("implementation-not-released", implementation(state, day))
    last = state.progress.get(command.task)
    if last and day < last.as_of:
        raise Refused("older-than-known", f"progress is known as of {last.as_of}")
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
    """Only a baseline has milestones that can be reached."""
    at_work(state)
    baseline = state.planning.baseline
    if baseline is None:
        sentence = "the plan has no baseline"
        gate("plan-not-baselined", [Missing("plan-not-baselined", sentence, "delivery")])
    elif command.milestone not in {each.milestone for each in baseline.milestones}:
        sentence = f"milestone {command.milestone} is not in baseline {baseline.version}"
        raise Refused("unknown-milestone", sentence)
    known = state.milestones.get(command.milestone)
    day = day_of(context, command.reached_on or (known.reached_on if known else None))
    event = MilestoneReached(milestone=command.milestone, reached_on=day)
    sentence = f"milestone {command.milestone} was reached on another day"
    yield from once(known, event, "milestone-already-reached", sentence)


@decide.on(PublishStatusReport)
def publish_status_report(
    state: Engagement, command: PublishStatusReport, context: Context
) -> Iterator[Event]:
    """Reports count up, and none is older than the one before it."""
    standing(state)
    last = state.report
    day = day_of(context, command.as_of)
    if last and day < last.as_of:
        raise Refused("older-than-known", f"report {last.report} is as of {last.as_of}")
    event = StatusReportPublished(
        report=last.report + 1 if last else 1,
        as_of=day,
        **command.model_dump(exclude={"as_of"}),
    )
    if last is None or event.model_copy(update={"report": last.report}) != last:
        yield event
