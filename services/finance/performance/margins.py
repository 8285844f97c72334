"""Compute the five margins. Confidential.

Each is (revenue - cost) / revenue, and the five are never mixed.

Of an engagement that was taken over, they contain the opening balances.

- ``margin_sold``: the contract's price and the expected cost of its hours.
- ``margin_billed``: invoices less credit notes, and cost, both to a day.
- ``margin_recognised``: recognised revenue and cost, both to the end of the last recognised month,
  the cost with the loss that was expected then.
- ``margin_forecast``: expected revenue and the cost at completion (EAC), by the method that the
  manager chose; in the end, the billed amount and the actual cost.
- ``margin_by_trend``: the same with the cost at completion by trend (BAC / CPI).
"""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from contracts.delivery import PlanBaselined
from contracts.finance import MarginMeasured
from contracts.lines import ContractLine
from contracts.money import Money
from contracts.values import Margin, Month
from finance.budgeting.obligations import FIXED
from finance.budgeting.state import Budget
from finance.calendar_months import end_of
from finance.costing.rates import margin
from finance.engagement import Engagement
from finance.importing.opening import billed_before, cost_before, recognised_before
from finance.performance.state import hours_to_come
from finance.revenue.earned import given_back, given_up
from finance.revenue.months import recognised_at
from finance.work.state import Totals


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


def billed(state: Engagement, totals: Totals, day: date) -> Margin | None:
    """Return the margin on what was billed to a day; None while nothing was."""
    revenue, cost = state.billing.billed(state.money, day), _cost_to(state, totals, day)
    revenue = revenue + billed_before(state)
    if revenue.amount == 0 or cost is None:
        return None
    return margin(revenue, cost)


def recognised(state: Engagement, totals: Totals, day: date) -> Margin | None:
    """Return the margin on recognised revenue to the last month ended by a day, or None.

    Only months in which the revenue of all obligations is recognised count.
    """
    for month in state.revenue.months:
        revenue = recognised_at(state, month) if end_of(month) <= day else None
        cost, before = _cost_to(state, totals, end_of(month)), recognised_before(state)
        if revenue is not None and cost is not None and before is not None:
            loss = state.provisions.loss_to(month).expected
            return margin(revenue + before, cost + Money(amount=loss, currency=state.money))
    return None


def forecast(
    state: Engagement,
    baseline: PlanBaselined | None,
    progress: Mapping[str, Decimal],
    hours_to_complete: Decimal,
    changes: Collection[str],
    cost: Money,
    totals: Totals,
    day: date,
) -> Margin | None:
    """Return the margin at completion, by the `cost` at completion; None where it is unknown.

    Fixed prices and retainers are earned in full, but for what was given up to a day. Each line by
    time and materials or at cost earns the work done, its part of the hours to complete, at the
    contracted rates, and what is still to be bought for it, up to its cap, without what was given
    back. The hours to complete are shared as the planned hours that
    `progress`, the completed percentage by task, leaves. Prices are those with `changes`.
    """
    budget, revenue = state.budget, price_with(state, changes)
    if baseline is None or budget is None or revenue is None:
        return None
    for obligation in budget.obligations:
        if obligation.method != "as-invoiced":
            revenue = revenue - given_up(state, budget, obligation, day)
    if not budget.hourly_lines:
        return margin(revenue, cost)
    planned = [
        (budget.paying_line(each.line, each.role, baseline.baselined_on), each)
        for each in hours_to_come(baseline, progress)
    ]
    total = sum((each.hours for _, each in planned), Decimal(0))
    fixed = any(each.obligation == FIXED for each in budget.obligations)
    if total == 0 or (not fixed and any(line is None for line, _ in planned)):
        return None
    for line in budget.hourly_lines:
        plan = Decimal(0)
        for found, each in planned:
            rate = line.rate_on(each.role, baseline.baselined_on)
            if found is not None and found.line == line.line:
                if rate is None:
                    return None
                plan += rate.amount * each.hours
        to_buy = _to_buy(line, totals)
        before = recognised_before(state, {line.line})
        if before is None:
            return None
        worked = totals.worth_of(line.line) + before.amount
        back = given_back(state, line, day).amount
        exact = worked + plan * hours_to_complete / total + to_buy - back
        expected = Money.nearest(exact, state.money, budget.rounding)
        signed = _line_price(state, budget, line.line, changes)
        revenue = revenue - signed + (expected if line.cap is None else min(signed, expected))
    return margin(revenue, cost)


def of_month(state: Engagement, month: Month) -> MarginMeasured | None:
    """Return the margins at the end of a month, with what was expected last; None if all unknown.

    What is known when the month is booked counts, so that no later booking changes it.
    """
    totals, day, expected = state.work.totals, end_of(month), state.performance.expected
    costed = state.work.is_costed(until=day)
    signed = [each.change for each in state.budgeting.applied if each.signed_on <= day]
    measured = MarginMeasured(
        as_of=day,
        month=month,
        margin_sold=sold(state, signed),
        margin_billed=billed(state, totals, day) if costed else None,
        margin_recognised=recognised(state, totals, day) if costed else None,
        margin_forecast=expected.margin_forecast if expected else None,
        margin_by_trend=expected.margin_by_trend if expected else None,
        forecast_on=expected.forecast_on if expected else None,
    )
    known = (measured.margin_sold, measured.margin_billed, measured.margin_recognised)
    return measured if expected or any(known) else None


def _cost_to(state: Engagement, totals: Totals, day: date) -> Money | None:
    """Return the cost to a day, with that before a take-over; None where that is unknown."""
    before = cost_before(state)
    return before and before + Money(amount=totals.cost_to(day), currency=state.money)


def _to_buy(line: ContractLine, totals: Totals) -> Decimal:
    """Return what the customer will be charged for purchases that are planned and not bought."""
    planned = Money.total((each.amount for each in line.planned_purchases), line.price.currency)
    return max(planned.amount - totals.spent_on(line.line), Decimal(0))


def _line_price(state: Engagement, budget: Budget, line: str, changes: Collection[str]) -> Money:
    signed = (each.price for each in budget.history[0].lines if each.line == line)
    deltas = (
        each.price_delta
        for one in state.budgeting.applied
        if one.change in changes
        for each in one.changes
        if each.line == line
    )
    return Money.total((*signed, *deltas), state.money)
