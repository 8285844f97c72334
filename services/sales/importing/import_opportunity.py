"""Decide on the import of one opportunity from a CRM."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Literal

from chassis.domain.commands import Command, Missing, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.sales import OpportunityImported, PipelineStage
from contracts.values import AccountId, Day, Identifier, PersonId, ShortText
from sales.state import Engagement, decide


class ImportOpportunity(Command):
    """Import an opportunity from a CRM with its original dates."""

    source: ShortText
    external_id: Identifier
    account: AccountId | None
    title: ShortText
    product: ShortText
    owner: PersonId
    outcome: Literal["open", "won", "lost"]
    pipeline_stage: PipelineStage
    opened_on: Day | None
    closed_on: Day | None
    value: NotNegativeMoney | None

    @property
    def engagement(self) -> str:
        """Return the engagement id, derived from the source and its id of the opportunity."""
        return f"E-{derived(f'{self.source}/{self.external_id}')}"

    @property
    def occurred_at(self) -> datetime | None:
        """Return the start (UTC) of the closing day, else of the opening day, else None."""
        day = self.closed_on or self.opened_on
        return datetime.combine(day, time(), UTC) if day else None


@decide.on(ImportOpportunity)
def import_opportunity(
    state: Engagement, command: ImportOpportunity, context: Context
) -> Iterable[Event]:
    """Import the opportunity; an equal repetition changes nothing.

    Raises Refused where the engagement was opened in Sales, or was imported with other content; the
    refusal lists the fields that differ.
    """
    event = OpportunityImported(**dict(command))
    if state.imported is None and state.opened is None:
        yield event
        return
    if state.imported is None:
        raise Refused("opportunity-opened", "this engagement was opened in Sales, not imported")
    differing = [
        Missing(
            "field-differs",
            f"was imported as {_shown(old)} and is now {_shown(new)}",
            "sales",
            name,
        )
        for (name, old), (_, new) in zip(state.imported, event, strict=True)
        if old != new
    ]
    if differing:
        sentence = "; ".join(f"{item.field}: {item.sentence}" for item in differing)
        raise Refused("already-recorded", sentence, differing)


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)
