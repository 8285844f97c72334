"""Describe revenue of obligations, and compute what is recognised to date."""

from contracts import finance
from contracts.money import Money
from contracts.values import Month
from gateway.formatting import money, words
from gateway.view.sections.steps import Kept, PartSteps


def cumulative_revenue(event: finance.RevenueOfMonth) -> Money:
    """Return the revenue of an obligation to date."""
    return event.cumulative


def recognised_month(event: finance.RevenueOfMonth) -> Month:
    """Return the month that the revenue of an obligation is recognised for."""
    return event.month


def total_revenue(revenue: dict[str, Kept[Money]]) -> Money | None:
    """Return the revenue to date of all obligations, or None where there is none."""
    amounts = [each.event for each in revenue.values()]
    return Money.total(amounts, amounts[0].currency) if amounts else None


steps = PartSteps[object](ignored=[finance.RevenueMethodChosen])

steps.describe(
    finance.RevenueMethodChosen,
    lambda event, _: (
        f"Revenue of {event.obligation} will be recognised {words(event.method)}: “{event.why}”"
    ),
)
steps.describe(
    finance.RevenueRecognised,
    lambda event, _: (
        f"{money(event.amount)} of revenue of {event.obligation} recognised for {event.month}, "
        f"{money(event.cumulative)} to date."
    ),
)
