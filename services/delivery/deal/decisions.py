"""The view and the list columns of the sale; Delivery decides nothing about it."""

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.values import AccountId, ShortText
from delivery.engagement import Engagement, Stage

capability = Capability[Engagement](__name__)


class DealFields(ViewModel):
    """The engagement and its customer in the view of an engagement."""

    engagement: str
    account: AccountId | None
    title: ShortText | None
    stage: Stage


@capability.view
def deal_view(state: Engagement) -> DealFields:
    """Return the engagement and its customer for the view of an engagement."""
    return DealFields(
        engagement=state.engagement,
        account=state.deal.account,
        title=state.deal.title,
        stage=state.stage,
    )


class DealRow(ViewModel):
    """The columns of the engagement and its customer in the list of engagements."""

    account: str | None
    title: str | None
    stage: str


@capability.row
def deal_row(state: Engagement) -> DealRow:
    """Return the columns of the engagement and its customer."""
    return DealRow(account=state.deal.account, title=state.deal.title, stage=state.stage)
