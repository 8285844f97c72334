"""Keeping time: hours submitted, and approved by somebody else; expenses likewise."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.decider import Command, Context, Missing, Refused, gate
from contracts.delivery import ExpenseApproved, TimeApproved, TimeRejected, TimeSubmitted
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import Day, Hours, Identifier, PersonId, ProjectRole, ShortText, Week, YesNo
from delivery.gates import (
    at_work,
    covered,
    day_of,
    implementation,
    once,
    released,
    standing,
)
from delivery.state import STANDING_TASKS, Engagement, WaitingTime, decide, last_day

WEEK_LIMIT = Decimal(100)
"""Hours that one person can log on one engagement in one week."""


class SubmitTime(Command):
    """Log hours on a task in a week (named by its Monday), to be approved by somebody else.

    The person is who asks, unless another is named. The task is one of the baseline; before there
    is one, of the drafted plan, or `initiation` or `project-management`.
    """

    entry: Identifier | None = None
    person: PersonId | None = None
    role: ProjectRole
    task: Identifier
    week: Week
    hours: Annotated[Hours, Field(gt=Decimal(0), le=WEEK_LIMIT)]
    billable: YesNo = True


class ApproveTime(Command):
    """Let submitted hours count. Nobody approves their own."""

    entry: Identifier


class RejectTime(Command):
    """Say why submitted hours do not count."""

    entry: Identifier
    why: ShortText


class ApproveExpense(Command):
    """Approve what a person spent for the engagement. Nobody approves their own."""

    expense: Identifier | None = None
    person: PersonId
    amount: PositiveMoney
    description: ShortText
    spent_on: Day
    billable: YesNo = True


@decide.on(SubmitTime)
def submit_time(state: Engagement, command: SubmitTime, context: Context) -> Iterator[Event]:
    """Gate 3, and for implementation gate 4, by the week's last day that has come.

    So a contract signed within a week covers all of it, and one terminated within a week, too.
    """
    at_work(state, command.week)
    day_of(context, command.week)
    sheet = state.timesheet
    event = TimeSubmitted(
        entry=command.entry or context.new_id("T"),
        person=command.person or context.actor,
        **command.model_dump(exclude={"entry", "person"}),
    )
    if event.entry in sheet.decided:
        raise Refused("already-decided", f"entry {event.entry} is {sheet.decided[event.entry]}")
    waiting = sheet.waiting.get(event.entry)
    if waiting is not None:
        stands = TimeSubmitted(
            entry=event.entry, **waiting.model_dump(exclude={"kind", "submitted_by"})
        )
        yield from once(stands, event, "already-submitted", f"entry {event.entry} says otherwise")
        return
    work = min(context.today, last_day(event.week))
    gate("not-released", [covered(state, event.week, work, context.today, hours=event.hours)])
    if _implements(state, event.task, event.week):
        gate("implementation-not-released", implementation(state, work))
    total = sheet.in_week(event.person, event.week) + event.hours
    if total > WEEK_LIMIT:
        raise Refused(
            "too-many-hours",
            f"{event.person} would have {total} hours in the week of {event.week},"
            f" and no week has more than {WEEK_LIMIT}",
        )
    yield event


def _implements(state: Engagement, task: str, week: date) -> bool:
    """Whether a task is implementation; refused where it cannot take time in this week."""
    planned = state.planning.task(task)
    if planned is not None:
        return planned.implementation
    first = state.planning.first_baselined_on
    if task in STANDING_TASKS and (first is None or week <= first):
        return False
    plan = "the baseline" if first else "the plan"
    raise Refused("unknown-task", f"task {task} is not in {plan}")


@decide.on(ApproveTime)
def approve_time(state: Engagement, command: ApproveTime, context: Context) -> Iterator[Event]:
    """Gate 3 again, by today: what was logged under an early start counts once it is signed.

    Its cap was kept when the hours were submitted.
    """
    standing(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) == "approved":
        return
    entry = _waiting(state, command.entry)
    if context.actor in {entry.person, entry.submitted_by}:
        raise Refused("own-time", "nobody approves their own time")
    gate("not-released", [released(state, context.today, context.today, context.today)])
    yield TimeApproved(entry=command.entry, **entry.model_dump(exclude={"submitted_by"}))


@decide.on(RejectTime)
def reject_time(state: Engagement, command: RejectTime, context: Context) -> Iterator[Event]:
    """Rejected hours count nowhere; they may be submitted again as another entry."""
    standing(state, after_termination=True)
    if state.timesheet.decided.get(command.entry) != "rejected":
        _waiting(state, command.entry)
        yield TimeRejected(entry=command.entry, why=command.why)


def _waiting(state: Engagement, entry: str) -> WaitingTime:
    if entry in state.timesheet.decided:
        decided = state.timesheet.decided[entry]
        raise Refused("already-decided", f"entry {entry} is {decided} already")
    if entry not in state.timesheet.waiting:
        gate("unknown-entry", [Missing("time-submitted", f"no entry {entry} was submitted")])
    return state.timesheet.waiting[entry]


@decide.on(ApproveExpense)
def approve_expense(
    state: Engagement, command: ApproveExpense, context: Context
) -> Iterator[Event]:
    """What was spent before a termination may still be approved."""
    standing(state, after_termination=True)
    if command.person == context.actor:
        raise Refused("own-expense", "nobody approves their own expense")
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
    sentence = f"expense {expense} says otherwise"
    yield from once(state.expenses.get(expense), event, "already-approved", sentence)
