"""Compute the value of early project management, and how long the method makes people wait."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, get_args

from chassis.domain.commands import Missing
from common.figures.figure import (
    Figure,
    Known,
    added,
    divided,
    figure,
    grouped,
    listed,
    number_of,
    total,
)
from contracts.money import Money
from contracts.survey_scores import csat_of

Assigned = Literal["before-proposal", "before-deal", "before-kickoff", "after-kickoff", "never"]
ASSIGNED: tuple[Assigned, ...] = get_args(Assigned)
"""When a manager was first assigned, the earliest first."""


@dataclass(frozen=True, slots=True)
class Managed:
    """An engagement that ended on a day, and how it went. Amounts are without tax.

    `assigned` is the day on which a manager was first assigned, `proposed` that of the first
    proposal to the customer, `won` that of the deal, `kickoff` that of the kickoff; each None where
    there was none. `delay` is the number of calendar days from the promised finish to the real one,
    negative where it was earlier. `satisfaction` has the answers from 1 to 5 of the customer.
    """

    engagement: str
    ended: date
    assigned: date | None
    proposed: date | None
    won: date | None
    kickoff: date | None
    revenue: Known[Money]
    cost: Known[Money]
    management_cost: Known[Money]
    delay: Known[int]
    satisfaction: tuple[int, ...] = ()

    @property
    def when_assigned(self) -> Assigned:
        """The moment at which a manager was first assigned; the day itself is before."""
        if self.assigned is None:
            return "never"
        if self.proposed is not None and self.assigned <= self.proposed:
            return "before-proposal"
        if self.won is not None and self.assigned <= self.won:
            return "before-deal"
        if self.kickoff is None or self.assigned <= self.kickoff:
            return "before-kickoff"
        return "after-kickoff"


@dataclass(frozen=True, slots=True)
class ManagementValue:
    """Results of engagements whose managers were assigned at the same time, and their cost.

    `margin` is (revenue - cost) / revenue of all together, a ratio with four decimals; `delay` the
    average in calendar days with two decimals; `satisfaction` the CSAT in percent;
    `management_cost` is part of the cost, and `management_share` its share of it.
    """

    engagements: int
    margin: Figure[Decimal]
    delay: Figure[Decimal]
    satisfaction: Figure[Decimal]
    management_cost: Figure[Money]
    management_share: Figure[Decimal]


def value_of_early_management(
    managed: Iterable[Managed], currency: str, first: date, as_of: date
) -> dict[Assigned, ManagementValue]:
    """Return how engagements went that ended from `first` to `as_of`, by when they were managed.

    Confidential. Each moment of `ASSIGNED` is there, with unknown figures where no engagement is.
    Raises CurrencyMismatch where an amount is not in `currency`.
    """
    ended = (each for each in managed if first <= each.ended <= as_of)
    groups = grouped(ended, lambda each: each.when_assigned)
    return {when: _value(groups.get(when, []), currency, as_of) for when in ASSIGNED}


def _value(managed: list[Managed], currency: str, as_of: date) -> ManagementValue:
    revenue = number_of(total((each.revenue for each in managed), currency, as_of))
    cost = number_of(total((each.cost for each in managed), currency, as_of))
    management = total((each.management_cost for each in managed), currency, as_of)
    delays = added(
        (
            each.delay if isinstance(each.delay, Missing) else Decimal(each.delay)
            for each in managed
        ),
        as_of,
    )
    scores = [score for each in managed for score in each.satisfaction]
    satisfaction = csat_of(scores)
    return ManagementValue(
        engagements=len(managed),
        margin=divided(
            revenue.with_other(cost, lambda earned, spent: earned - spent),
            revenue,
            "the engagements have no revenue",
        ),
        delay=divided(delays, Figure(as_of, Decimal(len(managed))), "no engagement ended", 2),
        satisfaction=figure(
            Missing("divisor-zero", "no customer answered")
            if satisfaction is None
            else satisfaction,
            as_of,
        ),
        management_cost=management,
        management_share=divided(number_of(management), cost, "the engagements have no cost"),
    )


@dataclass(frozen=True, slots=True)
class Waited:
    """Something that waits, or waited, at a gate for the person or role that owes it.

    `since` is the day from which it is owed, `done` the day on which it was done, None while it is
    not.
    """

    gate: str
    owed_by: str
    since: Known[date]
    done: date | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calendar days that things waited; two things that wait on one day are two days.

    `things` is the number of those that waited, `open` of those that still do; `average` has two
    decimals.
    """

    things: int
    open: int
    days: Figure[int]
    average: Figure[Decimal]
    longest: Figure[int]


def waiting(waited: Iterable[Waited], first: date, as_of: date) -> dict[tuple[str, str], Waiting]:
    """Return how long things waited from `first` to `as_of`, by gate and by who owed them.

    Only the days of the period count, so that the days of successive periods add up; what was
    done before it, or is owed only after it, is in no number. A thing whose first day is unknown
    makes the days of its gate and person unknown.
    """
    in_period = (
        each
        for each in waited
        if (each.done is None or each.done >= first)
        and (isinstance(each.since, Missing) or each.since <= as_of)
    )
    groups = grouped(in_period, lambda each: (each.gate, each.owed_by))
    return {key: _waiting(groups[key], first, as_of) for key in groups}


def _waiting(waited: list[Waited], first: date, as_of: date) -> Waiting:
    begins = first - timedelta(days=1)  # the night before the first day belongs to the period
    each_days = listed(
        (
            each.since
            if isinstance(each.since, Missing)
            else (min(each.done or as_of, as_of) - max(each.since, begins)).days
            for each in waited
        ),
        as_of,
    )
    days: Figure[int] = each_days.then(sum)
    longest: Figure[int] = each_days.then(max)
    return Waiting(
        things=len(waited),
        open=sum(each.done is None or each.done > as_of for each in waited),
        days=days,
        average=divided(
            days.then(Decimal),
            Figure(as_of, Decimal(len(waited))),
            "nothing waited",
            2,
        ),
        longest=longest,
    )
