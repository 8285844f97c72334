"""Test the hours that people are available, by their records, calendars and leave."""

from datetime import date
from decimal import Decimal

from chassis.domain.availability import available_hours_of
from contracts.reference import (
    CalendarPublished,
    LeavePeriod,
    LeavePublished,
    PersonPublished,
    Reference,
)
from testkit.matchers import RecordsOf

APRIL_1, APRIL_30 = date(2026, 4, 1), date(2026, 4, 30)
MUNICH = CalendarPublished(calendar="munich", name="Munich", country="DE", subdivision="BY")
DEV = PersonPublished(person="dev", name="Dev", department="delivery", calendar="munich")


def hours(*records: Reference, first: date = APRIL_1, last: date = APRIL_30) -> Decimal | None:
    return available_hours_of(RecordsOf(records), "dev", first, last)


def test_hours_follow_the_calendar_that_the_record_names() -> None:
    assert hours(DEV, MUNICH) == 20 * 8
    assert hours(DEV.model_copy(update={"calendar": None})) == 22 * 8
    assert hours(DEV, MUNICH, first=date(2026, 4, 3), last=date(2026, 4, 6)) == 0
    assert hours(DEV, MUNICH, first=APRIL_30, last=APRIL_1) == 0


def test_leave_and_days_outside_of_the_company_do_not_count() -> None:
    leave = LeavePublished(
        person="dev", periods=(LeavePeriod(first=date(2026, 3, 1), last=date(2026, 4, 2)),)
    )
    assert hours(DEV, MUNICH, leave) == 18 * 8
    assert hours(DEV.model_copy(update={"left": date(2026, 4, 2)}), MUNICH) == 2 * 8


def test_each_week_counts_by_the_record_in_force() -> None:
    half = DEV.model_copy(update={"weekly_hours": Decimal(20), "effective_from": date(2026, 4, 13)})
    assert hours(DEV, half, MUNICH) == 6 * 8 + 14 * 4


def test_hours_are_unknown_without_the_record_or_its_calendar() -> None:
    assert hours() is None
    assert hours(DEV) is None


def test_weeks_before_the_first_record_do_not_count() -> None:
    later = DEV.model_copy(update={"effective_from": date(2026, 4, 20)})
    assert hours(later, MUNICH) == 9 * 8
