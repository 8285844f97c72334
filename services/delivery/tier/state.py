"""State of the method tier."""

from chassis.domain.state import Kept, Part
from contracts.delivery import TierChosen


class MethodTier(Part):
    """The last choice of the method tier."""

    chosen: Kept[TierChosen] = None

    @property
    def is_light(self) -> bool:
        """Return whether tier light was chosen."""
        return self.chosen is not None and self.chosen.tier == "light"
