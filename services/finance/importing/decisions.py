"""Take over the balances of an engagement from before the platform was introduced.

No invoice, payment or revenue of Finance contains them. With the contract of Legal they are what
the budget begins with: billed is what they leave, and revenue continues from theirs.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.rules import past_day, require_currency
from common.imports import ImportingFields, ImportingRow, require_imported, unless_taken_over
from contracts import legal
from contracts.event import Event
from contracts.finance import (
    BY_COST,
    EngagementImported,
    OpeningBalances,
    OpeningCostRecorded,
    OpeningReceivable,
    OpeningRevenue,
)
from contracts.money import NotNegativeTotal
from finance.engagement import Engagement
from finance.importing.balances import differences, spread
from finance.policies import require_open_account, require_running
from finance.roles import IMPORTERS

capability = Capability[Engagement](__name__)


class ImportEngagement(OpeningBalances, Command):
    """Take over the balances of an engagement whose opportunity Sales imported as won.

    Revenue by cost and the cost to date are recorded in confidence; where they are not known yet,
    they can be given later, together. Lines and prices are those of the contract that Legal took
    over before. What happened before is not judged. The same balances again change nothing; others
    replace them all, until the engagement ends, if `why` says what was wrong; an invoice from
    before that was paid here stays.
    """

    cost_to_date: NotNegativeTotal | None = None
    """Cost to the company up to the day; null where it is not known yet."""


@capability.decide(ImportEngagement, by=IMPORTERS)
def import_engagement(
    state: Engagement, command: ImportEngagement, context: Context
) -> Iterable[Event]:
    """Record the balances, and the cost if it is given; an equal repetition changes nothing.

    Raises Refused where Sales did not import the opportunity as won from this record, Legal has not
    taken over the contract, the balances contradict it, the engagement is over, the day is in the
    future, an amount is in another currency, an invoice that was paid here is changed, or other
    content is recorded and no reason for a correction is given; the refusal names the field.
    """
    importing = state.importing
    require_imported(importing.opportunity, command)
    openly = tuple(
        each.model_copy(update={"recognised": None}) if each.method == BY_COST else each
        for each in (
            spread(importing.contract, command.lines) if importing.contract else command.lines
        )
    )
    balances = {name: getattr(command, name) for name in OpeningBalances.model_fields}
    receivables = tuple(
        OpeningReceivable(**dict(each), invoice=f"opening-{derived(each.number)}")
        for each in command.receivables
    )
    event = EngagementImported(**{**balances, "lines": openly, "receivables": receivables})
    cost, recorded = _cost(command), importing.cost
    events: list[Event] = [
        *unless_taken_over(importing.taken_over, event, "the import of the balances")
    ]
    if cost.lines or cost.cost is not None or (events and recorded is not None):
        if recorded is None:
            cost = cost.model_copy(update={"why": None})
        events += unless_taken_over(recorded, cost, "the imported cost")
    if events and cost.cost is None and recorded is not None and recorded.cost is not None:
        sentence = "cost_to_date: a cost is recorded, and a correction replaces it: give it, too"
        raise refused_field("field-missing", "cost_to_date", sentence)
    if events:
        require_running(state)
        require_open_account(state)
        _require_methods(state, command)
        _require_receivables(state, event)
        past_day("as_of", command.as_of, context)
        require_currency(command.price.currency, cost_to_date=command.cost_to_date)
        _require_contract(importing.contract, command)
    return events


def _require_methods(state: Engagement, balances: OpeningBalances) -> None:
    """Refuse another revenue method once revenue was recognised here: it is never switched."""
    before = state.importing.taken_over
    known = {each.line: each.method for each in before.lines} if before else {}
    switched = [
        each.line for each in balances.lines if known.get(each.line, each.method) != each.method
    ]
    if switched and state.revenue.cumulative:
        sentence = f"lines: revenue of {', '.join(switched)} was recognised by the method so far"
        raise Refused("method-fixed", sentence)


def _require_receivables(state: Engagement, balances: EngagementImported) -> None:
    """Refuse to change an invoice from before once money was taken on it, or written off."""
    after = {each.invoice: each for each in balances.receivables}
    before = state.importing.taken_over
    for each in before.receivables if before else ():
        moved = state.billing.opening[each.invoice].moved_on is not None
        if moved and after.get(each.invoice) != each:
            sentence = f"receivables: invoice {each.number} was paid or written off here"
            raise refused_field("receivable-fixed", "receivables", sentence)


def _require_contract(contract: legal.EngagementImported | None, balances: OpeningBalances) -> None:
    """Refuse balances that contradict the contract that Legal took over, or come before it."""
    if contract is None:
        sentence = (
            "Finance has not received the contract of Legal, whose lines and prices these must be:"
            " it is not taken over yet, or its event was skipped here"
        )
        missing = Missing("engagement-not-imported", sentence, "legal")
        raise Refused("engagement-not-imported", sentence, [missing])
    require_currency(contract.price.currency, price=balances.price)
    gate("balances-differ", differences(contract, balances))


def _cost(command: ImportEngagement) -> OpeningCostRecorded:
    return OpeningCostRecorded(
        why=command.why,
        as_of=command.as_of,
        cost=command.cost_to_date,
        lines=tuple(
            OpeningRevenue(line=each.line, recognised=each.recognised)
            for each in command.lines
            if each.method == BY_COST and each.recognised is not None
        ),
    )


class ImportingFigures(ViewModel):
    """The cost and the revenue by cost that were taken over, for callers who may see costs."""

    imported_cost: OpeningCostRecorded | None


@capability.view
def importing_view(state: Engagement) -> ImportingFields[EngagementImported]:
    """Return the balances that were taken over for the view of an engagement."""
    return ImportingFields(imported=state.importing.taken_over)


@capability.confidential_view
def importing_figures(state: Engagement) -> ImportingFigures:
    """Return the cost that was taken over for the confidential view of an engagement."""
    return ImportingFigures(imported_cost=state.importing.cost)


@capability.row
def importing_row(state: Engagement) -> ImportingRow:
    """Return whether balances were taken over, for the list of engagements."""
    return ImportingRow(imported=state.importing.taken_over is not None)
