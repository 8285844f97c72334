"""The view of the disconnects; departments decide nothing about them."""

from typing import TypeVar

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from common.engagement import CommonParts
from contracts.gateway import Disconnect

E = TypeVar("E", bound=CommonParts)


class DisconnectFields(ViewModel):
    """The open disconnects in the view of an engagement."""

    disconnects: tuple[Disconnect, ...]


def capability_of(state: type[E]) -> Capability[E]:
    """Return the capability for the engagements of a department, whose state is given."""
    del state  # it only binds the type
    capability = Capability[E](__name__)

    @capability.view
    def disconnects_view(state: E) -> DisconnectFields:
        """Return the open disconnects for the view of an engagement."""
        return DisconnectFields(disconnects=tuple(state.disconnects.open.values()))

    return capability
