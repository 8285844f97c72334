"""Decide on the import of one opportunity from a CRM."""

from collections.abc import Iterable
from datetime import UTC, datetime, time

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.sales import (
    ImportedOpportunity,
    OpportunityImported,
    OpportunityImportUpdated,
)
from contracts.values import Identifier
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class CrmRecord(ImportedOpportunity):
    """A record of a CRM; what the export has no column for keeps its value."""

    absent: tuple[Identifier, ...] = ()
    """Fields that the export does not have; they are null."""

    def after(self, known: OpportunityImported | None) -> OpportunityImported:
        """Return the whole record, with the known values of absent fields."""
        given = {name: getattr(self, name) for name in ImportedOpportunity.model_fields}
        if known is not None:
            ended = {"expected_close", "probability"} if self.outcome != "open" else set()
            kept = {*self.absent} - ended
            if self.outcome != "lost":
                kept -= {"loss_reason", "loss_reason_text"}
            given |= {name: getattr(known, name) for name in kept}
        return OpportunityImported(**given)


class ImportOpportunity(CrmRecord, Command):
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

    def moved(self) -> "UpdateImport":
        """Return the command that records what changed in the CRM since the last import."""
        return UpdateImport(**dict(self))


class UpdateImport(CrmRecord, Command):
    """Record what changed in the CRM since the opportunity was imported."""


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
    known = state.opportunity.in_crm
    yield from unless_recorded(known, command.after(known), "the imported opportunity")


@capability.decide(UpdateImport, by=None)
def update_import(state: Engagement, command: UpdateImport, context: Context) -> Iterable[Event]:
    """Record the fields that changed; nothing where none did.

    The engagement follows the CRM until people decide here: until the opportunity is adopted, lost
    here, or taken over by Legal or Delivery. Raises Refused where it was not imported.
    """
    known = state.opportunity.in_crm
    if known is None:
        raise Refused("opportunity-not-imported", "this opportunity was not imported")
    record = command.after(known)
    changed = tuple(name for name, value in record if value != getattr(known, name))
    if changed:
        decided = state.opportunity.opened or state.opportunity.lost or state.contract.taken_over_on
        yield OpportunityImportUpdated(**dict(record), changed=changed, applied=not decided)
