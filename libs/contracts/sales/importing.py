"""Define the events of opportunities that were imported from a CRM."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import SALES
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.sales.deal import LossReason
from contracts.sales.opportunity import PipelineStage
from contracts.values import (
    AccountId,
    Day,
    Identifier,
    Percent,
    PersonId,
    ShortText,
    SourceRecord,
    Text,
    YesNo,
)


class ImportedOpportunity(SourceRecord):
    """An opportunity as a CRM had it; what the CRM did not know is null."""

    account: AccountId | None
    """Id of the customer's organisation; null where the CRM named none that is known."""
    title: ShortText
    """Name of the opportunity in the CRM; where it had none, product and account."""
    product: ShortText | None
    """Product or service that is sold, as the CRM names it; null where it names none."""
    owner: PersonId
    """Person of Sales who is responsible in the CRM."""
    outcome: Literal["open", "won", "lost"]
    """Outcome in the CRM: still open, won or lost."""
    pipeline_stage: PipelineStage | None
    """Stage of the sale, of an ended one the last; null where the CRM does not say."""
    opened_on: Day | None
    """Day on which the CRM opened it; null where it is not known."""
    closed_on: Day | None
    """Day on which the CRM closed it; null while it is open, or where a lost deal has none."""
    value: NotNegativeMoney | None
    """Value in the CRM, also of a lost deal; null where it has none."""
    expected_close: Day | None = None
    """Day on which the decision is expected; null where it is not known, or the deal has ended."""
    probability: Percent | None = None
    """Probability in percent that the deal is won; null where not known, or the deal has ended."""
    loss_reason: LossReason | None = None
    """Main reason for the loss; null where the CRM gives none, or one without such a word."""
    loss_reason_text: Text | None = None
    """Reason for the loss in the words of the CRM; null where it gives none."""
    region: ShortText | None = None
    """Region that the sale counts for in the CRM; null where it names none."""


class OpportunityImported(
    ImportedOpportunity, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """An opportunity was imported from a CRM, with its own dates. Published by Sales.

    What the CRM did not know is null. An imported engagement is not judged for disconnects.
    """


class OpportunityImportUpdated(
    ImportedOpportunity, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """An imported opportunity changed in its CRM. Contains the whole record as the CRM has it now.

    Published by Sales.
    """

    changed: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)]
    """Names of the fields that differ from the record before."""
    applied: YesNo
    """True if the engagement follows the CRM; false where it goes on as people decided here.

    It does not follow once the opportunity was adopted, was lost here, or was taken over by another
    department. The change is only recorded then.
    """

    @property
    def record(self) -> OpportunityImported:
        """Return the record of the CRM alone."""
        fields = {name: getattr(self, name) for name in ImportedOpportunity.model_fields}
        return OpportunityImported.model_construct(**fields)
