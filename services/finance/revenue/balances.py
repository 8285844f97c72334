"""Compute what is recognised and billed of each contract. Source: IFRS 15.105-107. Confidential.

A contract asset is what is recognised beyond what is billed, a contract liability what is billed
beyond it, both at the end of one month. Those of different contracts are not set off.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from contracts.finance import ContractBalance
from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import Month
from finance.budgeting.state import Budget
from finance.calendar_months import end_of, month_of
from finance.engagement import Engagement
from finance.importing.opening import billed_before, recognised_before
from finance.revenue.months import first_month


def contracts(budget: Budget) -> Mapping[str, tuple[PerformanceObligation, ...]]:
    """Return the obligations by contract: an amendment that is one of its own, "" for the rest."""
    found: dict[str, tuple[PerformanceObligation, ...]] = {}
    for each in budget.obligations:
        agreed = budget.founded(each.obligation)
        name = agreed.amendment if agreed.treatment == "separate" else None
        found[name or ""] = (*found.get(name or "", ()), each)
    return found


def recognised_to(
    state: Engagement, obligations: Iterable[PerformanceObligation], day: date
) -> Money | None:
    """Return what is recognised of obligations in months ended by a day, with that from before.

    None where that from before is not known.
    """
    total = Money.zero(state.money)
    for each in obligations:
        before = recognised_before(state, each.lines)
        if before is None:
            return None
        months = state.revenue.cumulative.get(each.obligation, {})
        last = max((month for month in months if end_of(month) <= day), default=None)
        total = total + before + (months[last] if last else Money.zero(state.money))
    return total


def billed_to(state: Engagement, obligations: Iterable[PerformanceObligation], day: date) -> Money:
    """Return what is billed of obligations to a day, with that from before."""
    lines = [line for each in obligations for line in each.lines]
    return state.billing.billed(state.money, day, lines) + billed_before(state, lines)


def contract_asset(recognised: Money, billed: Money) -> Money:
    """Return the contract asset: recognised less billed, at least zero (IFRS 15.107)."""
    return recognised - min(recognised, billed)


def contract_liability(recognised: Money, billed: Money) -> Money:
    """Return the contract liability: billed less recognised, at least zero (IFRS 15.106)."""
    return billed - min(recognised, billed)


def balances_at(state: Engagement, month: Month) -> tuple[ContractBalance, ...]:
    """Return the balances of all contracts at the end of a month; none before there is a budget.

    Those whose revenue is not recognised to the month are not known. A settled account has no
    revenue of months after the settlement.
    """
    budget = state.budget
    if budget is None:
        return ()
    return tuple(
        _balance(state, budget, name, begun, month)
        for name, obligations in contracts(budget).items()
        if (begun := [each for each in obligations if first_month(state, budget, each) <= month])
    )


def _balance(
    state: Engagement,
    budget: Budget,
    name: str,
    obligations: Iterable[PerformanceObligation],
    month: Month,
) -> ContractBalance:
    obligations, settled_on = tuple(obligations), state.settlement.settled_on
    last = min(month, month_of(settled_on)) if settled_on else month
    cumulative, day = state.revenue.cumulative, end_of(month)
    is_known = all(
        any(last <= each <= month for each in cumulative.get(one.obligation, {}))
        or first_month(state, budget, one) > last
        for one in obligations
    )
    recognised = recognised_to(state, obligations, day) if is_known else None
    billed = billed_to(state, obligations, day)
    return ContractBalance(
        amendment=name or None,
        recognised=recognised,
        billed=billed,
        contract_asset=recognised and contract_asset(recognised, billed),
        contract_liability=recognised and contract_liability(recognised, billed),
    )
