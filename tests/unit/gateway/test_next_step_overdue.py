"""The rule that names the department that owes the next step, and since when."""

from decimal import Decimal
from typing import Literal

import pytest

from contracts import delivery, finance, legal, sales
from tests.builders import HASH, PORTAL, Life
from tests.unit.gateway.test_disconnects import findings, only

REQUEST = sales.EstimateRequested(scope_summary="A portal.", deliverables=(PORTAL,))


def test_delivery_owes_an_estimate_that_was_requested() -> None:
    life = Life().opened().say(3, REQUEST)
    assert findings(life, 24) == {}
    finding = only(life, 25)
    assert finding.finding == "next-step-overdue"
    assert finding.owner == "delivery"
    assert finding.sentence == "Delivery owes the estimate since 8 January 2026."


def test_a_submitted_estimate_is_owed_again_only_if_sales_requests_it_again() -> None:
    life = Life().proposed()
    life.say(10, sales.ProposalRevised(version=1, reason="Smaller."))
    assert findings(life, 100) == {}
    assert only(life.say(40, REQUEST), 100).sentence.endswith("since 14 February 2026.")
    again = next(
        recorded.event
        for recorded in life.events
        if isinstance(recorded.event, delivery.EstimateSubmitted)
    )
    life.say(101, again.model_copy(update={"version": 2}))
    assert findings(life, 102) == {}


def drafted() -> Life:
    """Return a won engagement whose statement of work Legal drafted on day 16."""
    sow = next(
        recorded.event
        for recorded in Life().signed().events
        if isinstance(recorded.event, legal.SowDrafted)
    )
    return Life().won().say(16, legal.FileOpened(account="acme", title="Portal"), sow)


def test_legal_owes_the_signatures_since_the_last_review() -> None:
    life = drafted()
    life.say(37, delivery.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
    life.say(38, finance.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
    assert findings(life, 38) == {}
    assert findings(life, 59) == {}

    finding = only(life, 60)
    assert finding.owner == "legal"
    assert finding.sentence == "Legal owes the signatures since 12 February 2026."
    assert finding.days == 22
    assert finding.since.date() == life.day(38 + 21)


@pytest.mark.parametrize("other", [None, "approved", "objected"])
def test_legal_owes_a_new_version_since_the_first_objection(
    other: Literal["approved", "objected"] | None,
) -> None:
    life = drafted()
    life.say(
        37,
        delivery.SowReviewed(version=1, content_hash=HASH, verdict="objected", why="Too early."),
    )
    if other is not None:
        review = finance.SowReviewed(version=1, content_hash=HASH, verdict=other, why="So be it.")
        life.say(38, review)

    finding = only(life, 60)
    assert finding.owner == "legal"
    assert finding.sentence == (
        "Legal owes a new version of the statement of work since 11 February 2026."
    )


def test_the_last_event_is_not_named_if_it_is_of_the_day_of_the_request() -> None:
    life = drafted()
    life.say(37, delivery.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
    life.say(38, finance.SowReviewed(version=1, content_hash=HASH, verdict="approved"))
    life.say(38, legal.SowApproved(version=1, content_hash=HASH))

    assert only(life, 60).sentence == "Legal owes the signatures since 12 February 2026."


def test_a_step_is_not_overdue_while_its_department_publishes_events() -> None:
    life = Life().proposed()
    day = (life.events[-1].occurred_at.date() - life.day(0)).days
    life.say(
        day + 15, sales.OpportunityAdvanced(pipeline_stage="negotiating", probability=Decimal(75))
    )
    assert findings(life, day + 15 + 21) == {}

    finding = only(life, day + 15 + 22)
    assert finding.owner == "sales"
    assert finding.sentence.startswith("Sales owes the customer's decision on the proposal since")
    assert "and has published nothing since" in finding.sentence
    assert finding.days == 15 + 22
