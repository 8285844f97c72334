from datetime import date
from functools import cache

import pytest
from pydantic import ValidationError

from contracts.delivery import BrdSignedOff, BrdSubmitted
from contracts.documents import content_hash
from delivery.engagement import Engagement
from delivery.requirements.decisions import SignOffBrd, SubmitBrd
from testkit.scenario import Scenario
from tests.unit.delivery.builders import HASH, ID, OTHER_HASH, signed


@cache
def submitted() -> Scenario[Engagement]:
    return signed().published(BrdSubmitted(version=1, content_hash=HASH))


SIGN = SignOffBrd(version=1, signed_by="cleo")
SIGNED_OFF = BrdSignedOff(
    version=1,
    content_hash=HASH,
    signed_by="cleo",
    recorded_for="cleo",
    signed_on=date(2026, 4, 8),
)


def test_a_document_is_identified_by_its_hash() -> None:
    signed().when(SubmitBrd(content_hash=HASH)).then(BrdSubmitted(version=1, content_hash=HASH))
    hashed = content_hash(
        "business-requirements",
        {"engagement": ID, "customer": "acme", "concerns": None, "text": "Orders come in."},
    )
    signed().when(SubmitBrd(content="Orders come in.")).then(
        BrdSubmitted(version=1, content_hash=hashed)
    )
    for wrong in ({}, {"content": "x", "content_hash": HASH}):
        with pytest.raises(ValidationError, match="either content or content_hash"):
            SubmitBrd.model_validate(wrong)


def test_versions_count_up_and_the_same_content_is_sent_once() -> None:
    submitted().when(SubmitBrd(content_hash=HASH)).then_nothing()
    submitted().when(SubmitBrd(content_hash=OTHER_HASH)).then(
        BrdSubmitted(version=2, content_hash=OTHER_HASH)
    )


def test_the_customer_signs_off_a_version_once() -> None:
    done = submitted().when(SIGN).then(SIGNED_OFF)
    done.on(date(2026, 4, 9)).when(SIGN).then_nothing()
    other = SignOffBrd(version=1, signed_by="cy")
    done.when(other).then_refused("already-recorded")


def test_content_that_was_signed_off_is_not_submitted_again() -> None:
    done = submitted().after(SIGN)
    done.when(SubmitBrd(content_hash=HASH)).then_refused("brd-signed-off", saying="version 1")
    done.when(SubmitBrd(content_hash=OTHER_HASH)).then_accepted()


def test_sign_offs_that_are_refused() -> None:
    signed().when(SIGN).then_refused("brd-unknown")
    newer = submitted().after(SubmitBrd(content_hash=OTHER_HASH))
    newer.when(SIGN).then_refused("brd-superseded", saying="2")
    own = SignOffBrd(version=1, signed_by="mara")
    submitted().when(own).then_refused("contact-unknown", fields=["signed_by"])
    for name in ("cy", "rea"):
        submitted().when(SignOffBrd(version=1, signed_by=name)).then_refused(
            "contact-not-authorised", fields=["signed_by"], saying="signatory"
        )
