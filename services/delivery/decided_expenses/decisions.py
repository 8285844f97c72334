"""Keep decided expenses, and reverse approved ones.

The engagement forgets an expense once it is decided, so that its state does not grow. A reversal
asks it to take the whole expense back, as it was approved.
"""

from collections.abc import Collection, Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.list_limits import Limits, Subjects
from chassis.domain.pending import Refusal
from chassis.domain.requests import Outcome
from chassis.domain.rules import correction_day
from contracts.delivery import Expense
from contracts.event import Event
from contracts.values import Correction, Day, EngagementId, ShortText
from delivery.decided_expenses.events import (
    ExpenseDecided,
    ExpenseReversalBegun,
    ExpenseReversalEnded,
)
from delivery.decided_expenses.requests import KeepExpense
from delivery.decided_expenses.state import DecidedExpense, Status
from delivery.expenses.requests import TakeBackExpense
from delivery.policies import (
    approves_for,
    every_person,
    reads_every_expense,
    reads_records_of,
    require_not_author,
)
from delivery.roles import MANAGERS

capability = Capability[DecidedExpense](__name__)
taking_back = capability.request(TakeBackExpense, of="engagement")


class ReverseExpense(Correction, Command):
    """Take back an approved expense that was wrong; the right one may be submitted then."""

    reversed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(KeepExpense, by=None, opens=True)
def keep_expense(state: DecidedExpense, command: KeepExpense, context: Context) -> Iterable[Event]:
    """Keep the expense; the engagement decides each one once."""
    yield ExpenseDecided(**dict(command))


@capability.decide(ReverseExpense, by=MANAGERS)
def reverse_expense(
    state: DecidedExpense, command: ReverseExpense, context: Context
) -> Iterable[Event]:
    """Ask the engagement to take the expense back.

    Raises Refused where the caller spent it, it was rejected or reversed or that is asked already,
    or the day is before that of the expense or in the future.
    """
    approved = state.expense
    if approved is None or state.status != "approved":
        sentence = f"expense {state.subject} is not approved, or was reversed"
        raise Refused("expense-not-approved", sentence)
    require_not_author(context, approved.person, (), "expense")
    day = correction_day("reversed_on", command, approved.spent_on, context)
    number = state.asked + 1
    yield ExpenseReversalBegun(number=number, why=command.why)
    back = TakeBackExpense(approved=approved, why=command.why, reversed_on=day)
    yield taking_back(state.engagement, back, id=f"take-back-{number}", item=approved.expense)


@taking_back.outcome
def taken_back(
    state: DecidedExpense, outcome: Outcome[TakeBackExpense], context: Context
) -> Iterable[Event]:
    """Record that the engagement reversed the expense, or why it did not."""
    yield ExpenseReversalEnded(refusal=outcome.refusal)


class DecidedExpenseView(ViewModel):
    """An expense that was approved or rejected.

    `why` is the reason of the rejection or reversal, `why_not_billed` that of an approval as cost.
    `refusal` says why the engagement refused the last attempt to reverse it.
    """

    engagement: EngagementId
    expense: Expense | None
    status: Status
    why: ShortText | None
    why_not_billed: ShortText | None
    refusal: Refusal | None


@capability.view
def expense_view(state: DecidedExpense) -> DecidedExpenseView:
    """Return the view of a decided expense."""
    return DecidedExpenseView(
        engagement=state.engagement,
        expense=state.expense,
        status=state.status,
        why=state.why,
        why_not_billed=state.why_not_billed,
        refusal=state.refusal,
    )


class DecidedExpenseRow(ViewModel):
    """Columns of a decided expense in the list of expenses; the day is written YYYY-MM-DD."""

    engagement: str
    person: str | None
    category: str | None
    spent_on: str | None
    status: str


@capability.row
def expense_row(state: DecidedExpense) -> DecidedExpenseRow:
    """Return the columns of a decided expense."""
    expense = state.expense
    return DecidedExpenseRow(
        engagement=state.engagement,
        person=expense.person if expense else None,
        category=str(expense.category) if expense else None,
        spent_on=str(expense.spent_on) if expense else None,
        status=state.status,
    )


# ---- readers -----------------------------------------------------------------------------------


def listed_for(context: Context) -> Limits:
    """Return whose expenses a person's list has: those of `delivery.policies.reads_expense`.

    Directors and accountants see all. Others see their own, those of their team and of the people
    whose stand-in they are. Managers see also those of the engagements that they, or people whose
    stand-in for approvals they are, manage now.
    """
    if reads_every_expense(context):
        return {}
    people = [*every_person(context)]
    limits: dict[str, Collection[str] | Subjects] = {
        "person": [each for each in people if reads_records_of(each, context)]
    }
    if not context.roles.isdisjoint(MANAGERS):
        managers = [each for each in people if approves_for(each, context)]
        limits["engagement"] = Subjects("engagement", {"manager": managers})
    return limits
