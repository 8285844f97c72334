"""Take over the balances of an engagement from before the platform was introduced.

They are recorded and shown. No invoice, payment or revenue of Finance contains them.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.rules import past_day, require_currency, unless_recorded
from common.imports import require_imported
from contracts.event import Event
from contracts.finance import (
    BY_COST,
    EngagementImported,
    OpeningBalances,
    OpeningCostRecorded,
    OpeningRevenue,
)
from contracts.money import NotNegativeTotal
from finance.engagement import Engagement
from finance.roles import IMPORTERS

capability = Capability[Engagement](__name__)


class ImportEngagement(OpeningBalances, Command):
    """Take over the balances of an engagement whose opportunity Sales imported as won.

    Revenue by cost and the cost to date are recorded in confidence; where they are not known yet,
    they can be given later, together. What happened before is not judged. The balances are taken
    over once.
    """

    cost_to_date: NotNegativeTotal | None = None
    """Cost to the company up to the day; null where it is not known yet."""


@capability.decide(ImportEngagement, by=IMPORTERS)
def import_engagement(
    state: Engagement, command: ImportEngagement, context: Context
) -> Iterable[Event]:
    """Record the balances, and the cost if it is given; an equal repetition changes nothing.

    Raises Refused where Sales did not import the opportunity as won from this record, the day is in
    the future, an amount is in another currency, or other content is recorded; the refusal names
    the field.
    """
    opportunity = state.importing.opportunity
    require_imported(opportunity, command)
    currency = opportunity.value.currency if opportunity and opportunity.value else None
    require_currency(currency, price=command.price)
    require_currency(command.price.currency, cost_to_date=command.cost_to_date)
    past_day("as_of", command.as_of, context)
    openly = tuple(
        each.model_copy(update={"recognised": None}) if each.method == BY_COST else each
        for each in command.lines
    )
    balances = {name: getattr(command, name) for name in OpeningBalances.model_fields}
    event = EngagementImported(**{**balances, "lines": openly})
    yield from unless_recorded(state.importing.taken_over, event, "the import of the balances")
    cost = _cost(command)
    if cost.lines or cost.cost is not None:
        yield from unless_recorded(state.importing.cost, cost, "the imported cost")


def _cost(command: ImportEngagement) -> OpeningCostRecorded:
    return OpeningCostRecorded(
        as_of=command.as_of,
        cost=command.cost_to_date,
        lines=tuple(
            OpeningRevenue(line=each.line, recognised=each.recognised)
            for each in command.lines
            if each.method == BY_COST and each.recognised is not None
        ),
    )


class ImportingFields(ViewModel):
    """The balances that were taken over, in the view of an engagement, or null."""

    imported: EngagementImported | None


class ImportingFigures(ViewModel):
    """The cost and the revenue by cost that were taken over, for callers who may see costs."""

    imported_cost: OpeningCostRecorded | None


@capability.view
def importing_view(state: Engagement) -> ImportingFields:
    """Return the balances that were taken over for the view of an engagement."""
    return ImportingFields(imported=state.importing.taken_over)


@capability.confidential_view
def importing_figures(state: Engagement) -> ImportingFigures:
    """Return the cost that was taken over for the confidential view of an engagement."""
    return ImportingFigures(imported_cost=state.importing.cost)


class ImportingRow(ViewModel):
    """The column of the import in the list of engagements."""

    imported: bool


@capability.row
def importing_row(state: Engagement) -> ImportingRow:
    """Return whether balances were taken over, for the list of engagements."""
    return ImportingRow(imported=state.importing.taken_over is not None)
