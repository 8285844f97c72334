"""Test that Legal takes over the contract of an engagement under way, once."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from chassis.domain.documents import DocumentKept
from contracts.delivery import EngagementClosed
from contracts.documents import BaseDocument
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EngagementImported,
    ObligationRecorded,
)
from contracts.lines import BillingItem
from contracts.money import Money
from contracts.reference import AccountPublished, CompanyPublished
from legal.amendments.decisions import SignAmendment
from legal.engagement import Engagement
from legal.importing.decisions import ImportEngagement
from legal.obligations.decisions import RecordObligation
from legal.service import ENGAGEMENT
from testkit.scenario import Scenario, given, like
from tests.amounts import eur
from tests.unit.imported import IMPORTED
from tests.unit.legal.builders import (
    ALL,
    BOTH,
    BUILD,
    FINISH,
    ID,
    SIGNING,
    START,
    TODAY,
    agreed,
    assessed,
    priced,
    requested,
)

HASH = f"sha256:{'c' * 64}"
IMPORT = ImportEngagement(
    source="crm",
    external_id="A1",
    company="concord",
    customer="acme",
    lines=(BUILD,),
    price=eur(100_000),
    signed_on=date(2025, 12, 15),
    effective_on=date(2026, 1, 5),
    starts_on=START,
    finishes_on=FINISH,
    payment_terms_days=30,
    content_hash=HASH,
)


RECORDED = EngagementImported.model_validate(
    {name: value for name, value in dict(IMPORT).items() if name != "content"}
)


COMPANY = CompanyPublished(
    company="concord",
    legal_name="Concord GmbH",
    address="Berlin",
    country="DE",
    base_currency="EUR",
    time_zone="Europe/Berlin",
)
ACME = AccountPublished(account="acme", name="Acme")


def imported(**different: object) -> Scenario[Engagement]:
    """Return an engagement that Sales imported, as won unless `different` has another outcome."""
    event = IMPORTED.model_copy(update=different)
    published = given(ENGAGEMENT, ID, records=[COMPANY, ACME, *SIGNING])
    return published.consumed(event).uploaded(HASH).on(TODAY)


def test_a_contract_is_taken_over_once() -> None:
    taken = imported().when(IMPORT).then(RECORDED)
    taken.then_view(imported=RECORDED, stage="signed")
    assert ENGAGEMENT.rows(taken.state)["imported"] is True
    taken.when(IMPORT).then_nothing()


def test_the_signed_document_is_kept() -> None:
    text = IMPORT.model_copy(update={"content_hash": None, "content": "The contract."})
    outcome = imported().when(text)
    (kept,) = (each.event for each in outcome.recorded if isinstance(each.event, DocumentKept))
    taken = outcome.then(like(EngagementImported, content_hash=kept.content_hash))
    taken.when(text).then_nothing()
    other = text.model_copy(update={"content": "Another."})
    taken.when(other).then_refused("already-recorded", fields={"content_hash"})
    bare = given(ENGAGEMENT, ID).consumed(IMPORTED).on(TODAY)
    bare.when(IMPORT).then_refused("document-unknown", fields={"content_hash"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signed_on", date(2025, 12, 16)),
        ("payment_terms_days", 14),
        ("company", "other"),
        ("lines", (BUILD.model_copy(update={"title": "Desk"}),)),
    ],
)
def test_another_contract_is_refused_with_the_field(field: str, value: object) -> None:
    other = IMPORT.model_copy(update={field: value})
    imported().after(IMPORT).when(other).then_refused("already-recorded", fields={field})


def test_sales_imported_the_opportunity_as_won_from_this_record() -> None:
    bare = given(ENGAGEMENT, ID).uploaded(HASH)
    bare.when(IMPORT).then_refused("opportunity-not-imported")
    for outcome in ("open", "lost"):
        imported(outcome=outcome).when(IMPORT).then_refused("deal-not-won", saying=outcome)
    for field, value in (("source", "erp"), ("external_id", "A2")):
        other = IMPORT.model_copy(update={field: value})
        imported().when(other).then_refused("source-differs", saying=f"{field}: ")


def test_customer_and_currency_are_those_of_sales() -> None:
    imported(account="other").when(IMPORT).then_refused("account-differs", saying="customer: ")
    imported(account=None).when(IMPORT).then_accepted()
    dollars = Money.model_validate({"amount": 1, "currency": "USD"})
    imported(value=dollars).when(IMPORT).then_refused("currency-differs", saying="lines: ")
    imported(value=None).when(IMPORT).then_accepted()


def test_company_and_accounts_are_published() -> None:
    misspelt = IMPORT.model_copy(update={"company": "concrod"})
    imported().when(misspelt).then_refused(
        "company-unknown", fields={"company"}, saying="company: no company concrod is published"
    )
    other = IMPORT.model_copy(update={"customer": "acmee"})
    imported(account=None).when(other).then_refused("account-unknown", fields={"customer"})
    line = BUILD.model_copy(update={"bill_to": "acmee"})
    billed = IMPORT.model_copy(update={"lines": (line,)})
    imported().when(billed).then_refused("account-unknown", fields={"lines"}, saying="acmee")


def test_a_contract_is_corrected_with_a_reason_until_the_engagement_ends() -> None:
    right = IMPORT.model_copy(update={"payment_terms_days": 14})
    correction = right.model_copy(update={"why": "The days were those of the draft."})
    imported().when(correction).then_refused("engagement-not-imported", fields={"why"})
    taken = imported().after(IMPORT)
    event = RECORDED.model_copy(
        update={"payment_terms_days": 14, "why": "The days were those of the draft."}
    )
    corrected = taken.when(correction).then(event)
    corrected.then_view(imported=event).when(correction).then_nothing()
    corrected.when(right).then_nothing()
    corrected.when(IMPORT).then_refused("already-recorded", fields={"payment_terms_days"})
    closed = EngagementClosed(closed_on=TODAY)
    taken.consumed(closed).when(correction).then_refused("engagement-over")
    taken.consumed(closed).when(IMPORT).then_nothing()
    imported().consumed(closed).when(IMPORT).then_refused("engagement-over")


def test_a_correction_is_checked_as_the_first_contract_was() -> None:
    wrong = IMPORT.model_copy(update={"company": "concrod", "why": "Another company sold it."})
    imported().after(IMPORT).when(wrong).then_refused("company-unknown", fields={"company"})


def test_the_contract_was_not_signed_in_the_future() -> None:
    late = IMPORT.model_copy(update={"signed_on": date(2026, 3, 9)})
    imported().when(late).then_refused("date-in-future", saying="signed_on: ")


def test_lines_add_up_to_the_price_and_their_billing_to_them() -> None:
    with pytest.raises(ValidationError, match="must be the sum of the lines, 100,000"):
        ImportEngagement.model_validate({**dict(IMPORT), "price": eur(99_999)})
    with pytest.raises(ValidationError, match="must not be before starts_on"):
        ImportEngagement.model_validate({**dict(IMPORT), "finishes_on": date(2026, 1, 1)})
    with pytest.raises(ValidationError, match="effective_on\n  must not be after finishes_on"):
        ImportEngagement.model_validate({**dict(IMPORT), "effective_on": date(2026, 10, 1)})
    entry = BillingItem(item="B-1", kind="on-signature", amount=eur(30_000))
    part = BUILD.model_copy(update={"billing": (entry,)})
    imported().when(IMPORT.model_copy(update={"lines": (part,)})).then_refused(
        "sow-inconsistent", missing={"billing-schedule-differs"}, fields={"lines"}
    )
    without = BUILD.model_copy(update={"billing": ()})
    imported().when(IMPORT.model_copy(update={"lines": (without,)})).then_accepted()


def test_a_contract_is_published_again_for_a_department_that_skipped_it() -> None:
    again = IMPORT.model_copy(update={"why": "Finance skipped the event."})
    taken = imported().after(IMPORT)
    published = taken.when(again).then(like(EngagementImported, why=again.why))
    published.when(again).then_nothing()
    published.when(IMPORT).then_nothing()


def amending() -> Scenario[Engagement]:
    """Return a contract that was taken over, with the drafted amendment of an approved change."""
    assessment = assessed(added=("manual",))
    ready = imported().after(IMPORT).consumed(requested(), assessment, agreed())
    return ready.when_consumed(priced(assessment), knowing=ALL).then(like(AmendmentDrafted))


def test_a_contract_that_was_taken_over_is_amended() -> None:
    scenario = amending()
    (change,) = scenario.view["changes"]
    draft = change.amendment.content
    assert draft.base == BaseDocument(title="statement-of-work", content_hash=HASH)
    assert draft.finishes_on == FINISH + timedelta(days=10)
    sign = SignAmendment(
        amendment=draft.amendment, content_hash=draft.content_hash, signatories=BOTH
    )
    amended = scenario.when(sign).then(like(AmendmentSigned))
    contract = amended.view["contract"]
    assert contract.price == eur(100_000) + draft.price_delta
    assert "manual" in [each.deliverable for each in contract.deliverables]


def test_a_contract_is_corrected_no_more_once_an_amendment_rests_on_it() -> None:
    other = IMPORT.model_copy(update={"payment_terms_days": 14, "why": "A typing error."})
    amending().when(other).then_refused("amendment-drafted", saying="A-C-1")
    amending().when(IMPORT).then_nothing()


def test_obligations_of_a_contract_that_was_taken_over_are_recorded() -> None:
    obligation = RecordObligation(
        text="Report monthly.", owed_by="company", person="carl", clause="4", document=HASH
    )
    imported().after(IMPORT).when(obligation).then(like(ObligationRecorded))


def test_lines_without_a_schedule_have_the_usual_one() -> None:
    without = BUILD.model_copy(update={"billing": ()})
    taken = imported().after(IMPORT.model_copy(update={"lines": (without,)}))
    (line,) = taken.view["contract"].lines
    assert line.billed == line.price
