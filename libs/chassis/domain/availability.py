"""Compute the hours that people are available, from their records, calendars and leave."""

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from chassis.domain.context import ReferenceData
from chassis.domain.reference import known_on
from chassis.domain.working_days import MONDAY_TO_FRIDAY, WorkingDays, available_hours
from contracts.channels import Department
from contracts.delivery import PlanCalendar
from contracts.reference import (
    CalendarPublished,
    LeavePublished,
    PersonPublished,
)


def working_days_of(
    records: ReferenceData, person: PersonPublished, day: date
) -> WorkingDays | None:
    """Return the working days of a person by their calendar as it is on a day (`known_on`).

    None where the record names a calendar that is not known.
    """
    if person.calendar is None:
        return MONDAY_TO_FRIDAY
    calendar = known_on(records, CalendarPublished, person.calendar, day)
    return None if calendar is None else _working_days(calendar.event)


@lru_cache(maxsize=1000)
def _working_days(calendar: CalendarPublished) -> WorkingDays:
    return WorkingDays(calendar)


def working_days_of_plan(calendar: PlanCalendar | None) -> WorkingDays:
    """Return the working days of a plan; Monday to Friday where it has no calendar."""
    return WorkingDays.of(calendar.weekdays, calendar.days_off) if calendar else MONDAY_TO_FRIDAY


def available_hours_of(
    records: ReferenceData,
    person: str,
    first: date,
    last: date,
    *,
    department: Department | None = None,
) -> Decimal | None:
    """Return the hours that a person is available from one day to another, both included.

    Each week counts by the person's record in force on its last day in the period, and not at all
    before the first version is in force; calendar and leave are those of that day. With
    `department`, weeks in which the person belongs to another one do not count. Holidays, leave
    and days before the person joined or after they left are subtracted. None where there is no
    record, or its calendar is not known.
    """
    if records.latest(PersonPublished, person) is None:
        return None
    total = Decimal(0)
    while first <= last:
        sunday = min(first + timedelta(days=6 - first.weekday()), last)
        record = records.on(PersonPublished, person, sunday)
        if record is not None and department in (None, record.event.department):
            days = working_days_of(records, record.event, sunday)
            if days is None:
                return None
            leave = known_on(records, LeavePublished, person, sunday)
            total += available_hours(
                record.event.weekly_hours,
                days,
                first,
                sunday,
                joined=record.event.joined,
                left=record.event.left,
                leave=[(each.first, each.last) for each in leave.event.periods] if leave else (),
            )
        first = sunday + timedelta(days=1)
    return total
