"""State of the hold."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import EngagementPutOnHold, EngagementResumed


class Hold(Part):
    """The hold that has not ended, or None."""

    current: Kept[EngagementPutOnHold] = None

    @on_event
    def _resumed(self, event: EngagementResumed) -> Self:
        return self.updated(current=None)
