"""Compute what the opening balances contain; zero where nothing was taken over.

Amounts that Finance bills, recognises and accrues do not contain them. What is compared with the
contract, such as what is left to bill, counts them once. Unknown is None.
"""

from collections.abc import Container

from contracts.finance import BY_COST, OpeningBalance, OpeningRevenue
from contracts.lines import PerformanceObligation
from contracts.money import Money
from finance.budgeting.state import Budget
from finance.engagement import Engagement


def billed_before(state: Engagement, lines: Container[str] | None = None) -> Money:
    """Return what was billed of some lines, or of all."""
    return Money.total((each.billed for each in _balances(state, lines)), state.money)


def unpaid_before(state: Engagement) -> Money:
    """Return what was billed and not paid."""
    return Money.total((each.billed - each.paid for each in _balances(state)), state.money)


def recognised_before(state: Engagement, lines: Container[str] | None = None) -> Money | None:
    """Return the revenue of some lines, or of all, that was recognised; None where one is unknown.

    A discount without a revenue of its own is contained in that of other lines.
    """
    by_cost = {each.line: each.recognised for each in _cost_lines(state)}
    total = Money.zero(state.money)
    for each in _balances(state, lines):
        known = by_cost.get(each.line) if each.method == BY_COST else each.recognised
        if known is None and each.price.amount >= 0:
            return None
        total = total + (known or Money.zero(state.money))
    return total


def cost_before(state: Engagement) -> Money | None:
    """Return the cost to date that was taken over. Confidential."""
    if state.importing.taken_over is None:
        return Money.zero(state.money)
    return state.importing.cost.cost if state.importing.cost else None


def cost_of_obligation_before(
    state: Engagement, budget: Budget, obligation: PerformanceObligation
) -> Money | None:
    """Return the part of the cost taken over that belongs to an obligation. Confidential.

    The cost is taken over in total. Where there are several obligations, an obligation has the part
    of its budgeted cost that is the recognised part of its price, and at most all of the cost.
    """
    cost, recognised = cost_before(state), recognised_before(state, obligation.lines)
    if cost is None or len(budget.obligations) == 1 or not cost.amount:
        return cost
    prices = (each.price for each in _balances(state, obligation.lines))
    price = Money.total(prices, state.money).amount
    budgeted = Money.total(
        (each for line, each in budget.cost_by_line.items() if line in obligation.lines),
        state.money,
    )
    if recognised is None or not price:
        return None
    part = budgeted.amount * recognised.amount / price
    return min(cost, Money.nearest(part, state.money, state.rounding))


def _balances(state: Engagement, lines: Container[str] | None = None) -> tuple[OpeningBalance, ...]:
    taken_over = state.importing.taken_over
    every = taken_over.lines if taken_over else ()
    return tuple(each for each in every if lines is None or each.line in lines)


def _cost_lines(state: Engagement) -> tuple[OpeningRevenue, ...]:
    return state.importing.cost.lines if state.importing.cost else ()
