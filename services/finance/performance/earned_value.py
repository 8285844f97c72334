"""Compute earned value. Pure functions.

Source: Project Management Institute, *Practice Standard for Earned Value Management*. All values
are costs in the currency of the engagement. Where a divisor is zero or an input is unknown, the
result is None (unknown), not zero.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from chassis.domain.working_days import WorkingDays
from contracts.decimals import as_decimal
from contracts.delivery import PlannedProfile
from contracts.values import PlannedTask
from finance.calendar_months import end_of, first_of
from finance.costing.rates import ratio


def elapsed(first: date, last: date, day: date, days: WorkingDays) -> Fraction:
    """Return the part (0 to 1) of the working days of a period that is over at the end of the day.

    First and last day are included. Without working days, all of it is over on the last day.
    """
    whole = days.between(first, last)
    return Fraction(days.between(first, min(day, last)), whole) if whole else Fraction(day >= last)


def planned_share(profile: PlannedProfile, day: date, days: WorkingDays) -> Fraction:
    """Return the part (0 to 1) that a profile plans to the end of the day.

    The part of a month is spread evenly over its working days.
    """
    before = Fraction(0)
    for each in profile.months:
        first, last = first_of(each.month), end_of(each.month)
        share = Fraction(each.complete) / 100
        if day <= last:
            return before + (share - before) * elapsed(first, last, day, days)
        before = share
    return before


def completed(task: PlannedTask, complete: Decimal, reached: Container[str]) -> Decimal:
    """Return the part of a task that is earned in percent, by the way in which it is earned."""
    if task.earned_by == "completion":
        return Decimal(100 if complete >= 100 else 0)
    if task.earned_by == "milestones":
        weights = (each.weight for each in task.milestones if each.milestone in reached)
        return sum(weights, Decimal(0))
    return complete


def budget_at_completion(
    tasks: Iterable[PlannedTask], cost: Callable[[PlannedTask], Decimal]
) -> Decimal:
    """Return BAC, the planned cost of all tasks."""
    return sum((cost(task) for task in tasks), Decimal(0))


def due_parts(
    tasks: Iterable[PlannedTask],
    day: date,
    days: WorkingDays,
    profiles: Iterable[PlannedProfile] = (),
) -> dict[str, Fraction]:
    """Return the part (0 to 1) of each task that is due by the end of the day.

    It is that of the profile of its line, else of that of the plan, else of its working days.
    """
    shares = {each.line: planned_share(each, day, days) for each in profiles}

    def due(task: PlannedTask) -> Fraction:
        share = shares.get(task.line, shares.get(None))
        return elapsed(task.starts_on, task.finishes_on, day, days) if share is None else share

    return {task.task: due(task) for task in tasks}


def planned_value(
    tasks: Iterable[PlannedTask],
    cost: Callable[[PlannedTask], Decimal],
    day: date,
    days: WorkingDays,
    profiles: Iterable[PlannedProfile] = (),
) -> Decimal:
    """Return PV, the planned cost of work due by the end of the day; see `due_parts`."""
    tasks = tuple(tasks)
    parts = due_parts(tasks, day, days, profiles)
    total = sum((Fraction(cost(task)) * parts[task.task] for task in tasks), Fraction(0))
    return as_decimal(total)


def earned_value(
    tasks: Iterable[PlannedTask],
    cost: Callable[[PlannedTask], Decimal],
    complete: Mapping[str, Decimal],
    reached: Container[str] = (),
) -> Decimal:
    """Return EV, the planned cost of each task x the part of it that is earned.

    `complete` is the completed percentage by task, `reached` are milestones.
    """
    return sum(
        (
            cost(task) * completed(task, complete.get(task.task, Decimal(0)), reached) / 100
            for task in tasks
        ),
        Decimal(0),
    )


def planned_purchases(purchases: Fraction, planned: Fraction, pv: Fraction) -> Fraction:
    """Return the part of purchases that is due: the share of the planned work that is.

    `planned` and `pv` are those of the work; nothing is due where no work is planned.
    """
    return purchases * pv / planned if planned else Fraction(0)


def earned_purchases(
    purchases: Fraction, planned: Fraction, earned: Fraction, spent: Fraction
) -> Fraction:
    """Return the part of purchases that is earned, as apportioned effort of the work.

    What is bought before is earned when it is bought, up to what is planned: a licence that is
    bought at the start is no overrun. `planned` and `earned` are those of the work.
    """
    share = purchases * earned / planned if planned else Fraction(0)
    return max(share, min(spent, purchases))


def cost_variance(ev: Decimal, ac: Decimal) -> Decimal:
    """Return CV = EV - AC; negative: the work done cost more than planned."""
    return ev - ac


def schedule_variance(ev: Decimal, pv: Decimal) -> Decimal:
    """Return SV = EV - PV; negative: less is done than planned."""
    return ev - pv


def cost_performance_index(ev: Decimal, ac: Decimal) -> Decimal | None:
    """Return CPI = EV / AC; below one: the work done cost more than planned."""
    return ratio(ev, ac)


def schedule_performance_index(ev: Decimal, pv: Decimal) -> Decimal | None:
    """Return SPI = EV / PV; below one: less is done than planned."""
    return ratio(ev, pv)


def estimate_at_completion_by_trend(bac: Decimal, ev: Decimal, ac: Decimal) -> Decimal | None:
    """Return EAC = BAC / CPI: the rest costs as the work done did.

    None where EV or AC is zero: there is no cost of work done from which to conclude.
    """
    return None if ev == 0 or ac == 0 else bac * ac / ev


def estimate_at_completion_as_planned(bac: Decimal, ev: Decimal, ac: Decimal) -> Decimal:
    """Return EAC = AC + (BAC - EV): the remaining work costs as planned."""
    return ac + bac - ev


def estimate_at_completion_by_cost_and_schedule(
    bac: Decimal, ev: Decimal, ac: Decimal, pv: Decimal
) -> Decimal | None:
    """Return EAC = AC + (BAC - EV) / (CPI x SPI): delay increases the cost of the remaining work.

    None where EV, AC or PV is zero.
    """
    return None if ev == 0 or ac == 0 or pv == 0 else ac + (bac - ev) * ac * pv / (ev * ev)


def left_to_buy(
    planned: Mapping[str, Fraction], spent: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Return the cost of planned purchases that are not bought, by line.

    A line that is overspent leaves those of the others as they are. What was spent on lines without
    planned purchases is taken off all of them in proportion.
    """
    left = {
        line: max(cost - spent.get(line, Fraction(0)), Fraction(0))
        for line, cost in planned.items()
    }
    whole = sum(left.values(), Fraction(0))
    elsewhere = sum((each for line, each in spent.items() if line not in planned), Fraction(0))
    part = max(1 - elsewhere / whole, Fraction(0)) if whole else Fraction(0)
    return {line: cost * part for line, cost in left.items()}


def to_complete_performance_index(
    bac: Decimal, ev: Decimal, ac: Decimal, target: Decimal
) -> Decimal | None:
    """Return TCPI = (BAC - EV) / (target - AC), the CPI that the rest needs to end on the target.

    The target is BAC or an EAC. None where no work is left, or where AC reaches the target, so that
    no CPI leads to it.
    """
    left, available = bac - ev, target - ac
    return ratio(left, available) if left > 0 and available > 0 else None
