"""State of the management."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import EngagementPutOnHold, EngagementResumed, ManagerAssigned, TierChosen


class Management(Part):
    """The current engagement manager, the chosen method tier, and the hold that has not ended."""

    manager: Kept[ManagerAssigned] = None
    tier: Kept[TierChosen] = None
    on_hold: Kept[EngagementPutOnHold] = None

    @on_event
    def _resumed(self, event: EngagementResumed) -> Self:
        return self.updated(on_hold=None)

    @property
    def is_light(self) -> bool:
        """Return whether tier light was chosen."""
        return self.tier is not None and self.tier.tier == "light"
