"""Prices: what an estimate or a change would cost the customer.

An hour's price is the rate card's (``standard-EUR`` for an engagement in euro) on the day of the
estimate; a change is priced at the contracted rate of the role, and by the card only where the
contract has none. Contingency is spread on the hours of every line in proportion. Lines of one
role and kind are one line of the price.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from chassis.domain.decider import Context, ReferenceData
from contracts.event import Event, Recorded
from contracts.finance import ChangePriced, EstimatePriced
from contracts.money import BEYOND_ITEMS, Money
from contracts.reference import RateCardPublished
from contracts.values import LineKind, PricedLine
from finance.costing import cost_of_hours, cost_rates_on
from finance.state import Assessment, Engagement, Estimate, rates_of

PROJECT_MANAGER = "project-manager"


def rate_card_id(currency: str) -> str:
    """Id of the rate card that prices engagements in a currency."""
    return f"standard-{currency}"


def priced_lines(
    hours: Iterable[tuple[str, LineKind, Decimal]], rates: Mapping[str, Money]
) -> tuple[PricedLine, ...] | None:
    """Hours x rate, one line per role and kind; None where a role has no rate.

    None, too, where the amount of a line is more than an item's can be.
    """
    totals: dict[tuple[str, LineKind], Decimal] = {}
    for role, kind, amount in hours:
        totals[role, kind] = totals.get((role, kind), Decimal(0)) + amount
    if any(
        role not in rates or (rates[role] * total).rounded().amount >= BEYOND_ITEMS
        for (role, _), total in totals.items()
    ):
        return None
    return tuple(
        PricedLine(
            role=role,
            kind=kind,
            hours=total,
            rate=rates[role],
            amount=(rates[role] * total).rounded(),
        )
        for (role, kind), total in totals.items()
    )


def share(part: Money, whole: Money) -> Decimal:
    """Part of a whole in percent, to four digits; the whole is more than zero."""
    return (part.amount * 100 / whole.amount).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


def price_of_estimate(
    estimate: Estimate, currency: str, records: ReferenceData
) -> EstimatePriced | None:
    """The estimate at the card's rates; None while there is no card with every role."""
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
    """The change at contracted, else list rates; None while a role has neither.

    Only its hours have a price: a deliverable that falls away changes none by itself. The price is
    an item of the contract: one that is more than an item's amount can be is not said either.
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
    """Every estimate is priced; every assessed change, too, once the contract is known."""
    currency = state.currency
    if currency is None:
        return
    for estimate in state.estimates.values():
        if estimate.price is None:
            priced = price_of_estimate(estimate, currency, context.records)
            if priced:
                yield priced
    for assessment in state.assessments:
        if assessment.price is None:
            change = price_of_change(state, assessment, currency, context.records)
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
