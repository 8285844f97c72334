"""Keep approved expenses, and reverse them.

The engagement forgets an expense once it is decided, so that its state does not grow. A reversal
asks it to take back the whole expense, as it was approved.
"""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.pending import Refusal
from chassis.domain.requests import Outcome
from chassis.domain.rules import correction_day
from contracts.delivery import Expense, ExpenseCategory
from contracts.event import Event
from contracts.values import Correction, Day, EngagementId, PersonId
from delivery.approved_expenses.events import (
    ExpenseKept,
    ExpenseReversalBegun,
    ExpenseReversalEnded,
)
from delivery.approved_expenses.requests import KeepExpense
from delivery.approved_expenses.state import ApprovedExpense, Status
from delivery.expenses.requests import TakeBackExpense
from delivery.policies import require_not_author
from delivery.roles import MANAGERS

capability = Capability[ApprovedExpense](__name__)
taking_back = capability.request(TakeBackExpense, of="engagement")


class ReverseExpense(Correction, Command):
    """Take back an approved expense that was wrong; the right one may be submitted then."""

    reversed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(KeepExpense, by=None, opens=True)
def keep_expense(state: ApprovedExpense, command: KeepExpense, context: Context) -> Iterable[Event]:
    """Keep the expense; the engagement approves each one once."""
    yield ExpenseKept(approved=command.approved)


@capability.decide(ReverseExpense, by=MANAGERS)
def reverse_expense(
    state: ApprovedExpense, command: ReverseExpense, context: Context
) -> Iterable[Event]:
    """Ask the engagement to take the expense back.

    Raises Refused where the caller spent it, it was reversed or that is asked already, or the day
    is before that of the expense or in the future.
    """
    if state.kept is None or state.status != "approved":
        raise Refused("expense-not-approved", f"expense {state.subject} was reversed")
    approved = state.kept.approved
    require_not_author(context, approved.person, (), "expense")
    day = correction_day("reversed_on", command, approved.spent_on, context)
    number = state.asked + 1
    yield ExpenseReversalBegun(number=number)
    back = TakeBackExpense(approved=approved, why=command.why, reversed_on=day)
    yield taking_back(state.engagement, back, id=f"take-back-{number}", item=approved.expense)


@taking_back.outcome
def taken_back(
    state: ApprovedExpense, outcome: Outcome[TakeBackExpense], context: Context
) -> Iterable[Event]:
    """Record that the engagement reversed the expense, or why it did not."""
    yield ExpenseReversalEnded(refusal=outcome.refusal)


class ApprovedExpenseView(ViewModel):
    """An expense that was approved.

    `refusal` says why the engagement refused the last attempt to reverse it.
    """

    engagement: EngagementId
    expense: Expense | None
    status: Status
    refusal: Refusal | None


@capability.view
def expense_view(state: ApprovedExpense) -> ApprovedExpenseView:
    """Return the view of an approved expense."""
    return ApprovedExpenseView(
        engagement=state.engagement,
        expense=state.kept.approved if state.kept else None,
        status=state.status,
        refusal=state.refusal,
    )


class ApprovedExpenseRow(ViewModel):
    """Columns of an approved expense in the list of expenses."""

    engagement: EngagementId
    person: PersonId | None
    category: ExpenseCategory | None
    spent_on: Day | None
    status: Status


@capability.row
def expense_row(state: ApprovedExpense) -> ApprovedExpenseRow:
    """Return the columns of an approved expense."""
    approved = state.kept.approved if state.kept else None
    return ApprovedExpenseRow(
        engagement=state.engagement,
        person=approved and approved.person,
        category=approved and approved.category,
        spent_on=approved and approved.spent_on,
        status=state.status,
    )
