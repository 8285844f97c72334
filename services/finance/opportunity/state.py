"""State of the opportunity in Finance, from the events of Sales."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
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
    lost: Annotated[DealLost | None, Keep(until=(DealReopened,))] = None

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(opened=event.details)

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of the engagement, or None while it is unknown."""
        return self.opened.expected_value.currency if self.opened else None
