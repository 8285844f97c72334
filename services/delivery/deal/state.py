"""State of the sale in Delivery, from the events of Sales."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, KeepDay, Kept, Part, on_event
from contracts.sales import (
    DealLost,
    DealReopened,
    DealWon,
    OpportunityDetails,
    OpportunityImported,
    OpportunityImportUpdated,
    OpportunityOpened,
    OpportunityUpdated,
    ProposalDrafted,
    ProposalSubmitted,
)
from contracts.values import FIRST_DAY, AccountId, ShortText


class Deal(Part):
    """The opportunity, the versions of the proposal, and the deal if it is won or lost."""

    opened: OpportunityDetails | None = None
    opened_on: Annotated[date | None, KeepDay((OpportunityOpened,))] = None
    imported: Kept[OpportunityImported] = None
    proposals: Annotated[dict[int, ProposalDrafted], Keep("version")] = {}
    submitted: Kept[ProposalSubmitted] = None
    won: Kept[DealWon] = None
    lost: Annotated[DealLost | None, Keep(until=(DealReopened,))] = None
    reopened: Kept[DealReopened] = None

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(opened=event.details)

    @on_event
    def _import_updated(self, event: OpportunityImportUpdated) -> Self:
        if not event.applied:
            return self
        reopened = None if "outcome" in event.changed else self.reopened
        return self.updated(imported=event.record, reopened=reopened)

    @property
    def title(self) -> ShortText | None:
        """Return the opportunity's title; None until Delivery has processed its opening."""
        known = self.opened or self.imported
        return known.title if known else None

    @property
    def account(self) -> AccountId | None:
        """Return the customer's account id; None where Sales named none."""
        known = self.opened or self.imported
        return known.account if known else None

    @property
    def currency(self) -> str | None:
        """Return the currency of the engagement; None until Delivery has processed its opening."""
        return self.opened.expected_value.currency if self.opened else None

    @property
    def lost_on(self) -> date | None:
        """Return the day on which the deal was lost, or None.

        An imported loss without a closing day counts from the day the opportunity was opened, or
        else from the first day of the calendar (`lost_day_is_known`).
        """
        if self.lost:
            return self.lost.lost_on
        if self.imported and self.imported.outcome == "lost" and not self.reopened:
            return self.imported.closed_on or self.imported.opened_on or FIRST_DAY
        return None

    @property
    def lost_day_is_known(self) -> bool:
        """Return whether `lost_on` is the day of the loss."""
        return self.lost is not None or (
            self.imported is not None and bool(self.imported.closed_on)
        )
