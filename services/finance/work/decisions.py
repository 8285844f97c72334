"""Accrue the cost of approved time and expenses. Confidential.

Time is costed at the rates in force in its week. Where a role has no cost rate, the cost is unknown
and accrued later.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import CostAccrued
from contracts.money import Money
from finance.cost_rates.costing import cost_of_hours, cost_rates_on
from finance.engagement import Engagement
from finance.work.state import Work

capability = Capability[Engagement](__name__)


@capability.react
def accruals(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield accrued costs in the order of approval; work with an unknown cost is left for later."""
    if state.currency is None:
        return
    cumulative = state.work.cost_to_date or Money.zero(state.currency)
    for work in state.work.entries:
        cost = None if work.cost is not None else _cost(work, state.currency, context)
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


def _cost(work: Work, currency: str, context: Context) -> Money | None:
    """Return the cost of approved time or an expense; None while it is unknown.

    An expense in another currency has no known cost.
    """
    if work.role is None:
        return work.expense_in(currency)
    rates = cost_rates_on(context.reference_data, currency, work.on)
    return cost_of_hours([(work.role, work.hours)], rates)


class WorkCosts(ViewModel):
    """The accrued cost of approved work, for callers who may see costs."""

    cost_to_date: Money | None


@capability.confidential_view
def work_costs(state: Engagement) -> WorkCosts:
    """Return the accrued cost for the confidential view."""
    return WorkCosts(cost_to_date=state.work.cost_to_date)
