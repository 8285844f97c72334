from datetime import date
from typing import Any

import pytest

from contracts.delivery import EngagementClosed
from contracts.legal import (
    AmendmentSigned,
    EngagementTerminated,
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
)
from contracts.sales import DealLost
from legal.amendments.decisions import SignAmendment
from legal.engagement import Engagement
from legal.obligations.decisions import (
    MeetObligation,
    RecordObligation,
    ReopenObligation,
    WithdrawObligation,
)
from legal.service import ENGAGEMENT
from testkit.scenario import Scenario, like
from tests.unit.legal.builders import (
    ALL,
    BOTH,
    SIGNING,
    TODAY,
    V1,
    agreed,
    assessed,
    contact,
    filed,
    priced,
    requested,
    sent,
    signed,
)

LATER = date(2026, 3, 9)
HASH = "sha256:" + "e" * 64
RECORDS = (
    *SIGNING,
    contact("oda", account="other"),
)
INSURANCE = RecordObligation(
    text="Show that the work is insured.",
    owed_by="company",
    person="carl",
    due_on=date(2026, 4, 1),
    clause="11.4 Insurance",
    document=V1.content_hash,
)
TERMS = {name: value for name, value in INSURANCE if name != "recorded_on"}
RECORDED = ObligationRecorded(**TERMS, obligation="OB-1", recorded_on=TODAY)
MEET = MeetObligation(obligation="OB-1", evidence=HASH)
REOPEN = ReopenObligation(obligation="OB-1", why="It was last year's.")
WITHDRAW = WithdrawObligation(obligation="OB-1", why="Another contract's.")


def contracted() -> Scenario[Engagement]:
    """Return a signed contract, with the people of both parties."""
    return signed().knowing(*RECORDS).uploaded(HASH)


def obliged() -> Scenario[Engagement]:
    """Return a signed contract with an open obligation of the company."""
    return contracted().published(RECORDED)


def met() -> Scenario[Engagement]:
    return obliged().on(LATER).after(MEET)


def changed(**different: Any) -> RecordObligation:
    return RecordObligation.model_validate(dict(INSURANCE) | different)


def row(scenario: Scenario[Engagement]) -> tuple[int, str | None]:
    shown = ENGAGEMENT.rows(scenario.state)
    return shown["open_obligations"], shown["next_obligation"]


def test_an_obligation_is_recorded_once_with_an_id_of_the_server():
    recorded = contracted().when(INSURANCE).then(like(ObligationRecorded, **TERMS))
    [shown] = recorded.view["obligations"]
    assert shown.recorded.obligation.startswith("OB-")
    assert (shown.recorded.recorded_on, shown.met) == (TODAY, None)
    recorded.on(LATER).when(INSURANCE).then_nothing()
    other = changed(due_on=None, clause="12 Audit")
    both = recorded.when(other).then(like(ObligationRecorded, due_on=None))
    assert row(contracted()) == (0, None)
    assert row(both) == (2, "2026-04-01")


def test_a_met_obligation_may_be_owed_anew():
    met().when(INSURANCE).then(like(ObligationRecorded))


def test_an_obligation_is_one_of_a_signed_document():
    sent().knowing(*RECORDS).when(INSURANCE).then_refused("sow-not-signed")
    contracted().when(changed(document=HASH)).then_refused(
        "document-not-signed", fields=["document"], saying=V1.content_hash
    )
    priced_change = contracted().consumed(requested(), assessed(), agreed())
    drafted = priced_change.when_consumed(priced(), knowing=ALL).then_accepted()
    [change] = drafted.view["changes"]
    content_hash = change.amendment.content_hash
    drafted.when(changed(document=content_hash)).then_refused("document-not-signed")
    sign = SignAmendment(amendment="A-C-1", content_hash=content_hash, signatories=BOTH)
    amended = drafted.when(sign).then(like(AmendmentSigned))
    amended.when(changed(document=content_hash)).then_accepted()


@pytest.mark.parametrize(
    ("owed_by", "person", "code"),
    [
        ("company", "zoe", "person-unknown"),
        ("company", "nobody", "person-unknown"),
        ("customer", "carl", "contact-unknown"),
        ("customer", "oda", "contact-of-other-account"),
    ],
)
def test_who_owes_it_is_a_person_of_that_party(owed_by: str, person: str, code: Any):
    command = changed(owed_by=owed_by, person=person)
    contracted().when(command).then_refused(code, fields=["person"])
    contracted().when(changed(owed_by="customer", person="zoe")).then_accepted()


def test_an_obligation_is_met_once_with_its_proof():
    event = ObligationMet(obligation="OB-1", evidence=HASH, met_on=LATER)
    done = obliged().on(LATER).when(MEET).then(event)
    done.then_view(obligations=(like_view(done, met=event),))
    assert row(done) == (0, None)
    done.on(date(2026, 3, 20)).when(MEET).then_nothing()
    done.when(MEET.model_copy(update={"evidence": None})).then_refused(
        "already-recorded", fields={"evidence"}
    )
    future = MEET.model_copy(update={"met_on": date(2026, 3, 20)})
    obliged().when(future).then_refused("date-in-future", saying="met_on")
    contracted().when(MEET).then_refused("obligation-unknown")


def like_view(scenario: Scenario[Engagement], **different: Any) -> Any:
    [shown] = scenario.view["obligations"]
    return shown.model_copy(update=different)


def test_an_obligation_met_by_mistake_is_open_again():
    event = ObligationReopened(
        **TERMS,
        obligation="OB-1",
        why="It was last year's.",
        met_on=LATER,
        reopened_on=LATER,
    )
    again = met().when(REOPEN).then(event)
    assert row(again) == (1, "2026-04-01")
    assert again.view["obligations"] == obliged().view["obligations"]
    again.when(REOPEN).then_refused("obligation-not-met")
    again.when(MEET).then(like(ObligationMet))
    obliged().when(REOPEN).then_refused("obligation-not-met")
    contracted().when(REOPEN).then_refused("obligation-unknown")
    early = REOPEN.model_copy(update={"reopened_on": TODAY})
    met().when(early).then_refused("date-before-record", saying="reopened_on")


@pytest.mark.parametrize("scenario", [obliged, met])
def test_an_obligation_recorded_by_mistake_is_withdrawn_met_or_not(scenario: Any):
    event = ObligationWithdrawn(obligation="OB-1", why="Another contract's.", withdrawn_on=LATER)
    gone = scenario().on(LATER).when(WITHDRAW).then(event)
    gone.then_view(obligations=())
    assert row(gone) == (0, None)
    gone.on(date(2026, 3, 20)).when(WITHDRAW).then_nothing()
    other = WITHDRAW.model_copy(update={"why": "Twice."})
    gone.when(other).then_refused("already-recorded", fields={"why"})
    gone.when(MEET).then_refused("obligation-withdrawn")
    gone.when(REOPEN).then_refused("obligation-withdrawn")
    early = WITHDRAW.model_copy(update={"withdrawn_on": date(2026, 3, 1)})
    scenario().when(early).then_refused("date-before-record", saying="withdrawn_on")


def test_a_terminated_contract_leaves_obligations():
    over = obliged().published(EngagementTerminated(reason="mutual", terminated_on=TODAY))
    over.when(changed(clause="9 Return of data")).then_accepted()
    over.after(MEET).after(REOPEN).after(WITHDRAW)


def test_a_closed_engagement_gets_no_obligation_and_loses_the_open_ones():
    closed = obliged().consumed(EngagementClosed(closed_on=TODAY))
    closed.when(changed(clause="9 Return of data")).then_refused("engagement-over")
    closed.when(MEET).then_accepted().when(REOPEN).then_refused("engagement-over")
    closed.when(WITHDRAW).then_accepted()
    terminated = closed.published(EngagementTerminated(reason="mutual", terminated_on=TODAY))
    terminated.when(changed(clause="9 Return of data")).then_refused("engagement-over")


def test_a_lost_deal_has_no_obligations():
    lost = filed().consumed(DealLost(reason="price", lost_on=TODAY)).knowing(*RECORDS)
    lost.when(INSURANCE).then_refused("engagement-over")


def test_the_state_with_obligations_can_be_stored():
    for scenario in (obliged(), met(), met().after(REOPEN), met().after(WITHDRAW)):
        state = scenario.state
        assert type(state).model_validate_json(state.model_dump_json()) == state
