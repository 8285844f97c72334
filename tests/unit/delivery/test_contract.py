from datetime import date
from functools import cache

import pytest
from pydantic import ValidationError

from contracts.delivery import AmendmentReviewed, SowReviewed
from delivery.contract.decisions import ReviewAmendment, ReviewSow
from delivery.engagement import Engagement
from testkit.scenario import Scenario
from tests.amounts import eur
from tests.unit.delivery.builders import (
    AMENDMENT_DRAFTED,
    AMENDMENT_SIGNED,
    FINISH,
    HASH,
    LINES,
    OTHER_HASH,
    SOW,
    change_approved,
    signed,
    won,
)


@cache
def drafted() -> Scenario[Engagement]:
    return won().consumed(SOW)


APPROVE = ReviewSow(version=1, verdict="approved")
APPROVED = SowReviewed(version=1, content_hash=HASH, verdict="approved")


def test_the_review_has_the_hash_of_the_received_version() -> None:
    approved = drafted().when(APPROVE).then(APPROVED)
    approved.when(APPROVE).then_nothing()


def test_an_objection_has_a_reason_and_may_be_withdrawn() -> None:
    with pytest.raises(ValidationError, match="why is needed"):
        ReviewSow(version=1, verdict="objected")
    objected = (
        drafted()
        .when(ReviewSow(version=1, verdict="objected", why="No testing."))
        .then(SowReviewed(version=1, content_hash=HASH, verdict="objected", why="No testing."))
    )
    objected.when(APPROVE).then(APPROVED)


def test_an_unknown_version_cannot_be_reviewed() -> None:
    won().when(APPROVE).then_refused("sow-unknown", missing=["sow-unknown"], saying="version 1")


def test_only_the_newest_version_is_reviewed() -> None:
    second = drafted().consumed(SOW.model_copy(update={"version": 2, "content_hash": OTHER_HASH}))
    second.when(APPROVE).then_refused("sow-superseded", saying="2")
    second.when(ReviewSow(version=2, verdict="approved")).then(
        SowReviewed(version=2, content_hash=OTHER_HASH, verdict="approved")
    )


def test_a_signed_version_is_no_longer_reviewed() -> None:
    signed().when(APPROVE).then_refused("sow-signed")


def test_the_promised_finish_is_that_of_the_last_amendment() -> None:
    signed().then_view(contract__promised_finish=FINISH)
    later = AMENDMENT_SIGNED.model_copy(update={"finishes_on": date(2026, 9, 1)})
    signed().consumed(later).then_view(contract__promised_finish=date(2026, 9, 1))


def test_price_and_lines_are_those_of_the_deal_then_of_the_contract_then_amended() -> None:
    sold = won().then_view(contract__price=eur(100_000), contract__lines=LINES)
    cheaper = LINES[0].model_copy(update={"price": eur(80_000)})
    drafted = sold.consumed(SOW.model_copy(update={"lines": (cheaper, LINES[1])}))
    drafted.then_view(contract__price=eur(100_000))
    signed().then_view(contract__price=eur(100_000), contract__lines=LINES)
    amended = signed().consumed(AMENDMENT_SIGNED)
    amended.then_view(contract__price=eur(102_000))
    desk, managing = amended.view["contract"].lines
    assert (desk.price, desk.deliverables) == (eur(92_000), ("portal", "manual"))
    assert managing == LINES[1]


REVIEW = ReviewAmendment(amendment="A-1", content_hash=HASH, verdict="approved")


@cache
def amendment_drafted() -> Scenario[Engagement]:
    return change_approved().consumed(AMENDMENT_DRAFTED)


def test_an_amendment_is_reviewed_by_the_hash_of_its_last_draft() -> None:
    reviewed = amendment_drafted().when(REVIEW).then(AmendmentReviewed(**dict(REVIEW)))
    reviewed.when(REVIEW).then_nothing()
    assert reviewed.view["contract"].amendments[0].verdict == "approved"
    anew = reviewed.consumed(AMENDMENT_DRAFTED.model_copy(update={"content_hash": OTHER_HASH}))
    assert anew.view["contract"].amendments[0].verdict is None
    anew.when(REVIEW).then_refused("amendment-outdated", saying=OTHER_HASH)
    other = REVIEW.model_copy(update={"content_hash": OTHER_HASH})
    anew.when(other).then(AmendmentReviewed(**dict(other)))


def test_an_unknown_or_signed_amendment_is_not_reviewed() -> None:
    change_approved().when(REVIEW).then_refused("amendment-unknown", missing=["amendment-unknown"])
    amendment_drafted().consumed(AMENDMENT_SIGNED).when(REVIEW).then_refused("amendment-signed")
    with pytest.raises(ValidationError, match="why is needed"):
        ReviewAmendment(amendment="A-1", content_hash=HASH, verdict="objected")
