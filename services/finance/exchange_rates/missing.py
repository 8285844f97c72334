"""Say which exchange rate of an expense is missing."""

from datetime import date

from chassis.domain.commands import Missing
from contracts.money import Money


def missing_rate(expense: str, amount: Money, currency: str, day: date) -> Missing:
    """Return that an expense cannot be converted, since no exchange rate is known."""
    return Missing(
        "exchange-rate-missing",
        f"the exchange rate {amount.currency} to {currency} on {day} is missing:"
        f" the expense {expense} of {amount} is neither costed nor billed",
        "finance",
    )
