"""Recognise revenue by month and performance obligation, by the method of each (see `earned`).

Revenue by cost is confidential, since it reveals the cost. It never delays what is open: where a
cost is not known yet, only this revenue waits, and is recognised once the cost is.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import RevenueByCostRecognised, RevenueRecognised
from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import Month, RevenueMethod
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.calendar_months import after, end_of, refused_month, require_over
from finance.engagement import Engagement
from finance.importing.opening import billed_before, cost_before, recognised_before
from finance.policies import require_budget, require_open_day
from finance.revenue.earned import earned_to, unmeasured_changes
from finance.revenue.months import (
    first_month,
    last_complete_month,
    next_open_month,
    open_month,
    recognised_at,
    signature_month,
)
from finance.roles import ACCOUNTING

capability = Capability[Engagement](__name__)


class RecogniseRevenue(Command):
    """Recognise the revenue of a month that is over, once, in order of months.

    The first month is that of the signature; the next is the one after the last recognised. Revenue
    by cost whose cost is not known is recognised later: it does not delay that of other
    obligations.
    """

    month: Month


@capability.decide(RecogniseRevenue, by=ACCOUNTING)
def recognise_revenue(
    state: Engagement, command: RecogniseRevenue, context: Context
) -> Iterable[Event]:
    """Record what each obligation earned to the end of the month, less what was recognised before.

    Raises Refused where the month is not the next one or not over, or where all revenue is by cost
    and a cost is unknown.
    """
    budget = require_budget(state)
    begun = [
        each for each in budget.obligations if first_month(state, budget, each) <= command.month
    ]
    openly = [each for each in begun if each.method != "cost-to-cost"]
    following = min(
        (next_open_month(state, budget, each) for each in openly or begun),
        default=open_month(state, signature_month(state)),
    )
    require_open_day(state, "month", end_of(command.month))
    if command.month < following:
        sentence = (
            f"revenue of {command.month} is recognised already, or before the contract;"
            f" the next month is {following}"
        )
        raise refused_month("month-recognised", sentence)
    if command.month > following:
        sentence = f"{following} has to be recognised before {command.month}"
        raise refused_month("month-out-of-order", sentence)
    require_over(command.month, context.today)
    gate("revenue-not-measurable", (_unknown(each) for each in begun))
    gate("revenue-not-measurable", (_unknown_before(state, each) for each in openly))
    day = end_of(command.month)
    if not openly:
        missing = (one for each in begun for one in _missing(state, budget, each, day))
        gate("revenue-not-measurable", dict.fromkeys(missing))
    for each in openly:
        yield _recognised(state, budget, each, command.month)
    yield from _by_cost(state, budget, command.month)


def _unknown(obligation: PerformanceObligation) -> Missing | None:
    if not isinstance(obligation.method, Unlisted):
        return None
    sentence = f"this release does not know the method of {obligation.obligation}"
    return Missing("method-unknown", f"{sentence}, {obligation.method}", "finance")


def _unknown_before(state: Engagement, obligation: PerformanceObligation) -> Missing | None:
    if recognised_before(state, obligation.lines) is not None:
        return None
    sentence = f"the revenue of {obligation.obligation} before the take-over is not known"
    return Missing("revenue-unknown", sentence, "finance")


@capability.react
def by_cost(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the revenue by cost of recognised months whose cost has become known."""
    last = state.revenue.last_month
    if last is not None and state.budget is not None:
        yield from _by_cost(state, state.budget, last)


def _by_cost(state: Engagement, budget: Budget, to: Month) -> Iterable[RevenueByCostRecognised]:
    for each in budget.obligations:
        if each.method != "cost-to-cost":
            continue
        month, before = next_open_month(state, budget, each), _so_far(state, each)
        while month <= to and not any(_missing(state, budget, each, end_of(month))):
            cumulative = _earned_here(state, budget, each, month)
            yield RevenueByCostRecognised(
                month=month,
                obligation=each.obligation,
                method=each.method,
                amount=cumulative - before,
                cumulative=cumulative,
            )
            month, before = after(month), cumulative


def _recognised(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, month: Month
) -> RevenueRecognised:
    cumulative = _earned_here(state, budget, obligation, month)
    return RevenueRecognised(
        month=month,
        obligation=obligation.obligation,
        method=obligation.method,
        amount=cumulative - _so_far(state, obligation),
        cumulative=cumulative,
    )


def _earned_here(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, month: Month
) -> Money:
    """Return what an obligation earned to the end of a month, less what opening balances contain.

    The revenue before is known: what is recognised waits for it.
    """
    before = recognised_before(state, obligation.lines) or Money.zero(state.money)
    return earned_to(state, budget, obligation, end_of(month)) - before


def _so_far(state: Engagement, obligation: PerformanceObligation) -> Money:
    return state.revenue.recognised(obligation.obligation, state.money)


def _missing(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Iterable[Missing]:
    """Yield the unknown costs that the revenue of an obligation to a day needs."""
    if budget.cost is None:
        yield Missing("cost-unknown", "what the budgeted hours cost is not known", "finance")
    if not state.work.is_costed(until=day):
        yield Missing("cost-unknown", "what some approved work cost is not known", "finance")
    if recognised_before(state, obligation.lines) is None or cost_before(state) is None:
        sentence = "the cost, or the revenue by cost, before the take-over is not known"
        yield Missing("cost-unknown", sentence, "finance")
    for change in unmeasured_changes(state, budget, obligation, day):
        yield Missing("cost-unknown", f"what {change} will cost is not known", "finance")


def contract_asset(recognised: Money, billed: Money) -> Money:
    """Return the contract asset: recognised less billed, at least zero (IFRS 15.107)."""
    return recognised - min(recognised, billed)


def contract_liability(recognised: Money, billed: Money) -> Money:
    """Return the contract liability: billed less recognised, at least zero (IFRS 15.106)."""
    return billed - min(recognised, billed)


class ObligationView(ViewModel):
    """Performance obligation, and its revenue where the method does not use cost."""

    obligation: str
    lines: list[str]
    method: RevenueMethod
    recognised: Money | None
    recognised_to: Month | None


class RevenueFields(ViewModel):
    """Revenue by methods that do not use cost, in the view of an engagement."""

    obligations: list[ObligationView]


class RevenueFigures(ViewModel):
    """Revenue of all obligations against what was billed, for callers who may see costs.

    `recognised_to` is the last month in which the revenue of all obligations is recognised. Asset
    and liability are those at its end, and unknown before it.
    """

    recognised: Money | None
    recognised_to: Month | None
    revenue_by_cost: dict[str, Money]
    contract_asset: Money | None
    contract_liability: Money | None


@capability.view
def revenue_view(state: Engagement) -> RevenueFields:
    """Return the open revenue by obligation for the view of an engagement."""
    budget = state.budget
    return RevenueFields(
        obligations=[
            ObligationView(
                obligation=each.obligation,
                lines=list(each.lines),
                method=each.method,
                recognised=_so_far(state, each) if each.method != "cost-to-cost" else None,
                recognised_to=state.revenue.last_month_of(each.obligation)
                if each.method != "cost-to-cost"
                else None,
            )
            for each in (budget.obligations if budget else ())
        ]
    )


@capability.confidential_view
def revenue_figures(state: Engagement) -> RevenueFigures:
    """Return the recognised revenue for the confidential view of an engagement."""
    currency, budget = state.currency, state.budget
    last = last_complete_month(state)
    recognised = recognised_at(state, last) if last else None
    if recognised is None and currency is not None:
        recognised = Money.zero(currency)
    # Asset and liability are those of the contract: with what was recognised and billed before.
    billed = state.billing.billed(state.money, end_of(last)) if last else None
    before = recognised_before(state) if last else None
    earned = recognised + before if recognised and before else None
    invoiced = billed + billed_before(state) if billed else None
    return RevenueFigures(
        recognised=recognised,
        recognised_to=last,
        revenue_by_cost={
            each.obligation: _so_far(state, each)
            for each in (budget.obligations if budget else ())
            if each.method == "cost-to-cost"
        },
        contract_asset=contract_asset(earned, invoiced) if earned and invoiced else None,
        contract_liability=contract_liability(earned, invoiced) if earned and invoiced else None,
    )
