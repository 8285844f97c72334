"""State of the management."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import EngagementPutOnHold, EngagementResumed, ManagerAssigned, TierChosen
from contracts.holds import after_hold
from contracts.values import Tier


class Management(Part):
    """The current engagement manager, the chosen method tier, and the holds.

    `on_hold` is the hold that has not ended, and `resumed` the last end of one.
    `past_holds` are the days of the others, by the first.
    """

    manager: Kept[ManagerAssigned] = None
    resumed: Kept[EngagementResumed] = None
    tier: Kept[TierChosen] = None
    on_hold: EngagementPutOnHold | None = None
    past_holds: dict[date, date] = {}

    @on_event
    def _held(self, event: EngagementPutOnHold) -> Self:
        return self.updated(on_hold=event)

    @on_event
    def _resumed(self, event: EngagementResumed) -> Self:
        if self.on_hold is None:
            return self
        past = after_hold(self.past_holds, self.on_hold.held_on, event.resumed_on)
        return self.updated(on_hold=None, past_holds=past)

    @property
    def method(self) -> Tier:
        """Return the chosen tier, `standard` before one is chosen."""
        return self.tier.tier if self.tier else "standard"

    @property
    def is_light(self) -> bool:
        """Return whether tier light was chosen."""
        return self.tier is not None and self.tier.tier == "light"
