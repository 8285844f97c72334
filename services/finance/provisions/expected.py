"""Compute what a contract is still expected to cost and to earn. Confidential.

Source: IAS 37.66-69, *Onerous contracts*. The expected loss of a contract is its cost to come less
its revenue to come, at least zero. So revenue recognised, less the cost to date and the expected
loss, is the loss of the whole contract from the day on which it is known, and what is provided is
used up as the cost comes. Where revenue is recognised at acceptance, what comes may cost more than
it earns although the contract brings a profit: that is provided for, too. The contract asset is
written down first, the rest is a provision.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts.lines import PerformanceObligation
from contracts.money import Money
from finance.budgeting.state import Budget
from finance.engagement import Engagement
from finance.importing.opening import cost_before
from finance.performance.state import Forecast
from finance.provisions.losses import Loss
from finance.revenue.balances import billed_to, contract_asset, recognised_to
from finance.revenue.costs import (
    cost_of_changes,
    cost_to,
    expected_cost,
    forecast_at,
    unmeasured_changes,
)
from finance.revenue.earned import changes_to_implement, earned_to, is_done, is_over, price_to


@dataclass(frozen=True, slots=True)
class ToCome:
    """Cost and revenue to come of a contract, and its contract asset, as of a day."""

    cost: Money
    revenue: Money
    asset: Money

    @property
    def loss(self) -> Loss:
        """Return the expected loss, and the part by which the contract asset is written down."""
        loss = max((self.cost - self.revenue).amount, Decimal(0))
        return Loss(expected=loss, written_down=min(self.asset.amount, loss))


def to_come(
    state: Engagement, budget: Budget, obligations: tuple[PerformanceObligation, ...], day: date
) -> ToCome | None:
    """Return what is to come of a contract after a day; None where a cost or rate is unknown.

    None, too, where an obligation has cost more than its forecast: what is to come is not known.
    Nothing is to come of a contract that is over.
    """
    nothing = Money.zero(state.money)
    if is_over(state, budget, day):
        return ToCome(cost=nothing, revenue=nothing, asset=nothing)
    recognised = recognised_to(state, obligations, day)
    if recognised is None or cost_before(state) is None or not state.work.is_costed(until=day):
        return None
    costs, totals = list[Money](), list[Money]()
    for each in obligations:
        cost = _cost_to_come(state, budget, each, day)
        total = _expected_revenue(state, budget, each, day)
        if cost is None or total is None:
            return None
        costs.append(cost)
        totals.append(total)
    billed, total = billed_to(state, obligations, day), Money.total(totals, state.money)
    return ToCome(
        cost=Money.total(costs, state.money),
        revenue=total - min(total, recognised),
        asset=contract_asset(recognised, billed),
    )


def _cost_to_come(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money | None:
    if any(unmeasured_changes(state, budget, obligation, day)):
        return None
    if is_done(state, budget, obligation, day):
        waiting = changes_to_implement(state, budget, day)
        return max(cost_of_changes(state, budget, obligation, waiting), Money.zero(state.money))
    if budget.cost is None and forecast_at(state, budget, obligation, day) is None:
        return None
    expected = expected_cost(state, budget, obligation, day)
    return expected and expected - cost_to(state, budget, obligation, day)


def _expected_revenue(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money | None:
    """Return the revenue of an obligation at its completion.

    A fixed price or retainer is earned in full. Work by time and materials or at cost earns what it
    did by the forecast, and what the remaining hours and purchases will be charged at, up to the
    cap; before a forecast, the price, or what it did if that is more.
    """
    if obligation.method != "as-invoiced":
        return price_to(state, budget, obligation, day)
    earned = earned_to(state, budget, obligation, day)
    if earned is None or is_done(state, budget, obligation, day):
        return earned
    price = price_to(state, budget, obligation, day)
    forecast = forecast_at(state, budget, obligation, day)
    if forecast is None:
        return max(earned, price)
    rest = _rest(state, budget, obligation, forecast)
    by_then = earned_to(state, budget, obligation, forecast.on)
    if rest is None or by_then is None:
        return None
    expected = by_then + rest
    lines = (line for line in budget.hourly_lines if line.line in obligation.lines)
    if all(line.cap for line in lines):
        expected = min(expected, price)
    return max(earned, expected)


def _rest(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, forecast: Forecast
) -> Money | None:
    """Return what the remaining hours and purchases of a forecast are charged at; None if unknown.

    The hours to complete are those of the manager, shared as the remaining hours of the plan.
    """
    planned = sum((Fraction(each.hours) for each in forecast.hours), Fraction(0))
    exact = Fraction(0)
    for each in forecast.hours:
        line = budget.paying_line(each.line, each.role, forecast.on)
        if line is None or line.line not in obligation.lines:
            continue
        rate = line.rate_on(each.role, forecast.on)
        if rate is None:
            return None
        exact += Fraction(rate.amount * each.hours * forecast.hours_to_complete) / planned
    for line in budget.hourly_lines:
        if line.line in obligation.lines:
            bought = sum((each.amount.amount for each in line.planned_purchases), Decimal(0))
            exact += max(Fraction(bought - state.work.totals.spent_on(line.line)), Fraction(0))
    return Money.nearest(exact, state.money, state.rounding)
