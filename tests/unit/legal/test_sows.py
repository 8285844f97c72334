from datetime import date

import pytest
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts.documents import STATEMENT_OF_WORK, content_hash
from contracts.event import decode, encode
from contracts.legal import (
    EngagementTerminated,
    SowApproved,
    SowDrafted,
    SowRedlined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.refusals import RefusalCode
from contracts.sales import DealLost
from contracts.values import BillingItem, Deliverable, RoleRate
from legal.sows import ApproveSow, DraftSow, RecordSignature, RedlineSow, SendSow
from testkit.scenario import like
from tests.unit.legal.papers import (
    BOTH,
    FILE,
    SCOPE,
    START,
    TODAY,
    V1,
    V2,
    WON,
    approved,
    deliverable,
    eur,
    filed,
    heard_of,
    of_delivery,
    of_finance,
    per_hour,
    reviewed,
    sent,
    signature,
    signed,
    with_draft,
)

DRAFT = DraftSow(scope=SCOPE)


def sign(party: str = "customer", **changes: object) -> RecordSignature:
    fields = {"party": party, "person": "zoe", "content_hash": V1.content_hash}
    return RecordSignature.model_validate(fields | changes)


# Drafting


def test_a_draft_has_the_terms_of_the_won_deal():
    filed.when(DRAFT).then(
        SowDrafted(
            version=1,
            content_hash=content_hash(STATEMENT_OF_WORK, V1),
            proposal_version=2,
            scope=SCOPE,
            deliverables=WON.deliverables,
            price=eur(100_000),
            pricing="fixed-price",
            starts_on=START,
            finishes_on=WON.finishes_on,
            billing_schedule=WON.billing_schedule,
            rates=WON.rates,
            payment_terms_days=30,
        )
    )


def test_the_hash_can_be_checked_from_the_event():
    recorded = filed.when(DRAFT).recorded[0]
    event = decode(encode(recorded)).event
    assert isinstance(event, SowDrafted)
    assert content_hash(STATEMENT_OF_WORK, event) == event.content_hash


def test_terms_given_in_a_draft_replace_those_of_the_won_deal():
    item = BillingItem(item="B-1", kind="on-signature", amount=eur(90_000))
    draft = DraftSow(
        scope=SCOPE,
        price=eur(90_000),
        billing_schedule=(item,),
        rates=(),
        payment_terms_days=0,
        finishes_on=date(2026, 10, 31),
    )
    filed.when(draft).then(
        like(
            SowDrafted,
            price=eur(90_000),
            billing_schedule=(item,),
            rates=(),
            payment_terms_days=0,
            finishes_on=date(2026, 10, 31),
            deliverables=WON.deliverables,
        )
    )


def test_equal_terms_are_not_a_new_version_and_other_terms_are():
    with_draft.when(DRAFT).then_nothing()
    with_draft.when(DraftSow(scope=SCOPE, payment_terms_days=14)).then(like(SowDrafted, version=2))


def test_the_version_is_part_of_the_hashed_content():
    again = with_draft.published(V2).when(DRAFT).events[0]
    assert isinstance(again, SowDrafted)
    assert (again.version, again.scope) == (3, V1.scope)
    assert again.content_hash != V1.content_hash


@pytest.mark.parametrize(
    ("draft", "missing"),
    [
        ({"price": eur(90_000)}, ["billing-schedule-differs"]),
        ({"price": eur(100_000, "USD")}, ["currency-differs"]),
        ({"rates": (RoleRate(role="architect", rate=per_hour(1, "USD")),)}, ["currency-differs"]),
        ({"deliverables": (deliverable("design"),)}, ["deliverable-unknown"]),
        ({"deliverables": (deliverable("portal"), deliverable("portal"))}, ["id-repeated"]),
        ({"starts_on": date(2027, 1, 1)}, ["finish-before-start"]),
        (
            {
                "starts_on": date(2027, 1, 1),
                "billing_schedule": (
                    BillingItem(item="B-1", kind="on-signature", amount=eur(1)),
                    BillingItem(item="B-1", kind="on-signature", amount=eur(1)),
                ),
            },
            ["finish-before-start", "billing-schedule-differs", "id-repeated"],
        ),
    ],
)
def test_an_inconsistent_draft_is_refused_with_all_faults(
    draft: dict[str, object], missing: list[RefusalCode]
):
    command = DraftSow.model_validate({"scope": SCOPE, **draft})
    filed.when(command).then_refused("sow-inconsistent", missing=missing)


def test_only_a_won_deal_with_a_file_is_drafted():
    heard_of.when(DRAFT).then_refused("file-not-open")
    heard_of.published(FILE).when(DRAFT).then_refused("deal-not-won")


def test_after_the_signature_the_contract_is_amended_instead():
    signed.when(DraftSow(scope="More.")).then_refused("sow-signed", saying="amendment")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"scope": "  "},
        {"scope": SCOPE, "deliverables": ()},
        {"scope": SCOPE, "starts_on": "2026-05-01", "finishes_on": "2026-04-30"},
        {"scope": SCOPE, "payment_terms_days": -1},
        {"scope": SCOPE, "price": {"amount": "0", "currency": "EUR"}},
        {"scope": SCOPE, "prise": {"amount": "1", "currency": "EUR"}},
    ],
)
def test_an_invalid_draft_is_not_a_command(fields: dict[str, object]):
    with pytest.raises(ValidationError):
        DraftSow.model_validate(fields)


# Redlining

REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="Capped at the price.")


def test_a_redline_is_recorded_once_and_does_not_change_the_version():
    redlined = with_draft.when(REDLINE).then(
        SowRedlined(version=1, by="customer", clause="Liability", text="Capped at the price.")
    )
    redlined.when(REDLINE).then_nothing()
    other = REDLINE.model_copy(update={"by": "company"})
    redlined.when(other).then(like(SowRedlined, by="company"))


def test_only_the_latest_unsigned_version_can_be_redlined():
    filed.when(REDLINE).then_refused("sow-unknown")
    with_draft.published(V2).when(REDLINE).then_refused("sow-superseded", saying="version 2")
    signed.when(REDLINE).then_refused("sow-signed")


# Gate 2, approval


def test_legal_approves_what_delivery_and_finance_approved():
    done = reviewed.when(ApproveSow(version=1)).then(
        SowApproved(version=1, content_hash=V1.content_hash)
    )
    done.when(ApproveSow(version=1)).then_nothing()


def test_approval_requires_both_departments():
    gate = with_draft.when(ApproveSow(version=1))
    gate.then_refused(
        "sow-not-approved", missing=["delivery-review-missing", "finance-review-missing"]
    )
    assert gate.refusal
    assert [item.owed_by for item in gate.refusal.missing] == ["delivery", "finance"]
    with_draft.consumed(of_finance(V1)).when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-review-missing"]
    )


def test_an_objection_is_listed_with_its_reason_and_can_be_withdrawn():
    objected = with_draft.consumed(of_delivery(V1, "No time for data migration"), of_finance(V1))
    objected.when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-objected"], saying="No time for data migration"
    )
    objected.consumed(of_delivery(V1)).when(ApproveSow(version=1)).then_accepted()


def test_an_approval_of_an_earlier_version_or_of_other_content_does_not_count():
    again = reviewed.published(V2)
    again.when(ApproveSow(version=2)).then_refused(
        "sow-not-approved", missing=["delivery-review-missing", "finance-review-missing"]
    )
    again.when(ApproveSow(version=1)).then_refused("sow-superseded", saying="version 2")
    other = of_delivery(V1).model_copy(update={"content_hash": V2.content_hash})
    with_draft.consumed(other, of_finance(V1)).when(ApproveSow(version=1)).then_refused(
        "sow-not-approved", missing=["delivery-approved-other-content"]
    )


def test_an_unknown_version_cannot_be_approved():
    with_draft.when(ApproveSow(version=2)).then_refused("sow-unknown", saying="version 2")


# Sending


def test_an_approved_version_is_sent_once():
    sent_today = approved.when(SendSow(version=1)).then(
        SowSentForSignature(version=1, content_hash=V1.content_hash, sent_on=TODAY)
    )
    sent_today.on(date(2026, 3, 9)).when(SendSow(version=1)).then_nothing()
    sent_today.when(SendSow(version=1, sent_on=date(2026, 3, 1))).then_refused("sow-sent")


def test_only_an_approved_version_is_sent():
    reviewed.when(SendSow(version=1)).then_refused(
        "sow-not-approved", missing=["legal-approval-missing"]
    )
    approved.published(V2).when(SendSow(version=1)).then_refused("sow-superseded")
    approved.consumed(of_finance(V1, "The rates are old")).when(SendSow(version=1)).then_refused(
        "sow-not-approved", missing=["finance-objected"], saying="The rates are old"
    )
    approved.when(SendSow(version=1, sent_on=date(2026, 3, 3))).then_refused("date-in-future")


# Signing


def test_the_second_signature_makes_the_contract_dated_by_the_later_one():
    first = signature("customer", TODAY)
    second = signature("company", date(2026, 3, 1))
    half = sent.when(sign()).then(
        SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=first)
    )
    half.then_state(contract=None)
    whole = half.when(sign("company", person="carl", signed_on=date(2026, 3, 1))).then(
        SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=second),
        SowSigned(
            version=1,
            content_hash=V1.content_hash,
            signatories=(first, second),
            signed_on=TODAY,
        ),
    )
    contract = whole.state.contract
    assert contract
    assert (contract.price, contract.finishes_on) == (WON.price, WON.finishes_on)
    assert contract.deliverables == WON.deliverables
    assert contract.billing_schedule == WON.billing_schedule


def test_nothing_is_signed_while_a_department_objects():
    half = sent.after(sign("company", person="carl")).consumed(of_finance(V1, "The margin is gone"))
    half.when(sign()).then_refused(
        "sow-not-approved", missing=["finance-objected"], saying="The margin is gone"
    )
    half.consumed(of_finance(V1)).when(sign()).then(like(SowSignatureRecorded), like(SowSigned))
    sent.consumed(of_delivery(V1, "No developer is free")).when(sign()).then_refused(
        "sow-not-approved"
    )


def test_the_contract_is_not_dated_before_the_sending():
    # One party may sign before sending; the other cannot sign before it receives the document.
    half = sent.after(sign("company", person="carl", signed_on=date(2026, 1, 5)))
    half.when(sign(signed_on=date(2026, 2, 28))).then_refused(
        "date-before-sending", saying="2026-03-02"
    )
    # West of UTC the customer may sign on the evening of the day before.
    west = sign(signed_on=date(2026, 3, 1))
    half.when(west).then(like(SowSignatureRecorded), like(SowSigned, signed_on=date(2026, 3, 1)))
    half.when(sign()).then(like(SowSignatureRecorded), like(SowSigned, signed_on=TODAY))


def test_a_version_is_not_sent_before_its_approval():
    early = SendSow(version=1, sent_on=date(2026, 3, 1))
    approved.when(early).then_refused("date-before-approval", saying="2026-03-02")
    approved.on(date(2026, 3, 5)).when(SendSow(version=1, sent_on=TODAY)).then_accepted()


def test_a_signature_is_recorded_once():
    half = sent.after(sign())
    half.on(date(2026, 3, 9)).when(sign()).then_nothing()
    half.when(sign(person="yan")).then_refused("party-signed", saying="zoe")
    signed.when(sign()).then_nothing()
    signed.when(sign(person="yan")).then_refused("party-signed")


def test_content_that_was_not_sent_cannot_be_signed():
    other = "sha256:" + "0" * 64
    sent.when(sign(content_hash=other)).then_refused("content-differs", saying=V1.content_hash)


def test_a_version_that_was_not_sent_cannot_be_signed():
    filed.when(sign()).then_refused("sow-unknown")
    approved.when(sign()).then_refused("sow-not-sent")


def test_a_version_that_is_not_the_latest_cannot_be_signed():
    newer = sent.after(sign()).published(V2)
    newer.when(sign("company")).then_refused("sow-superseded", saying="version 2")
    newer.when(sign(content_hash=V2.content_hash)).then_refused("sow-not-sent")


def test_a_signature_in_the_future_is_refused():
    sent.when(sign(signed_on=date(2026, 3, 3))).then_refused("date-in-future")


def test_signatures_do_not_count_for_the_next_version():
    newer = sent.after(sign()).published(V2)
    assert newer.state.latest
    assert newer.state.latest.signatories == ()


@pytest.mark.parametrize(
    "command", [DRAFT, REDLINE, ApproveSow(version=1), SendSow(version=1), sign()]
)
def test_commands_are_refused_after_the_end(command: Command):
    terminated = sent.published(EngagementTerminated(reason="mutual", terminated_on=TODAY))
    terminated.when(command).then_refused("engagement-over", saying="terminated")
    lost = sent.consumed(DealLost(reason="withdrawn", lost_on=TODAY))
    lost.when(command).then_refused("engagement-over", saying="lost")


def test_there_are_two_parties():
    assert {one.party for one in BOTH} == {"company", "customer"}
    with pytest.raises(ValidationError):
        sign("consultant")


def test_deliverables_keep_their_acceptance_criteria():
    part = Deliverable(
        deliverable="portal", title="The portal", acceptance_criteria="1,000 orders an hour."
    )
    event = filed.when(DraftSow(scope=SCOPE, deliverables=(deliverable("design"), part))).events[0]
    assert isinstance(event, SowDrafted)
    assert event.deliverables[1].acceptance_criteria == "1,000 orders an hour."
    assert event.content_hash != V1.content_hash
