"""Schedule a plan from a template, estimated hours, a first day and a duration. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from contracts.decimals import round_decimal
from contracts.reference import TemplatePhase, TemplatePublished
from contracts.values import (
    Deliverable,
    EstimateLine,
    Milestone,
    PlannedTask,
    RoleHours,
)
from delivery.quantities import ZERO

REST = "Outside the template"
"""Phase for estimated roles that no task of the template names."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Milestones and tasks that were scheduled from a template and an estimate."""

    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]


def schedule(
    template: TemplatePublished,
    lines: Iterable[EstimateLine],
    deliverables: Sequence[Deliverable],
    starts_on: date,
    duration_days: int,
) -> Schedule:
    """Return the phases' milestones and tasks, scheduled over `duration_days` calendar days.

    Phases follow each other, and each ends in a milestone. A task takes its share (percent) of its
    role's estimated hours and lasts as long as its phase. A role that no task names gets one task
    over the whole duration, so that planned hours equal estimated hours where the template's shares
    add up to 100. Tasks without hours are left out. Deliverables fall due in order with the phases
    of implementation, the last one with the last phase. Project management is never implementation,
    so gate 4 does not apply to it.
    """
    lines = tuple(lines)
    estimated = _by_role(lines)
    building = {line.role for line in lines if line.kind == "delivery"}
    days = list(_phase_days(template.phases, starts_on, duration_days))
    tasks = [*_tasks(template, days, estimated)]
    named = {task.role for phase in template.phases for task in phase.tasks}
    left = {role: hours for role, hours in estimated.items() if role not in named}
    tasks.extend(
        PlannedTask(
            task=f"{len(days) + 1}.{number}",
            title=f"Work of {role}",
            phase=REST,
            starts_on=starts_on,
            finishes_on=days[-1][1] if days else starts_on + timedelta(days=duration_days - 1),
            hours=(RoleHours(role=role, hours=hours),),
            kind="delivery" if role in building else "project-management",
            implementation=role in building,
        )
        for number, (role, hours) in enumerate(left.items(), 1)
    )
    return Schedule(tuple(_milestones(template.phases, days, deliverables)), tuple(tasks))


def contradictions(
    milestones: Sequence[Milestone],
    tasks: Sequence[PlannedTask],
    deliverables: Sequence[Deliverable],
) -> Iterator[str]:
    """Yield a sentence for each deliverable that a milestone or task names and the plan has not."""
    known = {each.deliverable for each in deliverables}
    for milestone in milestones:
        for name in milestone.deliverables:
            if name not in known:
                sentence = f"milestone {milestone.milestone} names deliverable {name}"
                yield f"{sentence}, which the plan does not list"
    for task in tasks:
        if task.deliverable is not None and task.deliverable not in known:
            sentence = f"task {task.task} names deliverable {task.deliverable}"
            yield f"{sentence}, which the plan does not list"


def _by_role(lines: Iterable[EstimateLine]) -> dict[str, Decimal]:
    hours: dict[str, Decimal] = {}
    for line in lines:
        if line.kind != "expense" and line.hours:
            hours[line.role] = hours.get(line.role, ZERO) + line.hours
    return hours


def _phase_days(
    phases: Sequence[TemplatePhase], starts_on: date, duration_days: int
) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each phase; a phase lasts at least one day."""
    share = ZERO
    for phase in phases:
        first = int(share * duration_days / 100)
        share += phase.duration_share
        last = int(share * duration_days / 100) - 1
        first = min(first, duration_days - 1)
        yield starts_on + timedelta(days=first), starts_on + timedelta(days=max(first, last))


def _tasks(
    template: TemplatePublished,
    days: Sequence[tuple[date, date]],
    estimated: Mapping[str, Decimal],
) -> Iterator[PlannedTask]:
    shares: dict[str, Decimal] = {}
    for number, (phase, (first, last)) in enumerate(zip(template.phases, days, strict=True), 1):
        for place, task in enumerate(phase.tasks, 1):
            before = shares.get(task.role, ZERO)
            shares[task.role] = before + task.share
            total = estimated.get(task.role, ZERO)
            # Round the running sums, so that the parts add up to the whole.
            hours = _part(total, shares[task.role]) - _part(total, before)
            if hours:
                yield PlannedTask(
                    task=f"{number}.{place}",
                    title=task.title,
                    phase=phase.phase,
                    starts_on=first,
                    finishes_on=last,
                    hours=(RoleHours(role=task.role, hours=hours),),
                    kind=task.kind,
                    implementation=phase.implementation and task.kind == "delivery",
                )


def _part(total: Decimal, percent: Decimal) -> Decimal:
    return round_decimal(total * percent / 100, 2)


def _milestones(
    phases: Sequence[TemplatePhase],
    days: Sequence[tuple[date, date]],
    deliverables: Sequence[Deliverable],
) -> Iterator[Milestone]:
    building = [place for place, phase in enumerate(phases) if phase.implementation]
    building = building or list(range(len(phases)))
    due: dict[int, list[str]] = {}
    for place, each in enumerate(deliverables, 1):
        # The n-th of N falls due n/N of the way through the phases of implementation.
        phase = building[-(-place * len(building) // len(deliverables)) - 1]
        due.setdefault(phase, []).append(each.deliverable)
    for place, (each_phase, (_, last)) in enumerate(zip(phases, days, strict=True)):
        yield Milestone(
            milestone=f"M{place + 1}",
            title=each_phase.phase,
            due_on=last,
            deliverables=tuple(due.get(place, ())),
        )
