"""Define the event of an opportunity that was imported from a CRM."""

from typing import Literal

from contracts.channels import SALES
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.sales.opportunity import PipelineStage
from contracts.values import AccountId, Day, PersonId, ShortText, SourceRecord


class ImportedOpportunity(SourceRecord):
    """An opportunity as a CRM had it; what the CRM did not know is null."""

    account: AccountId | None
    """Id of the customer's organisation; null where the CRM named none that is known."""
    title: ShortText
    """Name of the opportunity in the CRM."""
    product: ShortText
    """Product or service that is sold, as the CRM names it."""
    owner: PersonId
    """Person of Sales who is responsible in the CRM."""
    outcome: Literal["open", "won", "lost"]
    """Outcome in the CRM: still open, won or lost."""
    pipeline_stage: PipelineStage
    """Stage of the sale."""
    opened_on: Day | None
    """Day on which the CRM opened it; null where it is not known."""
    closed_on: Day | None
    """Day on which the CRM closed it; null while it is open."""
    value: NotNegativeMoney | None
    """Value in the CRM; null where it has none."""


class OpportunityImported(
    ImportedOpportunity, Event, channel=SALES, consumed_by=("legal", "delivery", "finance")
):
    """An opportunity was imported from a CRM, with its own dates. Published by Sales.

    What the CRM did not know is null. An imported engagement is not judged for disconnects.
    """
