"""Decide on the import of one opportunity from a CRM."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.sales import ImportedOpportunity, OpportunityImported
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class ImportOpportunity(ImportedOpportunity, Command):
    """Import an opportunity from a CRM with its original dates."""

    @property
    def engagement(self) -> str:
        """Return the engagement id, derived from the source and its id of the opportunity."""
        return f"E-{derived(f'{self.source}/{self.external_id}')}"

    @property
    def occurred_at(self) -> datetime | None:
        """Return the start (UTC) of the closing day, else of the opening day, else None."""
        day = self.closed_on or self.opened_on
        return datetime.combine(day, time(), UTC) if day else None


@capability.decide(ImportOpportunity, by=None, opens=True)
def import_opportunity(
    state: Engagement, command: ImportOpportunity, context: Context
) -> Iterable[Event]:
    """Import the opportunity; an equal repetition changes nothing.

    Raises Refused where the engagement was opened in Sales, or was imported with other content; the
    refusal lists the fields that differ.
    """
    imported = state.opportunity.imported
    if imported is None and state.opportunity.opened:
        raise Refused("opportunity-opened", "this engagement was opened in Sales, not imported")
    event = OpportunityImported(**dict(command))
    yield from unless_recorded(imported, event, "the imported opportunity")
