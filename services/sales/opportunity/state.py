"""State of the opportunity."""

from datetime import date
from typing import Annotated, Literal, Self

from chassis.domain.state import Keep, KeepDay, Kept, Part, on_event
from contracts.event import Recorded
from contracts.money import Money
from contracts.sales import (
    DealLost,
    DealReopened,
    EstimateRequested,
    OpportunityAdvanced,
    OpportunityDetails,
    OpportunityImported,
    OpportunityImportUpdated,
    OpportunityOpened,
    OpportunityQualified,
    OpportunityUpdated,
    PipelineStage,
)
from contracts.values import AccountId, Percent, PersonId, ShortText


class Opportunity(Part):
    """The opportunity, opened in Sales or imported from a CRM; `details` are the newest ones.

    `imported` is the record of the CRM that the engagement follows, `in_crm` the newest one.
    """

    opened: Kept[OpportunityOpened] = None
    details: OpportunityDetails | None = None
    detailed_on: Annotated[date | None, KeepDay((OpportunityOpened, OpportunityUpdated))] = None
    imported: Kept[OpportunityImported] = None
    import_updated: Kept[OpportunityImportUpdated] = None
    opened_on: date | None = None
    pipeline_stage: PipelineStage = "prospecting"
    probability: Percent | None = None
    qualified: Kept[OpportunityQualified] = None
    qualified_on: Annotated[date | None, KeepDay((OpportunityQualified,))] = None
    estimate_requested: Kept[EstimateRequested] = None
    lost: Annotated[DealLost | None, Keep(until=(DealReopened,))] = None
    reopened: Kept[DealReopened] = None

    @on_event
    def _opened(self, recorded: Recorded[OpportunityOpened]) -> Self:
        return self.updated(opened_on=self.opened_on or recorded.occurred_at.date())

    @on_event
    def _detailed(self, event: OpportunityOpened | OpportunityUpdated) -> Self:
        return self.updated(details=event.details)

    @on_event
    def _imported(self, event: OpportunityImported) -> Self:
        return self.updated(
            opened_on=event.opened_on,
            pipeline_stage=event.pipeline_stage or "prospecting",
            probability=event.probability,
        )

    @on_event
    def _import_updated(self, event: OpportunityImportUpdated) -> Self:
        """Follow the CRM; a new outcome there comes after a loss that was taken back here."""
        if not event.applied:
            return self
        moved = "pipeline_stage" in event.changed and event.pipeline_stage
        return self.updated(
            imported=event.record,
            opened_on=event.opened_on,
            pipeline_stage=event.pipeline_stage if moved else self.pipeline_stage,
            probability=event.probability if "probability" in event.changed else self.probability,
            reopened=None if "outcome" in event.changed else self.reopened,
        )

    @on_event
    def _qualified(self, event: OpportunityQualified) -> Self:
        early = self.pipeline_stage == "prospecting"
        return self.updated(pipeline_stage="qualifying") if early else self

    @on_event
    def _advanced(self, event: OpportunityAdvanced) -> Self:
        return self.updated(pipeline_stage=event.pipeline_stage, probability=event.probability)

    @property
    def in_crm(self) -> OpportunityImported | None:
        """Return the newest record of the CRM, or None where it was not imported."""
        return self.import_updated.record if self.import_updated else self.imported

    @property
    def imported_end(self) -> Literal["won", "lost"] | None:
        """Return how the deal had ended before its import, unless the loss was taken back."""
        if self.imported is None or self.imported.outcome == "open":
            return None
        return None if self.imported.outcome == "lost" and self.reopened else self.imported.outcome

    @property
    def known(self) -> OpportunityDetails | OpportunityImported | None:
        """Return the newest record with title, owner and account, or None before the first."""
        return self.details or self.imported

    @property
    def account(self) -> AccountId | None:
        """Return the customer account, or None where it is not known (a CRM may not have it)."""
        return self.known.account if self.known else None

    @property
    def owner(self) -> PersonId | None:
        """Return the person of Sales who is responsible, or None before the first event."""
        return self.known.owner if self.known else None

    @property
    def expected_value(self) -> Money | None:
        """Return the expected value of the deal, or None where it is not known."""
        if self.details:
            return self.details.expected_value
        return self.imported.value if self.imported else None

    @property
    def expected_close(self) -> date | None:
        """Return the day on which the customer's decision is expected, or None."""
        if self.details:
            return self.details.expected_close
        return self.imported.expected_close if self.imported else None

    @property
    def region(self) -> ShortText | None:
        """Return the region that the sale counts for, or None where none is named."""
        return self.known.region if self.known else None

    @property
    def currency(self) -> str | None:
        """Return the currency of all amounts of this engagement; None while no amount is known."""
        return self.expected_value.currency if self.expected_value else None
