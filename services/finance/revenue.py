"""Recognise revenue by month. Source: IFRS 15, *Revenue from Contracts with Customers*.

Each engagement has one method, fixed by its budget and never switched. With every method, the
revenue of a month is the cumulative revenue earned to its end less what was recognised before. A
signed amendment is therefore a cumulative catch-up (IFRS 15.21(b)) from the day of its signature:
price, scope and schedule of a month are those signed by its end, however late it is recognised.

- cost-to-cost (15.39-45, B18-B19): cost to date / total expected cost x price, where cost and price
  both cover what is signed by the end of the month.
- as-invoiced (15.B16), for time and materials: approved time at contracted rates, which is what may
  be invoiced, up to the price. Advances do not count.
- at-acceptance (15.38): the price of what is accepted. The price is shared among deliverables by
  the acceptance entries of the billing schedule (equally inside an entry). What is billed otherwise
  is shared equally by the deliverables that no entry names, or, where each is named, by all in
  proportion.

A change by hours alone (a higher price without added deliverables) is not earned by accepting the
other deliverables: it has to be implemented, too, unless the engagement is closed.

In the end, revenue is what was invoiced less credit notes, since the customer owes no more: after a
termination, and once everything is accepted (or the engagement is closed) and the account settled.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import RevenueRecognised
from contracts.money import Money
from contracts.values import FIRST_DAY, Month
from finance.billing import in_scope
from finance.calendar_months import after, end_of, month_of, require_over
from finance.margins import billed_to, cost_to
from finance.measuring import known_works
from finance.state import Budget, Engagement, decide, least, require_budget
from finance.time_billing import worth


class RecogniseRevenue(Command):
    """Recognise the revenue of a month that is over, once, in order of months.

    The first month is that of the signature; the next is the one after the last recognised.
    """

    month: Month


@decide.on(RecogniseRevenue)
def recognise_revenue(
    state: Engagement, command: RecogniseRevenue, context: Context
) -> Iterable[Event]:
    """Record the revenue earned to the end of the month, less what was recognised before.

    Raises Refused where the month is not the next one or not over, or where a cost or rate is
    unknown.
    """
    budget = require_budget(state)
    following = next_month(state)
    if command.month < following:
        raise Refused(
            "month-recognised",
            f"revenue of {command.month} is recognised already, or before the contract;"
            f" the next month is {following}",
        )
    if command.month > following:
        raise Refused(
            "month-out-of-order", f"{following} has to be recognised before {command.month}"
        )
    require_over(command.month, context.today)
    day = end_of(command.month)
    gate("revenue-not-measurable", _missing(state, budget, day))
    cumulative = earned_to(state, budget, day)
    before = state.recognised[max(state.recognised)] if state.recognised else None
    yield RevenueRecognised(
        month=command.month,
        method=budget.revenue_method,
        amount=cumulative - before if before else cumulative,
        cumulative=cumulative,
    )


def next_month(state: Engagement) -> Month:
    """Return the next month to be recognised."""
    if state.recognised:
        return after(max(state.recognised))
    return month_of(state.signed_on or FIRST_DAY)


def earned_to(state: Engagement, budget: Budget, day: date) -> Money:
    """Return the revenue earned to the end of a day by the budget's method, in the minor unit."""
    price = _price_at(state, budget, day)
    if _over(state, day):
        return billed_to(state, day)
    match budget.revenue_method:
        case "cost-to-cost":
            return _by_cost(state, budget, price, day)
        case "as-invoiced":
            works = [work for work in state.work.values() if work.on <= day]
            value = worth(works, budget.rates, state.money)
            return price if value is None else least(price, Money.nearest(value, state.money))
        case "at-acceptance":
            return _by_acceptance(state, budget, price, day)


def contract_asset(recognised: Money, billed: Money) -> Money:
    """Return the contract asset: recognised less billed, at least zero (IFRS 15.107)."""
    return recognised - least(recognised, billed)


def contract_liability(recognised: Money, billed: Money) -> Money:
    """Return the contract liability: billed less recognised, at least zero (IFRS 15.106)."""
    return billed - least(recognised, billed)


def _missing(state: Engagement, budget: Budget, day: date) -> Iterable[Missing]:
    if budget.revenue_method == "cost-to-cost":
        if budget.cost is None:
            yield Missing("cost-unknown", "what the budgeted hours cost is not known", "finance")
        if known_works(state) is None:
            yield Missing("cost-unknown", "what some approved work cost is not known", "finance")
        _, included = _measured(state, budget, day)
        for change in sorted(included ^ _signed(state, day)):
            assessment = state.assessment(change)
            if assessment is not None and assessment.cost is None:
                yield Missing("cost-unknown", f"what {change} will cost is not known", "finance")
    if budget.revenue_method == "as-invoiced" and (
        worth(state.work.values(), budget.rates, state.money) is None
    ):
        yield Missing(
            "rate-not-contracted", "the contract has no rate for some approved time", "legal"
        )


def _price_at(state: Engagement, budget: Budget, day: date) -> Money:
    deltas = (one.price_delta for one in state.applied if one.signed_on <= day)
    price = sum(deltas, budget.signed_price)
    return price if price.amount > 0 else Money.zero(state.money)


def _by_cost(state: Engagement, budget: Budget, price: Money, day: date) -> Money:
    """Return cost to date / total expected cost x price, for the scope signed by the day.

    Once everything is accepted (or the engagement is closed), only changes by hours alone that are
    not implemented have cost to come.
    """
    if _accepted(state, day):
        return _less(price, _to_implement(state, day))
    spent = cost_to(known_works(state) or (), state.money, day)
    expected = _expected_cost(state, budget, day)
    if spent.amount == 0:
        return Money.zero(state.money)
    return price if expected <= spent else price * (spent.amount / expected.amount)


def _expected_cost(state: Engagement, budget: Budget, day: date) -> Money:
    """Return the last measured cost at completion, or the budget's, for what is signed by the day.

    Plan and contract seldom change on the same day: a signed change that the measured plan does not
    include yet is added at its assessed cost, and an included change that is not signed is
    subtracted.
    """
    expected, included = _measured(state, budget, day)
    signed = _signed(state, day)
    return expected + _cost_of(state, signed - included) - _cost_of(state, included - signed)


def _measured(state: Engagement, budget: Budget, day: date) -> tuple[Money, frozenset[str]]:
    """Return the last cost at completion measured by a day, and the changes that it includes."""
    measured = [one for one in state.forecasts if one.on <= day]
    if not measured:
        return budget.cost or Money.zero(state.money), frozenset()
    last = max(reversed(measured), key=lambda one: one.on)
    return last.amount, frozenset(last.changes)


def _signed(state: Engagement, day: date) -> frozenset[str]:
    return frozenset(one.change for one in state.applied if one.signed_on <= day)


def _cost_of(state: Engagement, changes: Iterable[str]) -> Money:
    assessed = (state.assessment(change) for change in changes)
    return Money.total((one.cost for one in assessed if one and one.cost), state.money)


def _over(state: Engagement, day: date) -> bool:
    """Return whether nothing is to be earned or billed any more on a day.

    A settled account alone is not enough: it may be settled long before the work ends.
    """
    if state.terminated_on is not None and state.terminated_on <= day:
        return True
    settled = state.settled_on is not None and state.settled_on <= day
    return settled and _accepted(state, day) and _to_implement(state, day).amount == 0


def _closed(state: Engagement, day: date) -> bool:
    return state.closed_on is not None and state.closed_on <= day


def _accepted(state: Engagement, day: date) -> bool:
    if _closed(state, day):
        return True
    scope = in_scope(state, day)
    return bool(scope) and all(state.accepted.get(one, date.max) <= day for one in scope)


def _to_implement(state: Engagement, day: date) -> Money:
    """Return the price of changes by hours alone that are signed by the day and not implemented."""
    waiting = (
        one.price_delta
        for one in state.applied
        if one.signed_on <= day
        and one.price_delta.amount > 0
        and not one.deliverables_added
        and day < state.implemented.get(one.change, date.max)
    )
    return Money.total([] if _closed(state, day) else waiting, state.money)


def _less(price: Money, part: Money) -> Money:
    return price - least(price, part)


def _by_acceptance(state: Engagement, budget: Budget, price: Money, day: date) -> Money:
    shares = _shares(state, budget, day)
    done = [one for one in shares if state.accepted.get(one, date.max) <= day]
    if len(done) == len(shares):
        return _less(price, _to_implement(state, day)) if shares else Money.zero(state.money)
    part, whole = sum(shares[one] for one in done), sum(shares.values())
    return price * (part / whole) if whole else Money.zero(state.money)


def _shares(state: Engagement, budget: Budget, day: date) -> dict[str, Decimal]:
    """Return the weight of each deliverable in scope on a day, by the schedule of that day.

    It is the deliverable's share of the acceptance entries that name it, or, where none does, its
    equal share of what is billed otherwise.
    """
    scope = in_scope(state, day)
    shares = dict.fromkeys(scope, Decimal(0))
    otherwise, named = Decimal(0), set[str]()
    for item in budget.schedule_on(day):
        wanted = [one for one in item.deliverables if one in shares]
        if item.kind != "on-acceptance" or not wanted:
            otherwise += item.amount.amount
            continue
        named.update(wanted)
        for one in wanted:
            shares[one] += item.amount.amount / len(wanted)
    unnamed = [one for one in scope if one not in named]
    return shares | dict.fromkeys(unnamed, otherwise / max(len(unnamed), 1))
