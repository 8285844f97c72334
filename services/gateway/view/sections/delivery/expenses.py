"""Keep the expenses that wait for approval, and the approved billable ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts import delivery
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import day, money
from gateway.view.sections.sentences import Names
from gateway.view.sections.steps import FieldPaths, PartSteps, Ref, ref


@dataclass(frozen=True, slots=True)
class WaitingExpense:
    """An expense that is submitted and not decided."""

    person: str
    spent_on: date
    amount: Money
    billable: bool
    line: str | None
    said: Ref


class Fields(Protocol):
    """Fields of the section that these steps change."""

    approved_works: int
    waiting_expenses: dict[str, WaitingExpense]
    billable_expenses: dict[str, Money]
    billable_expense: dict[str, Ref]


steps = PartSteps[Fields]()


_EXPENSE: FieldPaths = {"billable": True, "line": True, "reversed_on": True}
"""Fields that every reader sees: not person, purpose, amount and receipt."""


def _anonymous(outcome: str) -> Callable[[delivery.Expense, Names], str]:
    return lambda event, _: f"{'Billable expense' if event.billable else 'Expense'} {outcome}."


steps.of_person(delivery.ExpenseSubmitted, _EXPENSE, _anonymous("submitted"))
steps.of_person(delivery.ExpenseWithdrawn, _EXPENSE, _anonymous("withdrawn"))
steps.of_person(delivery.ExpenseRejected, _EXPENSE, _anonymous("not approved"))
steps.of_person(delivery.ExpenseApproved, _EXPENSE, _anonymous("approved"))
steps.of_person(delivery.ExpenseReversed, _EXPENSE, _anonymous("reversed"))


def _of_expense(event: delivery.Expense, names: Names) -> str:
    person, spent_on = names.person(event.person), day(event.spent_on)
    return f"Expense of {money(event.amount)} by {person} on {spent_on}"


steps.describe(
    delivery.ExpenseSubmitted,
    lambda event, names: f"{_of_expense(event, names)} submitted: {event.description}.",
)


@steps.on(delivery.ExpenseSubmitted)
def _expense_submitted(section: Fields, recorded: Recorded[delivery.ExpenseSubmitted]) -> None:
    event = recorded.event
    section.waiting_expenses[event.expense] = WaitingExpense(
        event.person, event.spent_on, event.amount, event.billable, event.line, ref(recorded)
    )


steps.describe(
    delivery.ExpenseWithdrawn,
    lambda event, names: f"{_of_expense(event, names)} withdrawn: {event.description}.",
)
steps.describe(
    delivery.ExpenseRejected,
    lambda event, names: f"{_of_expense(event, names)} not approved: “{event.why}”",
)


@steps.on(delivery.ExpenseWithdrawn, delivery.ExpenseRejected)
def _expense_gone(
    section: Fields,
    recorded: Recorded[delivery.ExpenseWithdrawn | delivery.ExpenseRejected],
) -> None:
    section.waiting_expenses.pop(recorded.event.expense, None)


steps.describe(
    delivery.ExpenseApproved,
    lambda event, names: f"{_of_expense(event, names)} approved: {event.description}.",
)


@steps.on(delivery.ExpenseApproved)
def _expense(section: Fields, recorded: Recorded[delivery.ExpenseApproved]) -> None:
    event = recorded.event
    section.waiting_expenses.pop(event.expense, None)
    section.approved_works += 1
    if event.billable:
        _spend(section, event, event.amount)
        section.billable_expense[event.line or ""] = ref(recorded)


steps.describe(
    delivery.ExpenseReversed,
    lambda event, names: (
        f"{_of_expense(event, names)} reversed on {day(event.reversed_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.ExpenseReversed)
def _expense_reversed(section: Fields, recorded: Recorded[delivery.ExpenseReversed]) -> None:
    section.approved_works -= 1
    if recorded.event.billable:
        _spend(section, recorded.event, -recorded.event.amount)


def _spend(section: Fields, expense: delivery.Expense, amount: Money) -> None:
    """Add an amount to the billable expenses of the expense's line, day and currency."""
    key = f"{expense.line or ''}/{expense.spent_on}/{amount.currency}"
    total = section.billable_expenses.get(key, Money.zero(amount.currency)) + amount
    if total.amount:
        section.billable_expenses[key] = total
    else:
        section.billable_expenses.pop(key, None)
