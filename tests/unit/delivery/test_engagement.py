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
)
from contracts.sales import (
    DealReopened,
    OpportunityImported,
    OpportunityImportUpdated,
    ProposalSubmitted,
)
from delivery.engagement import Engagement
from delivery.raid.decisions import RaiseAction
from delivery.service import ENGAGEMENT
from testkit.scenario import Scenario, permutations_agree
from tests.unit.delivery.builders import (
    AMENDMENT_DRAFTED,
    AMENDMENT_SIGNED,
    BASELINED,
    BUDGET,
    BUDGET_AMENDED,
    CHANGE_ASSESSED,
    CHANGE_PRICED,
    CHANGE_REQUESTED,
    DRAFTED,
    EARLY_START,
    ENDORSED,
    ESTIMATED,
    HASH,
    LOST,
    OPENED,
    PRICED,
    PROPOSED,
    REQUESTED,
    SETTLED,
    SOW,
    SOW_SIGNED,
    START,
    WON,
    change_ready,
    deliverable,
    empty,
    entry,
    finished,
    submitted_time,
    won,
)
from tests.unit.imported import IMPORTED

TIME_SUBMITTED = submitted_time(entry())

REOPENED = DealReopened(
    why="They asked again.", lost_on=date(2026, 3, 2), reopened_on=date(2026, 3, 9)
)


def owed(scenario: Scenario[Engagement]) -> list[str]:
    return sorted(each.deliverable for each in scenario.view["deliverables"])


def test_the_order_of_departments_does_not_matter() -> None:
    permutations_agree(
        empty(),
        OPENED,
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
        TIME_SUBMITTED,
        CHANGE_REQUESTED,
        CHANGE_ASSESSED,
        CHANGE_PRICED,
        ChangeApproved(change="CR-1", approved_by="cleo", approved_on=START),
        AMENDMENT_DRAFTED,
        AMENDMENT_SIGNED,
        BUDGET_AMENDED,
        SETTLED,
        examples=30,
    )


def unsigned_work() -> Scenario[Engagement]:
    return won().consumed(EARLY_START).published(TIME_SUBMITTED)


@pytest.mark.parametrize("scenario", [finished, change_ready, unsigned_work])
def test_the_state_survives_serialisation(scenario) -> None:
    kept = scenario().state.model_dump_json()
    assert Engagement.model_validate_json(kept) == scenario().state


def test_delivery_consumes_the_open_channels() -> None:
    assert consumed_channels([ENGAGEMENT]) == {SALES, LEGAL, FINANCE, GATEWAY}


@pytest.mark.parametrize(
    ("outcome", "stage"), [("open", "planning"), ("won", "imported"), ("lost", "lost")]
)
def test_imported_history(outcome, stage: str) -> None:
    imported = empty().consumed(
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
    imported.then_view(stage=stage, title="GTX Basic")
    reopened = imported.consumed(REOPENED)
    reopened.then_view(stage="planning" if outcome == "lost" else stage)


@pytest.mark.parametrize(
    ("outcome", "applied", "stage"),
    [("won", True, "imported"), ("lost", True, "lost"), ("lost", False, "planning")],
)
def test_an_imported_deal_follows_the_crm(outcome: str, applied: bool, stage: str) -> None:
    record = IMPORTED.model_copy(update={"outcome": outcome})
    moved = OpportunityImportUpdated(**dict(record), changed=("outcome",), applied=applied)
    followed = empty().consumed(IMPORTED.model_copy(update={"outcome": "open"}), moved)
    followed.then_view(stage=stage)


def test_work_goes_on_after_a_lost_deal_is_reopened() -> None:
    raise_action = RaiseAction(item="A-1", title="Call", owner="mara", due_on=date(2026, 3, 20))
    lost = empty().consumed(OPENED, LOST)
    lost.when(raise_action).then_refused("engagement-over")
    again = lost.consumed(REOPENED).then_view(stage="planning")
    again.when(raise_action).then_accepted()
    again.consumed(LOST).then_view(stage="lost")


def test_before_the_contract_the_deal_defines_the_deliverables() -> None:
    asked_for = empty().consumed(OPENED, REQUESTED)
    assert owed(asked_for) == ["design", "portal"]
    sold = asked_for.consumed(WON.model_copy(update={"deliverables": (deliverable("desk"),)}))
    assert owed(sold) == ["desk"]
    contracted = sold.consumed(SOW, SOW_SIGNED)
    assert owed(contracted) == ["design", "portal"]
