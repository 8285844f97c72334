"""List what cannot be computed yet, for want of rates, prices or signed documents; catch up.

What waits for cost rates is listed in the confidential view only.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing
from chassis.domain.context import Context
from contracts.event import Event
from contracts.vocabularies import Unlisted
from finance.costing.rates import cost_rates_id
from finance.engagement import Engagement
from finance.exchange_rates.conversion import missing_rate
from finance.importing.balances import differences
from finance.rate_cards.pricing import rate_card_id
from finance.revenue.months import waiting_months
from finance.roles import ACCOUNTING


class CatchUp(Command):
    """Compute what waited for rates that were published since.

    This happens without the command when the next event of the engagement is processed. What still
    waits is in the view of the engagement.
    """


class PendingFields(ViewModel):
    """The figures that cannot be computed yet, in the view of an engagement."""

    waiting: list[Missing]


class PendingFigures(ViewModel):
    """The figures that wait for costs, in the view for callers who may see them."""

    waiting_for_costs: list[Missing]


def catching_up(computing: tuple[Capability[Engagement], ...]) -> Capability[Engagement]:
    """Return the capability that computes what waited, by the reactions of the others."""
    capability = Capability[Engagement](__name__)

    @capability.decide(CatchUp, by=ACCOUNTING)
    def catch_up(state: Engagement, command: CatchUp, context: Context) -> Iterable[Event]:
        """Record everything that can be computed now, which may be nothing.

        It is never refused: a refusal would tell whether a cost is known.
        """
        reactions = (reaction for each in computing for reaction in each.reactions)
        yield from tuple(event for reaction in reactions for event in reaction(state, context))

    @capability.view
    def pending_view(state: Engagement) -> PendingFields:
        """Return what cannot be computed yet for the view of an engagement."""
        return PendingFields(waiting=list(waiting(state)))

    @capability.confidential_view
    def pending_figures(state: Engagement) -> PendingFigures:
        """Return what waits for costs for the confidential view of an engagement."""
        return PendingFigures(waiting_for_costs=list(waiting_for_costs(state)))

    return capability


def waiting(state: Engagement) -> Iterable[Missing]:
    """Yield the expenses, prices and budgets that are not computed yet, and what they need."""
    currency = state.currency
    if currency is None:
        imported = state.importing.opportunity
        if imported and imported.outcome == "won":
            yield Missing(
                "engagement-not-imported",
                "Finance has not received the contract of an engagement that was imported as won:"
                " it is not taken over yet, or its event was skipped here",
                "legal",
            )
        elif state.estimates.by_version or state.contract.sows:
            yield Missing("opportunity-not-opened", "Sales has not opened the opportunity", "sales")
        return
    for work, amount in state.work.unconverted(currency):
        yield missing_rate(work.entry, amount, currency, work.on)
    card = rate_card_id(currency)
    for estimate in state.estimates.by_version.values():
        if estimate.price is None:
            roles = ", ".join(sorted({line.role for line in estimate.lines}))
            yield Missing(
                "estimate-not-priced",
                f"estimate {estimate.version} needs rate card {card} with {roles}"
                f" on {estimate.submitted_on}",
                "finance",
            )
    for assessment in state.changes.assessments:
        if assessment.price is None:
            yield Missing(
                "change-not-priced",
                f"change {assessment.change} needs a signed contract, contracted or listed rates"
                f" ({card}) for its roles, and the new fee where it changes a retainer",
                "finance",
            )
    yield from _missing_budgets(state)


def waiting_for_costs(state: Engagement) -> Iterable[Missing]:
    """Yield the costs, measurements and revenue that are not computed yet. Confidential."""
    if state.currency is None:
        return
    rates = cost_rates_id(state.currency)
    for work in state.work.without_cost:
        if work.role is not None:
            what = f"{work.hours} h of {work.role} ({work.entry})"
            yield Missing("work-uncosted", f"{what} needs {rates} on {work.on}", "finance")
    if state.budget is not None and state.budget.cost is None:
        yield Missing("cost-unknown", f"the budget needs {rates} for its roles", "finance")
    if state.performance.reports:
        yield Missing(
            "report-not-measured",
            f"the report of {state.performance.reports[0].as_of} needs costs, or the amendments of"
            " the changes that its plan includes",
            "finance",
        )
    yield from waiting_months(state)


def _missing_balances(state: Engagement) -> Iterable[Missing]:
    """Yield why the budget of an engagement that was taken over is not that of the contract."""
    contract, balances = state.importing.contract, state.importing.taken_over
    if contract is not None and balances is None:
        sentence = "Legal took over the contract, and Finance has not taken over the balances"
        yield Missing("engagement-not-imported", sentence, "finance")
    elif contract is not None and balances is not None:
        yield from differences(contract, balances)


def _missing_budgets(state: Engagement) -> Iterable[Missing]:
    signed, sow, budget = state.contract.signed, state.contract.sow, state.budget
    unknown = [line for line in sow.lines if isinstance(line.pricing, Unlisted)] if sow else []
    if budget is None and unknown:
        for line in unknown:
            sentence = f"line {line.line} is priced by {line.pricing}, unknown to this release"
            yield Missing("pricing-unknown", sentence, "finance")
    elif signed and budget is None:
        yield Missing(
            "budget-not-set",
            f"version {signed.version} is signed; its draft is unknown, in another currency, or"
            " does not add up to its price",
            "legal",
        )
    yield from _missing_balances(state)
    for item in budget.unlisted if budget else ():
        yield Missing(
            "billing-kind-unknown",
            f"this release does not know when {item.item} ({item.kind}) is due",
            "finance",
        )
    for amendment in state.budgeting.waiting:
        yield Missing(
            "budget-not-amended",
            f"amendment {amendment.amendment} is signed; it does not fit the lines of the budget,"
            f" or change {amendment.change} is not priced yet",
            "legal",
        )
