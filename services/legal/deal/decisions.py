"""The view of proposal and won deal; Legal decides nothing about them."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.money import Money
from contracts.sales import DealWon
from contracts.values import ShortText, Version
from legal.engagement import Engagement

capability = Capability[Engagement](__name__)


class ProposalView(ViewModel):
    """The newest proposal of Sales, with the terms that the contract documents are based on."""

    version: Version
    price: Money
    promised_start: date
    promised_finish: date
    assumptions: tuple[ShortText, ...]
    exclusions: tuple[ShortText, ...]
    submitted_on: date | None


class DealFields(ViewModel):
    """Proposal and won deal in the view of an engagement."""

    proposal: ProposalView | None
    won: DealWon | None


@capability.view
def deal_view(state: Engagement) -> DealFields:
    """Return proposal and won deal for the view of an engagement."""
    known = state.deal.proposal
    return DealFields(
        proposal=ProposalView(
            version=known.version,
            price=known.price,
            promised_start=known.promised_start,
            promised_finish=known.promised_finish,
            assumptions=known.assumptions,
            exclusions=known.exclusions,
            submitted_on=state.deal.submitted_on,
        )
        if known
        else None,
        won=state.deal.won,
    )
