"""Publish contacts, the people of accounts; their names are stored here only."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.reference import (
    AccountPublished,
    ContactDetails,
    ContactOfAccount,
    ContactPublished,
)
from sales.roles import SELLERS

capability = Capability[Record[ContactPublished]](__name__)


class RecordContact(ContactOfAccount, Command):
    """Record a new contact of an account, who gets an id."""


class PublishContact(ContactDetails, Publish):
    """Publish a new version of the record of a contact.

    All these fields are replaced; one that is not given becomes empty.
    """


@capability.decide(RecordContact, by=SELLERS, prefix="C")
def record_contact(
    state: Record[ContactPublished], command: RecordContact, context: Context
) -> Iterable[Event]:
    """Publish the first version; raises Refused where the account is unknown."""
    event = ContactPublished(contact=state.id, **dict(command))
    for new in unless_recorded(state.newest, event, f"the contact {state.id}"):
        require_record("account-unknown", "account", AccountPublished, command.account, context)
        yield new


@capability.decide(PublishContact, by=SELLERS)
def publish_contact(
    state: Record[ContactPublished], command: PublishContact, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force."""
    if state.newest is not None:
        yield from next_version(state, command, context, account=state.newest.account)
