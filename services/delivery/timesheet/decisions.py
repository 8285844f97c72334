"""Submit, approve and reject time; approve expenses."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import past_day, unless_recorded
from contracts.delivery import (
    Expense,
    ExpenseApproved,
    SomeHours,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeRejection,
    TimeSubmitted,
)
from contracts.event import Event
from contracts.values import (
    ComputedPercent,
    Hours,
    Identifier,
    LineKind,
    PersonId,
    TotalHours,
    Week,
)
from delivery.engagement import Engagement
from delivery.policies import (
    not_covered,
    not_implementable,
    not_released,
    require_active,
    require_open,
)
from delivery.quantities import ZERO, share
from delivery.roles import MANAGERS, WORKERS
from delivery.timesheet.state import TASKS_BEFORE_BASELINE, WaitingTime, last_day

capability = Capability[Engagement](__name__)

WEEK_LIMIT = Decimal(100)
"""Maximum hours of one person on one engagement in one week."""


class SubmitTime(TimeEntry, Command):
    """Submit hours on a task in a week (given by its Monday), for approval by another person.

    The person is the caller unless another is named. The task is one of the baseline; before the
    first baseline it is one of the drafted plan, or `initiation` or `project-management`.
    """

    entry: Identifier | None = None
    person: PersonId | None = None
    hours: Annotated[SomeHours, Field(le=WEEK_LIMIT)]


class ApproveTime(Command):
    """Approve submitted hours; a person cannot approve their own."""

    entry: Identifier


class RejectTime(TimeRejection, Command):
    """Reject submitted hours and say why."""


class ApproveExpense(Expense, Command):
    """Approve an expense for the engagement; a person cannot approve their own."""

    expense: Identifier | None = None


@capability.decide(SubmitTime, by=WORKERS, stand_in="time")
def submit_time(state: Engagement, command: SubmitTime, context: Context) -> Iterable[Event]:
    """Record the submitted hours if gate 3 is open, and gate 4 for tasks of implementation.

    The gates are checked on the week's last day that is not in the future: a contract signed during
    a week covers all of it, and a week during which it was terminated may be submitted, too. Raises
    Refused where a gate is closed, the task is not in the plan, the entry is decided or was
    submitted with other data, or the person's week exceeds the limit.
    """
    require_active(state, command.week)
    past_day("week", command.week, context)
    entry, sheet = command.entry or context.new_id("T"), state.timesheet
    person = command.person or context.acting_for
    event = TimeSubmitted(**{**dict(command), "entry": entry, "person": person})
    if entry in sheet.decided:
        raise Refused("entry-decided", f"entry {entry} is {sheet.decided[entry]}")
    waiting = sheet.waiting.get(entry)
    for new in unless_recorded(waiting.submitted if waiting else None, event, f"entry {entry}"):
        work = min(context.today, last_day(new.week))
        covered = not_covered(state, new.week, work, context.today, hours=new.hours, role=new.role)
        gate("work-not-released", [covered])
        if _implements(state, new.task, new.week):
            gate("implementation-not-released", not_implementable(state, work))
        total = sheet.in_week(person, new.week) + new.hours
        if total > WEEK_LIMIT:
            raise Refused(
                "hours-beyond-limit",
                f"{person} would have {total} hours in the week of {new.week},"
                f" more than the limit of {WEEK_LIMIT}",
            )
        yield new


def _implements(state: Engagement, task: str, week: date) -> bool:
    """Return whether a task is implementation.

    Raises Refused where the task accepts no time in this week.
    """
    planned = state.planning.task(task)
    if planned is not None:
        return planned.implementation
    first = state.planning.first_baselined_on
    if task in TASKS_BEFORE_BASELINE and (first is None or week <= first):
        return False
    plan = "the baseline" if first else "the plan"
    raise Refused("task-unknown", f"task {task} is not in {plan}")


@capability.decide(ApproveTime, by=MANAGERS)
def approve_time(state: Engagement, command: ApproveTime, context: Context) -> Iterable[Event]:
    """Approve the hours if gate 3 is open today.

    Hours logged under an expired early start can be approved once the contract is signed. The cap
    is not checked again: it was when the hours were submitted. Raises Refused where the caller
    worked or submitted the hours, or the entry is unknown or rejected.
    """
    require_open(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) == "approved":
        return
    waiting = _waiting(state, command.entry)
    if not context.acting.isdisjoint({waiting.submitted.person, waiting.submitted_by}):
        raise Refused("approver-is-author", "a person cannot approve their own time")
    gate("work-not-released", [not_released(state, context.today, context.today, context.today)])
    yield TimeApproved(**dict(waiting.task), **dict(waiting.submitted))


@capability.decide(RejectTime, by=MANAGERS)
def reject_time(state: Engagement, command: RejectTime, context: Context) -> Iterable[Event]:
    """Reject the hours; they may be submitted again as another entry.

    Raises Refused where the entry is unknown or approved.
    """
    require_open(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) != "rejected":
        _waiting(state, command.entry)
        yield TimeRejected(**dict(command))


def _waiting(state: Engagement, entry: str) -> WaitingTime:
    sheet = state.timesheet
    if entry in sheet.decided:
        raise Refused("entry-decided", f"entry {entry} is {sheet.decided[entry]} already")
    if entry not in sheet.waiting:
        gate("entry-unknown", [Missing("entry-unknown", f"no entry {entry} was submitted")])
    return sheet.waiting[entry]


@capability.decide(ApproveExpense, by=MANAGERS)
def approve_expense(
    state: Engagement, command: ApproveExpense, context: Context
) -> Iterable[Event]:
    """Approve the expense; after a termination, expenses can still be approved.

    Raises Refused where the caller is the person, the contract has no such line, or the id belongs
    to a different expense.
    """
    require_open(state, after_termination=True)
    if command.person in context.acting:
        raise Refused("approver-is-author", "a person cannot approve their own expense")
    past_day("spent_on", command.spent_on, context)
    if command.line is not None and command.line not in {line.line for line in state.lines}:
        raise Refused("line-unknown", f"line: the contract has no line {command.line}")
    expense = command.expense or context.new_id("X")
    event = ExpenseApproved(**{**dict(command), "expense": expense})
    known = state.timesheet.expenses.get(expense)
    yield from unless_recorded(known, event, f"expense {expense}")


class EntryView(ViewModel):
    """Time entry that awaits approval, in hours."""

    entry: Identifier
    person: PersonId
    role: str
    task: Identifier
    week: Week
    hours: Hours
    billable: bool


class TimeView(ViewModel):
    """Time entries that await approval, approved hours and expenses.

    The share of project management in the approved hours is in percent.
    """

    waiting: tuple[EntryView, ...]
    approved_hours: TotalHours
    approved_by_kind: dict[LineKind, TotalHours]
    project_management_share: ComputedPercent | None
    expenses: tuple[ExpenseApproved, ...]


class TimeFields(ViewModel):
    """Time and expenses in the view of an engagement."""

    time: TimeView


@capability.view
def time_view(state: Engagement) -> TimeFields:
    """Return time and expenses for the view of an engagement."""
    sheet = state.timesheet
    managing = sheet.by_kind.get("project-management", ZERO)
    return TimeFields(
        time=TimeView(
            waiting=tuple(EntryView(**dict(each.submitted)) for each in sheet.waiting.values()),
            approved_hours=sheet.approved_hours,
            approved_by_kind=sheet.by_kind,
            project_management_share=share(managing, sheet.approved_hours),
            expenses=tuple(sheet.expenses.values()),
        )
    )
