"""Compute the four margins. Confidential.

Each is (revenue - cost) / revenue, and the four are never mixed.

- ``margin_sold``: the contract's price and the expected cost of its hours.
- ``margin_billed``: invoices less credit notes, and cost, both to a day.
- ``margin_recognised``: recognised revenue and cost, both to the end of the last recognised month.
- ``margin_forecast``: expected revenue and the cost at completion (EAC); in the end, the billed
  amount and the actual cost.
"""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal

from contracts.money import Money
from contracts.values import Margin
from finance.calendar_months import end_of
from finance.costing.rates import margin
from finance.engagement import Engagement
from finance.performance.state import Report
from finance.time_billing.unbilled import worth
from finance.work.state import Work


def price_with(state: Engagement, changes: Collection[str]) -> Money | None:
    """Return the contract's price with these changes; None unless all of them are in the budget."""
    applied = {one.change: one.price_delta for one in state.budgeting.applied}
    if state.budget is None or not set(changes) <= applied.keys():
        return None
    return sum((applied[change] for change in set(changes)), state.budget.signed_price)


def sold(state: Engagement, changes: Collection[str]) -> Margin | None:
    """Return the margin sold with the contract and these changes; None while it is unknown."""
    price = price_with(state, changes)
    if price is None or state.budget is None or state.budget.cost is None:
        return None
    cost = state.budget.cost
    for change in set(changes):
        assessment = state.changes.priced(change)
        if assessment is None or assessment.cost is None:
            return None
        cost = cost + assessment.cost
    return margin(price, cost)


def cost_to(works: Iterable[Work], currency: str, day: date) -> Money:
    """Return the accrued cost of work dated up to a day."""
    return Money.total((one.cost for one in works if one.cost and one.on <= day), currency)


def billed(state: Engagement, works: Iterable[Work], day: date) -> Margin | None:
    """Return the margin on what was billed to a day; None while nothing was."""
    revenue = state.billing.billed(state.money, day)
    if revenue.amount == 0:
        return None
    return margin(revenue, cost_to(works, state.money, day))


def recognised(state: Engagement, works: Iterable[Work], day: date) -> Margin | None:
    """Return the margin on recognised revenue to the last month ended by a day, or None."""
    months = [month for month in state.revenue.months if end_of(month) <= day]
    if not months:
        return None
    last = state.revenue.months[max(months)]
    return margin(last.cumulative, cost_to(works, state.money, end_of(last.month)))


def forecast(
    state: Engagement, report: Report, price: Money, cost: Money | None, works: Iterable[Work]
) -> Margin | None:
    """Return the margin at completion; None while the `cost` at completion is unknown.

    A fixed price is earned in full. Time and materials earn the work done and the hours to
    complete, at the average contracted rate of the plan, up to the price.
    """
    budget, baseline = state.budget, report.baseline
    if cost is None or baseline is None or budget is None:
        return None
    if not state.contract.hourly:
        return margin(price, cost)
    rates, planned = budget.rate_by_role, [line for task in baseline.tasks for line in task.hours]
    earned = worth(works, rates, state.money)
    total = sum((line.hours for line in planned), Decimal(0))
    if earned is None or total == 0 or any(line.role not in rates for line in planned):
        return None
    plan = sum((rates[line.role].amount * line.hours for line in planned), Decimal(0))
    expected = Money.nearest(earned + plan * report.hours_to_complete / total, state.money)
    return margin(min(price, expected), cost)
