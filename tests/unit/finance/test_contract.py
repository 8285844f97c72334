"""Check that Finance approves only versions that can be budgeted, and only the latest."""

import pytest
from pydantic import ValidationError

from contracts.finance import AmendmentReviewed, SowReviewed
from contracts.legal import AmendmentDrafted
from contracts.lines import BillingItem, ContractLine
from contracts.refusals import RefusalCode
from finance.contract.decisions import ReviewAmendment, ReviewSow
from finance.service import ENGAGEMENT
from testkit.scenario import given
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    AMENDMENT,
    HASH,
    HOURLY_SOW,
    ID,
    OPENED,
    SCHEDULE,
    SOW,
    TERMINATED,
    contracted,
    fixed_line,
    hourly_line,
    line_change,
    line_rates,
    opened,
    sow_of,
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


def faults(*lines: ContractLine) -> set[RefusalCode]:
    """Return the codes for which a version with these lines cannot be approved."""
    refused = opened().consumed(sow_of(*lines)).when(APPROVE).refusal
    return {each.code for each in refused.missing} if refused else set()


def test_every_line_bills_its_own_price():
    short = fixed_line(*SCHEDULE[:3])
    (
        opened()
        .consumed(sow_of(short))
        .when(APPROVE)
        .then_refused(
            "sow-not-billable",
            missing={"billing-schedule-differs"},
            saying="of line work adds up to 18,000.00 EUR, its price is 20,000.00 EUR",
        )
    )
    less, more = (
        fixed_line(*SCHEDULE[:3]),
        fixed_line(BillingItem(item="more", kind="on-signature", amount=eur(22_000)), line="more"),
    )
    assert faults(less, more) == {"billing-schedule-differs"}


def test_lines_add_up_to_the_price():
    wrong = SOW.model_copy(update={"price": eur(19_000)})
    opened().consumed(wrong).when(APPROVE).then_refused(
        "sow-not-billable", missing={"sow-inconsistent"}, saying="add up to 20,000.00 EUR"
    )


def test_another_currency_than_the_engagement_cannot_be_approved():
    dollars = OPENED.model_copy(update={"expected_value": usd(1)})
    opened().consumed(dollars, SOW).when(APPROVE).then_refused(
        "sow-not-billable", missing={"currency-differs"}
    )


def test_time_and_materials_need_a_rate_for_every_planned_role():
    opened().consumed(HOURLY_SOW).when(APPROVE).then_accepted()
    assert faults(hourly_line(rates=())) == {"rates-missing"}
    assert faults(hourly_line(rates=line_rates(architect=1, developer=1))) == {"rates-missing"}
    assert faults(hourly_line(rates=(), hours=(), kind="expenses")) == set()


def test_a_discount_reduces_an_entry_by_no_more_than_its_amount():
    def off(amount: int) -> ContractLine:
        item = BillingItem(item="off", kind="on-signature", amount=eur(amount), reduces="start")
        return fixed_line(
            item, line="off", kind="discount", price=eur(amount), hours=(), deliverables=()
        )

    assert faults(fixed_line(), off(-5_000)) == set()
    assert faults(fixed_line(), off(-5_001)) == {"discount-too-large"}


DRAFT = AmendmentDrafted(
    **{
        **{
            name: value
            for name, value in dict(AMENDMENT).items()
            if name in AmendmentDrafted.model_fields
        },
        "engagement": ID,
        "company": "us",
        "customer": "acme",
        "scope_delta": "Another report.",
        "template": "amendment",
        "template_version": 1,
    }
)
REVIEW = ReviewAmendment(amendment="A-CR-1", content_hash=HASH, verdict="approved")


def test_the_last_draft_of_an_amendment_is_reviewed_by_its_content():
    drafted = contracted().consumed(DRAFT)
    approved = drafted.when(REVIEW, by="petra").then(
        AmendmentReviewed(amendment="A-CR-1", content_hash=HASH, verdict="approved")
    )
    approved.when(REVIEW).then_nothing()
    objection = {"verdict": "objected", "why": "Too cheap."}
    objected = approved.after(REVIEW.model_copy(update=objection))
    assert [each.verdict for each in objected.view["amendments"]] == ["objected"]
    other = f"sha256:{'b' * 64}"
    redrafted = approved.consumed(DRAFT.model_copy(update={"content_hash": other}))
    assert [each.verdict for each in redrafted.view["amendments"]] == [None]
    stale = REVIEW.model_copy(update=objection)
    redrafted.when(stale).then_refused("content-differs", saying=other)
    redrafted.when(REVIEW.model_copy(update={"content_hash": other})).then_accepted()


def test_an_amendment_that_is_unknown_signed_or_does_not_fit_is_not_approved():
    contracted().when(REVIEW).then_refused("amendment-unknown")
    contracted().consumed(DRAFT, AMENDMENT).when(REVIEW).then_refused("amendment-signed")
    contracted().consumed(DRAFT, TERMINATED).when(REVIEW).then_refused("engagement-over")
    opened().consumed(DRAFT).when(REVIEW).then_refused(
        "amendment-inconsistent", missing={"budget-not-set"}
    )
    unfit = DRAFT.model_copy(update={"changes": (line_change(line="other"),)})
    contracted().consumed(unfit).when(REVIEW).then_refused(
        "amendment-inconsistent", missing={"amendment-inconsistent"}
    )
    why = {"verdict": "objected", "why": "No such line."}
    contracted().consumed(unfit).when(REVIEW.model_copy(update=why)).then_accepted()


def test_before_the_opportunity_is_known_nothing_can_be_approved():
    given(ENGAGEMENT, ID).consumed(SOW).when(APPROVE).then_refused("opportunity-not-opened")
