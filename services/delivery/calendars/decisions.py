"""Publish holiday calendars as reference data; people name one in their record."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Missing, Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from chassis.domain.working_days import holidays_known
from contracts.event import Event
from contracts.reference import CalendarDetails, CalendarPublished
from delivery.roles import RECORD_KEEPERS

capability = Capability[Record[CalendarPublished]](__name__)


class PublishCalendar(CalendarDetails, Publish):
    """Publish a holiday calendar: country and subdivision, working weekdays, further days off.

    The whole calendar is given, not only what changed.
    """


@capability.decide(PublishCalendar, by=RECORD_KEEPERS, opens=True)
def publish_calendar(
    state: Record[CalendarPublished], command: PublishCalendar, context: Context
) -> Iterable[Event]:
    """Publish the next version of the calendar, unless it equals the one in force.

    Raises Refused where the public holidays of the country or subdivision are not known, or where a
    subdivision has no country.
    """
    country, subdivision = command.country, command.subdivision
    if country is None and subdivision is not None:
        raise _unknown("country", f"is needed for the subdivision {subdivision}")
    if country is not None and not holidays_known(country, None):
        raise _unknown("country", f"the public holidays of {country} are not known")
    if country is not None and not holidays_known(country, subdivision):
        raise _unknown("subdivision", f"the holidays of {country}-{subdivision} are not known")
    yield from next_version(state, command, context)


def _unknown(field: str, sentence: str) -> Refused:
    missing = Missing("holidays-unknown", sentence, field=field)
    return Refused("holidays-unknown", f"{field}: {sentence}", [missing])
