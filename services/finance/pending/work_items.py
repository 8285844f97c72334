"""State which rates, prices and budgets are missing; costs in confidence."""

from collections.abc import Iterator
from datetime import date

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.counting import counted
from contracts.refusals import RefusalCode
from finance.engagement import Engagement
from finance.pending.missing import (
    PRICE_CHANGE,
    PRICE_ESTIMATE,
    missing_budgets,
    unpriced,
    waiting_for_costs,
)

CONVERT = ItemKind(
    "exchange-rate-missing",
    department="finance",
    role="project-accountant",
    command="publish-exchange-rate",
    stream="exchange-rate",
    owed_to="finance",
    blocks=("settle-account",),
)
SET_BUDGET = ItemKind(
    "budget-not-set",
    department="finance",
    role="project-accountant",
    command="catch-up",
    owed_to="delivery",
    blocks=("bill-time", "settle-account"),
)
AMEND_BUDGET = ItemKind(
    "budget-not-amended",
    department="finance",
    role="project-accountant",
    command="catch-up",
    owed_to="delivery",
    blocks=("implement-change", "settle-account", "close-engagement"),
)
KINDS = (CONVERT, PRICE_ESTIMATE, PRICE_CHANGE, SET_BUDGET, AMEND_BUDGET)


def _cost(code: RefusalCode) -> ItemKind:
    return ItemKind(
        code,
        department="finance",
        role="controller",
        command="publish-cost-rates",
        stream="cost-rates",
        owed_to="finance",
    )


COST_WORK = _cost("work-uncosted")
COST_BUDGET = _cost("cost-unknown")
MEASURE = _cost("report-not-measured")
FORECAST = ItemKind(
    "forecast-outdated",
    department="delivery",
    role="engagement-manager",
    command="publish-status-report",
    owed_to="finance",
)
CONFIDENTIAL_KINDS = (COST_WORK, COST_BUDGET, MEASURE, FORECAST)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield missing exchange rates by currency, prices, and budgets that are not computed.

    A budget follows from the signed documents; Finance finds out why it does not.
    """
    if state.currency is not None:
        currencies: dict[str, list[date]] = {}
        for work, amount in state.work.unconverted(state.currency):
            currencies.setdefault(amount.currency, []).append(work.on)
        for currency, days in currencies.items():
            sentence = (
                f"{counted(len(days), 'expense needs', 'expenses need')} the rate of {currency},"
                f" from {min(days)} on"
            )
            yield CONVERT(currency, sentence, since=min(days))
    newest = max(state.estimates.by_version, default=0)
    for item in unpriced(state):
        is_needed = item.kind is PRICE_CHANGE or (
            item.about == f"estimate-{newest}" and not state.opportunity.won
        )
        if is_needed and not state.end:
            yield item
    signed_on = state.contract.signed_on
    amended_on = (each.signed_on for each in state.budgeting.waiting)
    for missing in {each.code: each for each in missing_budgets(state)}.values():
        if missing.code == "budget-not-set":
            yield SET_BUDGET("budget", missing.sentence, since=signed_on)
        if missing.code == "budget-not-amended":
            yield AMEND_BUDGET("budget", missing.sentence, since=min(amended_on, default=None))


def confidential_items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the costs that are missing for work, budget and status reports, and forecasts."""
    found = {each.code: each.sentence for each in reversed([*waiting_for_costs(state)])}
    if sentence := found.get("work-uncosted"):
        days = (work.on for work in state.work.without_cost if work.role is not None)
        yield COST_WORK("cost", sentence, since=min(days))
    if sentence := found.get("cost-unknown"):
        yield COST_BUDGET("cost", sentence, since=state.contract.signed_on)
    if sentence := found.get("report-not-measured"):
        yield MEASURE("cost", sentence, since=state.performance.reports[0].as_of)
    if sentence := found.get("forecast-outdated"):
        yield FORECAST("cost", sentence, since=None)
