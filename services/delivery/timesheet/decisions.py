"""Submit, approve and reject time; approve expenses."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.delivery import ExpenseApproved, TimeApproved, TimeRejected, TimeSubmitted
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import Day, Hours, Identifier, PersonId, ProjectRole, ShortText, Week, YesNo
from delivery.policies import (
    day_of,
    implementation,
    not_covered,
    not_released,
    once,
    require_active,
    require_open,
)
from delivery.state import TASKS_BEFORE_BASELINE, Engagement, WaitingTime, decide, last_day

WEEK_LIMIT = Decimal(100)
"""Maximum hours of one person on one engagement in one week."""


class SubmitTime(Command):
    """Submit hours on a task in a week (given by its Monday), for approval by another person.

    The person is the caller unless another is named. The task is one of the baseline; before the
    first baseline it is one of the drafted plan, or `initiation` or `project-management`.
    """

    entry: Identifier | None = None
    person: PersonId | None = None
    role: ProjectRole
    task: Identifier
    week: Week
    hours: Annotated[Hours, Field(gt=Decimal(0), le=WEEK_LIMIT)]
    billable: YesNo = True


class ApproveTime(Command):
    """Approve submitted hours; a person cannot approve their own."""

    entry: Identifier


class RejectTime(Command):
    """Reject submitted hours and say why."""

    entry: Identifier
    why: ShortText


class ApproveExpense(Command):
    """Approve an expense for the engagement; a person cannot approve their own."""

    expense: Identifier | None = None
    person: PersonId
    amount: PositiveMoney
    description: ShortText
    spent_on: Day
    billable: YesNo = True


@decide.on(SubmitTime)
def submit_time(state: Engagement, command: SubmitTime, context: Context) -> Iterator[Event]:
    """Record the submitted hours if gate 3 is open, and gate 4 for tasks of implementation.

    The gates are checked on the week's last day that is not in the future: a contract signed during
    a week covers all of it, and a week during which it was terminated may be submitted, too. Raises
    Refused where a gate is closed, the task is not in the plan, the entry is decided or was
    submitted with other data, or the person's week exceeds the limit.
    """
    require_active(state, command.week)
    day_of(context, command.week)
    sheet = state.timesheet
    event = TimeSubmitted(
        entry=command.entry or context.new_id("T"),
        person=command.person or context.actor,
        **command.model_dump(exclude={"entry", "person"}),
    )
    if event.entry in sheet.decided:
        raise Refused("entry-decided", f"entry {event.entry} is {sheet.decided[event.entry]}")
    waiting = sheet.waiting.get(event.entry)
    if waiting is not None:
        known = TimeSubmitted(
            entry=event.entry, **waiting.model_dump(exclude={"kind", "submitted_by"})
        )
        sentence = f"entry {event.entry} was submitted with other data"
        yield from once(known, event, "already-recorded", sentence)
        return
    work = min(context.today, last_day(event.week))
    gate(
        "work-not-released",
        [not_covered(state, event.week, work, context.today, hours=event.hours)],
    )
    if _implements(state, event.task, event.week):
        gate("implementation-not-released", implementation(state, work))
    total = sheet.in_week(event.person, event.week) + event.hours
    if total > WEEK_LIMIT:
        raise Refused(
            "hours-beyond-limit",
            f"{event.person} would have {total} hours in the week of {event.week},"
            f" more than the limit of {WEEK_LIMIT}",
        )
    yield event


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


@decide.on(ApproveTime)
def approve_time(state: Engagement, command: ApproveTime, context: Context) -> Iterator[Event]:
    """Approve the hours if gate 3 is open today.

    Hours logged under an expired early start can be approved once the contract is signed. The cap
    is not checked again: it was when the hours were submitted. Raises Refused where the caller
    worked or submitted the hours, or the entry is unknown or rejected.
    """
    require_open(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) == "approved":
        return
    entry = _waiting(state, command.entry)
    if context.actor in {entry.person, entry.submitted_by}:
        raise Refused("approver-is-author", "a person cannot approve their own time")
    gate("work-not-released", [not_released(state, context.today, context.today, context.today)])
    yield TimeApproved(entry=command.entry, **entry.model_dump(exclude={"submitted_by"}))


@decide.on(RejectTime)
def reject_time(state: Engagement, command: RejectTime, context: Context) -> Iterator[Event]:
    """Reject the hours; they may be submitted again as another entry.

    Raises Refused where the entry is unknown or approved.
    """
    require_open(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) != "rejected":
        _waiting(state, command.entry)
        yield TimeRejected(entry=command.entry, why=command.why)


def _waiting(state: Engagement, entry: str) -> WaitingTime:
    if entry in state.timesheet.decided:
        decided = state.timesheet.decided[entry]
        raise Refused("entry-decided", f"entry {entry} is {decided} already")
    if entry not in state.timesheet.waiting:
        gate("entry-unknown", [Missing("entry-unknown", f"no entry {entry} was submitted")])
    return state.timesheet.waiting[entry]


@decide.on(ApproveExpense)
def approve_expense(
    state: Engagement, command: ApproveExpense, context: Context
) -> Iterator[Event]:
    """Approve the expense; after a termination, expenses can still be approved.

    Raises Refused where the caller is the person, or the id belongs to a different expense.
    """
    require_open(state, after_termination=True)
    if command.person == context.actor:
        raise Refused("approver-is-author", "a person cannot approve their own expense")
    day_of(context, command.spent_on)
    expense = command.expense or context.new_id("X")
    event = ExpenseApproved(
        expense=expense,
        person=command.person,
        amount=command.amount,
        description=command.description,
        spent_on=command.spent_on,
        billable=command.billable,
    )
    sentence = f"expense {expense} was approved with other data"
    yield from once(state.expenses.get(expense), event, "already-recorded", sentence)
