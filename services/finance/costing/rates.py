"""Compute costs by the cost rates, and margins. Confidential.

Cost rates are those of the record ``standard-EUR`` for an engagement in euro. Where a role has no
cost rate, the cost is unknown and computed later. Purchases are planned at what the customer is
charged, and cost a percentage of it.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding, round_decimal
from contracts.finance import Floor
from contracts.lines import LineTerms, RoleHoursDelta
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, PlannedPurchase
from contracts.reference import CostRatesPublished, PersonPublished
from contracts.values import EstimateLine, Margin, RoleHours
from contracts.vocabularies import Unlisted

SomeHours: TypeAlias = RoleHours | EstimateLine | RoleHoursDelta
"""Hours of a role; negative where a change takes them away."""


def cost_rates_id(currency: str) -> str:
    """Return the id of the cost rates for engagements in a currency."""
    return f"standard-{currency}"


def cost_rates_on(records: ReferenceData, currency: str, day: date) -> CostRatesPublished | None:
    """Return the cost rates in force on a day, or None."""
    rates = records.on(CostRatesPublished, cost_rates_id(currency), day)
    return rates.event if rates and rates.event.currency == currency else None


def exact_cost(
    hours: Iterable[SomeHours],
    rates: CostRatesPublished | None,
    purchases: Iterable[PlannedPurchase | EstimatedPurchase] = (),
) -> Decimal | None:
    """Return the sum of hours x cost rate, and of what purchases cost, not rounded.

    None where there are no cost rates, a role has none, a purchase is in another currency than the
    rates, or this release does not know its kind.
    """
    if rates is None:
        return None
    known = rates.by_role
    total = Decimal(0)
    for each in hours:
        if each.role not in known:
            return None
        total += known[each.role].amount * each.hours
    for bought in purchases:
        if isinstance(bought.kind, Unlisted) or bought.amount.currency != rates.currency:
            return None
        total += bought.amount.amount * rates.percent_of(bought.kind) / 100
    return total


def cost_of_hours(
    hours: Iterable[SomeHours], rates: CostRatesPublished | None, rounding: Rounding
) -> Money | None:
    """Return the sum of hours x cost rate of the role, rounded once to the minor unit.

    None where there are no cost rates, or a role has none.
    """
    exact = exact_cost(hours, rates)
    if exact is None or rates is None:
        return None
    return Money.nearest(exact, rates.currency, rounding)


def cost_of_person(
    hours: Decimal,
    role: str,
    person: str,
    day: date,
    rates: CostRatesPublished | None,
    records: ReferenceData,
    rounding: Rounding,
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


def cost_of_line(line: LineTerms, rates: CostRatesPublished | None) -> Decimal | None:
    """Return what hours and purchases of a contract line cost, not rounded; None if unknown.

    A line at cost leaves no margin: its purchases cost what the customer is charged.
    """
    bought = cost_of_purchases(line, rates)
    if line.pricing == "at-cost" and not line.hours:
        return bought
    cost = exact_cost(line.hours, rates)
    return None if cost is None or bought is None else cost + bought


def cost_of_purchases(line: LineTerms, rates: CostRatesPublished | None) -> Decimal | None:
    """Return what the planned purchases of a contract line cost, not rounded; None if unknown."""
    if line.pricing == "at-cost" or not line.planned_purchases:
        bought = (each.amount for each in line.planned_purchases)
        return Money.total(bought, line.price.currency).amount
    return exact_cost((), rates, line.planned_purchases)


def floor_of(price: Money, cost: Decimal | None, rates: CostRatesPublished | None) -> Floor:
    """Return whether a price leaves the minimum margin over a cost, compared without rounding."""
    if rates is None or cost is None:
        return "unknown"
    return "below" if (price.amount - cost) * 100 < price.amount * rates.floor else "above"


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return the quotient to six decimals; None where the whole is zero."""
    return round_decimal(part / whole, 6) if whole else None


def margin_ratio(revenue: Money, cost: Money) -> Decimal | None:
    """Return (revenue - cost) / revenue; None where there is no revenue, or it is negative.

    Over negative revenue the ratio says nothing: the more is lost, the higher it is.
    """
    return ratio((revenue - cost).amount, revenue.amount) if revenue.amount > 0 else None


def margin(revenue: Money, cost: Money) -> Margin:
    """Return revenue, cost and the ratio (revenue - cost) / revenue."""
    return Margin(revenue=revenue, cost=cost, margin=margin_ratio(revenue, cost))
