"""Compute costs by the cost rates, and margins. Confidential.

Cost rates are those of the record ``standard-EUR`` for an engagement in euro. Where a role has no
cost rate, the cost is unknown and computed later.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.domain.context import ReferenceData
from contracts.decimals import round_decimal
from contracts.money import Money
from contracts.reference import CostRatesPublished
from contracts.values import EstimateLine, Margin, RoleHours


def cost_rates_id(currency: str) -> str:
    """Return the id of the cost rates for engagements in a currency."""
    return f"standard-{currency}"


def cost_rates_on(records: ReferenceData, currency: str, day: date) -> CostRatesPublished | None:
    """Return the cost rates in force on a day, or None."""
    rates = records.on(CostRatesPublished, cost_rates_id(currency), day)
    return rates.event if rates and rates.event.currency == currency else None


def cost_of_hours(
    lines: Iterable[RoleHours | EstimateLine], rates: CostRatesPublished | None
) -> Money | None:
    """Return the sum of hours x cost rate, rounded once to the minor unit.

    None where there are no cost rates, or a role has none.
    """
    if rates is None:
        return None
    known = rates.by_role
    total = Decimal(0)
    for line in lines:
        if line.role not in known:
            return None
        total += known[line.role].amount * line.hours
    return Money.nearest(total, rates.currency)


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return the quotient to six decimals; None where the whole is zero."""
    return round_decimal(part / whole, 6) if whole else None


def margin_ratio(revenue: Money, cost: Money) -> Decimal | None:
    """Return (revenue - cost) / revenue; None where there is no revenue."""
    return ratio((revenue - cost).amount, revenue.amount)


def margin(revenue: Money, cost: Money) -> Margin:
    """Return revenue, cost and the ratio (revenue - cost) / revenue."""
    return Margin(revenue=revenue, cost=cost, margin=margin_ratio(revenue, cost))
