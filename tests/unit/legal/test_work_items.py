"""Each work item of Legal: it appears when something waits, and its command makes it go."""

from datetime import date

from contracts import delivery, finance
from contracts.legal import ObligationRecorded
from contracts.sales import OpportunityImported
from legal.amendments.decisions import DraftAmendment
from legal.ending.decisions import TerminateEngagement
from legal.file.decisions import OpenFile
from legal.obligations.decisions import MeetObligation
from legal.signing.decisions import DeclineSignature, RecordSignature, SendSow
from legal.sows.decisions import ApproveSow, DraftSow, ResolveRedline
from tests.amounts import eur
from tests.unit.legal.builders import (
    ALL,
    TODAY,
    V1,
    V2,
    WON,
    approved,
    drafted,
    filed,
    new,
    of_delivery,
    of_finance,
    priced,
    reviewed,
    sent,
    signed,
)
from tests.unit.legal.test_amendments import (
    MANUAL,
    OTHER_FINISH,
    draft_of,
    review,
    sign,
    unpriced,
)
from tests.unit.legal.test_amendments import drafted as amended
from tests.unit.legal.test_obligations import RECORDED, obliged
from tests.unit.legal.test_sows import REDLINE, redline_of

LATER = date(2026, 3, 9)


def test_a_won_deal_without_an_account_waits_for_its_file() -> None:
    imported = OpportunityImported(
        source="crm",
        external_id="1",
        account=None,
        title="Desk",
        product="desk",
        owner="ann",
        outcome="open",
        pipeline_stage="proposing",
        opened_on=None,
        closed_on=None,
        value=None,
    )
    waits = new().consumed(imported, WON)
    waits.then_work("file-not-open", "file", since=WON.won_on)
    waits.after(OpenFile(account="acme")).then_work("file-not-open")


def test_a_won_deal_waits_for_the_statement_of_work() -> None:
    filed().then_work("sow-not-drafted", "sow", since=WON.won_on)
    filed().after(DraftSow(scope="An order desk.")).then_work("sow-not-drafted")
    filed().after(TerminateEngagement(reason="mutual", decided_by="carl")).then_work(
        "sow-not-drafted"
    )


def test_a_redline_waits_for_its_resolution_and_an_accepted_one_for_the_next_version() -> None:
    redlined = drafted().after(REDLINE)
    redline = redline_of(redlined)
    redlined.then_work("redline-open", redline, since=TODAY)
    resolve = ResolveRedline(redline=redline, outcome="accepted", note="As usual.")
    accepted = redlined.on(LATER).after(resolve)
    accepted.then_work("redline-open").then_work("redline-accepted", "sow-1", since=LATER)
    accepted.published(V2).then_work("redline-accepted")


def test_an_objection_waits_for_the_next_version() -> None:
    objected = drafted().on(LATER).consumed(of_delivery(V1, "Too short."), of_finance(V1))
    objected.then_work("delivery-objected", "sow-1", since=LATER)
    objected.then_work("legal-approval-missing").then_work("finance-objected")
    both = objected.consumed(of_finance(V1, "Too cheap."))
    both.then_work("finance-objected", "sow-1", since=LATER)
    both.published(V2).then_work("finance-objected")
    objected.published(V2).then_work("delivery-objected")
    objected.consumed(of_delivery(V1)).then_work("delivery-objected")


def test_a_reviewed_version_waits_for_the_approval_and_an_approved_one_to_be_sent() -> None:
    drafted().then_work("legal-approval-missing")
    reviewed().then_work("legal-approval-missing", "sow-1", since=TODAY)
    done = reviewed().after(ApproveSow(version=1), by="carl")
    done.then_work("legal-approval-missing").then_work("sow-not-sent", "sow-1", since=TODAY)
    done.after(SendSow(version=1)).then_work("sow-not-sent")
    approved().consumed(of_delivery(V1, "Too short.")).then_work("sow-not-sent")


def test_a_sent_version_waits_for_the_signature_of_each_party() -> None:
    sent().then_work("sow-not-signed", "sow-1/company", "sow-1/customer", since=TODAY)
    owed = {each.about: each.owed_by.department for each in sent().work}
    assert owed == {"sow-1/company": "legal", "sow-1/customer": "customer"}
    one = sent().after(
        RecordSignature(party="company", person="carl", content_hash=V1.content_hash)
    )
    one.then_work("sow-not-signed", "sow-1/customer")
    both = one.after(RecordSignature(party="customer", person="zoe", content_hash=V1.content_hash))
    both.then_work("sow-not-signed")


def test_a_version_that_a_party_declined_waits_to_be_sent_again() -> None:
    decline = DeclineSignature(version=1, party="customer", person="zoe", why="The price.")
    declined = sent().on(LATER).after(decline)
    declined.then_work("sow-not-signed").then_work("sow-not-sent", "sow-1", since=LATER)
    declined.after(SendSow(version=1)).then_work("sow-not-sent")


def test_an_amendment_waits_for_its_signature_once_its_change_is_ready() -> None:
    unpriced().then_work("amendment-not-signed").then_work("amendment-not-drafted")
    ready = amended()
    ready.then_work("amendment-not-signed", "A-C-1", since=TODAY)
    ready.after(sign(ready)).then_work("amendment-not-signed")


def test_a_ready_change_waits_for_its_draft_and_a_changed_one_for_another() -> None:
    ready = unpriced().consumed(priced(MANUAL), knowing=ALL)
    ready.then_work("amendment-not-drafted", "C-1", since=TODAY)
    again = ready.after(DraftAmendment(change="C-1"))
    again.then_work("amendment-not-drafted").then_work("amendment-outdated")
    dearer = again.consumed(priced(MANUAL, eur(4_000)), knowing=ALL)
    dearer.then_work("amendment-outdated", "A-C-1", since=TODAY)
    dearer.then_work("amendment-not-signed")
    dearer.after(DraftAmendment(change="C-1")).then_work("amendment-outdated")


def test_an_amendment_that_differs_waits_for_the_reviews_of_both_departments() -> None:
    other = amended().after(OTHER_FINISH)
    other.then_work("amendment-not-reviewed", "A-C-1", "A-C-1").then_work("amendment-not-signed")
    verdict = review(draft_of(other))
    half = other.consumed(finance.AmendmentReviewed(**dict(verdict)))
    half.then_work("amendment-not-reviewed", "A-C-1", person=None)
    [item] = [each for each in half.work if each.kind.code == "amendment-not-reviewed"]
    assert item.owed_by.department == "delivery"
    both = half.consumed(delivery.AmendmentReviewed(**dict(verdict)))
    both.then_work("amendment-not-reviewed").then_work("amendment-not-signed", "A-C-1")
    objection = review(draft_of(other), "The team is gone by then.")
    objected = half.consumed(delivery.AmendmentReviewed(**dict(objection)))
    objected.then_work("amendment-objected", "A-C-1").then_work("amendment-not-signed")
    objected.after(DraftAmendment(change="C-1")).then_work("amendment-objected")


def test_an_obligation_is_owed_by_its_party_until_it_is_met() -> None:
    waits = obliged()
    waits.then_work("obligation-open", "OB-1", since=TODAY, due=RECORDED.due_on, person="carl")
    assert [each.owed_by.department for each in waits.work] == ["legal"]
    met = waits.after(MeetObligation(obligation="OB-1"))
    met.then_work("obligation-open")
    theirs = ObligationRecorded.model_validate(
        {**dict(RECORDED), "owed_by": "customer", "person": "zoe"}
    )
    of_customer = signed().published(theirs)
    assert [each.owed_by.department for each in of_customer.work] == ["customer"]
    over = obliged().after(TerminateEngagement(reason="mutual", decided_by="carl"))
    over.then_work("obligation-open", "OB-1")
