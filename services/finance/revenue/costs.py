"""Compute the cost to date of a performance obligation, and its expected cost. Confidential.

The expected cost is that of the last forecast measured by a day, or of the budget. A forecast
whose plan has no hours of the obligation tells nothing of it, and is left out. Where the cost to
the day is above it, the forecast is out of date: then the next later one counts, which knows of
that cost, and without one the expected cost is unknown.
"""

from collections.abc import Container, Iterable, Iterator
from datetime import date
from fractions import Fraction

from contracts.lines import PerformanceObligation
from contracts.money import Money
from contracts.values import Identifier
from finance.budgeting.obligations import FIXED
from finance.budgeting.state import Budget
from finance.changes.state import Assessment
from finance.engagement import Engagement
from finance.importing.opening import cost_of_obligation_before
from finance.performance.state import Forecast
from finance.time_billing.assignment import obligation_for, obligation_of


def cost_to(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money:
    """Return the cost of an obligation's work dated up to a day, with that before a take-over."""
    spent = state.work.totals.cost_to(day, _lines_of_cost(state, budget, obligation))
    return Money(amount=spent, currency=state.money) + _cost_before(state, budget, obligation)


def expected_cost(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Money | None:
    """Return the cost at completion of what is signed by a day; None without a current forecast.

    A forecast contains the changes of the measured plan, and what was signed by its day: the hours
    to complete are those of the contract as the manager knows it. A change that is signed later is
    added at its assessed cost, and one that is not signed by the day is subtracted.
    """
    spent = cost_to(state, budget, obligation, day)
    forecast = forecast_at(state, budget, obligation, day)
    expected = _expected(state, budget, obligation, day, forecast)
    return expected if spent <= expected else None


def forecast_at(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Forecast | None:
    """Return the forecast that counts for the cost to a day; None where the budget does."""
    spent = cost_to(state, budget, obligation, day)
    known = tuple(_forecasts(state, budget, obligation, day))
    current = (each for each in known if spent <= _expected(state, budget, obligation, day, each))
    return next(current, known[0])


def is_planned(budget: Budget, obligation: PerformanceObligation, forecast: Forecast) -> bool:
    """Return whether a forecast has hours or purchases of an obligation, which may be done.

    All cost belongs to the only obligation of a contract.
    """
    return (
        len(budget.obligations) == 1
        or any(
            obligation_for(budget, each.line, each.role, forecast.on) == obligation.obligation
            for each in forecast.hours
        )
        or any(line in obligation.lines for line in forecast.purchases_to_come)
    )


def _forecasts(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> Iterator[Forecast | None]:
    """Yield the last forecast by a day, None for the budget, then the later ones by their days.

    Of several forecasts of one day, the last one corrects the others.
    """
    by_day = {
        each.on: each
        for each in state.performance.forecasts
        if is_planned(budget, obligation, each)
    }
    yield by_day.get(max((on for on in by_day if on <= day), default=date.min))
    yield from (by_day[on] for on in sorted(by_day) if on > day)


def unmeasured_changes(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, day: date
) -> tuple[str, ...]:
    """Return the changes in plan or contract, but not both, whose cost is not known.

    Only changes that touch the obligation count.
    """
    included = _included(state, forecast_at(state, budget, obligation, day))
    unmeasured = []
    for change in included ^ _signed(state, day):
        if change not in state.changes.names:
            if change in _signed(state, day):
                unmeasured.append(change)
            continue
        assessment = state.changes.in_force(change)
        touched = any(
            _obligation_of_change(budget, assessment, each.line) == obligation.obligation
            for each in assessment.changes
        )
        priced = assessment.price is not None or change in _signed(state, day)
        if touched and priced and assessment.cost is None:
            unmeasured.append(change)
    return tuple(sorted(unmeasured))


def cost_of_changes(
    state: Engagement, budget: Budget, obligation: PerformanceObligation, changes: Iterable[str]
) -> Money:
    """Return the assessed cost of changes, of the lines of an obligation."""
    assessed = (state.changes.in_force(each) for each in changes if each in state.changes.names)
    return Money.total(
        (
            cost
            for one in assessed
            for line, cost in one.cost_by_line.items()
            if _obligation_of_change(budget, one, line) == obligation.obligation
        ),
        state.money,
    )


def _expected(
    state: Engagement,
    budget: Budget,
    obligation: PerformanceObligation,
    day: date,
    forecast: Forecast | None,
) -> Money:
    """Return the cost at completion of what is signed by a day, by a forecast or the budget."""
    signed, included = _signed(state, day), _included(state, forecast)
    return (
        _measured(state, budget, obligation, forecast)
        + cost_of_changes(state, budget, obligation, signed - included)
        - cost_of_changes(state, budget, obligation, included - signed)
    )


def _measured(
    state: Engagement,
    budget: Budget,
    obligation: PerformanceObligation,
    forecast: Forecast | None,
) -> Money:
    """Return the cost at completion by a forecast, or by the budget.

    That is the cost to the day of the forecast, as far as it is known today, and what was still to
    come then: late or reversed work of before that day changes both alike. An obligation has a part
    of the work to come in proportion to the remaining hours of its tasks, and the purchases to come
    of its lines.
    """
    if forecast is None:
        costs = budget.cost_by_line
        known = (costs[line] for line in obligation.lines if line in costs)
        return Money.total(known, state.money)
    spent = cost_to(state, budget, obligation, forecast.on)
    exact = Fraction(forecast.work_to_come.amount) * _share(budget, obligation, forecast)
    to_buy = (cost for line, cost in forecast.purchases_to_come.items() if line in obligation.lines)
    work = Money.nearest(exact, state.money, state.rounding)
    return spent + work + Money.total(to_buy, state.money)


def _share(budget: Budget, obligation: PerformanceObligation, forecast: Forecast) -> Fraction:
    """Return the part of the remaining planned hours that belongs to an obligation."""
    if len(budget.obligations) == 1:
        return Fraction(1)
    own = whole = Fraction(0)
    for each in forecast.hours:
        whole += Fraction(each.hours)
        if obligation_for(budget, each.line, each.role, forecast.on) == obligation.obligation:
            own += Fraction(each.hours)
    return own / whole if whole else Fraction(0)


def _cost_before(state: Engagement, budget: Budget, obligation: PerformanceObligation) -> Money:
    """Return the cost that was taken over: known, since what depends on it waits for it."""
    known = cost_of_obligation_before(state, budget, obligation)
    return known or Money.zero(state.money)


def _lines_of_cost(
    state: Engagement, budget: Budget, obligation: PerformanceObligation
) -> Container[str] | None:
    """Return the lines whose cost belongs to an obligation, "" for no line; None for all."""
    if len(budget.obligations) == 1:
        return None
    totals = state.work.totals
    return {
        line
        for line in (*totals.cost, *totals.bought)
        if obligation_of(budget, line or None) == obligation.obligation
    }


def _included(state: Engagement, forecast: Forecast | None) -> frozenset[Identifier]:
    """Return the changes that a forecast contains; the budget contains none."""
    if forecast is None:
        return frozenset()
    return frozenset(forecast.changes) | _signed(state, forecast.on)


def _signed(state: Engagement, day: date) -> frozenset[Identifier]:
    return frozenset(one.change for one in state.budgeting.applied if one.signed_on <= day)


def _obligation_of_change(budget: Budget, assessment: Assessment, line: str) -> str | None:
    """Return the obligation of a changed line; a new fixed line belongs to the fixed ones."""
    new = next((each.new for each in assessment.changes if each.line == line), None)
    if budget.line(line) is None and new is not None:
        return FIXED if new.pricing == "fixed" else None
    return obligation_of(budget, line)
