"""The view of the disconnects; Delivery decides nothing about them."""

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.gateway import Disconnect
from delivery.engagement import Engagement

capability = Capability[Engagement](__name__)


class DisconnectFields(ViewModel):
    """The open disconnects in the view of an engagement."""

    disconnects: tuple[Disconnect, ...]


@capability.view
def disconnects_view(state: Engagement) -> DisconnectFields:
    """Return the open disconnects for the view of an engagement."""
    return DisconnectFields(disconnects=tuple(state.disconnects.open.values()))
