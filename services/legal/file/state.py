"""State of the file, and the opportunity of Sales that it is opened for."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.legal import FileOpened
from contracts.sales import (
    OpportunityDetails,
    OpportunityImported,
    OpportunityOpened,
    OpportunityUpdated,
)


class File(Part):
    """The file of the engagement; account and title of an opportunity are those of Sales."""

    opportunity: OpportunityDetails | OpportunityImported | None = None
    opened: Kept[FileOpened] = None

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(opportunity=event.details)

    @on_event
    def _imported(self, event: OpportunityImported) -> Self:
        return self.updated(opportunity=event)
