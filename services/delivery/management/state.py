"""State of the management."""

from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.delivery import EngagementPutOnHold, EngagementResumed, ManagerAssigned, TierChosen
from contracts.values import Tier


class Management(Part):
    """The current engagement manager, the chosen method tier, and the hold that has not ended."""

    manager: Kept[ManagerAssigned] = None
    tier: Kept[TierChosen] = None
    on_hold: Annotated[EngagementPutOnHold | None, Keep(until=(EngagementResumed,))] = None

    @property
    def method(self) -> Tier:
        """Return the chosen tier, `standard` before one is chosen."""
        return self.tier.tier if self.tier else "standard"

    @property
    def is_light(self) -> bool:
        """Return whether tier light was chosen."""
        return self.tier is not None and self.tier.tier == "light"
