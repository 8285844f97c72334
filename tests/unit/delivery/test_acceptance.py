from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.domain.deadlines import DeadlinePassed
from chassis.domain.documents import contents_of
from chassis.eventstore.journal import StoredEvent
from contracts.delivery import (
    AcceptanceWithdrawn,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableSubmitted,
)
from contracts.documents import content_hash, document_bytes
from contracts.legal import AcceptanceTerms, AmendmentSigned
from contracts.lines import LineChange
from delivery.acceptance import decisions
from delivery.acceptance.decisions import (
    AcceptDeliverable,
    RejectDeliverable,
    SubmitDeliverable,
    WithdrawAcceptance,
)
from delivery.engagement import Engagement
from delivery.management.decisions import PutOnHold
from delivery.policies import deemed_after
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.delivery.builders import (
    FINISH,
    HASH,
    ID,
    LOST,
    OTHER_HASH,
    PEOPLE,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    TODAY,
    contact,
    deliverable,
    opened,
    released,
    won,
)

SUBMIT = SubmitDeliverable(deliverable="design", content_hash=HASH)
SUBMITTED = DeliverableSubmitted(
    deliverable="design", submission=1, content_hash=HASH, submitted_on=TODAY
)
ACCEPT = AcceptDeliverable(deliverable="design", submission=1, accepted_by="cleo")
ACCEPTED = DeliverableAccepted(
    deliverable="design",
    submission=1,
    how="on-behalf",
    accepted_by="cleo",
    recorded_for="cleo",
    accepted_on=TODAY,
)
REJECT = RejectDeliverable(
    deliverable="design", submission=1, rejected_by="cleo", why="A page is missing."
)
REJECTED = DeliverableRejected(
    deliverable="design",
    submission=1,
    rejected_by="cleo",
    why="A page is missing.",
    recorded_for="cleo",
    rejected_on=TODAY,
)
DESCOPED = AmendmentSigned(
    amendment="A-1",
    change="CR-1",
    content_hash=HASH,
    changes=(LineChange(line="desk", price_delta=eur(-100), deliverables_removed=("design",)),),
    price_delta=eur(-100),
    finishes_on=FINISH,
    signatories=(),
    signed_on=TODAY,
)


@cache
def submitted() -> Scenario[Engagement]:
    return released().published(SUBMITTED)


def test_a_deliverable_is_submitted_and_accepted_once() -> None:
    out = released().when(SUBMIT).then(SUBMITTED)
    out.when(SUBMIT).then_nothing()
    accepted = out.when(ACCEPT).then(ACCEPTED)
    accepted.on(date(2026, 4, 9)).when(ACCEPT).then_nothing()
    accepted.when(ACCEPT.model_copy(update={"accepted_by": "cy"})).then_refused("already-recorded")
    accepted.when(REJECT).then_refused("submission-accepted")
    accepted.when(SUBMIT.model_copy(update={"content_hash": OTHER_HASH})).then_refused(
        "deliverable-accepted"
    )


def test_a_rejected_deliverable_is_submitted_again() -> None:
    rejected = submitted().when(REJECT).then(REJECTED)
    rejected.when(REJECT).then_nothing()
    rejected.when(ACCEPT).then_refused("submission-rejected")
    again = rejected.when(SUBMIT).then(SUBMITTED.model_copy(update={"submission": 2}))
    again.when(ACCEPT).then_refused("submission-superseded", saying="is 2, not 1")
    again.when(ACCEPT.model_copy(update={"submission": 2})).then(
        ACCEPTED.model_copy(update={"submission": 2})
    )


def test_content_may_be_given_in_place_of_its_hash() -> None:
    document = {"engagement": ID, "customer": "acme", "concerns": "design", "text": "The design."}
    sent = released().when(SubmitDeliverable(deliverable="design", content="The design."))
    hashed = content_hash("deliverable", document)
    sent.then(SUBMITTED.model_copy(update={"content_hash": hashed}))
    (kept,) = contents_of(sent.recorded)
    assert kept == document_bytes("deliverable", document)
    assert f"sha256:{sha256(kept).hexdigest()}" == hashed
    assert contents_of(released().when(SUBMIT).recorded) == ()
    for recorded in sent.recorded:
        StoredEvent.of(recorded, own=False)  # the journal accepts it


def test_only_the_customer_accepts_or_rejects() -> None:
    submitted().when(ACCEPT.model_copy(update={"accepted_by": "mara"})).then_refused(
        "contact-unknown", fields=["accepted_by"]
    )
    submitted().when(REJECT.model_copy(update={"rejected_by": "mara"})).then_refused(
        "contact-unknown", fields=["rejected_by"]
    )
    submitted().when(ACCEPT.model_copy(update={"accepted_by": "oda"})).then_refused(
        "contact-of-other-account", fields=["accepted_by"], saying="oda is a contact of other"
    )
    submitted().when(ACCEPT.model_copy(update={"accepted_by": "cy"})).then_accepted()
    submitted().when(ACCEPT.model_copy(update={"accepted_by": "rea"})).then_refused(
        "contact-not-authorised", fields=["accepted_by"], saying="approver or sponsor"
    )
    submitted().when(REJECT.model_copy(update={"rejected_by": "rea"})).then_refused(
        "contact-not-authorised", fields=["rejected_by"]
    )


def test_a_contact_accepts_who_was_an_approver_on_the_day() -> None:
    promoted = contact("rea", "acme", "approver").model_copy(update={"effective_from": TODAY})
    later = submitted().knowing(*PEOPLE, promoted).on(TODAY + timedelta(days=2))
    accept = ACCEPT.model_copy(update={"accepted_by": "rea", "accepted_on": TODAY})
    later.when(accept).then_accepted()
    demoted = contact("cy").model_copy(update={"effective_from": TODAY})
    later = submitted().knowing(*PEOPLE, demoted).on(TODAY + timedelta(days=2))
    late = ACCEPT.model_copy(update={"accepted_by": "cy", "accepted_on": TODAY})
    later.when(late).then_refused("contact-not-authorised", saying=str(TODAY))


def test_a_person_of_the_company_decides_for_no_customer() -> None:
    own = contact("mara", "acme", "sponsor")
    submitted().knowing(*PEOPLE, own).when(
        ACCEPT.model_copy(update={"accepted_by": "mara"})
    ).then_refused("contact-of-company", fields=["accepted_by"])


def test_an_accepted_deliverable_is_not_submitted_again_even_with_the_same_content() -> None:
    accepted = submitted().after(ACCEPT)
    accepted.when(SUBMIT).then_refused("deliverable-accepted", saying=str(TODAY))


def test_a_repeated_decision_of_an_erased_contact_changes_nothing() -> None:
    submitted().after(ACCEPT).knowing().when(ACCEPT).then_nothing()
    submitted().after(REJECT).knowing().when(REJECT).then_nothing()


@pytest.mark.parametrize("command", [ACCEPT, REJECT])
def test_a_deliverable_cannot_be_decided_before_it_is_submitted(command) -> None:
    released().when(command).then_refused("deliverable-not-submitted")
    field = "accepted_on" if command is ACCEPT else "rejected_on"
    early = command.model_copy(update={field: date(2026, 4, 7)})
    submitted().when(early).then_refused("date-before-submission")


def test_only_owed_deliverables_are_submitted() -> None:
    released().when(SubmitDeliverable(deliverable="ghost", content_hash=HASH)).then_refused(
        "deliverable-unknown"
    )
    released().consumed(DESCOPED).when(SUBMIT).then_refused("deliverable-descoped")


def test_a_descoped_deliverable_cannot_be_accepted() -> None:
    descoped = submitted().consumed(DESCOPED)
    descoped.when(ACCEPT).then_refused("deliverable-descoped", saying="removed by an amendment")
    descoped.when(REJECT).then(REJECTED)
    added_again = DESCOPED.model_copy(
        update={
            "amendment": "A-2",
            "change": "CR-2",
            "changes": (
                LineChange(
                    line="desk",
                    price_delta=eur(0),
                    deliverables_added=(deliverable("design"),),
                ),
            ),
        }
    )
    descoped.consumed(added_again).when(ACCEPT).then(ACCEPTED)
    submitted().after(ACCEPT).consumed(DESCOPED).when(ACCEPT).then_nothing()


def test_nothing_is_submitted_on_hold_or_after_the_end() -> None:
    released().after(PutOnHold(reason="Freeze.")).when(SUBMIT).then_refused("engagement-on-hold")
    ended = released().consumed(TERMINATED).on(TERMINATED.terminated_on + timedelta(days=1))
    ended.when(SUBMIT).then_refused("engagement-over")
    submitted().consumed(TERMINATED).when(ACCEPT).then(ACCEPTED)
    opened().consumed(LOST).when(SUBMIT).then_refused("engagement-over")


def test_an_acceptance_recorded_by_mistake_is_withdrawn_and_decided_again() -> None:
    withdraw = WithdrawAcceptance(deliverable="design", submission=1, why="Another letter.")
    accepted = submitted().after(ACCEPT)
    withdrawn = accepted.when(withdraw).then(
        AcceptanceWithdrawn(**{**dict(withdraw), "accepted_on": TODAY, "withdrawn_on": TODAY})
    )
    (design, _) = withdrawn.view["deliverables"]
    assert design.status == "submitted"
    withdrawn.when(withdraw).then_refused("acceptance-not-recorded")
    submitted().when(withdraw).then_refused("acceptance-not-recorded")
    other = withdraw.model_copy(update={"submission": 2})
    accepted.when(other).then_refused("acceptance-not-recorded")
    withdrawn.when(ACCEPT).then(ACCEPTED)
    withdrawn.when(REJECT).then(REJECTED)
    accepted.when(REJECT).then_refused("submission-accepted")
    withdrawn.when(SUBMIT.model_copy(update={"content_hash": OTHER_HASH})).then_accepted()


def test_an_acceptance_is_withdrawn_after_a_termination_and_not_before_its_day() -> None:
    withdraw = WithdrawAcceptance(deliverable="design", submission=1, why="Another letter.")
    over = submitted().after(ACCEPT).consumed(TERMINATED)
    over.when(withdraw).then_accepted()
    early = withdraw.model_copy(update={"withdrawn_on": date(2026, 4, 1)})
    over.when(early).then_refused("date-before-record")


def test_an_act_of_the_customer_is_marked_where_another_person_records_it() -> None:
    proved = ACCEPT.model_copy(update={"evidence": OTHER_HASH})
    on_behalf = (
        submitted()
        .when(proved, by="mara")
        .then(ACCEPTED.model_copy(update={"evidence": OTHER_HASH}))
    )
    on_behalf.when(proved, by="milo").then_nothing()
    on_behalf.when(ACCEPT, by="mara").then_refused("already-recorded", fields={"evidence"})
    themselves = submitted().when(ACCEPT, by="cleo")
    themselves.then(like(DeliverableAccepted, how="by-customer", recorded_for=None))
    submitted().when(REJECT, by="cleo").then(like(DeliverableRejected, recorded_for=None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"how": "deemed"},
        {"accepted_by": None, "recorded_for": None},
        {"how": "by-customer"},
        {"recorded_for": None},
    ],
)
def test_an_acceptance_says_consistently_by_whom_it_is(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DeliverableAccepted.model_validate(dict(ACCEPTED) | wrong)


@pytest.fixture
def ten_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let submissions be deemed accepted after ten days."""
    monkeypatch.setattr(decisions, "deemed_after", lambda _: 10)


def test_without_a_term_of_the_contract_nothing_is_deemed_accepted() -> None:
    submitted().then_deadlines()


def test_the_contract_says_after_how_many_days_a_submission_is_deemed_accepted() -> None:
    terms = SOW.model_copy(update={"acceptance_terms": AcceptanceTerms(deemed_after_days=10)})
    assert deemed_after(won().consumed(terms).state) is None
    assert deemed_after(won().consumed(terms, SOW_SIGNED).state) == 10


@pytest.mark.usefixtures("ten_days")
def test_a_submission_without_a_decision_is_deemed_accepted_after_its_last_day() -> None:
    waiting = submitted().then_deadlines(deemed_design_1=datetime(2026, 4, 19, tzinfo=UTC))
    deemed = waiting.when_deadline("deemed-design-1").then(
        DeliverableAccepted(
            deliverable="design",
            submission=1,
            how="deemed",
            accepted_by=None,
            accepted_on=date(2026, 4, 18),
        )
    )
    deemed.then_deadlines()
    deemed.when(REJECT).then_refused("submission-accepted")


@pytest.mark.usefixtures("ten_days")
def test_what_is_decided_descoped_or_over_is_not_deemed_accepted() -> None:
    submitted().after(ACCEPT).then_deadlines()
    submitted().after(REJECT).then_deadlines()
    submitted().consumed(DESCOPED).then_deadlines()
    submitted().consumed(TERMINATED).then_deadlines()
    withdraw = WithdrawAcceptance(deliverable="design", submission=1, why="Another letter.")
    withdrawn = submitted().after(ACCEPT).after(withdraw)
    withdrawn.then_deadlines()
    again = SUBMIT.model_copy(update={"content_hash": OTHER_HASH})
    withdrawn.after(again).then_deadlines(deemed_design_2=date(2026, 4, 19))
    late = DeadlinePassed(deadline="deemed-design-1", at=datetime(2026, 4, 19, tzinfo=UTC))
    submitted().after(REJECT).when(late).then_nothing()


def test_the_same_submission_of_another_day_is_refused() -> None:
    submitted = released().after(SUBMIT)
    submitted.when(SUBMIT).then_nothing()
    other = SUBMIT.model_copy(update={"submitted_on": TODAY - timedelta(days=1)})
    submitted.when(other).then_refused("already-recorded", saying="submitted_on")
