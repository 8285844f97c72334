"""Compute the hours that Delivery's people were available in the weeks of the utilisation."""

from datetime import date, timedelta
from decimal import Decimal

from chassis.domain.availability import available_hours_of
from chassis.domain.context import ReferenceData
from contracts.reference import PersonPublished
from gateway.portfolio.figures import utilisation_weeks


def available_hours(records: ReferenceData, today: date) -> Decimal | None:
    """Return the available hours of all people of Delivery in the last full weeks before a day.

    A person counts in the weeks in which they belong to Delivery. Holidays and leave are
    subtracted. None where a person's calendar is not known.
    """
    weeks = utilisation_weeks(today)
    first, last = min(weeks), max(weeks) + timedelta(days=6)
    total = Decimal(0)
    for person in records.all(PersonPublished):
        hours = available_hours_of(records, person.event.person, first, last, department="delivery")
        if hours is None:
            return None
        total += hours
    return total
