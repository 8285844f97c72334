"""State of the file, and the opportunity of Sales that it is opened for."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.legal import FileOpened
from contracts.sales import (
    OpportunityDetails,
    OpportunityImported,
    OpportunityImportUpdated,
    OpportunityOpened,
    OpportunityUpdated,
)
from contracts.values import AccountId


class File(Part):
    """The file of the engagement; account and title of an opportunity are those of Sales."""

    opportunity: OpportunityDetails | OpportunityImported | None = None
    opened: Kept[FileOpened] = None

    @property
    def account(self) -> AccountId | None:
        """Return the account of the file, else of the opportunity; None where it is not known."""
        known = self.opened or self.opportunity
        return known.account if known else None

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(opportunity=event.details)

    @on_event
    def _imported(self, event: OpportunityImported) -> Self:
        return self.updated(opportunity=event)

    @on_event
    def _import_updated(self, event: OpportunityImportUpdated) -> Self:
        return self.updated(opportunity=event.record) if event.applied else self
