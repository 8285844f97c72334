"""Check that Finance approves only versions that can be budgeted, and only the latest."""

import pytest
from pydantic import ValidationError

from contracts.finance import SowReviewed
from contracts.values import BillingItem
from finance.contract.decisions import ReviewSow
from finance.service import ENGAGEMENT
from testkit.scenario import given
from tests.unit.finance.builders import (
    HASH,
    HOURLY_SOW,
    ID,
    OPENED,
    SOW,
    TERMINATED,
    contracted,
    opened,
    per_hour,
    rates,
    usd,
)

APPROVE = ReviewSow(version=1, verdict="approved")


def test_a_billable_version_is_approved_with_the_hash_of_the_draft():
    opened().consumed(SOW).when(APPROVE).then(
        SowReviewed(version=1, content_hash=HASH, verdict="approved")
    )


def test_an_objection_has_a_reason():
    why = "The retainer is too small."
    opened().consumed(SOW).when(ReviewSow(version=1, verdict="objected", why=why)).then(
        SowReviewed(version=1, content_hash=HASH, verdict="objected", why=why)
    )
    with pytest.raises(ValidationError, match="why is needed"):
        ReviewSow(version=1, verdict="objected")


def test_an_equal_verdict_changes_nothing_and_another_one_replaces_it():
    approved = opened().consumed(SOW).after(APPROVE)
    approved.when(APPROVE).then_nothing()
    objected = approved.after(ReviewSow(version=1, verdict="objected", why="Not so."))
    assert objected.view["sows"][0].verdict == "objected"


def test_a_version_that_is_unknown_superseded_or_signed_is_not_reviewed():
    opened().when(APPROVE).then_refused("sow-unknown", saying="version 1")
    second = SOW.model_copy(update={"version": 2})
    opened().consumed(SOW, second).when(APPROVE).then_refused(
        "sow-superseded", saying="superseded by version 2"
    )
    contracted().when(APPROVE).then_refused("sow-signed")


def test_an_engagement_that_is_over_is_not_reviewed():
    opened().consumed(SOW, TERMINATED).when(APPROVE).then_refused(
        "engagement-over", saying="terminated on 2026-05-15"
    )


def test_a_schedule_that_does_not_add_up_to_the_price_cannot_be_approved():
    short = SOW.model_copy(update={"billing_schedule": SOW.billing_schedule[:3]})
    (
        opened()
        .consumed(short)
        .when(APPROVE)
        .then_refused(
            "sow-not-billable",
            missing={"billing-schedule-differs"},
            saying="adds up to 18,000.00 EUR, its price is 20,000.00 EUR",
        )
    )


def test_another_currency_than_the_engagement_or_than_the_price_cannot_be_approved():
    dollars = OPENED.model_copy(update={"expected_value": usd(1)})
    opened().consumed(dollars, SOW).when(APPROVE).then_refused(
        "sow-not-billable", missing={"currency-differs"}
    )
    mixed = BillingItem(item="x", kind="on-signature", amount=usd(5_000))
    sow = SOW.model_copy(update={"billing_schedule": (mixed, *SOW.billing_schedule[1:])})
    opened().consumed(sow).when(APPROVE).then_refused(
        "sow-not-billable", missing={"currency-differs"}
    )


def test_time_and_materials_need_rates_in_the_same_currency():
    opened().consumed(HOURLY_SOW).when(APPROVE).then_accepted()
    bare = HOURLY_SOW.model_copy(update={"rates": ()})
    opened().consumed(bare).when(APPROVE).then_refused(
        "sow-not-billable", missing={"rates-missing"}
    )
    dollars = rates(architect=1)[0].model_copy(update={"rate": per_hour(1, "USD")})
    foreign = HOURLY_SOW.model_copy(update={"rates": (dollars,)})
    opened().consumed(foreign).when(APPROVE).then_refused(
        "sow-not-billable", missing={"currency-differs"}
    )


def test_before_the_opportunity_is_known_nothing_can_be_approved():
    given(ENGAGEMENT, ID).consumed(SOW).when(APPROVE).then_refused("opportunity-not-opened")
