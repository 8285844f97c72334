"""Compute the hours that Delivery's people were available in the weeks of the utilisation."""

from datetime import date, timedelta
from decimal import Decimal

from chassis.domain.availability import available_hours_of
from chassis.domain.context import ReferenceData
from contracts.reference import PersonPublished
from gateway.portfolio.figures import utilisation_weeks


def available_hours(records: ReferenceData, today: date) -> Decimal | None:
    """Return the available hours of all people of Delivery in the last full weeks before a day.

    Holidays and leave are subtracted. None where a person's calendar is not known.
    """
    weeks = utilisation_weeks(today)
    first, last = min(weeks), max(weeks) + timedelta(days=6)
    total = Decimal(0)
    for person in records.all(PersonPublished):
        if person.event.department != "delivery":
            continue
        hours = available_hours_of(records, person.event.person, first, last)
        if hours is None:
            return None
        total += hours
    return total
