"""List what cannot be computed yet, for want of rates, prices or signed documents."""

from collections.abc import Iterable

from chassis.domain.commands import Missing
from finance.costing import cost_rates_id
from finance.pricing import rate_card_id
from finance.state import Engagement


def waiting(state: Engagement) -> Iterable[Missing]:
    """Yield prices, costs, budgets and measurements not computed yet, and what they need."""
    currency = state.currency
    if currency is None:
        if state.estimates or state.sows:
            yield Missing("opportunity-not-opened", "Sales has not opened the opportunity", "sales")
        return
    card, rates = rate_card_id(currency), cost_rates_id(currency)
    for estimate in state.estimates.values():
        if estimate.price is None:
            roles = ", ".join(sorted({line.role for line in estimate.lines}))
            yield Missing(
                "estimate-not-priced",
                f"estimate {estimate.version} needs rate card {card} with {roles}"
                f" on {estimate.submitted_on}",
                "finance",
            )
    for assessment in state.assessments:
        if assessment.price is None:
            yield Missing(
                "change-not-priced",
                f"change {assessment.change} needs a signed contract, and contracted or listed"
                f" rates ({card}) for its roles",
                "finance",
            )
    yield from _missing_budgets(state)
    for work in state.work.values():
        if work.cost is None:
            what = f"{work.hours} h of {work.role}" if work.role else f"an expense of {work.amount}"
            yield Missing(
                "work-uncosted", f"{what} ({work.entry}) needs {rates} on {work.on}", "finance"
            )
    if state.reports:
        yield Missing(
            "report-not-measured",
            f"the report of {state.reports[0].as_of} needs costs, or the amendments of"
            " the changes that its plan includes",
            "finance",
        )


def _missing_budgets(state: Engagement) -> Iterable[Missing]:
    if state.signed_version is not None and state.budget is None:
        yield Missing(
            "budget-not-set",
            f"version {state.signed_version} is signed; its draft, proposal or estimate is unknown",
            "sales",
        )
    for amendment in state.amendments:
        if amendment.amendment not in state.amended:
            yield Missing(
                "budget-not-amended",
                f"amendment {amendment.amendment} is signed; change {amendment.change} is unpriced",
                "finance",
            )
