"""Recognise revenue by month and performance obligation, by the method of each (see `earned`).

Revenue by cost is confidential, since it reveals the cost. It never delays what is open: where a
cost is not known yet, or the forecast is out of date, only this revenue waits. A month that cannot
be measured delays no later one, whose revenue then contains that of the month.
"""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import ContractBalance, RevenueByCostRecognised, RevenueRecognised
from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import Month, RevenueMethod
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.calendar_months import after, end_of, refused_month, require_over
from finance.engagement import Engagement
from finance.importing.opening import recognised_before
from finance.policies import require_budget, require_open_day
from finance.revenue.balances import balances_at
from finance.revenue.earned import earned_to
from finance.revenue.missing import missing_costs
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
    by cost whose cost or forecast is not known is recognised later: it does not delay that of other
    obligations.
    """

    month: Month


@capability.decide(RecogniseRevenue, by=ACCOUNTING)
def recognise_revenue(
    state: Engagement, command: RecogniseRevenue, context: Context
) -> Iterable[Event]:
    """Record what each obligation earned to the end of the month, less what was recognised before.

    Raises Refused where the month is not the next one or not over, or where all revenue is by cost
    and a cost is unknown or the forecast out of date. Then a later month may be given that can be
    measured.
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
    while not openly and following < command.month and _unmeasurable(state, budget, following):
        following = after(following)
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
    if not openly:
        missing = [
            one for each in begun for one in missing_costs(state, budget, each, command.month)
        ]
        gate("revenue-not-measurable", _shown(missing, context))
    for each in openly:
        yield _recognised(state, budget, each, command.month)
    yield from _by_cost(state, budget, command.month)


def _unmeasurable(state: Engagement, budget: Budget, month: Month) -> bool:
    """Return whether nothing of the revenue by cost of a month can be measured."""
    begun = (each for each in budget.obligations if first_month(state, budget, each) <= month)
    return all(any(missing_costs(state, budget, each, month)) for each in begun)


def _shown(missing: Iterable[Missing], context: Context) -> Iterable[Missing]:
    """Return what is missing as the caller may see it: without the right to costs, that it is."""
    found = dict.fromkeys(missing)
    if not found or "confidential" in context.roles:
        return found
    sentence = "a cost, or a current forecast of it, is missing"
    return [Missing("cost-unknown", sentence, "finance")]


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
    """Yield the revenue by cost of recognised months that has become measurable."""
    last = state.revenue.last_month
    if last is not None and state.budget is not None:
        yield from _by_cost(state, state.budget, last)


def _by_cost(state: Engagement, budget: Budget, to: Month) -> Iterable[RevenueByCostRecognised]:
    for each in budget.obligations:
        if each.method != "cost-to-cost":
            continue
        month, before = next_open_month(state, budget, each), _so_far(state, each)
        while month <= to:
            cumulative = None
            if not any(missing_costs(state, budget, each, month)):
                cumulative = _earned_here(state, budget, each, month)
            if cumulative is not None:
                yield RevenueByCostRecognised(
                    month=month,
                    obligation=each.obligation,
                    method=each.method,
                    amount=cumulative - before,
                    cumulative=cumulative,
                )
                before = cumulative
            month = after(month)


def _recognised(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, month: Month
) -> RevenueRecognised:
    cumulative = _earned_here(state, budget, obligation, month)
    if cumulative is None:
        raise ValueError(f"revenue by {obligation.method} does not rest on cost")
    return RevenueRecognised(
        month=month,
        obligation=obligation.obligation,
        method=obligation.method,
        amount=cumulative - _so_far(state, obligation),
        cumulative=cumulative,
    )


def _earned_here(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, month: Month
) -> Money | None:
    """Return what an obligation earned to the end of a month, less what opening balances contain.

    None where it cannot be measured. The revenue before is known: what is recognised waits for it.
    """
    before = recognised_before(state, obligation.lines) or Money.zero(state.money)
    earned = earned_to(state, budget, obligation, end_of(month))
    return earned and earned - before


def _so_far(state: Engagement, obligation: PerformanceObligation) -> Money:
    return state.revenue.recognised(obligation.obligation, state.money)


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
    and liability are the sums of those of all contracts at its end, and unknown before it;
    `contract_balances` has them by recognised month and contract.
    """

    recognised: Money | None
    recognised_to: Month | None
    revenue_by_cost: dict[str, Money]
    contract_asset: Money | None
    contract_liability: Money | None
    contract_balances: dict[Month, tuple[ContractBalance, ...]]


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
    balances = {month: balances_at(state, month) for month in reversed(state.revenue.months)}
    assets = [each.contract_asset for each in balances.get(last or "", ())]
    liabilities = [each.contract_liability for each in balances.get(last or "", ())]
    return RevenueFigures(
        recognised=recognised,
        recognised_to=last,
        revenue_by_cost={
            each.obligation: _so_far(state, each)
            for each in (budget.obligations if budget else ())
            if each.method == "cost-to-cost"
        },
        contract_asset=_total(assets),
        contract_liability=_total(liabilities),
        contract_balances=balances,
    )


def _total(amounts: list[Money | None]) -> Money | None:
    """Return the sum; None where one is not known, or there is none."""
    known = [each for each in amounts if each is not None]
    return Money.total(known, known[0].currency) if known and len(known) == len(amounts) else None
