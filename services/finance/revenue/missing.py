"""Name what revenue by cost waits for. Confidential."""

from collections.abc import Iterable

from chassis.domain.commands import Missing
from contracts.lines import PerformanceObligation
from contracts.values import Month, days_after
from finance.budgeting.state import Budget
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.importing.opening import cost_before, recognised_before
from finance.revenue.costs import is_planned, unmeasured_changes
from finance.revenue.earned import earned_to, is_over, prospective_on
from finance.revenue.months import next_open_month


def missing_costs(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, month: Month
) -> Iterable[Missing]:
    """Yield the costs, or else the forecast, that the revenue by cost of a month needs.

    Once no more is to be earned or billed, revenue is what was billed, and needs no cost.
    """
    day, known = end_of(month), True
    if is_over(state, budget, day) and recognised_before(state, obligation.lines) is not None:
        return
    if budget.cost is None:
        known = False
        yield Missing("cost-unknown", "what the budgeted hours cost is not known", "finance")
    if not state.work.is_costed(until=day):
        known = False
        yield Missing("cost-unknown", "what some approved work cost is not known", "finance")
    if recognised_before(state, obligation.lines) is None or cost_before(state) is None:
        known = False
        sentence = "the cost, or the revenue by cost, before the take-over is not known"
        yield Missing("cost-unknown", sentence, "finance")
    before = prospective_on(state, budget, obligation, day)
    days = (day, *([days_after(before, -1)] if before else []))
    changes = (one for on in days for one in unmeasured_changes(state, budget, obligation, on))
    for change in dict.fromkeys(changes):
        known = False
        yield Missing("cost-unknown", f"what {change} will cost is not known", "finance")
    if known and earned_to(state, budget, obligation, day) is None:
        last = state.performance.forecasts[-1:]
        planned = all(is_planned(budget, obligation, each) for each in last)
        sentence = (
            f"{obligation.obligation} has cost more by {day} than its forecast, which is out of"
            f" date: {'' if planned else 'baseline a plan with hours for its lines, and '}publish a"
            " status report with the hours to complete"
        )
        yield Missing("forecast-outdated", sentence, "delivery")


def waiting_months(state: Engagement) -> Iterable[Missing]:
    """Yield what revenue by cost of recognised months waits for."""
    last, budget = state.revenue.last_month, state.budget
    if last is None or budget is None:
        return
    for each in budget.obligations:
        month = next_open_month(state, budget, each)
        if each.method == "cost-to-cost" and month <= last:
            sentence = f"the revenue of {each.obligation} in {month} waits for costs"
            yield Missing("revenue-unrecognised", sentence, "finance")
            for one in missing_costs(state, budget, each, month):
                if one.code == "forecast-outdated":
                    yield one
