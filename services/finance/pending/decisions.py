"""List what cannot be computed yet, for want of rates, prices or signed documents; catch up."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.vocabularies import Unlisted
from finance.costing.rates import cost_rates_id
from finance.engagement import Engagement
from finance.rate_cards.pricing import rate_card_id
from finance.roles import ACCOUNTING


class CatchUp(Command):
    """Compute what waited for rates that were published since.

    This happens without the command when the next event of the engagement is processed.
    """


class PendingFields(ViewModel):
    """The figures that cannot be computed yet, in the view of an engagement."""

    waiting: list[Missing]


def catching_up(computing: tuple[Capability[Engagement], ...]) -> Capability[Engagement]:
    """Return the capability that computes what waited, by the reactions of the others."""
    capability = Capability[Engagement](__name__)

    @capability.decide(CatchUp, by=ACCOUNTING)
    def catch_up(state: Engagement, command: CatchUp, context: Context) -> Iterable[Event]:
        """Record everything that can be computed now.

        Raises Refused where something still waits and nothing could be computed.
        """
        reactions = (reaction for each in computing for reaction in each.reactions)
        events = tuple(event for reaction in reactions for event in reaction(state, context))
        waits = tuple(waiting(state))
        if waits and not events:
            raise Refused("inputs-missing", "; ".join(each.sentence for each in waits), waits)
        yield from events

    @capability.view
    def pending_view(state: Engagement) -> PendingFields:
        """Return what cannot be computed yet for the view of an engagement."""
        return PendingFields(waiting=list(waiting(state)))

    return capability


def waiting(state: Engagement) -> Iterable[Missing]:
    """Yield prices, costs, budgets and measurements not computed yet, and what they need."""
    currency = state.currency
    if currency is None:
        if state.estimates.by_version or state.contract.sows:
            yield Missing("opportunity-not-opened", "Sales has not opened the opportunity", "sales")
        return
    card, rates = rate_card_id(currency), cost_rates_id(currency)
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
                f"change {assessment.change} needs a signed contract, and contracted or listed"
                f" rates ({card}) for its roles",
                "finance",
            )
    yield from _missing_budgets(state)
    for work in state.work.entries:
        if work.cost is None:
            what = f"{work.hours} h of {work.role}" if work.role else f"an expense of {work.amount}"
            yield Missing(
                "work-uncosted", f"{what} ({work.entry}) needs {rates} on {work.on}", "finance"
            )
    if state.performance.reports:
        yield Missing(
            "report-not-measured",
            f"the report of {state.performance.reports[0].as_of} needs costs, or the amendments of"
            " the changes that its plan includes",
            "finance",
        )


def _missing_budgets(state: Engagement) -> Iterable[Missing]:
    signed, sow, budget = state.contract.signed, state.contract.sow, state.budget
    if sow and budget is None and isinstance(sow.pricing, Unlisted):
        yield Missing(
            "pricing-unknown",
            f"version {sow.version} is priced by {sow.pricing}, which this release does not know",
            "finance",
        )
    elif signed and budget is None:
        yield Missing(
            "budget-not-set",
            f"version {signed.version} is signed; its draft, proposal or estimate is unknown",
            "sales",
        )
    for item in budget.unlisted if budget else ():
        yield Missing(
            "billing-kind-unknown",
            f"this release does not know when {item.item} ({item.kind}) is due",
            "finance",
        )
    for amendment in state.budgeting.waiting:
        yield Missing(
            "budget-not-amended",
            f"amendment {amendment.amendment} is signed; change {amendment.change} is unpriced",
            "finance",
        )
