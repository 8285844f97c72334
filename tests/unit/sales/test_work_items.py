"""Each work item of Sales: it appears when something waits, and its command makes it go."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.purchases import PlannedPurchase
from contracts.refusals import RefusalCode
from contracts.sales import OpportunityQualified
from sales.opportunity.decisions import (
    LoseDeal,
    QualifyOpportunity,
    RequestEstimate,
    UpdateOpportunity,
)
from sales.proposals.decisions import ApproveException, ReviseProposal, SubmitProposal
from tests.amounts import eur
from tests.unit.sales.builders import (
    BUILD,
    DRAFT,
    ENDORSED,
    ESTIMATE,
    MANAGEMENT,
    MANAGER,
    OPEN,
    PORTAL,
    PRICED,
    WIN,
    new,
    opened,
    ready,
    reviewed,
    submitted,
    won,
    work,
)

LICENCE = PlannedPurchase(kind="licence", amount=eur(500))
JANUARY = date(2026, 1, 5)
QUALIFIED = OpportunityQualified(
    budget=True, authority=True, need=True, timing=True, score=Decimal(80)
)


def test_the_next_step_is_owed_by_the_owner_until_it_is_updated_or_the_sale_ends() -> None:
    opened().then_work("next-step-open")
    named = OPEN.model_copy(update={"next_step": "Call Cleo."})
    waits = new().after(named, by="ann")
    waits.then_work("next-step-open", "next-step", since=JANUARY, person="ann")
    waits.after(UpdateOpportunity(**dict(OPEN)), by="ann").then_work("next-step-open")
    waits.after(LoseDeal(reason="price"), by="ann").then_work("next-step-open")


def test_a_qualified_opportunity_waits_for_the_request_of_an_estimate() -> None:
    opened().then_work("estimate-not-requested")
    waits = opened().after(QualifyOpportunity(**dict(QUALIFIED)), by="ann")
    waits.then_work("estimate-not-requested", "estimate", since=JANUARY, person="ann")
    request = RequestEstimate(scope_summary="A portal.", deliverables=(PORTAL,))
    waits.after(request, by="ann").then_work("estimate-not-requested")


def test_an_endorsed_and_priced_estimate_waits_for_a_proposal() -> None:
    opened().consumed(MANAGER, ESTIMATE, PRICED).then_work("proposal-not-drafted")
    waits = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED)
    waits.then_work("proposal-not-drafted", "proposal", since=JANUARY, person="ann")
    waits.after(DRAFT).then_work("proposal-not-drafted")


def test_a_drafted_proposal_waits_for_the_review_and_then_to_be_submitted() -> None:
    waits = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED).after(DRAFT)
    waits.then_work("proposal-not-reviewed", "proposal-1", since=JANUARY, to_person="ann")
    assert [each.owed_by.department for each in waits.work] == ["finance"]
    waits.then_work("proposal-not-submitted")
    seen = waits.consumed(reviewed())
    seen.then_work("proposal-not-reviewed")
    seen.then_work("proposal-not-submitted", "proposal-1", person="ann")
    seen.after(SubmitProposal(version=1)).then_work("proposal-not-submitted")


def test_a_proposal_below_the_minimum_margin_waits_for_a_sales_manager() -> None:
    waits = ready().consumed(reviewed(floor="below"))
    author = waits.state.proposals.versions[0].author
    waits.then_work("proposal-below-floor", "proposal-1", person=None, not_by=(author,))
    waits.then_work("proposal-not-submitted")
    [item] = waits.work
    assert item.owed_by.role == "sales-manager"
    except_it = ApproveException(version=1, why="A first customer.")
    waits.after(except_it, by="boss").then_work("proposal-below-floor")


def test_a_proposal_with_an_unknown_floor_waits_for_finance() -> None:
    ready().consumed(reviewed(floor="unknown")).then_work("proposal-floor-unknown", "proposal-1")
    ready().then_work("proposal-floor-unknown")


def test_what_a_proposal_lacks_is_owed_by_its_owner_until_it_is_revised() -> None:
    waits = opened().after(DRAFT.model_copy(update={"lines": DRAFT.lines[:1], "price": None}))
    waits.then_work("project-management-missing", "proposal-1", person="ann")
    revise = ReviseProposal(version=1, reason="Without project management.")
    waits.after(revise).then_work("project-management-missing")


def test_a_submitted_proposal_waits_for_the_customer_until_its_last_day() -> None:
    waits = submitted()
    waits.then_work("deal-not-decided", "proposal-1", due=DRAFT.valid_until, to_person="ann")
    [item] = waits.work
    assert item.owed_by.department == "customer"
    waits.after(WIN).then_work("deal-not-decided")
    assert won().work == ()


@pytest.mark.parametrize(
    ("code", "different"),
    [
        ("proposal-hours-differ", {"hours": (work("architect", 90),)}),
        ("proposal-purchases-differ", {"purchases": (LICENCE,)}),
    ],
)
def test_a_proposal_that_differs_from_the_estimate_waits_for_a_sales_manager(
    code: RefusalCode, different: dict[str, object]
) -> None:
    other = DRAFT.model_copy(update={"lines": (BUILD.model_copy(update=different), MANAGEMENT)})
    waits = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED).after(other)
    waits.then_work(code, "proposal-1")
    # Finance reviews it once the exception is approved, so nothing waits for Finance before.
    waits.then_work("proposal-not-reviewed")
    excepted = waits.after(ApproveException(version=1, why="As agreed."), by="boss")
    excepted.then_work(code).then_work("proposal-not-reviewed", "proposal-1")


def test_a_third_price_waits_for_a_sales_manager() -> None:
    scenario = opened().consumed(MANAGER, ESTIMATE, PRICED, ENDORSED)
    for version, price in enumerate((15_000, 14_000, 13_000), start=1):
        lines = (BUILD.model_copy(update={"price": eur(price)}), MANAGEMENT)
        scenario = scenario.after(DRAFT.model_copy(update={"lines": lines, "price": None}))
        if version < 3:
            scenario.then_work("proposal-repriced")
            scenario = scenario.after(ReviseProposal(version=version, reason="Price."))
    scenario.then_work("proposal-repriced", "proposal-3")
    excepted = scenario.after(ApproveException(version=3, why="Last offer."), by="boss")
    excepted.then_work("proposal-repriced")
