"""Count and add working days by a holiday calendar, and compute the hours a person is available.

    days = WorkingDays(calendar)
    days.add(date(2026, 4, 2), 1)  # Tuesday 7 April: Good Friday and Easter Monday are days off

Public holidays come from the package `holidays`, see
docs/adr/0032-compute-public-holidays-from-a-pinned-package.md. A year that the package does not
cover has none.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Self, get_args

import holidays

from contracts.decimals import round_decimal
from contracts.reference import CalendarDetails, Weekday
from contracts.values import FIRST_DAY, LAST_DAY

_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_ONE_DAY = timedelta(days=1)


def holidays_known(country: str, subdivision: str | None) -> bool:
    """Return whether the public holidays of a country, and of its subdivision if given, are known.

    The codes are those of ISO 3166.
    """
    subdivisions = holidays.list_supported_countries().get(country)
    return subdivisions is not None and (subdivision is None or subdivision in subdivisions)


class WorkingDays:
    """The working days of a calendar: its weekdays without public holidays and days off."""

    def __init__(self, calendar: CalendarDetails) -> None:
        self._country, self._subdivision = calendar.country, calendar.subdivision
        self._weekdays = frozenset(_WEEKDAYS.index(each) for each in calendar.weekdays)
        self._own = frozenset(each.day for each in calendar.days_off)
        self._free: dict[int, frozenset[date]] = {}

    @classmethod
    def of(cls, weekdays: tuple[Weekday, ...], days_off: Iterable[date]) -> Self:
        """Return the working days of some weekdays, without these days off."""
        days = cls(CalendarDetails(name="Working days", weekdays=weekdays))
        days._own = frozenset(days_off)
        return days

    @property
    def per_week(self) -> int:
        """The number of working days in a week without days off."""
        return len(self._weekdays)

    def is_working(self, day: date) -> bool:
        """Return whether people work on a day."""
        return day.weekday() in self._weekdays and day not in self._free_in(day.year)

    def between(self, first: date, last: date) -> int:
        """Return the number of working days from one day to another, both included.

        Zero where the second is earlier.
        """
        weeks, rest = divmod(max((last - first).days + 1, 0), 7)
        if not weeks and not rest:
            return 0
        weekdays = weeks * self.per_week + sum(
            (first + timedelta(number)).weekday() in self._weekdays for number in range(rest)
        )
        return weekdays - len(self.days_off(first, last))

    def days_off(self, first: date, last: date) -> tuple[date, ...]:
        """Return the days off from one day to another that are on a weekday on which people work.

        In order; both days are included.
        """
        years = range(first.year, last.year + 1)
        free = (day for year in years for day in self._free_in(year))
        return tuple(sorted(day for day in free if first <= day <= last))

    def add(self, day: date, count: int) -> date:
        """Return the working day a number of working days after a day, before it if negative.

        Zero returns the day itself, or the next working day where it is none. A result outside the
        bounds of `Day` is replaced by the bound.
        """
        step = _ONE_DAY if count >= 0 else -_ONE_DAY
        left = abs(count)
        while left > 0 or not self.is_working(day):
            if not FIRST_DAY <= day + step <= LAST_DAY:
                break
            day += step
            left -= self.is_working(day)
        return day

    def _free_in(self, year: int) -> frozenset[date]:
        """Return the days off in a year that are on a weekday on which people work."""
        if (known := self._free.get(year)) is None:
            public = _public_holidays(self._country, self._subdivision, year)
            own = (day for day in self._own if day.year == year)
            known = frozenset(day for day in (*public, *own) if day.weekday() in self._weekdays)
            self._free[year] = known
        return known


MONDAY_TO_FRIDAY = WorkingDays(CalendarDetails(name="Monday to Friday"))
"""Working days of people and companies whose record names no calendar."""


@lru_cache(maxsize=4096)
def _public_holidays(country: str | None, subdivision: str | None, year: int) -> frozenset[date]:
    if country is None:
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def available_hours(
    weekly_hours: Decimal,
    days: WorkingDays,
    first: date,
    last: date,
    *,
    joined: date | None = None,
    left: date | None = None,
    leave: Iterable[tuple[date, date]] = (),
) -> Decimal:
    """Return the hours that a person can work from one day to another, both included.

    Each working day counts an equal share of the weekly hours. `joined` and `left` are the first
    and the last day with the company, None where unknown or to come. `leave` are the first and the
    last days of periods of leave, which must not overlap. Rounded to two decimals once.
    """
    first, last = max(first, joined or first), min(last, left or last)
    away = sum(days.between(max(first, begin), min(last, end)) for begin, end in leave)
    working = days.between(first, last) - away
    return round_decimal(weekly_hours * working / days.per_week, 2)
