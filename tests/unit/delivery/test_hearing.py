"""Check that the order of departments does not matter, and that the state can be stored."""

from datetime import date

import pytest

from chassis.domain.decider import consumed_channels
from contracts.channels import FINANCE, GATEWAY, LEGAL, SALES
from contracts.delivery import (
    BrdSignedOff,
    BrdSubmitted,
    ChangeApproved,
    KickoffHeld,
    ManagerAssigned,
    TimeSubmitted,
)
from contracts.sales import OpportunityImported, OpportunityQualified, ProposalSubmitted
from delivery.decider import CAPABILITIES, ENGAGEMENT
from delivery.state import Engagement
from testkit.scenario import permutations_agree
from tests.unit.delivery import test_changes, test_closing, test_timekeeping
from tests.unit.delivery.life import (
    BASELINED,
    BUDGET,
    DRAFTED,
    EARLY_START,
    ENDORSED,
    ESTIMATED,
    HASH,
    OPENED,
    PRICED,
    PROPOSED,
    REQUESTED,
    SETTLED,
    SOW,
    SOW_SIGNED,
    START,
    WEEK,
    WON,
    deliverable,
    empty,
    hours,
)


def test_the_order_of_departments_does_not_matter() -> None:
    permutations_agree(
        empty,
        OPENED,
        OpportunityQualified(budget=True, authority=True, need=True, timing=False, score=hours(75)),
        ManagerAssigned(manager="mara", assigned_on=START),
        REQUESTED,
        ESTIMATED,
        PRICED,
        ENDORSED,
        PROPOSED,
        ProposalSubmitted(version=1, submitted_on=START),
        WON,
        EARLY_START,
        SOW,
        SOW_SIGNED,
        BUDGET,
        BrdSubmitted(version=1, content_hash=HASH),
        BrdSignedOff(version=1, content_hash=HASH, signed_by="cleo", signed_on=START),
        DRAFTED,
        BASELINED,
        KickoffHeld(held_on=START, attendees=("mara",)),
        TimeSubmitted(
            entry="T-1", person="dev", role="x", task="analysis", week=WEEK, hours=hours(8)
        ),
        test_changes.REQUESTED,
        test_changes.ASSESSED,
        test_changes.PRICED,
        ChangeApproved(change="CR-1", approved_by="cleo", approved_on=START),
        test_changes.AMENDMENT_DRAFTED,
        test_changes.AMENDMENT_SIGNED,
        test_changes.AMENDED,
        SETTLED,
        examples=30,
    )


@pytest.mark.parametrize(
    "scenario",
    [test_closing.finished, test_changes.ready, test_timekeeping.submitted, test_timekeeping.early],
)
def test_the_state_survives_serialisation(scenario) -> None:
    kept = scenario.state.model_dump_json()
    assert Engagement.model_validate_json(kept) == scenario.state


def test_delivery_consumes_the_open_channels() -> None:
    assert consumed_channels([ENGAGEMENT]) == {SALES, LEGAL, FINANCE, GATEWAY}


def test_every_capability_has_a_decision() -> None:
    deciding = {kind.__module__ for kind in ENGAGEMENT.decide.types}
    assert deciding == {module.__name__ for module in CAPABILITIES}


@pytest.mark.parametrize(
    ("outcome", "stage"), [("open", "planning"), ("won", "imported"), ("lost", "lost")]
)
def test_imported_history(outcome, stage: str) -> None:
    imported = empty.consumed(
        OpportunityImported(
            source="CRM",
            external_id="1C1I7A6R",
            account=None,
            title="GTX Basic",
            product="GTX Basic",
            owner="ann",
            outcome=outcome,
            pipeline_stage="prospecting",
            opened_on=date(2016, 10, 20),
            closed_on=None,
            value=None,
        )
    )
    assert imported.state.stage == stage
    assert imported.state.title == "GTX Basic"


def test_before_the_contract_the_deal_defines_the_deliverables() -> None:
    asked_for = empty.consumed(OPENED, REQUESTED)
    assert sorted(asked_for.state.agreed) == ["design", "portal"]
    sold = asked_for.consumed(WON.model_copy(update={"deliverables": (deliverable("desk"),)}))
    assert sorted(sold.state.agreed) == ["desk"]
    contracted = sold.consumed(SOW, SOW_SIGNED)
    assert sorted(contracted.state.agreed) == ["design", "portal"]
