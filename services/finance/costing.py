"""Cost estimates, changes, budgets and approved work. Confidential.

Cost rates are those of the record ``standard-EUR`` for an engagement in euro: for an estimate or a
change the rates in force on its day, for a budget those on the day of the signature, for time those
in its week. Where a role has no cost rate, the cost is unknown and computed later.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.domain.context import Context, ReferenceData
from contracts.event import Event
from contracts.finance import BudgetCosted, ChangeCosted, CostAccrued, EstimateCosted
from contracts.money import Money
from contracts.reference import CostRatesPublished
from contracts.values import Margin
from finance.earned_value import ratio
from finance.state import Engagement, Work, rates_of


def cost_rates_id(currency: str) -> str:
    """Return the id of the cost rates for engagements in a currency."""
    return f"standard-{currency}"


def cost_rates_on(records: ReferenceData, currency: str, day: date) -> CostRatesPublished | None:
    """Return the cost rates in force on a day, or None."""
    rates = records.on(CostRatesPublished, cost_rates_id(currency), day)
    return rates.event if rates and rates.event.currency == currency else None


def cost_of_hours(
    hours: Iterable[tuple[str, Decimal]], rates: CostRatesPublished | None
) -> Money | None:
    """Return the sum of hours x cost rate, rounded once to the minor unit.

    None where there are no cost rates, or a role has none.
    """
    if rates is None:
        return None
    known = rates_of(rates.rates)
    total = Decimal(0)
    for role, amount in hours:
        if role not in known:
            return None
        total += known[role].amount * amount
    return Money.nearest(total, rates.currency)


def margin_ratio(revenue: Money, cost: Money) -> Decimal | None:
    """Return (revenue - cost) / revenue; None where there is no revenue."""
    return ratio((revenue - cost).amount, revenue.amount)


def margin(revenue: Money, cost: Money) -> Margin:
    """Return revenue, cost and the ratio (revenue - cost) / revenue."""
    return Margin(revenue=revenue, cost=cost, margin=margin_ratio(revenue, cost))


def costs(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the costs of priced estimates and changes, of the budget and of approved work."""
    if state.currency is None:
        return
    yield from _costs_of_estimates(state, state.currency, context.reference_data)
    yield from _costs_of_changes(state, state.currency, context.reference_data)
    yield from _cost_of_budget(state, context.reference_data)
    yield from _accruals(state, state.currency, context.reference_data)


def _costs_of_estimates(
    state: Engagement, currency: str, records: ReferenceData
) -> Iterable[Event]:
    for estimate in state.estimates.values():
        if estimate.price is None or estimate.cost is not None:
            continue
        rates = cost_rates_on(records, currency, estimate.submitted_on)
        hours = ((line.role, line.hours) for line in estimate.with_contingency)
        cost = cost_of_hours(hours, rates)
        if cost is not None:
            yield EstimateCosted(
                estimate_version=estimate.version,
                cost=cost,
                margin=margin_ratio(estimate.price, cost),
            )


def _costs_of_changes(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    """Yield the cost of each change, by its last priced assessment."""
    for name in dict.fromkeys(one.change for one in state.assessments):
        assessment = state.assessment(name)
        if assessment is None or assessment.price is None or assessment.cost is not None:
            continue
        rates = cost_rates_on(records, currency, assessment.assessed_on)
        cost = cost_of_hours(((line.role, line.hours) for line in assessment.lines), rates)
        if cost is not None:
            yield ChangeCosted(change=name, cost=cost, margin=margin_ratio(assessment.price, cost))


def _cost_of_budget(state: Engagement, records: ReferenceData) -> Iterable[Event]:
    budget = state.budget
    if budget is None or budget.cost is not None or state.signed_on is None:
        return
    rates = cost_rates_on(records, budget.price.currency, state.signed_on)
    cost = cost_of_hours(((line.role, line.hours) for line in budget.hours), rates)
    if cost is not None:
        yield BudgetCosted(cost=cost, margin_sold=margin(budget.signed_price, cost))


def _accruals(state: Engagement, currency: str, records: ReferenceData) -> Iterable[Event]:
    """Yield accrued costs in the order of approval; work with an unknown cost is left for later."""
    cumulative = state.cost_to_date or Money.zero(currency)
    for work in state.work.values():
        cost = None if work.cost is not None else cost_of_work(work, currency, records)
        if cost is None:
            continue
        cumulative = cumulative + cost
        yield CostAccrued(
            entry=work.entry,
            person=work.person,
            role=work.role,
            kind=work.kind,
            week=work.week,
            hours=work.hours,
            cost=cost,
            cumulative=cumulative,
        )


def cost_of_work(work: Work, currency: str, records: ReferenceData) -> Money | None:
    """Return the cost of approved time or an expense; None while it is unknown.

    An expense in another currency has no known cost.
    """
    if work.role is None:
        expense = work.amount
        return expense if expense and expense.currency == currency else None
    rates = cost_rates_on(records, currency, work.on)
    return cost_of_hours([(work.role, work.hours)], rates)
