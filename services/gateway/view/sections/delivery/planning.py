"""Keep the latest approved plan, and describe delivery method, requirements and kickoff."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from contracts import delivery
from contracts.counting import counted
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.values import Milestone, PlannedTask
from gateway.formatting import day, hours, listed, number
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, Ref, ref, titles


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """Hours of a role that the plan has for a contract line and a kind of work."""

    line: str | None
    kind: str
    role: str
    hours: Number


@dataclass(frozen=True, slots=True)
class RoleTask:
    """Hours of a role that the plan has for a task, between two days, both included."""

    task: str
    line: str | None
    role: str
    hours: Number
    starts_on: date
    finishes_on: date


@dataclass(slots=True)
class Baseline:
    """The latest approved plan."""

    version: int
    hours: Number
    project_management_hours: Number
    work: list[PlannedWork]
    deliverables: dict[str, str]
    milestones: list[Milestone]
    starts_on: date
    finishes_on: date
    changes: list[str]
    said: Ref
    first: Ref
    first_on: date
    """The day on which the first plan was approved."""
    tasks: list[RoleTask]
    calendar: delivery.PlanCalendar | None
    """The working days of the plan; None for Monday to Friday."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of the baseline, or of the last draft while there is no baseline."""

    lines: dict[str, str | None] = field(default_factory=dict)
    """The contract line of each task, or None."""
    changes: dict[str, str] = field(default_factory=dict)
    """The change that adds a task, of those tasks that name one."""
    preparing: list[str] = field(default_factory=list)
    """The tasks that are no implementation: they do not wait for requirements and baseline."""


class Fields(Protocol):
    """Fields of the section that these steps change."""

    baseline: Baseline | None
    tasks: Tasks


steps = PartSteps[Fields](ignored=[delivery.BrdSubmitted])

steps.describe(
    delivery.TierChosen,
    lambda event, _: f"Method: {event.tier}, where {event.proposed} was proposed. “{event.reason}”",
)
steps.describe(
    delivery.BrdSubmitted,
    lambda event, _: f"Business requirements {event.version} submitted to the customer.",
)
steps.describe(
    delivery.BrdSignedOff,
    lambda event, names: (
        f"Business requirements {event.version} signed off by {names.person(event.signed_by)} on "
        f"{day(event.signed_on)}."
    ),
)
steps.describe(
    delivery.PlanDrafted,
    lambda event, _: (
        f"Plan {event.version} drafted from template {event.template}: {number(len(event.tasks))} "
        f"tasks, {number(len(event.milestones))} milestones."
    ),
)
steps.describe(
    delivery.PlanBaselined,
    lambda event, _: (
        f"Plan {event.version} baselined on {day(event.baselined_on)}: {_planned(event.tasks)} in "
        f"{counted(len(event.tasks), 'task')}"
        f"{if_given('; includes change {}', event.changes, listed)}."
    ),
)


@steps.on(delivery.PlanDrafted)
def _drafted(section: Fields, recorded: Recorded[delivery.PlanDrafted]) -> None:
    if section.baseline is None:
        section.tasks = _tasks(recorded.event.tasks)


def _tasks(tasks: Iterable[PlannedTask]) -> Tasks:
    known = tuple(tasks)
    return Tasks(
        lines={task.task: task.line for task in known},
        changes={task.task: task.change for task in known if task.change},
        preparing=[task.task for task in known if not task.implementation],
    )


def _planned(tasks: Iterable[PlannedTask]) -> str:
    return hours(sum((part.hours for task in tasks for part in task.hours), Decimal(0)))


@steps.on(delivery.PlanBaselined)
def _baselined(section: Fields, recorded: Recorded[delivery.PlanBaselined]) -> None:
    event = recorded.event
    work: dict[tuple[str | None, str, str], Decimal] = {}
    management = Decimal(0)
    for task in event.tasks:
        for part in task.hours:
            key = (task.line, task.kind, part.role)
            work[key] = work.get(key, Decimal(0)) + part.hours
            if task.kind == "project-management":
                management += part.hours
    event_ref = ref(recorded)
    before = section.baseline
    days = [task.finishes_on for task in event.tasks] or [item.due_on for item in event.milestones]
    section.baseline = Baseline(
        version=event.version,
        hours=sum(work.values(), Decimal(0)),
        project_management_hours=management,
        work=[PlannedWork(*key, hours) for key, hours in work.items()],
        deliverables=titles(event.deliverables),
        milestones=list(event.milestones),
        starts_on=min((task.starts_on for task in event.tasks), default=event.baselined_on),
        finishes_on=max(days, default=event.baselined_on),
        changes=list(event.changes),
        said=event_ref,
        first=before.first if before else event_ref,
        first_on=before.first_on if before else event.baselined_on,
        tasks=[
            RoleTask(task.task, task.line, part.role, part.hours, task.starts_on, task.finishes_on)
            for task in event.tasks
            for part in task.hours
        ],
        calendar=event.calendar,
    )
    section.tasks = _tasks(event.tasks)


steps.describe(
    delivery.KickoffHeld,
    lambda event, names: (
        f"Kickoff held on {day(event.held_on)} with {listed(map(names.person, event.attendees))}."
    ),
)
steps.describe(
    delivery.KickoffWithdrawn,
    lambda event, _: (
        f"Kickoff of {day(event.held_on)} withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.EngagementImported,
    lambda event, _: (
        f"Baseline of {day(event.baselined_on)} and progress to {day(event.as_of)} taken over: "
        f"{number(event.complete)}% done{if_given('; corrected: “{}”', event.why)}."
    ),
)
