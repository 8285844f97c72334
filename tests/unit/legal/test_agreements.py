"""Record the agreements with accounts, and require those that a statement of work needs."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from contracts.legal import SowSentForSignature
from contracts.reference import AccountPublished, AgreementPublished
from legal.agreements.decisions import PublishAgreement, RecordAgreement
from legal.amendments.decisions import SignAmendment
from legal.policies import missing_agreement
from legal.service import AGREEMENT
from legal.signing.decisions import SendSow
from testkit.scenario import given, like
from tests.unit.legal.builders import (
    ALL,
    BOTH,
    TODAY,
    agreed,
    approved,
    assessed,
    filed,
    priced,
    requested,
    sent,
    signature,
    signed,
)
from tests.unit.legal.test_signing import sign

HASH = f"sha256:{'a' * 64}"
TOMORROW, LAST, NEXT = date(2026, 3, 3), date(2027, 2, 28), date(2027, 3, 1)
ACME = AccountPublished(account="acme", name="Acme", time_zone="Asia/Tokyo")
RECORD = RecordAgreement(account="acme", agreement_type="msa", expires_on=LAST)
FRESH = given(AGREEMENT, "AG-1", records=[ACME]).on(TODAY)


def agreement(kind: str = "msa", **fields: object) -> AgreementPublished:
    usual = {
        "agreement": f"AG-{kind}",
        "account": "acme",
        "agreement_type": kind,
        "signed_on": date(2026, 1, 5),
        "starts_on": date(2026, 1, 5),
    }
    return AgreementPublished.model_validate(usual | fields)


def test_an_agreement_is_in_force_from_its_signature_unless_a_day_is_given() -> None:
    recorded = FRESH.when(RECORD).then(
        agreement(agreement="AG-1", signed_on=TODAY, starts_on=TODAY, expires_on=LAST)
    )
    recorded.when(RECORD).then_nothing()
    recorded.on(TOMORROW).when(RECORD).then_nothing()
    later = RECORD.model_copy(update={"starts_on": TOMORROW})
    FRESH.when(later).then(like(AgreementPublished, signed_on=TODAY, starts_on=TOMORROW))


def test_one_agreement_of_a_type_begins_on_a_day() -> None:
    today = agreement(signed_on=TODAY, starts_on=TODAY)
    known = FRESH.knowing(ACME, today)
    known.when(RECORD).then_refused("agreement-recorded", fields={"starts_on"}, saying="AG-msa")
    known.when(RECORD.model_copy(update={"agreement_type": "nda"})).then_accepted()
    later = known.when(RECORD.model_copy(update={"starts_on": TOMORROW})).then_accepted()
    back = PublishAgreement(account="acme", agreement_type="msa", starts_on=TODAY)
    later.when(back).then_refused("agreement-recorded", fields={"starts_on"}, saying="AG-msa")
    own = today.model_copy(update={"agreement": "AG-1"})
    FRESH.after(RECORD).knowing(ACME, own).when(RECORD).then_nothing()


def test_a_correction_keeps_the_day_of_the_signature() -> None:
    endless = PublishAgreement(account="acme", agreement_type="msa")
    corrected = FRESH.after(RECORD).on(TOMORROW).when(endless)
    corrected.then(like(AgreementPublished, signed_on=TODAY, expires_on=None)).when(
        endless
    ).then_nothing()


def test_a_repetition_or_correction_is_of_the_version_in_force() -> None:
    renewed = PublishAgreement(
        account="acme", agreement_type="msa", signed_on=TOMORROW, effective_from=NEXT
    )
    planned = FRESH.after(RECORD).on(TOMORROW).after(renewed)
    planned.when(RECORD).then_nothing()
    endless = PublishAgreement(account="acme", agreement_type="msa")
    planned.when(endless).then(like(AgreementPublished, signed_on=TODAY, effective_from=None))
    later = endless.model_copy(update={"effective_from": NEXT, "expires_on": date(2028, 2, 28)})
    planned.when(later).then(like(AgreementPublished, signed_on=TOMORROW, effective_from=NEXT))
    again = RECORD.model_copy(update={"signed_on": TOMORROW, "expires_on": None})
    planned.on(NEXT).when(again).then_nothing()


def test_the_document_of_an_agreement_is_uploaded_to_its_record_first() -> None:
    kept = PublishAgreement(account="acme", agreement_type="msa", document=HASH, expires_on=LAST)
    recorded = FRESH.after(RECORD)
    recorded.when(kept).then_refused("document-unknown", fields=["document"], saying="upload")
    recorded.uploaded(HASH).when(kept).then(like(AgreementPublished, document=HASH))


def test_agreements_with_impossible_contents_are_refused() -> None:
    FRESH.knowing().when(RECORD).then_refused("account-unknown", fields=["account"])
    backwards = RECORD.model_copy(update={"starts_on": NEXT})
    FRESH.when(backwards).then_refused("expiry-before-start", saying=str(NEXT))
    tomorrow = RECORD.model_copy(update={"signed_on": TOMORROW})
    FRESH.when(tomorrow).then_refused("date-in-future")
    with pytest.raises(ValidationError):
        RecordAgreement.model_validate({"account": "acme", "agreement_type": "lease"})
    with pytest.raises(ValidationError, match="must not be before"):
        agreement(expires_on=date(2026, 1, 4))


def test_an_agreement_is_in_force_on_its_first_and_last_day() -> None:
    known = agreement(starts_on=TODAY, expires_on=LAST)
    days = (date(2026, 3, 1), TODAY, LAST, NEXT)
    assert [known.is_in_force(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ([], False),
        ([agreement()], False),
        ([agreement(expires_on=TODAY)], False),
        ([agreement(expires_on=date(2026, 3, 1))], True),
        ([agreement(starts_on=TOMORROW)], True),
        ([agreement(expires_on=date(2026, 3, 1)), agreement(agreement="AG-2")], False),
        ([agreement("nda", expires_on=date(2026, 3, 1))], True),
        ([agreement("nda", expires_on=date(2026, 3, 1)), agreement()], False),
        ([agreement("nda"), agreement(expires_on=date(2026, 3, 1))], True),
        ([agreement(account="apex", expires_on=date(2026, 3, 1))], False),
    ],
)
def test_a_statement_of_work_needs_the_agreement_of_its_account_on_that_day(
    known: list[AgreementPublished], missing: bool
) -> None:
    scenario = filed().knowing(*known)
    found = missing_agreement(scenario.state, TODAY, scenario._context("carl"))
    assert (found is not None) == missing


def test_a_statement_of_work_needs_the_version_of_the_agreement_in_force_on_the_day() -> None:
    lapsing, renewed = agreement(expires_on=LAST), agreement(effective_from=NEXT)
    for known, day, missing in (
        ([lapsing, renewed, lapsing], NEXT, False),
        ([lapsing, renewed], LAST, False),
        ([agreement(expires_on=TODAY), renewed], TOMORROW, True),
        ([agreement(), agreement(expires_on=LAST, effective_from=NEXT)], NEXT, True),
        ([agreement(account="apex", expires_on=TODAY), renewed], TOMORROW, False),
    ):
        scenario = filed().knowing(*known)
        found = missing_agreement(scenario.state, day, scenario._context("carl"))
        assert (found is not None) == missing, (known, day)


def test_an_expired_agreement_refuses_sending_and_signing() -> None:
    expired = agreement(expires_on=date(2026, 3, 1))
    approved().knowing(expired).when(SendSow(version=1)).then_refused(
        "agreement-not-in-force",
        missing=["agreement-not-in-force"],
        saying="no master services agreement with acme is in force on 2026-03-02",
    )
    approved().knowing(expired).when(SendSow(version=1, sent_on=date(2026, 3, 1))).then_refused(
        "date-before-approval"
    )
    sent().knowing(expired).when(sign()).then_refused("agreement-not-in-force")
    sent().knowing(expired).when(sign(signed_on=date(2026, 3, 1))).then_accepted()
    once = sent().knowing(agreement()).after(sign())
    once.knowing(expired).when(sign()).then_nothing()


def test_an_expired_agreement_refuses_the_signature_of_an_amendment() -> None:
    change = (requested(), assessed(), agreed())
    drafted = signed().consumed(*change).when_consumed(priced(), knowing=ALL).then_accepted()
    [amendment] = [each.amendment for each in drafted.view["changes"]]
    command = SignAmendment(
        amendment=amendment.amendment, content_hash=amendment.content_hash, signatories=BOTH
    )
    expired = agreement(expires_on=date(2026, 3, 1))
    drafted.knowing(expired).when(command).then_refused(
        "agreement-not-in-force", missing=["agreement-not-in-force"], saying="on 2026-03-02"
    )
    drafted.knowing(expired, agreement(agreement="AG-2")).when(command).then_accepted()
    # It has to be in force on the day of each signature.
    tomorrow = signature("customer", TOMORROW)
    later = command.model_copy(update={"signatories": (BOTH[0], tomorrow)})
    ends_today = drafted.knowing(agreement(expires_on=TODAY)).on(TOMORROW)
    ends_today.when(later).then_refused("agreement-not-in-force", saying="on 2026-03-03")
    ends_today.when(command).then_accepted()
    done = drafted.knowing(agreement()).after(command)
    done.knowing(expired).when(command).then_nothing()


def test_days_are_judged_in_the_time_zone_of_the_account() -> None:
    tomorrow = SendSow(version=1, sent_on=TOMORROW)
    before = approved().on(datetime(2026, 3, 2, 14, 59, tzinfo=UTC))
    before.when(tomorrow).then_accepted()  # it is tomorrow somewhere
    before.knowing(ACME).when(tomorrow).then_refused("date-in-future")
    in_tokyo = approved().knowing(ACME).on(datetime(2026, 3, 2, 15, tzinfo=UTC))
    in_tokyo.when(SendSow(version=1)).then(like(SowSentForSignature, sent_on=TOMORROW))
