"""Test who signs: people on record with that authority, each for one party only."""

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.legal import AmendmentDrafted, AmendmentSigned, SowSignatureRecorded, SowSigned
from contracts.values import Party
from legal.amendments.decisions import SignAmendment
from legal.engagement import Engagement
from legal.signing.decisions import DeclineSignature, RecordSignature
from testkit.scenario import Outcome, Scenario, like
from tests.unit.legal.builders import (
    ALL,
    TODAY,
    V1,
    agreed,
    assessed,
    contact,
    person,
    priced,
    requested,
    sent,
    signature,
    signed,
)

YESTERDAY = TODAY - timedelta(days=1)
PEOPLE = (
    person("carl"),
    person("lena", may_sign=False),
    person("left", left=YESTERDAY),
    person("soon", may_sign=False, effective_from=date(2026, 1, 1)),
    person("soon", effective_from=TODAY),
    person("nora", email="Nora.Dahl@example.com"),
    contact("zoe", "signatory"),
    contact("rea", "reader"),
    contact("app", "approver", "sponsor"),
    contact("none"),
    contact("oda", "signatory", account="other"),
    contact("late", effective_from=date(2026, 1, 1)),
    contact("late", "signatory", effective_from=TODAY),
    contact("carl", "signatory"),
    contact("nd", "signatory", email="nora.dahl@EXAMPLE.com"),
)
WRONG: list[tuple[Party, str, str, date]] = [
    ("customer", "nobody", "contact-unknown", TODAY),
    ("customer", "lena", "contact-unknown", TODAY),
    ("customer", "oda", "contact-of-other-account", TODAY),
    ("customer", "rea", "contact-not-authorised", TODAY),
    ("customer", "app", "contact-not-authorised", TODAY),
    ("customer", "none", "contact-not-authorised", TODAY),
    ("customer", "late", "contact-not-authorised", YESTERDAY),
    ("customer", "carl", "contact-of-company", TODAY),
    ("customer", "nd", "contact-of-company", TODAY),
    ("company", "nobody", "person-unknown", TODAY),
    ("company", "zoe", "person-unknown", TODAY),
    ("company", "lena", "person-not-authorised", TODAY),
    ("company", "soon", "person-not-authorised", YESTERDAY),
    ("company", "left", "person-not-with-company", TODAY),
]
RIGHT: list[tuple[Party, str, date]] = [
    ("customer", "zoe", TODAY),
    ("customer", "zoe", YESTERDAY),
    ("customer", "late", TODAY),
    ("company", "carl", TODAY),
    ("company", "soon", TODAY),
    ("company", "left", YESTERDAY),
]


def knowing(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
    return scenario.knowing(*PEOPLE)


def sign(party: Party, who: str, day: date = TODAY) -> RecordSignature:
    return RecordSignature(party=party, person=who, content_hash=V1.content_hash, signed_on=day)


def decline(party: Party, who: str, day: date) -> DeclineSignature:
    return DeclineSignature(version=1, party=party, person=who, why="No.", declined_on=day)


def amended(party: Party, who: str, day: date) -> Outcome[Engagement]:
    """Sign an amendment with this person for the party, and with zoe or carl for the other."""
    of_change = requested(), assessed(), agreed()
    ready = signed().consumed(*of_change).when_consumed(priced(), knowing=ALL)
    drafted = ready.then(like(AmendmentDrafted))
    (change,) = drafted.view["changes"]
    other: Party = "company" if party == "customer" else "customer"
    command = SignAmendment(
        amendment="A-C-1",
        content_hash=change.amendment.content_hash,
        signatories=(signature(party, day, who), signature(other)),
    )
    return knowing(drafted).when(command)


@pytest.mark.parametrize(("party", "who", "code", "day"), WRONG)
def test_nobody_signs_or_declines_without_authority(
    party: Party, who: str, code: Any, day: date
) -> None:
    out = knowing(sent())
    out.when(sign(party, who, day)).then_refused(code, fields=["person"], saying=who)
    out.when(decline(party, who, day)).then_refused(code, fields=["person"], saying=who)
    amended(party, who, day).then_refused(code, fields=["signatories.0.person"], saying=who)


@pytest.mark.parametrize(("party", "who", "day"), RIGHT)
def test_authority_is_that_of_the_day_of_the_signature(party: Party, who: str, day: date) -> None:
    knowing(sent()).when(sign(party, who, day)).then(like(SowSignatureRecorded))
    knowing(sent()).when(decline(party, who, day)).then_accepted()
    if who != "left":  # who was not with the company when the contract was signed
        amended(party, who, day).then(like(AmendmentSigned))


def test_one_person_never_signs_for_both_parties() -> None:
    company = knowing(sent()).after(sign("company", "carl"))
    company.when(sign("customer", "carl")).then_refused("contact-of-company")
    company.when(sign("customer", "zoe")).then(like(SowSignatureRecorded), like(SowSigned))
    customer = knowing(sent()).after(sign("customer", "zoe"))
    customer.when(sign("company", "zoe")).then_refused("person-unknown")


def test_a_repeated_signature_of_an_erased_person_changes_nothing() -> None:
    half = knowing(sent()).after(sign("customer", "zoe"))
    half.knowing().when(sign("customer", "zoe")).then_nothing()
