from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from chassis.domain.commands import Command
from contracts.legal import (
    EngagementTerminated,
    SignatureDeclined,
    SowSentForSignature,
    SowSignatureRecorded,
    SowSigned,
)
from contracts.sales import DealLost
from legal.signing.decisions import DeclineSignature, RecordSignature, SendSow
from legal.sows.decisions import RedlineSow
from testkit.scenario import like
from tests.unit.legal.builders import (
    BOTH,
    TODAY,
    V1,
    V2,
    WON,
    approved,
    filed,
    of_delivery,
    of_finance,
    reviewed,
    sent,
    signature,
    signed,
)


def sign(party: str = "customer", **changes: object) -> RecordSignature:
    fields = {"party": party, "person": "zoe", "content_hash": V1.content_hash}
    return RecordSignature.model_validate(fields | changes)


DECLINE = DeclineSignature(
    version=1, party="customer", person="zoe", why="The board wants another start."
)
REDLINE = RedlineSow(version=1, by="customer", clause="Liability", text="None.")


def test_an_approved_version_is_sent_once():
    sent_today = (
        approved()
        .when(SendSow(version=1))
        .then(SowSentForSignature(version=1, content_hash=V1.content_hash, sent_on=TODAY))
    )
    sent_today.on(date(2026, 3, 9)).when(SendSow(version=1)).then_nothing()
    sent_today.when(SendSow(version=1, sent_on=date(2026, 3, 1))).then_refused(
        "already-recorded", saying="sent_on"
    )


def test_only_an_approved_version_is_sent():
    reviewed().when(SendSow(version=1)).then_refused(
        "sow-not-approved", missing=["legal-approval-missing"]
    )
    approved().published(V2).when(SendSow(version=1)).then_refused("sow-superseded")
    approved().consumed(of_finance(V1, "The rates are old")).when(SendSow(version=1)).then_refused(
        "sow-not-approved", missing=["finance-objected"], saying="The rates are old"
    )
    approved().when(SendSow(version=1, sent_on=date(2026, 3, 3))).then_refused("date-in-future")


# Signing


def test_the_second_signature_makes_the_contract_dated_by_the_later_one():
    first = signature("customer", TODAY)
    second = signature("company", date(2026, 3, 1))
    half = (
        sent()
        .when(sign())
        .then(SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=first))
    )
    half.then_view(contract=None, stage="sent")
    whole = half.when(sign("company", person="carl", signed_on=date(2026, 3, 1))).then(
        SowSignatureRecorded(version=1, content_hash=V1.content_hash, signatory=second),
        SowSigned(
            version=1,
            content_hash=V1.content_hash,
            signatories=(first, second),
            signed_on=TODAY,
        ),
    )
    contract = whole.view["contract"]
    assert contract
    assert (contract.price, contract.finishes_on) == (WON.price, WON.finishes_on)
    assert contract.deliverables == WON.deliverables
    assert contract.lines == WON.lines


def test_nothing_is_signed_while_a_department_objects():
    half = (
        sent().after(sign("company", person="carl")).consumed(of_finance(V1, "The margin is gone"))
    )
    half.when(sign()).then_refused(
        "sow-not-approved", missing=["finance-objected"], saying="The margin is gone"
    )
    half.consumed(of_finance(V1)).when(sign()).then(like(SowSignatureRecorded), like(SowSigned))
    sent().consumed(of_delivery(V1, "No developer is free")).when(sign()).then_refused(
        "sow-not-approved"
    )


@pytest.mark.parametrize("other_has_signed", [False, True])
def test_no_party_signs_before_the_sending(other_has_signed: bool):
    half = sent().after(sign("company", person="carl")) if other_has_signed else sent()
    for day in (date(2026, 2, 28), date(2020, 1, 1)):
        half.when(sign(signed_on=day)).then_refused("date-before-sending", saying="2026-03-02")
    # West of UTC the customer may sign on the evening of the day before.
    half.when(sign(signed_on=date(2026, 3, 1))).then_accepted()


def test_a_signature_after_the_first_sending_counts_where_the_version_was_sent_again():
    later = date(2026, 3, 9)
    again = sent().after(DECLINE).on(later).after(SendSow(version=1))
    again.when(sign("company", person="carl", signed_on=TODAY)).then_accepted()
    early = sign("company", person="carl", signed_on=date(2026, 2, 28))
    again.when(early).then_refused("date-before-sending", saying="2026-03-02")


def test_a_version_is_not_sent_before_its_approval():
    early = SendSow(version=1, sent_on=date(2026, 3, 1))
    approved().when(early).then_refused("date-before-approval", saying="2026-03-02")
    approved().on(date(2026, 3, 5)).when(SendSow(version=1, sent_on=TODAY)).then_accepted()


def test_a_signature_is_recorded_once():
    half = sent().after(sign())
    half.on(date(2026, 3, 9)).when(sign()).then_nothing()
    half.when(sign(person="yan")).then_refused("already-recorded", fields={"person"})
    other = sign(signed_on=date(2026, 3, 1))
    for known in (half, signed()):
        known.on(date(2026, 3, 9)).when(other).then_refused(
            "already-recorded", fields={"signed_on"}
        )
    signed().when(sign()).then_nothing()
    signed().when(sign(person="yan")).then_refused("already-recorded")


def test_content_that_was_not_sent_cannot_be_signed():
    other = "sha256:" + "0" * 64
    sent().when(sign(content_hash=other)).then_refused("content-differs", saying=V1.content_hash)


def test_a_version_that_was_not_sent_cannot_be_signed():
    filed().when(sign()).then_refused("sow-unknown")
    approved().when(sign()).then_refused("sow-not-sent")


def test_a_version_that_is_not_the_latest_cannot_be_signed():
    newer = sent().after(sign()).published(V2)
    newer.when(sign("company")).then_refused("sow-superseded", saying="version 2")
    newer.when(sign(content_hash=V2.content_hash)).then_refused("sow-not-sent")


def test_a_signature_in_the_future_is_refused():
    tomorrow = sign(signed_on=date(2026, 3, 3))
    sent().when(tomorrow).then_refused("date-in-future", saying="signed_on")
    # At 10:00 UTC the day has begun in the easternmost time zone.
    sent().on(datetime(2026, 3, 2, 10, tzinfo=UTC)).when(tomorrow).then_accepted()


def test_signatures_do_not_count_for_the_next_version():
    newer = sent().after(sign()).published(V2)
    assert [len(sow.signatories) for sow in newer.view["statements_of_work"]] == [1, 0]


# Declining


def test_a_party_may_decline_and_the_version_may_be_sent_again():
    event = SignatureDeclined(
        version=1,
        content_hash=V1.content_hash,
        party="customer",
        person="zoe",
        why="The board wants another start.",
        declined_on=TODAY,
    )
    declined = sent().when(DECLINE).then(event)
    declined.then_view(stage="approved")
    [shown] = declined.view["statements_of_work"]
    assert (shown.declined, shown.sent_on) == (event, None)
    declined.on(date(2026, 3, 9)).when(DECLINE).then_nothing()
    declined.when(DECLINE.model_copy(update={"why": "Too dear."})).then_refused(
        "already-recorded", fields={"why"}
    )
    declined.when(sign()).then_refused("sow-not-sent")
    again = declined.when(SendSow(version=1)).then(like(SowSentForSignature, version=1))
    assert again.view["statements_of_work"][0].declined is None
    again.when(sign()).then_accepted()
    again.when(DECLINE).then(event)


def test_the_signature_of_the_other_party_still_counts_after_a_refusal():
    half = sent().after(sign("company", person="carl")).after(DECLINE)
    half.after(SendSow(version=1)).when(sign()).then(like(SowSignatureRecorded), like(SowSigned))


def test_only_a_version_that_is_out_for_signature_is_declined():
    filed().when(DECLINE).then_refused("sow-unknown")
    approved().when(DECLINE).then_refused("sow-not-sent")
    sent().published(V2).when(DECLINE).then_refused("sow-superseded")
    sent().after(sign()).when(DECLINE).then_refused("signature-recorded", saying="customer")
    signed().when(DECLINE).then_refused("signature-recorded")
    tomorrow = DECLINE.model_copy(update={"declined_on": date(2026, 3, 3)})
    sent().when(tomorrow).then_refused("date-in-future", saying="declined_on")
    early = DECLINE.model_copy(update={"declined_on": date(2026, 2, 28)})
    sent().when(early).then_refused("date-before-sending", saying="2026-03-02")
    west = DECLINE.model_copy(update={"declined_on": date(2026, 3, 1)})
    sent().when(west).then_accepted()


def test_nothing_is_sent_or_signed_while_a_redline_is_open():
    redlined = approved().after(REDLINE)
    redlined.when(SendSow(version=1)).then_refused("sow-not-approved", missing=["redline-open"])
    sent().after(REDLINE).when(sign()).then_refused(
        "sow-not-approved", missing=["redline-open"], saying="clause Liability"
    )


def test_there_are_two_parties():
    assert {one.party for one in BOTH} == {"company", "customer"}
    with pytest.raises(ValidationError):
        sign("consultant")


@pytest.mark.parametrize("command", [SendSow(version=1), sign(), DECLINE])
def test_commands_are_refused_after_the_end(command: Command):
    terminated = sent().published(EngagementTerminated(reason="mutual", terminated_on=TODAY))
    terminated.when(command).then_refused("engagement-over", saying="terminated")
    lost = sent().consumed(DealLost(reason="withdrawn", lost_on=TODAY))
    lost.when(command).then_refused("engagement-over", saying="lost")
