"""Choose who works on which engagement of the demo, in which week and for how many hours.

The hours that each role needs in each week follow from the split of the estimate and from the
template of the plan. No one has more hours than their calendar and leave allow, over all
engagements, and everyone works in one country only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from chassis.domain.working_days import WorkingDays, available_hours
from contracts.reference import CalendarDetails
from local.demo.reference_data import (
    CALENDARS,
    CONSULTANTS,
    MANAGEMENT_SHARE,
    MANAGERS,
    PHASES,
    SPLIT,
    leave_of,
)

MANAGEMENT = "project-manager"
_BUSY = 0.93
"""Largest share of a person's hours that is planned."""
_A_DAY = 8.0
"""Hours below which the work of a role waits for the next week."""
_TOO_LITTLE = 6.0
"""Hours below which a person is not asked to help another one in a week."""
WEEK = timedelta(days=7)
DAY = Decimal(8)
"""Most hours that a person works on a day."""
QUARTER = Decimal("0.25")
"""Smallest unit in which people record hours."""

Demand = dict[str, dict[date, float]]
"""Hours by role and Monday."""


class Share(NamedTuple):
    """Hours of a person's week that are reserved, after those that were reserved before."""

    hours: float
    after: float


Team = Mapping[str, Mapping[date, Mapping[str, Share]]]
"""Reserved hours by role, Monday and person."""


@cache
def capacity(person: str, home: str, monday: date) -> Decimal:
    """Return the hours that a person can work in a week, by their calendar and leave."""
    return available_hours(
        Decimal(40),
        working_days(home),
        monday,
        monday + timedelta(days=6),
        leave=_leave(person, monday),
    )


def _leave(person: str, monday: date) -> list[tuple[date, date]]:
    """Return the leave of a person in a year; only consultants have one."""
    consults = any(person == each for each, *_ in CONSULTANTS)
    return [leave_of(person, monday.year)] if consults else []


@cache
def days_of(person: str, home: str, monday: date) -> tuple[date, ...]:
    """Return the days of a week on which a person works, by their calendar and leave."""
    calendar, leave = working_days(home), _leave(person, monday)
    week = (monday + timedelta(days=number) for number in range(7))
    return tuple(
        day
        for day in week
        if calendar.is_working(day) and not any(first <= day <= last for first, last in leave)
    )


def spread(
    person: str, home: str, monday: date, hours: Decimal, after: Decimal
) -> Iterator[tuple[date, Decimal]]:
    """Yield hours by day of a week: 8 a day, on the person's working days.

    `after` are hours of the week that are used otherwise.
    """
    days = days_of(person, home, monday)
    while hours > 0:
        number, used = divmod(after, DAY)
        part = min(DAY - used, hours)
        yield days[min(int(number), len(days) - 1)], part
        after, hours = after + part, hours - part


@cache
def working_days(calendar: str) -> WorkingDays:
    """Return the working days of a calendar."""
    return WorkingDays(CalendarDetails.model_validate(CALENDARS[calendar]))


class Staffing:
    """The people of the company, and the hours that they are asked for by week."""

    def __init__(self) -> None:
        self._busy: defaultdict[tuple[str, date], float] = defaultdict(float)

    def manager(self, home: str, demand: Demand) -> str:
        """Return the engagement manager who has most time for the project management."""
        people = [person for person, _, at in MANAGERS if at == home]
        weeks = demand[MANAGEMENT]
        return max(people, key=lambda each: self._free_over(each, home, weeks))

    def team(self, home: str, demand: Demand, manager: str) -> Team:
        """Return who works how much, and reserve these hours.

        In each week, those who work on the engagement already are asked first, then those who are
        freest over all of its weeks. Hours of less than a day, and those for which no one has time,
        are left to the next week.
        """
        team: dict[str, dict[date, dict[str, Share]]] = {}
        for role, by_week in demand.items():
            people = (
                [manager]
                if role == MANAGEMENT
                else [person for person, _, of, at in CONSULTANTS if (of, at) == (role, home)]
            )
            people.sort(key=lambda each: -self._free_over(each, home, by_week))
            team[role] = {}
            asked: list[str] = []
            left = 0.0
            last = max(by_week)
            for monday, hours in sorted(by_week.items()):
                if hours + left < _A_DAY and monday != last:
                    left += hours
                    continue
                order = [*asked, *(each for each in people if each not in asked)]
                team[role][monday] = self._share(order, home, monday, hours + left)
                left += hours - sum(each.hours for each in team[role][monday].values())
                asked += [each for each in team[role][monday] if each not in asked]
        return team

    def _share(self, order: list[str], home: str, monday: date, hours: float) -> dict[str, Share]:
        """Return the share of each person in a week, as far as people have time."""
        found: dict[str, Share] = {}
        for person in order:
            part = min(hours, self._free(person, home, monday))
            if part < min(hours, _TOO_LITTLE) or part <= 0:
                continue
            found[person] = Share(part, self._busy[person, monday])
            self._busy[person, monday] += part
            hours -= part
        return found

    def _free(self, person: str, home: str, monday: date) -> float:
        return float(capacity(person, home, monday)) * _BUSY - self._busy[person, monday]

    def _free_over(self, person: str, home: str, by_week: Mapping[date, float]) -> float:
        return sum(
            min(hours, max(0.0, self._free(person, home, monday)))
            + 0.01 * self._free(person, home, monday)
            for monday, hours in by_week.items()
        )


def needed(hours: int, begins: date, weeks: int) -> Demand:
    """Return the planned hours by role and Monday."""
    found: Demand = {}
    total, days = sum(share for _, _, share in SPLIT), weeks * 7
    share = 0
    for _, part, _, tasks in PHASES:
        first, share = share * days // 100, share + part
        within = range(first, share * days // 100)
        for _, role, percent in tasks:
            of_role = hours * sum(each for _, of, each in SPLIT if of == role) / total
            add(found, role, begins, within, of_role * percent / 100)
        add(found, MANAGEMENT, begins, within, hours * MANAGEMENT_SHARE * part / 10_000)
    return found


def add(demand: Demand, role: str, begins: date, within: Iterable[int], hours: float) -> None:
    """Add hours of a role, spread evenly over days that are counted from the first one."""
    days = [begins + timedelta(days=each) for each in within]
    by_week = demand.setdefault(role, {})
    for on in days:
        monday = on - timedelta(days=on.weekday())
        by_week[monday] = by_week.get(monday, 0.0) + hours / len(days)
