"""Compute costs by the cost rates, and margins. Confidential.

Cost rates are those of the record ``standard-EUR`` for an engagement in euro. Where a role has no
cost rate, the cost is unknown and computed later.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.domain.context import ReferenceData
from contracts.decimals import ROUNDING, Rounding, round_decimal
from contracts.money import Money
from contracts.reference import CostRatesPublished, PersonPublished
from contracts.values import EstimateLine, Margin, RoleHours


def cost_rates_id(currency: str) -> str:
    """Return the id of the cost rates for engagements in a currency."""
    return f"standard-{currency}"


def cost_rates_on(records: ReferenceData, currency: str, day: date) -> CostRatesPublished | None:
    """Return the cost rates in force on a day, or None."""
    rates = records.on(CostRatesPublished, cost_rates_id(currency), day)
    return rates.event if rates and rates.event.currency == currency else None


def cost_of_hours(
    lines: Iterable[RoleHours | EstimateLine],
    rates: CostRatesPublished | None,
    rounding: Rounding = ROUNDING,
) -> Money | None:
    """Return the sum of hours x cost rate of the role, rounded once to the minor unit.

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
    return Money.nearest(total, rates.currency, rounding)


def cost_of_person(
    hours: Decimal,
    role: str,
    person: str,
    day: date,
    rates: CostRatesPublished | None,
    records: ReferenceData,
    rounding: Rounding = ROUNDING,
) -> Money | None:
    """Return hours x cost rate of a person, else of their grade on a day, else of the role.

    None where there is no such rate, or where a grade may have one and the person has no record.
    """
    if rates is None:
        return None
    own = next((each.rate for each in rates.people if each.person == person), None)
    if own is None and rates.grades:
        record = records.on(PersonPublished, person, day)
        if record is None:
            return None
        grade = record.event.grade
        own = next((each.rate for each in rates.grades if each.grade == grade), None)
    rate = own or rates.by_role.get(role)
    return None if rate is None else rate.for_hours(hours, rounding)


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return the quotient to six decimals; None where the whole is zero."""
    return round_decimal(part / whole, 6) if whole else None


def margin_ratio(revenue: Money, cost: Money) -> Decimal | None:
    """Return (revenue - cost) / revenue; None where there is no revenue."""
    return ratio((revenue - cost).amount, revenue.amount)


def margin(revenue: Money, cost: Money) -> Margin:
    """Return revenue, cost and the ratio (revenue - cost) / revenue."""
    return Margin(revenue=revenue, cost=cost, margin=margin_ratio(revenue, cost))
