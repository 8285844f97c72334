"""Check that people may act for a party: contacts for their account, staff for the company.

What counts are the records as they are on the day of the act. No person acts for both parties: a
contact who is also on record as a person of the company, by id or by e-mail address, acts for no
customer.
"""

from datetime import date

from chassis.domain.commands import refused_field
from chassis.domain.context import Context
from chassis.domain.reference import known_on, require_contact, require_record
from contracts.reference import ContactPublished, ContactRole, PersonPublished
from contracts.values import AccountId, ContactId, Party, PersonId


def require_customer_contact(
    field: str,
    contact: ContactId,
    account: AccountId | None,
    day: date,
    context: Context,
    *roles: ContactRole,
) -> None:
    """Refuse an act of the customer by anyone but a contact with one of the roles on the day.

    Without roles, every contact of the account may act. Raises Refused, naming the field, where the
    contact is unknown, of another account, a person of the company, or has none of the roles.
    """
    require_contact(field, contact, account, context)
    record = known_on(context.reference_data, ContactPublished, contact, day)
    known = record.event if record else None
    if _is_staff(contact, known, context):
        sentence = f"{field}: {contact} is a person of the company and does not act for a customer"
        raise refused_field("contact-of-company", field, sentence)
    if roles and (known is None or set(roles).isdisjoint(known.roles)):
        sentence = f"{field}: {contact} is not recorded as {' or '.join(roles)} on {day}"
        raise refused_field("contact-not-authorised", field, sentence)


def require_signatory(
    field: str,
    party: Party,
    person: PersonId,
    account: AccountId | None,
    day: date,
    context: Context,
) -> None:
    """Refuse a signature by a person who may not sign for the party on the day.

    For the customer, a contact of the account with the role `signatory` signs; for the company, a
    person who is with it and may sign by their record. Raises Refused, naming the field.
    """
    if party == "customer":
        require_customer_contact(field, person, account, day, context, "signatory")
        return
    if not require_staff(field, person, day, context).may_sign:
        sentence = f"{field}: {person} is not recorded as one who may sign for the company on {day}"
        raise refused_field("person-not-authorised", field, sentence)


def require_staff(field: str, person: PersonId, day: date, context: Context) -> PersonPublished:
    """Return the record, on a day, of a person who is with the company on it.

    Raises Refused, naming the field, where the person is unknown, not there yet, or has left.
    """
    require_record("person-unknown", field, PersonPublished, person, context)
    record = known_on(context.reference_data, PersonPublished, person, day)
    if record is None or not record.event.works_on(day):
        sentence = f"{field}: {person} is not with the company on {day}"
        raise refused_field("person-not-with-company", field, sentence)
    return record.event


def _is_staff(contact: ContactId, known: ContactPublished | None, context: Context) -> bool:
    email = known.email.casefold() if known and known.email else None
    return any(
        person.event.person == contact
        or (email is not None and (person.event.email or "").casefold() == email)
        for person in context.reference_data.all(PersonPublished)
    )
