"""Publish contacts, the people of accounts; their names are stored here only."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, refused_field
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version, require_record
from chassis.domain.rules import unless_recorded
from contracts.event import Event
from contracts.reference import (
    AccountPublished,
    ContactDetails,
    ContactOfAccount,
    ContactPublished,
    in_force,
)
from contracts.values import AccountId, ContactId
from sales.roles import SELLERS

capability = Capability[Record[ContactPublished]](__name__)


class RecordContact(ContactOfAccount, Command):
    """Record a new contact of an account, who gets an id.

    An account has one contact with an e-mail address, in upper or lower case.
    """


class PublishContact(ContactDetails, Publish):
    """Publish a new version of the record of a contact.

    All these fields are replaced; one that is not given becomes empty.
    """


@capability.decide(RecordContact, by=SELLERS, prefix="C")
def record_contact(
    state: Record[ContactPublished], command: RecordContact, context: Context
) -> Iterable[Event]:
    """Publish the first version; a repetition that equals the version in force changes nothing.

    Raises Refused where the contact is recorded with other content, the account is unknown, or
    another contact of it has the e-mail address.
    """
    known = in_force(state.versions, context.today)
    first_day = known.effective_from if known else None
    event = ContactPublished(contact=state.id, effective_from=first_day, **dict(command))
    for new in unless_recorded(known, event, f"the contact {state.id}"):
        require_record("account-unknown", "account", AccountPublished, command.account, context)
        _require_own_email(state.id, command.account, command.email, context)
        yield new


@capability.decide(PublishContact, by=SELLERS)
def publish_contact(
    state: Record[ContactPublished], command: PublishContact, context: Context
) -> Iterable[Event]:
    """Publish the next version of the record, unless it equals the one in force.

    Raises Refused where another contact of the account has the e-mail address.
    """
    if state.newest is not None:
        _require_own_email(state.id, state.newest.account, command.email, context)
        yield from next_version(state, command, context, account=state.newest.account)


def _require_own_email(
    contact: ContactId, account: AccountId, email: str | None, context: Context
) -> None:
    """Refuse the e-mail address of another contact of the account."""
    if email is None:
        return
    for each in context.reference_data.all(ContactPublished):
        other = each.event
        is_other = other.account == account and other.contact != contact
        if is_other and (other.email or "").casefold() == email.casefold():
            sentence = f"email: {other.email} is the address of the contact {other.contact}"
            raise refused_field("contact-email-taken", "email", sentence)
