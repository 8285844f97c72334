"""Earned value: is the work worth what it cost, and what will it cost in the end? Pure formulas.

Source: Project Management Institute, *Practice Standard for Earned Value Management*. All values
are cost in the currency of the engagement. Where a divisor is zero, or something is not known, the
answer is None: unknown, not zero.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from contracts.values import PlannedTask

_DIGITS = Decimal("0.000001")


def ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    """The quotient to six digits behind the point; None where the whole is zero."""
    return (part / whole).quantize(_DIGITS, ROUND_HALF_EVEN) if whole else None


def elapsed(task: PlannedTask, day: date) -> Decimal:
    """The part of the task's days (both ends included) that is over at the end of the day."""
    days = (task.finishes_on - task.starts_on).days + 1
    return Decimal(min(max((day - task.starts_on).days + 1, 0), days)) / days


def budget_at_completion(
    tasks: Iterable[PlannedTask], cost: Callable[[PlannedTask], Decimal]
) -> Decimal:
    """BAC: what all tasks cost as planned."""
    return sum((cost(task) for task in tasks), Decimal(0))


def planned_value(
    tasks: Iterable[PlannedTask], cost: Callable[[PlannedTask], Decimal], day: date
) -> Decimal:
    """PV: what should be done at the end of the day, each task spread evenly over its days."""
    return sum((cost(task) * elapsed(task, day) for task in tasks), Decimal(0))


def earned_value(
    tasks: Iterable[PlannedTask],
    cost: Callable[[PlannedTask], Decimal],
    complete: Mapping[str, Decimal],
) -> Decimal:
    """EV: each task's planned cost x what is done of it in percent."""
    return sum(
        (cost(task) * complete.get(task.task, Decimal(0)) / 100 for task in tasks), Decimal(0)
    )


def cost_variance(ev: Decimal, ac: Decimal) -> Decimal:
    """CV = EV - AC: below zero, the work costs more than it is worth."""
    return ev - ac


def schedule_variance(ev: Decimal, pv: Decimal) -> Decimal:
    """SV = EV - PV: below zero, less is done than was planned by now."""
    return ev - pv


def cost_performance_index(ev: Decimal, ac: Decimal) -> Decimal | None:
    """CPI = EV / AC: below one, the work costs more than it is worth."""
    return ratio(ev, ac)


def schedule_performance_index(ev: Decimal, pv: Decimal) -> Decimal | None:
    """SPI = EV / PV: below one, less is done than was planned by now."""
    return ratio(ev, pv)


def estimate_at_completion_by_trend(bac: Decimal, ev: Decimal, ac: Decimal) -> Decimal | None:
    """EAC = BAC / CPI: what is to come costs as what was done; None where nothing is earned."""
    return None if ev == 0 else bac * ac / ev


def estimate_at_completion_as_planned(bac: Decimal, ev: Decimal, ac: Decimal) -> Decimal:
    """EAC = AC + (BAC - EV): what went wrong happened once, the rest costs as planned."""
    return ac + bac - ev


def estimate_at_completion_by_cost_and_schedule(
    bac: Decimal, ev: Decimal, ac: Decimal, pv: Decimal
) -> Decimal | None:
    """EAC = AC + (BAC - EV) / (CPI x SPI): being late costs, too."""
    return None if ev == 0 or pv == 0 else ac + (bac - ev) * ac * pv / (ev * ev)


def estimate_at_completion_anew(ac: Decimal, etc: Decimal) -> Decimal:
    """EAC = AC + ETC, the rest estimated anew."""
    return ac + etc


def estimate_to_complete(eac: Decimal, ac: Decimal) -> Decimal:
    """ETC = EAC - AC."""
    return eac - ac


def variance_at_completion(bac: Decimal, eac: Decimal) -> Decimal:
    """VAC = BAC - EAC: below zero, it will cost more than budgeted."""
    return bac - eac


def to_complete_performance_index(bac: Decimal, ev: Decimal, ac: Decimal) -> Decimal | None:
    """TCPI = (BAC - EV) / (BAC - AC): how well the rest must go to end on budget."""
    return ratio(bac - ev, bac - ac)
