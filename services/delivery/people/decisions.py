"""Publish people as reference data; their names are stored here only."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from contracts.event import Event
from contracts.reference import CalendarPublished, PersonDetails, PersonPublished
from delivery.policies import managers_above
from delivery.roles import RECORD_KEEPERS

capability = Capability[Record[PersonPublished]](__name__)


class PublishPerson(PersonDetails, Publish):
    """Publish the record of a person of the company.

    The whole record is given, not only what changed. Leave and stand-ins are records of their own.
    """


@capability.decide(PublishPerson, by=RECORD_KEEPERS, opens=True)
def publish_person(
    state: Record[PersonPublished], command: PublishPerson, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused where the manager or the calendar is unknown, where the person would be a
    manager above themselves, or where another person signs in with one of the accounts.
    """
    manager = command.manager
    if manager is not None and state.id in {manager, *managers_above(context, manager)}:
        raise Refused("manager-is-self", "a person cannot be a manager above themselves")
    require_record("person-unknown", "manager", PersonPublished, manager, context)
    require_record("calendar-unknown", "calendar", CalendarPublished, command.calendar, context)
    others = (each.event for each in context.reference_data.all(PersonPublished))
    for other in others if command.sign_in else ():
        if other.person != state.id and (shared := {*command.sign_in} & {*other.sign_in}):
            names = ", ".join(sorted(map(str, shared)))
            sentence = f"sign_in: {other.person} signs in as {names}"
            raise refused_field("sign-in-taken", "sign_in", sentence)
    yield from next_version(state, command, context)
