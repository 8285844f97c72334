"""State of the opportunity in Finance, from the events of Sales."""

from chassis.domain.state import Kept, Part
from contracts.sales import DealLost, DealWon, OpportunityOpened, OpportunityUpdated


class Opportunity(Part):
    """The opportunity, won or lost; its expected value fixes the currency of the engagement."""

    opened: Kept[OpportunityOpened | OpportunityUpdated] = None
    won: Kept[DealWon] = None
    lost: Kept[DealLost] = None

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of the engagement, or None while it is unknown."""
        return self.opened.expected_value.currency if self.opened else None
