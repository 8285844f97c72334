"""State of the opportunity in Finance, from the events of Sales."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.sales import (
    DealLost,
    DealReopened,
    DealWon,
    OpportunityDetails,
    OpportunityOpened,
    OpportunityUpdated,
)


class Opportunity(Part):
    """The opportunity, won or lost; its expected value fixes the currency of the engagement."""

    opened: OpportunityDetails | None = None
    won: Kept[DealWon] = None
    lost: Kept[DealLost] = None

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(opened=event.details)

    @on_event
    def _reopened(self, _: DealReopened) -> Self:
        return self.updated(lost=None)

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of the engagement, or None while it is unknown."""
        return self.opened.expected_value.currency if self.opened else None
