"""The view of the opportunity; Finance decides nothing about it."""

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from finance.engagement import Engagement

capability = Capability[Engagement](__name__)


class OpportunityFields(ViewModel):
    """The opportunity in the view of an engagement."""

    title: str | None
    currency: str | None


@capability.view
def opportunity_view(state: Engagement) -> OpportunityFields:
    """Return the opportunity for the view of an engagement."""
    opened = state.opportunity.opened
    return OpportunityFields(title=opened.title if opened else None, currency=state.currency)
