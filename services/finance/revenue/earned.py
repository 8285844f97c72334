"""Compute the revenue earned to a day. Source: IFRS 15, *Revenue from Contracts with Customers*.

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
from fractions import Fraction

from contracts.money import Money
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.engagement import Engagement
from finance.performance.margins import cost_to
from finance.time_billing.unbilled import worth


def earned_to(state: Engagement, budget: Budget, day: date) -> Money:
    """Return the revenue earned to the end of a day by the budget's method, in the minor unit.

    Raises ValueError where this release does not know the method.
    """
    price = _price_at(state, budget, day)
    if _over(state, day):
        return state.billing.billed(state.money, day)
    match budget.revenue_method:
        case "cost-to-cost":
            return _by_cost(state, budget, price, day)
        case "as-invoiced":
            works = [work for work in state.work.entries if work.on <= day]
            value = worth(works, budget.rate_by_role, state.money)
            return price if value is None else min(price, Money.nearest(value, state.money))
        case "at-acceptance":
            return _by_acceptance(state, budget, price, day)
        case Unlisted() as method:
            raise ValueError(f"revenue by {method} cannot be measured")


def unmeasured_changes(state: Engagement, budget: Budget, day: date) -> tuple[str, ...]:
    """Return the changes in plan or contract, but not both, whose cost is not known."""
    _, included = _measured(state, budget, day)
    differing = ((each, state.changes.priced(each)) for each in included ^ _signed(state, day))
    return tuple(sorted(each for each, priced in differing if priced and priced.cost is None))


def _price_at(state: Engagement, budget: Budget, day: date) -> Money:
    deltas = (one.price_delta for one in state.budgeting.applied if one.signed_on <= day)
    price = sum(deltas, budget.signed_price)
    return price if price.amount > 0 else Money.zero(state.money)


def _by_cost(state: Engagement, budget: Budget, price: Money, day: date) -> Money:
    """Return cost to date / total expected cost x price, for the scope signed by the day.

    Once everything is accepted (or the engagement is closed), only changes by hours alone that are
    not implemented have cost to come.
    """
    if _accepted(state, day):
        return price - min(price, _to_implement(state, day))
    spent = cost_to(state.work.costed(state.money) or (), state.money, day)
    expected = _expected_cost(state, budget, day)
    if spent.amount == 0:
        return Money.zero(state.money)
    if expected <= spent:
        return price
    return _part_of(price, Fraction(spent.amount) / Fraction(expected.amount))


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
    measured = [one for one in state.performance.forecasts if one.on <= day]
    if not measured:
        return budget.cost or Money.zero(state.money), frozenset()
    last = max(reversed(measured), key=lambda one: one.on)
    return last.amount, frozenset(last.changes)


def _signed(state: Engagement, day: date) -> frozenset[str]:
    return frozenset(one.change for one in state.budgeting.applied if one.signed_on <= day)


def _cost_of(state: Engagement, changes: Iterable[str]) -> Money:
    assessed = (state.changes.priced(change) for change in changes)
    return Money.total((one.cost for one in assessed if one and one.cost), state.money)


def _over(state: Engagement, day: date) -> bool:
    """Return whether nothing is to be earned or billed any more on a day.

    A settled account alone is not enough: it may be settled long before the work ends.
    """
    if _by(state.contract.terminated_on, day):
        return True
    settled = _by(state.settlement.settled_on, day)
    return settled and _accepted(state, day) and _to_implement(state, day).amount == 0


def _by(happened_on: date | None, day: date) -> bool:
    return happened_on is not None and happened_on <= day


def _accepted(state: Engagement, day: date) -> bool:
    if _by(state.progress.closed_on, day):
        return True
    scope = state.in_scope(day)
    return bool(scope) and all(state.progress.accepted.get(one, date.max) <= day for one in scope)


def _to_implement(state: Engagement, day: date) -> Money:
    """Return the price of changes by hours alone that are signed by the day and not implemented."""
    waiting = (
        one.price_delta
        for one in state.budgeting.applied
        if one.signed_on <= day
        and one.price_delta.amount > 0
        and not one.deliverables_added
        and day < state.changes.implemented.get(one.change, date.max)
    )
    return Money.total([] if _by(state.progress.closed_on, day) else waiting, state.money)


def _by_acceptance(state: Engagement, budget: Budget, price: Money, day: date) -> Money:
    shares = _shares(state, budget, day)
    done = [one for one in shares if state.progress.accepted.get(one, date.max) <= day]
    if shares and len(done) == len(shares):
        return price - min(price, _to_implement(state, day))
    part, whole = sum(shares[one] for one in done), sum(shares.values())
    return _part_of(price, part / whole) if whole else Money.zero(state.money)


def _part_of(price: Money, part: Fraction) -> Money:
    """Return a part of the price, rounded once: a quotient such as 5/6 is not rounded before."""
    exact = Fraction(price.amount) * part
    return Money.nearest(Decimal(exact.numerator) / exact.denominator, price.currency)


def _shares(state: Engagement, budget: Budget, day: date) -> dict[str, Fraction]:
    """Return the weight of each deliverable in scope on a day, by the schedule of that day.

    It is the deliverable's share of the acceptance entries that name it, or, where none does, its
    equal share of what is billed otherwise.
    """
    scope = state.in_scope(day)
    shares = dict.fromkeys(scope, Fraction(0))
    otherwise, named = Fraction(0), set[str]()
    for item in budget.schedule_on(day):
        wanted = [one for one in item.deliverables if one in shares]
        if item.kind != "on-acceptance" or not wanted:
            otherwise += Fraction(item.amount.amount)
            continue
        named.update(wanted)
        for one in wanted:
            shares[one] += Fraction(item.amount.amount) / len(wanted)
    unnamed = [one for one in scope if one not in named]
    return shares | dict.fromkeys(unnamed, otherwise / max(len(unnamed), 1))
