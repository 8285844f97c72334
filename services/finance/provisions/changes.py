"""Compute the changes of the expected losses of contracts, by the months in which they count.

The loss of a month is measured at its end once its revenue is recognised, and before that on the
day of the last measured report. A booked month never changes: what is measured later counts in the
next one. Confidential.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from contracts.finance import LossProvided, LossReleased
from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import Month
from finance.budgeting.state import Budget
from finance.calendar_months import end_of, month_of
from finance.engagement import Engagement
from finance.provisions.expected import to_come
from finance.revenue.balances import contracts
from finance.revenue.months import open_month


def changed_losses(state: Engagement) -> Iterable[LossProvided | LossReleased]:
    """Yield the changes of the expected losses by contract and month; nothing without a budget."""
    if state.budget is None:
        return
    days = _days(state)
    for name, obligations in contracts(state.budget).items():
        yield from _of_contract(state, state.budget, name, obligations, days)


def _days(state: Engagement) -> Mapping[Month, date]:
    """Return the days as of which losses are measured, by the open month in which they count."""
    days = {month: end_of(month) for month in state.revenue.months}
    ended = state.progress.closed_on or state.contract.terminated_on
    for day in (*(each.on for each in state.performance.forecasts), *([ended] if ended else [])):
        days[month_of(day)] = max(day, days.get(month_of(day), day))
    found: dict[Month, date] = {}
    for month, day in sorted(days.items()):
        found[open_month(state, month)] = day
    return found


def _of_contract(
    state: Engagement,
    budget: Budget,
    name: str,
    obligations: tuple[PerformanceObligation, ...],
    days: Mapping[Month, date],
) -> Iterable[LossProvided | LossReleased]:
    """Yield the changes; a loss that cannot be measured stays what it was to the end of a month."""
    known = state.provisions
    for month, day in days.items():
        measured = to_come(state, budget, obligations, day)
        before = known.loss_to(month, name)
        loss = measured.loss if measured else state.provisions.loss_to(month, name)
        if loss == before:
            continue
        more = loss.expected - before.expected
        event = (LossProvided if more >= 0 else LossReleased)(
            amendment=name or None,
            month=month,
            as_of=day,
            cost_to_come=measured.cost if measured else None,
            revenue_to_come=measured.revenue if measured else None,
            amount=Money(amount=abs(more), currency=state.money),
            expected_loss=Money(amount=loss.expected, currency=state.money),
            asset_written_down=Money(amount=loss.written_down, currency=state.money),
            provision=Money(amount=loss.expected - loss.written_down, currency=state.money),
        )
        known = known.with_loss(event)
        yield event
