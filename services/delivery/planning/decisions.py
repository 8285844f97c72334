"""Draft the plan from a template or from tasks, and baseline it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Self

from pydantic import Field, model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.availability import working_days_of_plan
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.ids import derived_id
from chassis.domain.reference import require_record
from chassis.domain.rules import past_day, same_day, unless_recorded
from chassis.domain.working_days import MONDAY_TO_FRIDAY, WorkingDays
from contracts.counting import counted
from contracts.decimals import Number
from contracts.delivery import (
    MOST_TASKS,
    Duration,
    PlanBaselined,
    PlanCalendar,
    PlanDrafted,
    Profiles,
    TaskProgressed,
)
from contracts.event import Event
from contracts.lines import LineScopeChange, hours_by_role
from contracts.reference import CalendarPublished, CompanyPublished
from contracts.values import (
    FIRST_DAY,
    LAST_DAY,
    Day,
    Deliverables,
    DistinctBy,
    Identifier,
    LineKind,
    Milestone,
    PlannedTask,
    ProjectRole,
    RoleHours,
    TotalHours,
    Version,
)
from delivery.engagement import Engagement
from delivery.planning import work_items
from delivery.planning.network import link_contradictions, network, scheduled
from delivery.planning.scheduling import (
    SoldLine,
    contradictions,
    hours_to_plan,
    schedule,
    sold_lines,
    with_line,
)
from delivery.policies import is_given_up, known_person, known_template, require_open
from delivery.quantities import ZERO
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)

CHANGES = "Changes"
"""Phase for the work of approved changes."""


class DraftPlan(Command):
    """Draft the next version of the plan.

    Without `tasks`, the template is scheduled with the hours of the sold estimate (or of
    `estimate_version`), at most those of the contract's lines, from `starts_on` (else the
    contracted start) over `duration_days` calendar days (else those of the estimate and of the
    changes), with one task for the hours that a change adds to a line. `deliverables` are the
    agreed ones unless others are given. A task without a line belongs to the only line of the
    contract whose hours have its roles.

    A task that follows other tasks is moved to the days that they allow, in working days by the
    holiday calendar of the company that sells (Monday to Friday where it names none, or before the
    deal is won); its given days say how long it takes and the earliest start.

    `changes` are the approved changes whose work the plan includes. If none are named, they are the
    baseline's and, unless `tasks` are given, all approved ones. If some are named, only those of
    the baseline whose amendments are signed are included beside them.

    `profiles` say how planned value is spread over months, for a line or for the plan; all other
    tasks spread it over their working days.
    """

    template: Identifier
    starts_on: Day | None = None
    duration_days: Duration | None = None
    estimate_version: Version | None = None
    tasks: Annotated[tuple[PlannedTask, ...], Field(max_length=MOST_TASKS), DistinctBy("task")] = ()
    milestones: Annotated[
        tuple[Milestone, ...], Field(max_length=200), DistinctBy("milestone")
    ] = ()
    deliverables: Deliverables | None = None
    changes: Annotated[tuple[Identifier, ...], Field(max_length=200)] | None = None
    profiles: Profiles = ()

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.milestones and not self.tasks:
            raise ValueError("tasks are needed where milestones are given")
        if self.tasks and (self.starts_on or self.duration_days or self.estimate_version):
            raise ValueError("tasks are given: starts_on, duration_days, estimate_version are not")
        return self


class BaselinePlan(Command):
    """Make the newest draft the baseline, with the changes that were drafted into it.

    If `changes` are named, they must be those of the draft; changes that an earlier baseline
    included need not be named. A change of the earlier baseline whose amendment is signed cannot be
    left out.
    """

    version: Version
    changes: Annotated[tuple[Identifier, ...], Field(max_length=200)] | None = None
    baselined_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(DraftPlan, by=MANAGERS)
def draft_plan(state: Engagement, command: DraftPlan, context: Context) -> Iterable[Event]:
    """Draft a plan that has no contradictions; it may differ from what was sold.

    A plan equal to a draft that is not baselined is not drafted again. Raises Refused where a
    change is not approved, the plan contradicts itself, tasks follow each other in a circle, an
    assignee is unknown, or there is nothing to schedule it from.
    """
    require_open(state)
    draft, baseline = state.planning.draft, state.planning.baseline
    changes = _changes(state, command)
    gate("change-not-approved", (_unapproved(state, change) for change in changes))
    given = command.deliverables
    deliverables = tuple(state.agreed.values()) if given is None else given
    event = PlanDrafted(
        version=draft.version + 1 if draft else 1,
        template=command.template,
        milestones=command.milestones,
        tasks=command.tasks,
        deliverables=deliverables,
        changes=changes,
        profiles=command.profiles,
    )
    if not command.tasks:
        event = _scheduled(state, command, event, context)
    lines = _lines_with(state, changes)
    event = event.model_copy(
        update={"tasks": tuple(with_line(each, lines) for each in event.tasks)}
    )
    known = {line.line for line in lines}
    gate(
        "plan-inconsistent",
        (
            Missing("plan-inconsistent", sentence, "delivery")
            for sentence in (
                *contradictions(event, known),
                *_without_change(event),
                *link_contradictions(event.tasks),
            )
        ),
    )
    for assignee in dict.fromkeys(task.assignee for task in command.tasks if task.assignee):
        known_person(context, assignee)
    calendar = _calendar(state, context)
    days = WorkingDays(calendar) if calendar else MONDAY_TO_FRIDAY
    tasks = scheduled(event.tasks, days)
    event = event.model_copy(
        update={"tasks": tasks, "calendar": calendar and _of_plan(calendar, days, tasks)}
    )
    open_draft = None if baseline and draft and baseline.version == draft.version else draft
    if open_draft is None or event.model_copy(update={"version": open_draft.version}) != open_draft:
        yield event


def _without_change(plan: PlanDrafted) -> Iterator[str]:
    for task in plan.tasks:
        if task.change is not None and task.change not in plan.changes:
            yield f"task {task.task} is of change {task.change}, which the plan does not include"


def _calendar(state: Engagement, context: Context) -> CalendarPublished | None:
    """Return the holiday calendar of the company that sells; None where it names none.

    None also before the deal is won. Raises Refused where the calendar is not published.
    """
    sold = state.deal.won or state.contract.imported
    company = sold and context.reference_data.on(CompanyPublished, sold.company, context.today)
    name = company.event.calendar if company else None
    return require_record("calendar-unknown", "company", CalendarPublished, name, context)


def _of_plan(
    calendar: CalendarPublished, days: WorkingDays, tasks: Sequence[PlannedTask]
) -> PlanCalendar:
    first = min((each.starts_on for each in tasks), default=LAST_DAY)
    last = max((each.finishes_on for each in tasks), default=FIRST_DAY)
    return PlanCalendar(
        calendar=calendar.calendar,
        weekdays=calendar.weekdays,
        days_off=days.days_off(first, last),
    )


def _lines_with(state: Engagement, changes: Iterable[str]) -> tuple[SoldLine, ...]:
    """Return the lines of the contract, with unsigned changes that the plan includes."""
    unsigned = (change for change in changes if change not in state.contract.amendments)
    assessed = (state.changes.assessed.get(change) for change in unsigned)
    return sold_lines(state.lines, (line for each in assessed if each for line in each.changes))


def _changes(state: Engagement, command: DraftPlan) -> tuple[str, ...]:
    """Return the changes whose work the plan includes: the baseline's and the new ones.

    A change of the baseline that is not signed can be left out by naming only others; a rejected
    change without a signed amendment is left out.
    """
    baseline, named = state.planning.baseline, command.changes
    before = baseline.changes if baseline else ()
    if named is not None:
        return tuple(dict.fromkeys((*_signed(state, before), *named)))
    kept = (change for change in before if not is_given_up(state, change))
    approved = () if command.tasks else filter(partial(_agreed, state), state.changes.requested)
    return tuple(dict.fromkeys((*kept, *approved)))


def _signed(state: Engagement, changes: Iterable[str]) -> Iterator[str]:
    return (change for change in changes if change in state.contract.amendments)


def _agreed(state: Engagement, change: str) -> bool:
    return change in state.changes.approved and not is_given_up(state, change)


@dataclass(frozen=True, slots=True)
class _ChangeOrder:
    """An approved change: its lines as signed, else as assessed."""

    change: str
    lines: tuple[LineScopeChange, ...]
    days: int
    approved_on: date


def _scheduled(
    state: Engagement, command: DraftPlan, plan: PlanDrafted, context: Context
) -> PlanDrafted:
    """Return the plan with milestones and tasks that are scheduled from the template.

    Raises Refused where there is nothing to schedule it from, or a change has the id of a task.
    """
    record = known_template(context, command.template)
    estimate = (
        state.estimates.submitted.get(command.estimate_version)
        if command.estimate_version
        else state.sold_estimate or state.estimates.newest
    )
    if estimate is None:
        raise Refused("estimate-unknown", "there is no estimate to plan from: give tasks")
    won = state.deal.won
    starts_on = command.starts_on or (won.starts_on if won else None)
    if starts_on is None:
        raise Refused(
            "start-not-agreed", "the deal is not won, so no start is agreed: give starts_on"
        )
    orders = tuple(_change_orders(state, plan.changes))
    more = sum(order.days for order in orders)
    duration_days = command.duration_days or max(1, estimate.duration_days + more)
    finishes_on = starts_on + timedelta(days=duration_days - 1)
    if finishes_on > LAST_DAY:
        raise Refused(
            "plan-beyond-calendar",
            f"a plan of {counted(duration_days, 'day')} from {starts_on} ends after {LAST_DAY}",
        )
    sold = state.contract.terms or won
    cuts = (line for order in orders for line in order.lines)
    hours = hours_to_plan(estimate.lines, sold.lines if sold else (), cuts)
    scheduled = schedule(record.event, hours, plan.deliverables, starts_on, duration_days)
    work = {line.line: line.work for line in _lines_with(state, plan.changes)}
    tasks = (*scheduled.tasks, *_change_tasks(orders, work, starts_on, finishes_on))
    # Checked here, since the event cannot be constructed with repeated ids.
    gate("plan-inconsistent", _repeated("task", (each.task for each in tasks)))
    milestones = (each.milestone for each in scheduled.milestones)
    gate("plan-inconsistent", _repeated("milestone", milestones))
    return PlanDrafted(
        **{
            **dict(plan),
            "milestones": scheduled.milestones,
            "tasks": tasks,
            "template_version": record.sequence,
            "estimate_version": estimate.version,
        }
    )


def _change_orders(state: Engagement, changes: Iterable[str]) -> Iterator[_ChangeOrder]:
    for change in changes:
        if change in state.changes.assessed and change in state.changes.approved:
            assessed, signed = state.changes.assessed[change], state.contract.amendments.get(change)
            yield _ChangeOrder(
                change=change,
                lines=signed.changes if signed else assessed.changes,
                days=assessed.days,
                approved_on=state.changes.approved[change].approved_on,
            )


def _change_tasks(
    orders: Iterable[_ChangeOrder],
    work: Mapping[str, LineKind],
    starts_on: date,
    finishes_on: date,
) -> Iterator[PlannedTask]:
    """Yield one task for the hours that a change adds to a line."""
    for order in orders:
        begins = min(max(starts_on, order.approved_on), finishes_on)
        added = [(line, hours) for line in order.lines for hours in [_added_hours(line)] if hours]
        for line, hours in added:
            whole = len(added) == 1
            yield PlannedTask(
                task=order.change if whole else derived_id(order.change, line.line, between="."),
                title=f"Change {order.change}",
                phase=CHANGES,
                starts_on=begins,
                finishes_on=finishes_on,
                hours=hours,
                kind=work[line.line],
                line=line.line,
                implementation=work[line.line] == "delivery",
                change=order.change,
            )


def _added_hours(line: LineScopeChange) -> tuple[RoleHours, ...]:
    return tuple(
        RoleHours(role=each.role, hours=each.hours) for each in line.hours if each.hours > 0
    )


def _repeated(what: str, ids: Iterable[str]) -> Iterator[Missing]:
    for name, times in Counter(ids).items():
        if times > 1:
            sentence = f"{what} {name} is listed more than once"
            yield Missing("plan-inconsistent", sentence, "delivery")


@capability.decide(BaselinePlan, by=MANAGERS)
def baseline_plan(state: Engagement, command: BaselinePlan, context: Context) -> Iterable[Event]:
    """Baseline the newest draft, with exactly the changes that it includes.

    Raises Refused where the version is not the newest draft, where it is the baseline with other
    changes or of another day, where the named changes differ from the draft's, or where one of them
    is not approved.
    """
    require_open(state)
    draft, before = state.planning.draft, state.planning.baseline
    if draft is None or draft.version != command.version:
        newest = f"the newest is {draft.version}" if draft else "there is none"
        raise Refused(
            "plan-not-newest-draft", f"plan {command.version} is not the newest draft: {newest}"
        )
    earlier = before.changes if before else ()
    kept = (change for change in earlier if change in draft.changes)
    named = draft.changes if command.changes is None else (*kept, *command.changes)
    differing = tuple(_differing(draft, dict.fromkeys((*_signed(state, earlier), *named))))
    if before and before.version == draft.version:
        if differing:
            raise Refused("plan-baselined", f"plan {draft.version} is the baseline already")
        day = same_day("baselined_on", command, before, context)
        same = before.model_copy(update={"baselined_on": day})
        yield from unless_recorded(before, same, f"baseline {draft.version}")
        return
    gate("changes-differ", differing)
    gate("change-not-approved", (_unapproved(state, change) for change in draft.changes))
    yield PlanBaselined(
        version=draft.version,
        milestones=draft.milestones,
        tasks=draft.tasks,
        deliverables=draft.deliverables,
        changes=draft.changes,
        calendar=draft.calendar,
        profiles=draft.profiles,
        baselined_on=past_day("baselined_on", command.baselined_on, context),
    )


def _differing(draft: PlanDrafted, named: Collection[str]) -> Iterator[Missing]:
    for change in draft.changes:
        if change not in named:
            sentence = f"changes does not name {change}, which plan {draft.version} includes"
            yield Missing("change-not-named", sentence, "delivery")
    for change in named:
        if change not in draft.changes:
            sentence = f"changes names {change}, which plan {draft.version} does not include"
            yield Missing("change-not-in-plan", f"{sentence}: draft it with {change}", "delivery")


def _unapproved(state: Engagement, change: str) -> Missing | None:
    if _agreed(state, change):
        return None
    if change in state.changes.rejected:
        return Missing("change-rejected", f"change {change} was rejected", "delivery")
    known = change in state.changes.requested
    sentence = f"change {change} is not {'approved' if known else 'known'}"
    return Missing("change-not-approved" if known else "change-unknown", sentence, "delivery")


class TaskView(ViewModel):
    """Planned task, the hours approved on it, and its progress.

    `latest_finish` is the last day on which it may finish without moving the finish of the plan,
    and `total_float` the working days until then; a task without float is critical.
    """

    planned: PlannedTask
    latest_finish: date
    total_float: int
    critical: bool
    approved_hours: TotalHours
    progressed: TaskProgressed | None


class MilestoneView(ViewModel):
    """Milestone of the baseline, and the day it was reached."""

    planned: Milestone
    reached_on: date | None


class RoleBalance(ViewModel):
    """Hours of a role that the contract's lines have, and that the plan has."""

    role: ProjectRole
    sold: Number
    planned: Number


class PlanView(ViewModel):
    """Newest draft of the plan, and the baseline with its progress.

    `hours` are those of the baseline, before the first one those of the draft.
    """

    draft: PlanDrafted | None
    baseline: Version | None
    baselined_on: date | None
    changes: tuple[Identifier, ...]
    hours: tuple[RoleBalance, ...]
    tasks: tuple[TaskView, ...]
    milestones: tuple[MilestoneView, ...]


class PlanFields(ViewModel):
    """The plan in the view of an engagement."""

    plan: PlanView


@capability.view
def plan_view(state: Engagement) -> PlanFields:
    """Return the plan for the view of an engagement."""
    draft, baseline = state.planning.draft, state.planning.baseline
    progress, approved = state.progress, state.time.by_task
    dates = network(baseline.tasks, working_days_of_plan(baseline.calendar)) if baseline else {}
    return PlanFields(
        plan=PlanView(
            draft=draft,
            baseline=baseline.version if baseline else None,
            baselined_on=baseline.baselined_on if baseline else None,
            changes=baseline.changes if baseline else (),
            hours=tuple(_balances(state)),
            tasks=tuple(
                TaskView(
                    planned=task,
                    latest_finish=dates[task.task].latest_finish,
                    total_float=dates[task.task].total_float,
                    critical=dates[task.task].critical,
                    approved_hours=approved.get(task.task, ZERO),
                    progressed=progress.tasks.get(task.task),
                )
                for task in (baseline.tasks if baseline else ())
            ),
            milestones=tuple(
                MilestoneView(planned=each, reached_on=reached.reached_on if reached else None)
                for each in (baseline.milestones if baseline else ())
                for reached in [progress.milestones.get(each.milestone)]
            ),
        )
    )


def _balances(state: Engagement) -> Iterator[RoleBalance]:
    plan, sold = state.planning.baseline or state.planning.draft, hours_by_role(state.lines)
    planned: dict[str, Decimal] = {}
    for task in plan.tasks if plan else ():
        for each in task.hours:
            planned[each.role] = planned.get(each.role, ZERO) + each.hours
    for role in dict.fromkeys((*sold, *planned)):
        yield RoleBalance(role=role, sold=sold.get(role, ZERO), planned=planned.get(role, ZERO))
