"""Submit, approve, reject and reverse expenses."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, past_day
from contracts.delivery import (
    ExpenseApproved,
    ExpenseDetails,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
)
from contracts.event import Event
from contracts.values import Correction, Day, Identifier, ShortText
from delivery.engagement import Engagement
from delivery.expenses.state import WaitingExpense
from delivery.policies import known_staff, require_not_author, require_recordable
from delivery.roles import MANAGERS, WORKERS

capability = Capability[Engagement](__name__)


class SubmitExpense(ExpenseDetails, Command):
    """Submit an expense of the caller for approval by another person.

    Under the id of an expense that waits for approval, it replaces that.
    """

    expense: Identifier | None = None
    """Id of the expense; null for a new one."""


class ApproveExpense(Command):
    """Approve a submitted expense; a person cannot approve their own."""

    expense: Identifier
    """Id of the expense."""


class RejectExpense(Command):
    """Reject a submitted expense and say why; it may be submitted again."""

    expense: Identifier
    """Id of the expense."""
    why: ShortText
    """Reason for the rejection."""


class ReverseExpense(Correction, Command):
    """Take back an approved expense that was wrong; the right one may be submitted then."""

    expense: Identifier
    """Id of the expense."""
    reversed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(SubmitExpense, by=WORKERS, stand_in="time")
def submit_expense(state: Engagement, command: SubmitExpense, context: Context) -> Iterable[Event]:
    """Record the expense; no gate refuses it, and none after a termination.

    Raises Refused where the engagement is closed, the person is unknown or not with the company on
    the day, the day is in the future, the contract has no such line, or the id belongs to the
    expense of another person or to a decided one.
    """
    require_recordable(state)
    person = context.acting_for
    past_day("spent_on", command.spent_on, context)
    known_staff(context, person, command.spent_on)
    _require_line(state, command)
    expense = command.expense or context.new_id("X")
    waiting = state.expenses.waiting.get(expense)
    if expense in state.expenses.approved or expense in state.expenses.reversed:
        raise Refused("expense-decided", f"expense {expense} was approved")
    if waiting and waiting.submitted.person != person:
        raise Refused("already-recorded", f"expense {expense} is one of another person")
    event = ExpenseSubmitted(**{**dict(command), "expense": expense, "person": person})
    if waiting is None or waiting.submitted != event:
        yield event


def _require_line(state: Engagement, command: SubmitExpense) -> None:
    if command.line is not None and command.line not in {line.line for line in state.lines}:
        raise Refused("line-unknown", f"line: the contract has no line {command.line}")


@capability.decide(ApproveExpense, by=MANAGERS)
def approve_expense(
    state: Engagement, command: ApproveExpense, context: Context
) -> Iterable[Event]:
    """Approve the expense; an equal repetition changes nothing.

    Raises Refused where the caller spent or submitted it, or none of this id waits for approval.
    """
    require_recordable(state)
    if command.expense in state.expenses.approved:
        return
    waiting = _waiting(state, command.expense)
    require_not_author(context, waiting.submitted.person, waiting.submitted_by, "expense")
    yield ExpenseApproved(**dict(waiting.submitted))


@capability.decide(RejectExpense, by=MANAGERS)
def reject_expense(state: Engagement, command: RejectExpense, context: Context) -> Iterable[Event]:
    """Reject the expense. Raises Refused where none of this id waits for approval."""
    require_recordable(state)
    waiting = _waiting(state, command.expense)
    yield ExpenseRejected(**dict(waiting.submitted), why=command.why)


@capability.decide(ReverseExpense, by=MANAGERS)
def reverse_expense(
    state: Engagement, command: ReverseExpense, context: Context
) -> Iterable[Event]:
    """Take the approved expense back.

    Raises Refused where the caller spent it, it is not approved or was reversed, or the day is
    before that of the expense or in the future.
    """
    require_recordable(state)
    approved = state.expenses.approved.get(command.expense)
    if approved is None:
        sentence = f"expense {command.expense} is not approved, or was reversed"
        raise Refused("expense-not-approved", sentence)
    require_not_author(context, approved.person, (), "expense")
    day = correction_day("reversed_on", command, approved.spent_on, context)
    yield ExpenseReversed(**dict(approved), why=command.why, reversed_on=day)


def _waiting(state: Engagement, expense: str) -> WaitingExpense:
    if expense not in state.expenses.waiting:
        sentence = f"no expense {expense} waits for approval"
        gate("expense-not-waiting", [Missing("expense-not-waiting", sentence)])
    return state.expenses.waiting[expense]


class ExpensesView(ViewModel):
    """Expenses that wait for approval by the manager, and approved ones."""

    waiting: tuple[ExpenseSubmitted, ...]
    approved: tuple[ExpenseApproved, ...]


class ExpenseFields(ViewModel):
    """Expenses in the view of an engagement."""

    expenses: ExpensesView


@capability.view
def expenses_view(state: Engagement) -> ExpenseFields:
    """Return the expenses for the view of an engagement."""
    known = state.expenses
    return ExpenseFields(
        expenses=ExpensesView(
            waiting=tuple(each.submitted for each in known.waiting.values()),
            approved=tuple(known.approved.values()),
        )
    )
