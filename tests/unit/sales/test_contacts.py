"""Record the contacts of accounts, and publish their versions."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.reference import AccountPublished, ContactPublished
from sales.contacts.decisions import PublishContact, RecordContact
from sales.service import CONTACT, SERVICE
from testkit.scenario import given

RECORD = RecordContact(
    name="Nora Berg", account="A-1", email="nora@acme.example", language="no", roles=("sponsor",)
)
PUBLISH = PublishContact(name="Nora Dahl", roles=("sponsor", "signatory"))
ACME = AccountPublished(account="A-1", name="Acme")
FRESH = given(CONTACT, "C-1", records=[ACME])
RECORDED = ContactPublished(
    contact="C-1",
    account="A-1",
    name="Nora Berg",
    email="nora@acme.example",
    language="no",
    roles=("sponsor",),
)


def test_a_contact_is_recorded_for_a_known_account() -> None:
    FRESH.when(RECORD).then(RECORDED).when(RECORD).then_nothing()
    FRESH.knowing().when(RECORD).then_refused("account-unknown", fields=["account"])


def test_two_contacts_may_have_one_name() -> None:
    entry = CONTACT.commands[RecordContact]
    first, second = entry.new_id(RECORD, "ann/one"), entry.new_id(RECORD, "ann/two")
    assert first != second
    assert first.startswith("C-")


def test_two_contacts_of_an_account_never_have_one_address() -> None:
    known = FRESH.after(RECORD).knowing(ACME, RECORDED)
    twin = given(CONTACT, "C-2", records=[ACME, RECORDED])
    same = RECORD.model_copy(update={"name": "N. Berg", "email": "Nora@Acme.example"})
    twin.when(same).then_refused("contact-email-taken", fields=["email"], saying="C-1")
    other = twin.after(RECORD.model_copy(update={"email": "ole@acme.example"}))
    renamed = PUBLISH.model_copy(update={"email": "NORA@acme.example"})
    other.when(renamed).then_refused("contact-email-taken", fields=["email"], saying="C-1")
    known.when(renamed).then_accepted()
    elsewhere = AccountPublished(account="A-2", name="Apex")
    moved = RECORD.model_copy(update={"account": "A-2"})
    given(CONTACT, "C-3", records=[elsewhere, RECORDED]).when(moved).then_accepted()
    unknown = RECORDED.model_copy(update={"email": None})
    nobody = given(CONTACT, "C-4", records=[ACME, unknown])
    nobody.when(RECORD.model_copy(update={"email": None})).then_accepted()


def test_a_new_version_keeps_the_account() -> None:
    renamed = ContactPublished(
        contact="C-1", account="A-1", name="Nora Dahl", roles=("sponsor", "signatory")
    )
    FRESH.after(RECORD).when(PUBLISH).then(renamed).when(PUBLISH).then_nothing()


def test_a_repetition_is_compared_with_the_version_in_force() -> None:
    july = date(2026, 7, 1)
    planned = FRESH.after(RECORD).after(PUBLISH.model_copy(update={"effective_from": july}))
    planned.when(RECORD).then_nothing()
    planned.on(july).when(RECORD).then_refused("already-recorded", saying="name: ")
    renamed = RecordContact(account="A-1", name="Nora Dahl", roles=("sponsor", "signatory"))
    planned.on(july).when(renamed).then_nothing()


def test_a_contact_can_be_erased() -> None:
    [routes] = (each for each in SERVICE.routes if each.path == "contacts")
    assert routes.erased_by == ("sales-manager", "operator")
    assert all(kind.channel.kind == "reference" for kind in CONTACT.evolves_by)


@pytest.mark.parametrize(
    "bad",
    [
        {"email": "nora"},
        {"language": "norwegian"},
        {"roles": ["sponsor", "sponsor"]},
        {"roles": ["boss"]},
        {"account": "nora@acme.example " * 5},
        {"name": ""},
    ],
)
def test_invalid_records_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RecordContact.model_validate({**RECORD.model_dump(), **bad})
