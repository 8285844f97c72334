"""Take over the balances of an engagement from before the platform was introduced.

They are recorded and shown. No invoice, payment or revenue of Finance contains them.
"""

from collections.abc import Iterable, Iterator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import past_day, require_currency
from common.imports import ImportingFields, ImportingRow, require_imported, unless_taken_over
from contracts import legal
from contracts.event import Event
from contracts.finance import (
    BY_COST,
    EngagementImported,
    OpeningBalance,
    OpeningBalances,
    OpeningCostRecorded,
    OpeningRevenue,
)
from contracts.lines import ContractLine
from contracts.money import NotNegativeTotal
from finance.budgeting.obligations import METHODS
from finance.engagement import Engagement
from finance.policies import require_running
from finance.roles import IMPORTERS

capability = Capability[Engagement](__name__)


class ImportEngagement(OpeningBalances, Command):
    """Take over the balances of an engagement whose opportunity Sales imported as won.

    Revenue by cost and the cost to date are recorded in confidence; where they are not known yet,
    they can be given later, together. Lines and prices are those of the contract that Legal took
    over before. What happened before is not judged. The same balances again change nothing; others
    replace them all, until the engagement ends, if `why` says what was wrong.
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
    future, an amount is in another currency, or other content is recorded and no reason for a
    correction is given; the refusal names the field.
    """
    importing = state.importing
    require_imported(importing.opportunity, command)
    openly = tuple(
        each.model_copy(update={"recognised": None}) if each.method == BY_COST else each
        for each in command.lines
    )
    balances = {name: getattr(command, name) for name in OpeningBalances.model_fields}
    event = EngagementImported(**{**balances, "lines": openly})
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
        raise Refused(
            "field-missing", sentence, [Missing("field-missing", sentence, field="cost_to_date")]
        )
    if events:
        require_running(state)
        past_day("as_of", command.as_of, context)
        require_currency(command.price.currency, cost_to_date=command.cost_to_date)
        _require_contract(importing.contract, command)
    return events


def _require_contract(contract: legal.EngagementImported | None, balances: OpeningBalances) -> None:
    """Refuse balances that contradict the contract that Legal took over, or come before it."""
    if contract is None:
        sentence = "Legal has not taken over the contract, whose lines and prices these must be"
        missing = Missing("engagement-not-imported", sentence, "legal")
        raise Refused("engagement-not-imported", sentence, [missing])
    require_currency(contract.price.currency, price=balances.price)
    gate("balances-differ", _differences(contract, balances))


def _differences(
    contract: legal.EngagementImported, balances: OpeningBalances
) -> Iterator[Missing]:
    """Yield what contradicts the contract: the day, lines, their prices, amounts and methods."""
    begins = min(contract.signed_on, contract.effective_on)
    if balances.as_of < begins:
        sentence = f"as_of: the contract of Legal begins on {begins}"
        yield Missing("date-before-contract", sentence, field="as_of")
    agreed = {line.line: line for line in contract.lines}
    for balance in balances.lines:
        line = agreed.pop(balance.line, None)
        if line is None:
            sentence = f"lines: the contract of Legal has no line {balance.line}"
            yield Missing("line-unknown", sentence, field="lines")
        else:
            yield from _faults(line, balance)
    if agreed:
        sentence = f"lines: the contract of Legal has {', '.join(agreed)}, too"
        yield Missing("line-missing", sentence, field="lines")


def _faults(line: ContractLine, balance: OpeningBalance) -> Iterator[Missing]:
    """Yield what contradicts a line of the contract.

    The price of a line that is only estimated limits nothing. A discount has the method of the
    lines that it reduces.
    """
    where = f"lines: {line.line}"
    if balance.price != line.price:
        sentence = f"{where}: the price in the contract of Legal is {line.price}"
        yield Missing("field-differs", sentence, field="lines")
        return
    limit = None if line.estimated else abs(line.price.amount)
    if limit is not None and abs(balance.billed.amount) > limit:
        sentence = f"{where}: more than its price, {line.price}, was billed"
        yield Missing("billing-beyond-price", sentence, field="lines")
    recognised = balance.recognised
    if limit is not None and recognised is not None and abs(recognised.amount) > limit:
        sentence = f"{where}: more than its price, {line.price}, was recognised"
        yield Missing("revenue-beyond-price", sentence, field="lines")
    fitting = METHODS.get(line.pricing)
    if line.kind != "discount" and fitting is not None and balance.method not in fitting:
        sentence = f"{where}: of {line.pricing}, revenue is recognised {' or '.join(fitting)}"
        yield Missing("method-does-not-fit", sentence, field="lines")


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
