"""Compute the revenue earned to a day. Source: IFRS 15, *Revenue from Contracts with Customers*.

Each performance obligation has one method, fixed by the budget and never switched. With every
method, the revenue of a month is the cumulative revenue earned to its end less what was recognised
before. A signed amendment of fixed lines is therefore a cumulative catch-up (IFRS 15.21(b)) from
the day of its signature: price, scope and schedule of a month are those signed by its end, however
late it is recognised. Where it is prospective (15.21(a)), what was earned before the signature
stays, and the rest of the price is earned by the cost, or the deliverables, that are still to come.
A discount belongs to the obligations whose billing it reduces (15.81-82).

- cost-to-cost (15.39-45, B18-B19): cost to date / total expected cost x price, where cost and price
  both cover what is signed by the end of the month. Where more is spent than the last forecast
  expects, nothing is measured until a newer one (15.44); see `costs`.
- as-invoiced (15.B16), for time and materials and at cost: what invoices charge for approved work,
  and what is not billed at contracted rates, rounded once: that is what may be invoiced. It is at
  most the cap, and without what was given back for good (15.51). Advances do not count. So what is
  recognised is what is billed once all work is.
- at-acceptance (15.38): the price of what is accepted. The price is shared by the lines by their
  stand-alone prices (15.76), and inside a line equally by its deliverables. When something is
  billed changes nothing.
- over-time (15.39), for retainers: each month earns an equal part of the price that is not earned
  yet. A changed fee is therefore earned in the months to come (15.21(a)).

What was given back for good, or written down on an invoice, is no revenue from the day of the
credit note or invoice (15.51): the earned part of the price is less by it, and at least zero. What
a later amendment takes off the price is not taken off twice.

A change by hours alone (a higher price without added deliverables) is not earned by accepting the
other deliverables: it has to be implemented, too, unless the engagement is closed.

In the end, revenue is what was invoiced less credit notes, since the customer owes no more: after a
termination, and once everything is accepted (or the engagement is closed) and the account settled.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from contracts.legal import AmendmentSigned
from contracts.lines import ContractLine, PerformanceObligation, Retainer
from contracts.money import Money
from contracts.values import FIRST_DAY, days_after
from contracts.vocabularies import Unlisted
from finance.budgeting.state import Budget
from finance.calendar_months import end_of, first_of_month, month_of, months_between
from finance.engagement import Engagement
from finance.importing.opening import billed_before, recognised_before
from finance.revenue.costs import cost_to, expected_cost
from finance.time_billing.unbilled import given_back_of_reversed


def earned_to(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money | None:
    """Return the revenue of an obligation earned to the end of a day, in the minor unit.

    It contains what was earned before an engagement was taken over. None where it is measured by
    cost, and the cost to that day is above the forecasts: how much of the work is done is unknown.
    Raises ValueError where this release does not know the method.
    """
    if is_over(state, budget, day):
        return price_to(state, budget, obligation, day)
    earned: Money | None
    match obligation.method:
        case "as-invoiced":
            return _as_invoiced(state, budget, obligation, day)
        case "cost-to-cost":
            earned = _by_cost(state, budget, obligation, day)
        case "at-acceptance":
            earned = _by_acceptance(state, budget, obligation, day)
        case "over-time":
            earned = _over_time(state, budget, obligation, day)
        case Unlisted() as method:
            raise ValueError(f"revenue by {method} cannot be measured")
    return earned and earned - min(earned, given_up(state, budget, obligation, day))


def given_up(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return what invoices to a day charge of a fixed price or retainer, and do not bill for good.

    That was given back, or written down. An entry of the schedule counts up to its amount on that
    day: what an amendment took off it is not in the price.
    """
    total = Money.zero(state.money)
    for entry in budget.agreed_on(day).entries:
        if entry.line.line not in obligation.lines:
            continue
        invoices = [
            each
            for each in state.billing.of_item(entry.item.item)
            if each.stage == "issued" and each.issue_on and each.issue_on <= day
        ]
        before = Money.total(state.billing.before.get(entry.item.item, {}).values(), state.money)
        charged = Money.total((each.charged_to(day) for each in invoices), state.money) + before
        kept = (each.amount - each.credited_to(day) for each in invoices)
        billed = Money.total(kept, state.money) + before
        due = min(charged, entry.amount)
        total = total + (due - min(due, billed))
    return total


def price_to(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return what an obligation earns in the end by the contract on a day.

    That is its price without what was given up or, where nothing more is to be billed, what was.
    """
    if is_over(state, budget, day):
        billed = state.billing.billed(state.money, day, obligation.lines)
        return billed + billed_before(state, obligation.lines)
    price = price_at(state, budget, obligation, day)
    return price - min(price, given_up(state, budget, obligation, day))


def is_done(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> bool:
    """Return whether an obligation is satisfied by a day, but for changes by hours alone."""
    if is_over(state, budget, day):
        return True
    if obligation.method == "over-time":
        return not any(
            months_between(each.starts_on, day) + 1 < each.periods
            for each in _retainers(obligation, budget.agreed_on(day).lines)
        )
    return _accepted(state, day, _scope(state, budget, obligation, day))


def changes_to_implement(state: Engagement, budget: Budget, day: date) -> tuple[str, ...]:
    """Return the signed changes by hours alone that are not implemented on a day."""
    return tuple(each.change for each in _by_hours_alone(state, day))


def price_at(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return the price of an obligation signed by a day, after the discounts on its entries."""
    total = Money.zero(state.money)
    for line in budget.history[0].lines:
        if line.line in obligation.lines and line.kind != "discount":
            total = total + line.price
    for one in state.budgeting.applied:
        if one.signed_on <= day:
            total = total + _delta(budget, obligation, one)
    for entry in budget.agreed_on(day).entries:
        if entry.line.line in obligation.lines:
            total = total + Money.total(entry.discounts.values(), state.money)
    return max(total, Money.zero(state.money))


def prospective_on(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> date | None:
    """Return the last day, up to a day, on which an obligation was changed prospectively, or None.

    That is the signature of an amendment of its lines that is accounted for so.
    """
    chosen = {each.amendment for each in budget.history if each.treatment == "prospective"}
    return max(
        (
            one.signed_on
            for one in state.budgeting.applied
            if one.amendment in chosen
            and FIRST_DAY < one.signed_on <= day
            and any(each.line in obligation.lines for each in one.changes)
        ),
        default=None,
    )


def _delta(budget: Budget, obligation: PerformanceObligation, amendment: AmendmentSigned) -> Money:
    """Return by how much an amendment changes the price of an obligation, without discounts."""
    discounts = {line.line for line in budget.lines if line.kind == "discount"}
    return Money.total(
        (
            each.price_delta
            for each in amendment.changes
            if each.line in obligation.lines and each.line not in discounts
        ),
        budget.currency,
    )


def _as_invoiced(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return the value of the work up to the cap of the line, less its part of the discounts.

    The value of the work before a take-over is the revenue that was recognised.
    """
    before = recognised_before(state, obligation.lines)
    total = Fraction(before.amount if before else 0)
    discounts = Money.zero(state.money)
    for line in budget.hourly_lines:
        if line.line not in obligation.lines:
            continue
        value = state.work.totals.worth_of(line.line, day)
        later = (
            each.price_delta
            for one in state.budgeting.applied
            if one.signed_on > day
            for each in one.changes
            if each.line == line.line
        )
        price = line.price - Money.total(later, state.money)
        known = recognised_before(state, {line.line}) or Money.zero(state.money)
        left = max(price.amount - known.amount, Decimal(0))
        earned = Fraction(value if line.cap is None else min(value, left))
        total += max(earned - Fraction(given_back(state, line, day).amount), Fraction(0))
        if price.amount:
            net = Fraction(price_at(state, budget, obligation, day).amount)
            less = (net - Fraction(price.amount)) * earned / Fraction(price.amount)
            discounts = discounts + _nearest(state, less)
    return _nearest(state, total) + discounts


def given_back(state: Engagement, line: ContractLine, day: date) -> Money:
    """Return what invoices of time of a line gave back for good to a day, of approved works."""
    invoices = [each for each in state.billing.of_line(line.line) if each.kind == "time"]
    back = ((each.given_back_to(day), given_back_of_reversed(state, each)) for each in invoices)
    return Money.total((given - min(given, gone) for given, gone in back), state.money)


def _by_cost(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money | None:
    """Return cost to date / total expected cost x price, for the scope signed by the day.

    Once everything is accepted (or the engagement is closed), only changes by hours alone that are
    not implemented have cost to come.
    """
    price = price_at(state, budget, obligation, day)
    if _accepted(state, day, _scope(state, budget, obligation, day)):
        return price - min(price, _to_implement(state, budget, obligation, day))
    earned: Money | None = Money.zero(state.money)
    before, changed_on = Money.zero(state.money), prospective_on(state, budget, obligation, day)
    if changed_on is not None:
        until = days_after(changed_on, -1)
        earned = _by_cost(state, budget, obligation, until)
        before = cost_to(state, budget, obligation, until)
    spent = cost_to(state, budget, obligation, day) - before
    expected = expected_cost(state, budget, obligation, day)
    if expected is None or earned is None:
        return None
    if spent.amount == 0:
        return earned
    part = Fraction(spent.amount) / Fraction((expected - before).amount)
    return earned + _part_of(state, price - earned, part)


def is_over(state: Engagement, budget: Budget, day: date) -> bool:
    """Return whether nothing is to be earned or billed any more on a day.

    A settled account alone is not enough: it may be settled long before the work ends.
    """
    if _by(state.contract.terminated_on, day):
        return True
    if not _by(state.settlement.settled_on, day) or any(_by_hours_alone(state, day)):
        return False
    if _by(state.progress.closed_on, day):
        return True
    retained = any(
        months_between(line.retainer.starts_on, day) + 1 < line.retainer.periods
        for line in budget.agreed_on(day).lines
        if line.retainer
    )
    return not retained and _accepted(state, day, state.in_scope(day))


def _by(happened_on: date | None, day: date) -> bool:
    return happened_on is not None and happened_on <= day


def _accepted(state: Engagement, day: date, scope: tuple[str, ...]) -> bool:
    if _by(state.progress.closed_on, day):
        return True
    return bool(scope) and all(state.progress.accepted.get(one, date.max) <= day for one in scope)


def _scope(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> tuple[str, ...]:
    """Return the deliverables in scope on a day but those that only other obligations pay for."""
    own, others = set[str](), set[str]()
    for line in budget.agreed_on(day).lines:
        (own if line.line in obligation.lines else others).update(_paid_by(line))
    return tuple(one for one in state.in_scope(day) if one in own or one not in others)


def _by_hours_alone(state: Engagement, day: date) -> Iterable[AmendmentSigned]:
    """Yield the changes by hours alone that are signed by the day and not implemented."""
    if _by(state.progress.closed_on, day):
        return
    for one in state.budgeting.applied:
        implemented = state.changes.implemented.get(one.change, date.max)
        added = one.price_delta.amount > 0 and not one.deliverables_added
        if one.signed_on <= day < implemented and added:
            yield one


def _to_implement(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return the price of changes by hours alone that are not implemented, of an obligation."""
    waiting = (_delta(budget, obligation, one) for one in _by_hours_alone(state, day))
    return Money.total((one for one in waiting if one.amount > 0), state.money)


def _by_acceptance(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    price = price_at(state, budget, obligation, day)
    shares = _shares(state, budget, obligation, day)
    accepted = state.progress.accepted
    done = [one for one in shares if accepted.get(one, date.max) <= day]
    if shares and len(done) == len(shares):
        return price - min(price, _to_implement(state, budget, obligation, day))
    earned, changed_on = Money.zero(state.money), prospective_on(state, budget, obligation, day)
    if changed_on is not None:
        earned = _by_acceptance(state, budget, obligation, days_after(changed_on, -1))
    to_come = {
        one: share
        for one, share in shares.items()
        if changed_on is None or accepted.get(one, date.max) >= changed_on
    }
    part, whole = sum(to_come[one] for one in done if one in to_come), sum(to_come.values())
    return earned + _part_of(state, price - earned, part / whole) if whole else earned


def _over_time(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return what the months of a retainer to that of a day earn.

    Each month earns an equal part of the price that is not earned yet, by the terms at its end.
    """
    first = next((terms.starts_on for terms in _retainers(obligation, budget.lines)), None)
    if first is None:
        return Money.zero(state.money)
    earned = Fraction(0)
    for nth in range(months_between(first, day) + 1):
        month = end_of(month_of(first_of_month(first, nth)))
        terms = next(_retainers(obligation, budget.agreed_on(month).lines), None)
        if terms is not None and nth < terms.periods:
            price = Fraction(price_at(state, budget, obligation, month).amount)
            earned += (price - earned) / (terms.periods - nth)
    return _nearest(state, earned)


def _retainers(
    obligation: PerformanceObligation, lines: Iterable[ContractLine]
) -> Iterator[Retainer]:
    return (line.retainer for line in lines if line.retainer and line.line in obligation.lines)


def _part_of(state: Engagement, price: Money, part: Fraction) -> Money:
    """Return a part of the price, rounded once: a quotient such as 5/6 is not rounded before."""
    return _nearest(state, Fraction(price.amount) * part)


def _nearest(state: Engagement, exact: Fraction) -> Money:
    return Money.nearest(exact, state.money, state.rounding)


def _shares(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> dict[str, Fraction]:
    """Return the weight of each deliverable in scope on a day.

    The price of an obligation is shared by its lines by their stand-alone prices (15.76), and the
    part of a line equally by the deliverables that it pays for. A line that names none pays for
    those that no line names or, where each is named, for all in proportion. Where each line names
    some, all of them pay for those that no line names.
    """
    scope = _scope(state, budget, obligation, day)
    lines = [
        line
        for line in budget.agreed_on(day).lines
        if line.line in obligation.lines and line.kind != "discount"
    ]
    named = {line.line: [one for one in scope if one in _paid_by(line)] for line in lines}
    others = [one for one in scope if not any(one in each for each in named.values())]
    shares, otherwise = dict.fromkeys(scope, Fraction(0)), Fraction(0)
    every_line_names = all(named.values())
    for line in lines:
        price = Fraction((line.stand_alone_price or line.price).amount)
        paid = [*named[line.line], *(others if every_line_names else ())]
        if not named[line.line]:
            otherwise += price
        for one in paid if named[line.line] else ():
            shares[one] += price / len(paid)
    shares |= dict.fromkeys(others, otherwise / len(others)) if otherwise and others else {}
    return shares if any(shares.values()) else dict.fromkeys(scope, Fraction(1))


def _paid_by(line: ContractLine) -> frozenset[str]:
    """Return the deliverables that a line pays for: those that it names, or else its billing."""
    return frozenset(
        line.deliverables or (one for item in line.billing for one in item.deliverables)
    )
