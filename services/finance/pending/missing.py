"""List what cannot be computed yet, and what it needs."""

from collections.abc import Iterable, Iterator

from chassis.domain.commands import Missing
from chassis.domain.work_items import ItemKind, WorkItem
from contracts.vocabularies import Unlisted
from finance.costing.rates import cost_rates_id
from finance.engagement import Engagement
from finance.exchange_rates.missing import missing_rate
from finance.importing.balances import differences
from finance.rate_cards.pricing import rate_card_id
from finance.revenue.missing import waiting_months

PRICE_ESTIMATE = ItemKind(
    "estimate-not-priced",
    department="finance",
    role="controller",
    command="publish-rate-card",
    stream="rate-card",
    owed_to="sales",
    blocks=("submit-proposal",),
)
PRICE_CHANGE = ItemKind(
    "change-not-priced",
    department="finance",
    role="controller",
    command="publish-rate-card",
    stream="rate-card",
    owed_to="delivery",
    blocks=("approve-change", "draft-amendment"),
)


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
    yield from (item.missing for item in unpriced(state))
    yield from missing_budgets(state)


def unpriced(state: Engagement) -> Iterator[WorkItem]:
    """Yield the estimates and changes without a price."""
    if state.currency is None:
        return
    card = rate_card_id(state.currency)
    for estimate in state.estimates.by_version.values():
        if estimate.price is None:
            roles = ", ".join(sorted({line.role for line in estimate.lines}))
            yield PRICE_ESTIMATE(
                f"estimate-{estimate.version}",
                f"estimate {estimate.version} needs rate card {card} with {roles}"
                f" on {estimate.submitted_on}",
                since=estimate.submitted_on,
            )
    for assessment in state.changes.assessments:
        if assessment.price is None:
            yield PRICE_CHANGE(
                assessment.change,
                f"change {assessment.change} needs a signed contract, contracted or listed rates"
                f" ({card}) for its roles, and the new fee where it changes a retainer",
                since=assessment.assessed_on,
            )


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
    for report in state.performance.reports:
        yield Missing(
            "report-not-measured",
            f"the report of {report.as_of} needs costs, or the amendments of the changes that its"
            " plan includes",
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


def missing_budgets(state: Engagement) -> Iterable[Missing]:
    """Yield why the budget, or an amendment of it, cannot be computed yet."""
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
