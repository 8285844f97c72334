"""Check that Sales imported the opportunity of an engagement that a department takes over."""

from chassis.domain.commands import Refused
from contracts.sales import OpportunityImported
from contracts.values import SourceRecord


def require_imported(opportunity: OpportunityImported | None, given: SourceRecord) -> None:
    """Refuse unless Sales imported the opportunity as won, from the record that is given.

    Raises Refused where it was not imported, was not won, or came from another record; the refusal
    names the field.
    """
    if opportunity is None:
        raise Refused("opportunity-not-imported", "Sales did not import this opportunity")
    if opportunity.outcome != "won":
        raise Refused(
            "deal-not-won", f"Sales imported this opportunity as {opportunity.outcome}, not as won"
        )
    for field in SourceRecord.model_fields:
        imported, named = getattr(opportunity, field), getattr(given, field)
        if imported != named:
            raise Refused("source-differs", f"{field}: Sales imported {imported}, not {named}")
