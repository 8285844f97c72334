"""Review each version of the proposal against the minimum margin (floor).

The cost is that of the planned hours and purchases, at the cost rates in force on the day of the
draft; optional lines count where choosing them lowers the margin. The floor and the cost are
confidential, the result of the comparison is not. Many comparisons would disclose the cost rates,
so a seller alone gets few: of the hours and purchases that Delivery estimated, and of two different
offers on an estimate. A sales manager may allow more.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.event import Event
from contracts.finance import Floor, ProposalReviewed
from contracts.lines import hours_by_role, offer_of, purchases_of
from contracts.money import Money
from contracts.purchases import PurchaseKind, purchases_by_kind
from finance.costing.rates import cost_of_line, cost_rates_on, floor_of
from finance.engagement import Engagement
from finance.proposals.state import Proposal

capability = Capability[Engagement](__name__)


@capability.react
def reviews(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the reviews of new versions, and of those whose floor was unknown and now is not."""
    for proposal in state.proposals.by_version.values():
        if proposal.floor in {"above", "below"} or state.currency != proposal.price.currency:
            continue
        if not (proposal.excepted or _is_usual(state, proposal)):
            continue
        floor = _floor(proposal, context.reference_data)
        if floor != proposal.floor:
            yield ProposalReviewed(version=proposal.version, price=proposal.price, floor=floor)


def _is_usual(state: Engagement, proposal: Proposal) -> bool:
    """Return whether a version plans what its estimate does, and is one of the first two offers.

    Otherwise Sales requires an exception for it.
    """
    estimate = state.estimates.by_version.get(proposal.estimate_version)
    if estimate is None:
        return False
    estimated: dict[str, Decimal] = {}
    for line in estimate.with_contingency:
        estimated[line.role] = estimated.get(line.role, Decimal(0)) + line.hours
    if _planned(hours_by_role(proposal.lines)) != _planned(estimated):
        return False
    offered, bought = purchases_of(proposal.lines), purchases_by_kind(estimate.purchases)
    if _amounts(offered) != _amounts(bought):
        return False
    return offer_of(proposal.lines) in state.proposals.first_offers[estimate.version]


def _planned(hours: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {role: number for role, number in hours.items() if number}


def _amounts(purchases: Mapping[PurchaseKind, Money]) -> dict[PurchaseKind, Money]:
    return {kind: each for kind, each in purchases.items() if each.amount}


def _floor(proposal: Proposal, records: ReferenceData) -> Floor:
    """Return whether the price leaves the minimum margin by every choice of the options.

    The margin is lowest with all options that are below the minimum by themselves. Unknown where a
    cost is, or where nothing is planned for the required lines.
    """
    rates = cost_rates_on(records, proposal.price.currency, proposal.drafted_on)
    if not any(line.hours or line.planned_purchases for line in proposal.required):
        return "unknown"
    price, cost = proposal.price, Decimal(0)
    for line in proposal.lines:
        own = cost_of_line(line, rates)
        if own is None:
            return "unknown"
        if line.optional:
            if floor_of(line.price, own, rates) != "below":
                continue
            price = price + line.price
        cost += own
    return floor_of(price, cost, rates)


class ProposalView(ViewModel):
    """Version of the proposal, and whether its price leaves the minimum margin."""

    version: int
    price: Money
    floor: Floor | None


class ProposalFields(ViewModel):
    """The proposals in the view of an engagement."""

    proposals: list[ProposalView]


@capability.view
def proposals_view(state: Engagement) -> ProposalFields:
    """Return the proposals for the view of an engagement."""
    return ProposalFields(
        proposals=[
            ProposalView(version=each.version, price=each.price, floor=each.floor)
            for each in state.proposals.by_version.values()
        ]
    )
