"""Taking one opportunity of a CRM over, once."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Literal

from chassis.domain.decider import Command, Context, Missing, Refused, derived
from contracts.event import Event
from contracts.money import NotNegativeMoney
from contracts.sales import OpportunityImported, PipelineStage
from contracts.values import AccountId, Day, Identifier, PersonId, ShortText
from sales.state import Engagement, decide


class ImportOpportunity(Command):
    """Take over an opportunity as a CRM has it, marked as imported, with its own dates."""

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
        """The id of its engagement, always the same for a source and the source's own id."""
        return f"E-{derived(f'{self.source}/{self.external_id}')}"

    @property
    def occurred_at(self) -> datetime | None:
        """The beginning (UTC) of the last day it tells of; None where it tells of none."""
        day = self.closed_on or self.opened_on
        return datetime.combine(day, time(), UTC) if day else None


@decide.on(ImportOpportunity)
def import_opportunity(
    state: Engagement, command: ImportOpportunity, context: Context
) -> Iterable[Event]:
    """Take it over; the same again changes nothing, and something else is told field by field."""
    event = OpportunityImported(**dict(command))
    if state.imported is None and state.opened is None:
        yield event
        return
    if state.imported is None:
        raise Refused("already-opened", "this engagement was opened here, not imported")
    differing = [
        Missing(name, f"was imported as {_shown(old)}, and is {_shown(new)} now", "sales")
        for (name, old), (_, new) in zip(state.imported, event, strict=True)
        if old != new
    ]
    if differing:
        sentence = "; ".join(f"{item.code}: {item.sentence}" for item in differing)
        raise Refused("import-differs", sentence, differing)


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)
