"""Price estimates and changes for the customer.

An estimate is priced by the rate card (``standard-EUR`` for an engagement in euro) in force on its
day. A change is priced at the contracted rate of each role, and by the rate card where the contract
has none. Contingency increases the hours of every line in proportion. Lines of one role and kind
become one line of the price.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

from chassis.domain.context import Context, ReferenceData
from contracts.decimals import round_decimal
from contracts.event import Event, Recorded
from contracts.finance import ChangePriced, EstimatePriced
from contracts.money import BEYOND_ITEMS, Money, Rate
from contracts.reference import RateCardPublished
from contracts.values import LineKind, PricedLine
from finance.costing import cost_of_hours, cost_rates_on
from finance.state import Assessment, Engagement, Estimate, rates_of

PROJECT_MANAGER = "project-manager"


def rate_card_id(currency: str) -> str:
    """Return the id of the rate card for engagements in a currency."""
    return f"standard-{currency}"


def priced_lines(
    hours: Iterable[tuple[str, LineKind, Decimal]], rates: Mapping[str, Rate]
) -> tuple[PricedLine, ...] | None:
    """Return hours x rate, one line per role and kind, rounded to the minor unit.

    None where a role has no rate, or where a line's amount exceeds the maximum of an item.
    """
    totals: dict[tuple[str, LineKind], Decimal] = {}
    for role, kind, amount in hours:
        totals[role, kind] = totals.get((role, kind), Decimal(0)) + amount
    if any(
        role not in rates or (rates[role] * total).amount >= BEYOND_ITEMS
        for (role, _), total in totals.items()
    ):
        return None
    return tuple(
        PricedLine(
            role=role,
            kind=kind,
            hours=total,
            rate=rates[role],
            amount=rates[role] * total,
        )
        for (role, kind), total in totals.items()
    )


def share(part: Money, whole: Money) -> Decimal:
    """Return a part of a whole in percent, to four decimals.

    The whole must be more than zero.
    """
    return round_decimal(part.amount * 100 / whole.amount, 4)


def price_of_estimate(
    estimate: Estimate, currency: str, records: ReferenceData
) -> EstimatePriced | None:
    """Return the price of an estimate at the rate card's rates.

    None where no rate card has every role, or where the price is zero.
    """
    card = _card(currency, estimate, records)
    lines = estimate.with_contingency
    priced = card and priced_lines(
        ((line.role, line.kind, line.hours) for line in lines), rates_of(card.event.rates)
    )
    if not card or not priced:
        return None
    price = Money.total((line.amount for line in priced), currency)
    if price.amount <= 0:
        return None
    management = (line.amount for line in priced if line.kind == "project-management")
    return EstimatePriced(
        estimate_version=estimate.version,
        rate_card=card.event.rate_card,
        rate_card_version=card.sequence,
        lines=priced,
        price=price,
        project_management_share=share(Money.total(management, currency), price),
        floor=_floor(estimate, price, records),
    )


def price_of_change(
    state: Engagement, assessment: Assessment, currency: str, records: ReferenceData
) -> ChangePriced | None:
    """Return the price of a change at contracted rates, else at the rate card's.

    Only hours have a price: a removed deliverable does not lower it. None where there is no budget
    or a role has no rate, or where the price exceeds the maximum of a contract item.
    """
    budget = state.budget
    if budget is None:
        return None
    card = _card(currency, assessment, records)
    listed = rates_of(card.event.rates) if card else {}
    hours: list[tuple[str, LineKind, Decimal]] = [
        (
            line.role,
            "project-management" if line.role == PROJECT_MANAGER else "delivery",
            line.hours,
        )
        for line in assessment.lines
    ]
    lines = priced_lines(hours, {**listed, **rates_of(budget.rates)})
    if lines is None:
        return None
    price = Money.total((line.amount for line in lines), currency)
    if price.amount >= BEYOND_ITEMS:
        return None
    return ChangePriced(change=assessment.change, lines=lines, price=price)


def prices(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield prices of unpriced estimates and, once there is a budget, of unpriced changes."""
    currency = state.currency
    if currency is None:
        return
    for estimate in state.estimates.values():
        if estimate.price is None:
            priced = price_of_estimate(estimate, currency, context.reference_data)
            if priced:
                yield priced
    for assessment in state.assessments:
        if assessment.price is None:
            change = price_of_change(state, assessment, currency, context.reference_data)
            if change:
                yield change


def _card(
    currency: str, priced: Estimate | Assessment, records: ReferenceData
) -> Recorded[RateCardPublished] | None:
    day = priced.submitted_on if isinstance(priced, Estimate) else priced.assessed_on
    card = records.on(RateCardPublished, rate_card_id(currency), day)
    return card if card and card.event.currency == currency else None


def _floor(
    estimate: Estimate, price: Money, records: ReferenceData
) -> Literal["above", "below", "unknown"]:
    rates = cost_rates_on(records, price.currency, estimate.submitted_on)
    hours = ((line.role, line.hours) for line in estimate.with_contingency)
    cost = cost_of_hours(hours, rates)
    if not rates or cost is None:
        return "unknown"
    least = price * (rates.floor / 100)
    return "below" if price - cost < least else "above"
