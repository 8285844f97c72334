from datetime import date
from functools import cache

import pytest
from pydantic import ValidationError

from contracts.delivery import SowReviewed
from delivery.contract.decisions import ReviewSow
from delivery.engagement import Engagement
from testkit.scenario import Scenario
from tests.unit.delivery.builders import (
    AMENDMENT_SIGNED,
    FINISH,
    HASH,
    OTHER_HASH,
    SOW,
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
