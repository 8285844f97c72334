"""Keep billable expenses in other currencies, converted into that of the engagement."""

from typing import Protocol

from contracts import finance
from contracts.event import Recorded
from contracts.money import Money
from contracts.values import Conversion
from gateway.formatting import money
from gateway.view.sections.steps import PartSteps


class Fields(Protocol):
    """Fields of the section that these steps change."""

    converted_expenses: dict[str, Money]


steps = PartSteps[Fields]()


def _with_rate(conversion: Conversion) -> str:
    return (
        f"{money(conversion.amount)} are {money(conversion.converted)} at the rate "
        f"{conversion.exchange_rate}"
    )


def original_amount(conversion: Conversion) -> str:
    """Return the amount before a conversion, with the rate."""
    return f"{money(conversion.amount)} at the rate {conversion.exchange_rate}"


steps.describe(
    finance.ExpenseConverted,
    lambda event, _: f"Expense {event.expense} converted: {_with_rate(event.conversion)}.",
)


@steps.on(finance.ExpenseConverted)
def _converted(section: Fields, recorded: Recorded[finance.ExpenseConverted]) -> None:
    event, amount = recorded.event, recorded.event.conversion.converted
    if event.billable:
        key = f"{event.line or ''}/{event.spent_on}"
        before = section.converted_expenses.get(key, Money.zero(amount.currency))
        section.converted_expenses[key] = before + amount


steps.describe(
    finance.ExpenseConversionReversed,
    lambda event, _: f"Expense {event.expense} counts no more: {_with_rate(event.conversion)}.",
)


@steps.on(finance.ExpenseConversionReversed)
def _conversion_reversed(
    section: Fields, recorded: Recorded[finance.ExpenseConversionReversed]
) -> None:
    event, amount = recorded.event, recorded.event.conversion.converted
    if event.billable:
        key = f"{event.line or ''}/{event.spent_on}"
        left = section.converted_expenses[key] - amount
        section.converted_expenses[key] = left
