"""Publish people as reference data; their names are stored here only."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import PersonDetails, PersonPublished
from delivery.roles import RECORD_KEEPERS

capability = Capability[Record[PersonPublished]](__name__)


class PublishPerson(PersonDetails, Publish):
    """Publish the record of a person of the company.

    The whole record is given, not only what changed. `available_hours` are per week.
    """


@capability.decide(PublishPerson, by=RECORD_KEEPERS, opens=True)
def publish_person(
    state: Record[PersonPublished], command: PublishPerson, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the last one.

    Raises Refused where the person is their own manager.
    """
    if command.manager == state.id:
        raise Refused("manager-is-self", "a person cannot be their own manager")
    yield from next_version(state, command)
