"""Publish people as reference data; their names are stored here only."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.reference import PersonDetails, PersonPublished
from contracts.values import Day
from delivery.people.state import Person
from delivery.roles import RECORD_KEEPERS

capability = Capability[Person](__name__)


class PublishPerson(PersonDetails, Command):
    """Publish the record of a person of the company or of a customer.

    The whole record is given, not only what changed. `available_hours` are per week.
    """

    effective_from: Day | None = None


@capability.decide(PublishPerson, by=RECORD_KEEPERS, opens=True)
def publish_person(state: Person, command: PublishPerson, context: Context) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the last one.

    Raises Refused where a person who is not a customer's has an account, or where the person is
    their own manager.
    """
    if command.account is not None and command.department != "customer":
        raise Refused("person-not-customer", "only people of a customer belong to an account")
    if command.manager == state.person:
        raise Refused("manager-is-self", "a person cannot be their own manager")
    event = PersonPublished(person=state.person, **dict(command))
    if event != state.published:
        yield event


class PersonView(ViewModel):
    """Newest record of a person; None before the first one."""

    person: str
    record: PersonPublished | None


@capability.view
def person_view(state: Person) -> PersonView:
    """Return the view of a person for all staff."""
    return PersonView(person=state.person, record=state.published)
