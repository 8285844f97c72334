"""Provide for expected losses of contracts, and release them as the cost comes. Confidential.

The loss of a month is measured at its end once its revenue is recognised, and before that on the
day of the last measured report. A booked month never changes: what is measured later counts in the
next one.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
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

capability = Capability[Engagement](__name__)


@capability.react
def losses(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the changes of the expected losses by contract and month."""
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
    known = state.provisions
    for month, day in days.items():
        measured = to_come(state, budget, obligations, day)
        if measured is None:
            continue
        before, loss = known.loss_to(month, name), measured.loss
        if loss == before:
            continue
        more = loss.expected - before.expected
        event = (LossProvided if more >= 0 else LossReleased)(
            amendment=name or None,
            month=month,
            as_of=day,
            cost_to_come=measured.cost,
            revenue_to_come=measured.revenue,
            amount=Money(amount=abs(more), currency=state.money),
            expected_loss=Money(amount=loss.expected, currency=state.money),
            asset_written_down=Money(amount=loss.written_down, currency=state.money),
            provision=Money(amount=loss.expected - loss.written_down, currency=state.money),
        )
        known = known.with_loss(event)
        yield event


class LossView(ViewModel):
    """Expected loss of a contract to the last month: an amendment, or all other lines (null)."""

    amendment: str | None
    expected_loss: Money
    asset_written_down: Money
    provision: Money


class LossFigures(ViewModel):
    """The expected losses of contracts that have or had one, for callers who may see costs."""

    expected_losses: list[LossView]


@capability.confidential_view
def losses_view(state: Engagement) -> LossFigures:
    """Return the expected losses for the confidential view of an engagement."""
    losses = {
        name: state.provisions.loss_to(max(months), name)
        for name, months in state.provisions.changes.items()
    }
    return LossFigures(
        expected_losses=[
            LossView(
                amendment=name or None,
                expected_loss=Money(amount=loss.expected, currency=state.money),
                asset_written_down=Money(amount=loss.written_down, currency=state.money),
                provision=Money(amount=loss.expected - loss.written_down, currency=state.money),
            )
            for name, loss in losses.items()
        ]
    )
