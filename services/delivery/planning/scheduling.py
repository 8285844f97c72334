"""Schedule a plan from a template, estimated hours, a first day and a duration. Pure functions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from chassis.domain.ids import comparable, derived
from contracts.decimals import round_decimal
from contracts.delivery import PlanContent
from contracts.lines import ContractLineKind, LineScopeChange, LineTerms
from contracts.reference import TemplatePhase, TemplatePublished, TemplateTask
from contracts.values import (
    Deliverable,
    EstimateLine,
    Identifier,
    LineKind,
    Milestone,
    PlannedTask,
    RoleHours,
)
from delivery.quantities import ZERO

REST = "Outside the template"
"""Phase for estimated roles that no task of the template names."""
_BETWEEN = "\n"
"""Character that no key and no name contains."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Milestones and tasks that were scheduled from a template and an estimate."""

    milestones: tuple[Milestone, ...]
    tasks: tuple[PlannedTask, ...]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A contract line as a plan needs it: its kind, and its hours by role."""

    line: str
    kind: ContractLineKind
    hours: Mapping[str, Decimal]

    @property
    def work(self) -> LineKind:
        """Return the kind of work that the line pays for."""
        return "project-management" if self.kind == "project-management" else "delivery"


def sold_lines(
    lines: Iterable[LineTerms], changes: Iterable[LineScopeChange] = ()
) -> tuple[SoldLine, ...]:
    """Return the lines of a contract with changes applied; hours never become negative."""
    sold = {
        line.line: SoldLine(line.line, line.kind, {each.role: each.hours for each in line.hours})
        for line in lines
    }
    for change in changes:
        known = sold.get(change.line)
        kind = known.kind if known else change.new.kind if change.new else "services"
        hours = dict(known.hours) if known else {}
        for each in change.hours:
            hours[each.role] = max(ZERO, hours.get(each.role, ZERO) + each.hours)
        sold[change.line] = SoldLine(change.line, kind, hours)
    return tuple(sold.values())


def sold_hours(lines: Iterable[SoldLine]) -> dict[str, Decimal]:
    """Return the hours of lines by role."""
    hours: dict[str, Decimal] = {}
    for line in lines:
        for role, number in line.hours.items():
            hours[role] = hours.get(role, ZERO) + number
    return hours


def hours_to_plan(
    estimate: Sequence[EstimateLine], sold: Iterable[LineTerms], cuts: Iterable[LineScopeChange]
) -> tuple[EstimateLine, ...]:
    """Return the hours to be planned: of each role at most those of the sold lines, less the cuts.

    The estimate is less than the sold hours by its contingency, which is not planned. A role that
    was sold without an estimate is planned with its sold hours. Where the lines name no hours, the
    estimate is planned.
    """
    lines = sold_lines(sold)
    left, estimated = sold_hours(lines), _by_role(estimate)
    if not left:
        left = dict(estimated)
    managing = {line.role for line in estimate if line.kind == "project-management"}
    managing |= {role for line in lines if line.work != "delivery" for role in line.hours}
    building = {line.role for line in estimate if line.kind == "delivery"}
    for role in left:
        left[role] = min(left[role], estimated.get(role, left[role]))
    for change in cuts:
        for each in change.hours:
            if each.hours < 0 and each.role in left:
                left[each.role] = max(ZERO, left[each.role] + each.hours)
    return tuple(
        EstimateLine(
            phase=REST,
            role=role,
            hours=hours,
            kind="project-management" if role in managing - building else "delivery",
        )
        for role, hours in left.items()
    )


def with_line(task: PlannedTask, lines: Iterable[SoldLine]) -> PlannedTask:
    """Return the task with the only line whose hours have its roles, unless it names a line.

    Of several such lines, it is the only one for the task's kind of work. Without one, the task
    names no line.
    """
    if task.line is not None:
        return task
    roles = {each.role for each in task.hours}
    fitting = [line for line in lines if roles <= line.hours.keys()]
    if len(fitting) > 1:
        fitting = [line for line in fitting if line.work == task.kind]
    return task.model_copy(update={"line": fitting[0].line}) if len(fitting) == 1 else task


def schedule(
    template: TemplatePublished,
    lines: Iterable[EstimateLine],
    deliverables: Sequence[Deliverable],
    starts_on: date,
    duration_days: int,
) -> Schedule:
    """Return the phases' milestones and tasks, scheduled over `duration_days` calendar days.

    Their ids are those of `milestone_id` and `task_id`, so that they are kept when the plan is
    drafted again. Phases follow each other, and each ends in a milestone. A task takes its share
    (percent) of its role's estimated hours and lasts as long as its phase. A role that no task
    names gets one task over the whole duration, so that planned hours equal estimated hours where
    the template's shares add up to 100. Tasks without hours are left out. Deliverables fall due in
    order with the phases of implementation, the last one with the last phase. Project management is
    never implementation, so gate 4 does not apply to it.
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
            task=_id("T", template, "role", role),
            title=f"Work of {role}",
            phase=REST,
            starts_on=starts_on,
            finishes_on=days[-1][1] if days else starts_on + timedelta(days=duration_days - 1),
            hours=(RoleHours(role=role, hours=hours),),
            kind="delivery" if role in building else "project-management",
            implementation=role in building,
        )
        for role, hours in left.items()
    )
    return Schedule(tuple(_milestones(template, days, deliverables)), tuple(tasks))


def milestone_id(template: TemplatePublished, phase: TemplatePhase) -> Identifier:
    """Return the id of the milestone at the end of a phase.

    It is derived from the template and the key of the phase, or its name where it has none; never
    from its place.
    """
    return _id("M", template, *_key_of(phase))


def task_id(template: TemplatePublished, phase: TemplatePhase, task: TemplateTask) -> Identifier:
    """Return the id of a task: by the template and its key, or its phase and name without a key."""
    if task.key is not None:
        return _id("T", template, "key", task.key)
    return _id("T", template, *_key_of(phase), comparable(task.title))


def _key_of(phase: TemplatePhase) -> tuple[str, str]:
    return ("key", phase.key) if phase.key is not None else ("name", comparable(phase.phase))


def _id(prefix: str, template: TemplatePublished, *parts: str) -> Identifier:
    return f"{prefix}-{derived(_BETWEEN.join((template.template, *parts)))}"


def contradictions(plan: PlanContent, lines: Collection[str] = ()) -> Iterator[str]:
    """Yield a sentence for each name in a milestone, task or profile that is unknown.

    Deliverables and milestones must be those of the plan, `lines` those of the contract.
    """
    known = {each.deliverable for each in plan.deliverables}
    milestones = {each.milestone for each in plan.milestones}
    for milestone in plan.milestones:
        for name in milestone.deliverables:
            if name not in known:
                sentence = f"milestone {milestone.milestone} names deliverable {name}"
                yield f"{sentence}, which the plan does not list"
    for task in plan.tasks:
        if task.deliverable is not None and task.deliverable not in known:
            sentence = f"task {task.task} names deliverable {task.deliverable}"
            yield f"{sentence}, which the plan does not list"
        if task.line is not None and task.line not in lines:
            yield f"task {task.task} names line {task.line}, which the contract does not have"
        for each in task.milestones:
            if each.milestone not in milestones:
                sentence = f"task {task.task} is earned by milestone {each.milestone}"
                yield f"{sentence}, which the plan does not list"
    for profile in plan.profiles:
        if profile.line is not None and profile.line not in lines:
            yield f"a profile names line {profile.line}, which the contract does not have"


def _by_role(lines: Iterable[EstimateLine]) -> dict[str, Decimal]:
    hours: dict[str, Decimal] = {}
    for line in lines:
        if line.hours:
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
    for phase, (first, last) in zip(template.phases, days, strict=True):
        for task in phase.tasks:
            before = shares.get(task.role, ZERO)
            shares[task.role] = before + task.share
            total = estimated.get(task.role, ZERO)
            # Round the running sums, so that the parts add up to the whole.
            hours = _part(total, shares[task.role]) - _part(total, before)
            if hours:
                yield PlannedTask(
                    task=task_id(template, phase, task),
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
    template: TemplatePublished,
    days: Sequence[tuple[date, date]],
    deliverables: Sequence[Deliverable],
) -> Iterator[Milestone]:
    phases = template.phases
    building = [place for place, phase in enumerate(phases) if phase.implementation]
    building = building or list(range(len(phases)))
    due: dict[int, list[str]] = {}
    for place, each in enumerate(deliverables, 1):
        # The n-th of N falls due n/N of the way through the phases of implementation.
        phase = building[-(-place * len(building) // len(deliverables)) - 1]
        due.setdefault(phase, []).append(each.deliverable)
    for place, (each_phase, (_, last)) in enumerate(zip(phases, days, strict=True)):
        yield Milestone(
            milestone=milestone_id(template, each_phase),
            title=each_phase.phase,
            due_on=last,
            deliverables=tuple(due.get(place, ())),
        )
