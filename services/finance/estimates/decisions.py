"""Price estimates for the customer.

An estimate is priced by the rate card in force on its day. Contingency increases the hours of every
line in proportion. Lines of one role and kind become one line of the price. Purchases are charged
at their estimated amounts.
"""

from collections.abc import Iterable
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.decimals import round_decimal
from contracts.event import Event
from contracts.finance import EstimatePriced
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, purchases_by_kind
from contracts.values import TotalHours
from finance.costing.rates import cost_rates_on, exact_cost, floor_of
from finance.engagement import Engagement
from finance.estimates.state import Estimate
from finance.policies import rounding_of
from finance.rate_cards.pricing import priced_lines, rate_card_on

capability = Capability[Engagement](__name__)

_MOST_COMPARED = 2
"""Different estimates of an engagement that are compared with the minimum margin."""


@capability.react
def prices(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the prices of unpriced estimates."""
    for estimate in state.estimates.by_version.values():
        if estimate.price is None and state.currency is not None:
            priced = _price(state, estimate, state.currency, context.reference_data)
            if priced:
                yield priced


def _price(
    state: Engagement, estimate: Estimate, currency: str, records: ReferenceData
) -> EstimatePriced | None:
    """Return the price of an estimate at the rate card's rates.

    None where no rate card has every role, a purchase is in another currency, or the price is zero.
    """
    card = rate_card_on(records, currency, state.account, estimate.submitted_on)
    lines, bought = estimate.with_contingency, estimate.purchases
    rounding = rounding_of(state, records, estimate.submitted_on)
    priced = card and priced_lines(
        ((line.role, line.kind, line.hours) for line in lines), card.event.by_role, rounding
    )
    if not card or not priced or any(each.amount.currency != currency for each in bought):
        return None
    amounts = (*(line.amount for line in priced), *(each.amount for each in bought))
    price = Money.total(amounts, currency)
    if price.amount <= 0:
        return None
    rates = cost_rates_on(records, currency, estimate.submitted_on)
    cost = exact_cost(lines, rates, bought) if _is_compared(state, estimate) else None
    managing = (line.amount for line in priced if line.kind == "project-management")
    management = Money.total(managing, currency).amount
    return EstimatePriced(
        estimate_version=estimate.version,
        rate_card=card.event.rate_card,
        rate_card_version=card.sequence,
        lines=priced,
        purchases=bought,
        price=price,
        project_management_share=round_decimal(management * 100 / price.amount, 4),
        floor=floor_of(price, cost, rates),
    )


def _is_compared(state: Engagement, estimate: Estimate) -> bool:
    """Return whether an estimate is one of the first two different ones of the engagement.

    Only these are compared with the minimum margin: of estimates with one role each and ever other
    purchases, the comparisons would tell the cost rates.
    """
    different = dict.fromkeys(_planned(each) for each in state.estimates.by_version.values())
    return _planned(estimate) in [*different][:_MOST_COMPARED]


def _planned(estimate: Estimate) -> frozenset[tuple[str, Decimal | Money]]:
    """Return the hours by role and the purchases by kind, however they are divided."""
    hours: dict[str, Decimal] = {}
    for line in estimate.with_contingency:
        hours[line.role] = hours.get(line.role, Decimal(0)) + line.hours
    bought = purchases_by_kind(estimate.purchases)
    return frozenset((*hours.items(), *((f"purchases/{kind}", bought[kind]) for kind in bought)))


class EstimateView(ViewModel):
    """Version of the estimate and its price; hours include contingency."""

    version: int
    hours: TotalHours
    purchases: tuple[EstimatedPurchase, ...]
    price: Money | None
    endorsed: bool


class EstimateFields(ViewModel):
    """The estimates in the view of an engagement."""

    estimates: list[EstimateView]


@capability.view
def estimates_view(state: Engagement) -> EstimateFields:
    """Return the estimates for the view of an engagement."""
    return EstimateFields(
        estimates=[
            EstimateView(
                version=estimate.version,
                hours=sum((line.hours for line in estimate.with_contingency), Decimal(0)),
                purchases=estimate.purchases,
                price=estimate.price,
                endorsed=estimate.endorsed,
            )
            for estimate in state.estimates.by_version.values()
        ]
    )
