"""Compute which months have recognised revenue."""

from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import FIRST_DAY, Month, days_after
from finance.budgeting.state import Budget
from finance.calendar_months import after, month_of
from finance.engagement import Engagement


def signature_month(state: Engagement) -> Month:
    """Return the month of the signature, or the first one that opening balances do not contain.

    A month that they contain in part is recognised as a whole, less what they contain.
    """
    taken_over = state.importing.taken_over
    if taken_over is not None:
        return month_of(days_after(taken_over.as_of, 1))
    return month_of(state.signed_on or FIRST_DAY)


def first_month(state: Engagement, budget: Budget, obligation: PerformanceObligation) -> Month:
    """Return the first month in which an obligation has revenue.

    An amendment cannot add revenue to months that were recognised before. When open revenue begins
    does not depend on revenue by cost, which may have waited for a cost.
    """
    agreed = budget.founded(obligation.obligation)
    if agreed.signed_on is None:
        return signature_month(state)
    by_cost = obligation.method == "cost-to-cost"
    last = agreed.recognised_to if by_cost else agreed.openly_recognised_to
    signed = month_of(agreed.signed_on)
    return max(signed, after(last)) if last else signed


def next_month(state: Engagement, budget: Budget, obligation: PerformanceObligation) -> Month:
    """Return the next month in which the revenue of an obligation is to be recognised."""
    last = state.revenue.last_month_of(obligation.obligation)
    return after(last) if last else first_month(state, budget, obligation)


def next_open_month(state: Engagement, budget: Budget, obligation: PerformanceObligation) -> Month:
    """Return the next month in which the revenue of an obligation can be recognised.

    A booked month never changes: the revenue that is missing in it is in the next one.
    """
    return open_month(state, next_month(state, budget, obligation))


def open_month(state: Engagement, month: Month) -> Month:
    """Return a month, or the first one that is not closed."""
    closed = state.periods.closed_to
    return max(month, after(closed)) if closed else month


def recognised_at(state: Engagement, month: Month) -> Money | None:
    """Return the revenue of all obligations to a month; None where that of one is missing."""
    budget = state.budget
    if budget is None:
        return None
    total = Money.zero(state.money)
    for each in budget.obligations:
        known = state.revenue.cumulative.get(each.obligation, {}).get(month)
        if known is None and first_month(state, budget, each) <= month:
            return None
        total = total + (known or Money.zero(state.money))
    return total


def last_complete_month(state: Engagement) -> Month | None:
    """Return the last month in which the revenue of all obligations is recognised, or None."""
    return next((each for each in state.revenue.months if recognised_at(state, each)), None)
