"""Price the changes of contract lines that Delivery assessed."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chassis.domain.context import ReferenceData
from contracts.decimals import Rounding
from contracts.finance import ChangePriced
from contracts.lines import (
    HOURLY,
    ContractLine,
    LineChange,
    LineRate,
    LineScopeChange,
    RoleHoursDelta,
)
from contracts.money import BEYOND_ITEMS, Money, Rate
from finance.budgeting.state import Budget
from finance.changes.state import Assessment
from finance.engagement import Engagement
from finance.policies import rounding_of
from finance.rate_cards.pricing import rate_card_on


def price_of(
    state: Engagement, assessment: Assessment, budget: Budget, records: ReferenceData
) -> ChangePriced | None:
    """Return the price of a change; None while that of a line cannot be known."""
    currency, day = state.money, assessment.assessed_on
    card = rate_card_on(records, currency, state.account, day)
    rounding = rounding_of(state, records, day)
    listed = card.event.by_role if card else {}
    changes = [
        priced
        for each in assessment.changes
        if (priced := priced_change(each, budget.line(each.line), listed, currency, day, rounding))
    ]
    price = Money.total((each.price_delta for each in changes), currency)
    if len(changes) < len(assessment.changes) or abs(price.amount) >= BEYOND_ITEMS:
        return None
    return ChangePriced(change=assessment.change, changes=tuple(changes), price=price)


def priced_change(
    change: LineScopeChange,
    line: ContractLine | None,
    listed: Mapping[str, Rate],
    currency: str,
    day: date,
    rounding: Rounding,
) -> LineChange | None:
    """Return the change of a line with its price; None where the price cannot be known.

    Hours are priced at the rate that the change or the line has on the day, or else at the listed
    one, which then becomes a rate of the line if it bills by the hour. Rates alone change no price:
    work is billed at them from their days on. Hours that are taken away from a fixed line
    without a rate for their role are priced in proportion: by the price of the line per planned
    hour. At most the whole price is taken away, and a removed deliverable alone lowers no price.

    Unknown is the price where a role has no rate, of a retainer whose hours change (its price
    follows from the new fee), of a new line without hours, of a discount, and beyond the maximum of
    an amount.
    """
    if (line is None) == (change.new is None):
        return None
    outline = change.new or line
    hours = [each for each in change.hours if each.hours]
    if outline is None or (change.new and not hours):
        return None
    if hours and (outline.pricing == "retainer" or outline.kind == "discount"):
        return None
    if any(each.rate.currency != currency for each in change.rates):
        return None
    exact, added = Fraction(0), list[LineRate]()
    for each in hours:
        contracted = _given(change, each.role, day) or (
            line.rate_on(each.role, day) if line else None
        )
        rate = contracted or listed.get(each.role)
        if not contracted and line and line.pricing == "fixed" and each.hours < 0:
            share = _share(line, each)
            if share is not None:
                exact += share
                continue
        if rate is None:
            return None
        exact += Fraction(rate.amount * each.hours)
        if not contracted and outline.pricing in HOURLY and rate.amount > 0:
            added.append(LineRate(role=each.role, rate=rate))
    delta = Money.nearest(exact, currency, rounding)
    if line and line.price + delta < Money.zero(currency):
        delta = -line.price
    if abs(delta.amount) >= BEYOND_ITEMS:
        return None
    rates = (*change.rates, *added)
    return LineChange(**{**dict(change), "price_delta": delta, "rates": rates})


def _given(change: LineScopeChange, role: str, day: date) -> Rate | None:
    """Return the rate that the change itself gives a role on a day, or None."""
    of_role = [
        each
        for each in change.rates
        if each.role == role and (each.from_day is None or each.from_day <= day)
    ]
    return max(of_role, key=lambda each: each.from_day or date.min).rate if of_role else None


def _share(line: ContractLine, delta: RoleHoursDelta) -> Fraction | None:
    """Return hours x price per planned hour of a line, exactly; None where it has no hours."""
    planned = sum((each.hours for each in line.hours), Decimal(0))
    if not planned:
        return None
    return Fraction(line.price.amount) * Fraction(delta.hours) / Fraction(planned)
