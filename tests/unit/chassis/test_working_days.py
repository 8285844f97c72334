"""Test working days: public holidays, own days off, weekly working days, hours of a person."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.working_days import WorkingDays, available_hours, holidays_known
from contracts.reference import CalendarDetails, DayOff
from contracts.values import FIRST_DAY, LAST_DAY

PLAIN = WorkingDays(CalendarDetails(name="Five days"))
BAVARIA = WorkingDays(CalendarDetails(name="Munich", country="DE", subdivision="BY"))
BERLIN = WorkingDays(CalendarDetails(name="Berlin", country="DE", subdivision="BE"))
CLOSED = WorkingDays(
    CalendarDetails(
        name="Closed at the end of the year",
        country="DE",
        subdivision="BY",
        days_off=(
            DayOff(day=date(2026, 12, 24), title="Closure"),
            DayOff(day=date(2026, 12, 25), title="Closure, and a public holiday"),
            DayOff(day=date(2026, 12, 27), title="Closure on a Sunday"),
        ),
    )
)
GULF = WorkingDays(
    CalendarDetails(
        name="Kuwait", weekdays=("sunday", "monday", "tuesday", "wednesday", "thursday")
    )
)
EASTER = date(2026, 4, 5)
MAUNDY_THURSDAY = EASTER - timedelta(days=3)


def test_public_holidays_are_those_of_the_subdivision() -> None:
    corpus_christi = date(2026, 6, 4)
    assert not BAVARIA.is_working(corpus_christi)
    assert BERLIN.is_working(corpus_christi)
    assert PLAIN.is_working(date(2026, 12, 25))


def test_weekdays_are_those_of_the_calendar() -> None:
    sunday, friday = date(2026, 3, 1), date(2026, 3, 6)
    assert GULF.is_working(sunday)
    assert not GULF.is_working(friday)
    assert PLAIN.is_working(friday)


def test_working_days_between_two_days_include_both() -> None:
    monday = date(2026, 3, 2)
    assert PLAIN.between(monday, monday) == 1
    assert PLAIN.between(monday, date(2026, 3, 15)) == 10
    assert PLAIN.between(date(2026, 3, 7), date(2026, 3, 8)) == 0
    assert PLAIN.between(monday, date(2026, 3, 1)) == 0
    assert PLAIN.between(monday, date(2020, 1, 1)) == 0
    assert BAVARIA.between(MAUNDY_THURSDAY, EASTER + timedelta(days=2)) == 2


def test_a_day_off_twice_or_on_a_weekend_counts_once() -> None:
    first, last = date(2026, 12, 21), date(2026, 12, 31)
    assert PLAIN.between(first, last) == 9
    assert BAVARIA.between(first, last) == 8
    assert CLOSED.between(first, last) == 7


def test_working_days_are_added_and_taken_away() -> None:
    assert BAVARIA.add(MAUNDY_THURSDAY, 1) == EASTER + timedelta(days=2)
    assert BAVARIA.add(EASTER + timedelta(days=2), -1) == MAUNDY_THURSDAY
    assert PLAIN.add(date(2026, 3, 6), 1) == date(2026, 3, 9)
    assert PLAIN.add(date(2026, 3, 2), 10) == date(2026, 3, 16)
    assert PLAIN.add(date(2026, 3, 8), -1) == date(2026, 3, 6)


def test_adding_none_gives_the_day_or_the_next_working_day() -> None:
    assert PLAIN.add(date(2026, 3, 6), 0) == date(2026, 3, 6)
    assert PLAIN.add(date(2026, 3, 7), 0) == date(2026, 3, 9)


def test_results_remain_within_the_bounds_of_days() -> None:
    assert PLAIN.add(LAST_DAY, 5) == LAST_DAY
    assert PLAIN.add(FIRST_DAY, -5) == FIRST_DAY
    assert PLAIN.add(date(2990, 1, 1), 10_000) == LAST_DAY


DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@given(DAYS, st.integers(0, 400), st.sampled_from([PLAIN, BAVARIA, CLOSED, GULF]))
def test_counting_agrees_with_looking_at_each_day(first: date, length: int, days: WorkingDays):
    last = first + timedelta(days=length)
    each = [days.is_working(first + timedelta(days=number)) for number in range(length + 1)]
    assert days.between(first, last) == sum(each)


@given(DAYS, st.integers(1, 60), st.sampled_from([PLAIN, BAVARIA, CLOSED, GULF]))
def test_the_days_added_are_the_days_counted(day: date, count: int, days: WorkingDays) -> None:
    after = days.add(day, count)
    assert days.is_working(after)
    assert days.between(day + timedelta(days=1), after) == count
    before = days.add(day, -count)
    assert days.between(before, day - timedelta(days=1)) == count


def test_holidays_are_known_by_country_and_subdivision() -> None:
    assert holidays_known("DE", None)
    assert holidays_known("DE", "BY")
    assert not holidays_known("DE", "XX")
    assert not holidays_known("XX", None)


def test_available_hours_follow_the_calendar_the_leave_and_the_contract_of_work() -> None:
    first, last = date(2026, 4, 1), date(2026, 4, 30)
    hours = available_hours(Decimal(40), BAVARIA, first, last)
    assert hours == 20 * 8
    leave = [(date(2026, 4, 20), date(2026, 4, 26)), (date(2026, 4, 30), date(2026, 5, 10))]
    assert available_hours(Decimal(40), BAVARIA, first, last, leave=leave) == 14 * 8
    joined, left = date(2026, 4, 9), date(2026, 4, 22)
    assert available_hours(Decimal(40), BAVARIA, first, last, joined=joined) == 16 * 8
    assert available_hours(Decimal(40), BAVARIA, first, last, left=left) == 14 * 8
    both = available_hours(Decimal(40), BAVARIA, first, last, joined=joined, left=left, leave=leave)
    assert both == 7 * 8


@pytest.mark.parametrize(("joined", "left"), [(date(2026, 5, 1), None), (None, date(2026, 3, 31))])
def test_nothing_is_available_outside_the_time_with_the_company(
    joined: date | None, left: date | None
) -> None:
    first, last = date(2026, 4, 1), date(2026, 4, 30)
    leave = [(first, last)]
    given = available_hours(Decimal(40), PLAIN, first, last, joined=joined, left=left, leave=leave)
    assert given == 0


def test_hours_of_a_day_are_a_share_of_the_week_rounded_once() -> None:
    monday = date(2026, 3, 2)
    three = WorkingDays(
        CalendarDetails(name="Three days", weekdays=("monday", "tuesday", "wednesday"))
    )
    assert available_hours(Decimal(25), three, monday, monday) == Decimal("8.33")
    assert available_hours(Decimal(25), three, monday, date(2026, 3, 8)) == Decimal(25)
