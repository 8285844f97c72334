"""The roads beside the straight one: lost, terminated, begun too early, and shut gates."""

from typing import Any

import pytest

from contracts.event import Event, Recorded
from contracts.legal import EarlyStartExpired
from local.platform import SERVICES
from tests.e2e.conftest import Desk
from tests.e2e.stories import EARLY_HOURS, Lives, Observed


def seen(desk: Desk, cast: Observed, service: str) -> Any:
    return desk.get(service, f"/engagements/{cast.engagement}", by="everybody")


def types(said: list[Recorded[Event]], cast: Observed) -> list[str]:
    return [type(each.event).__name__ for each in said if each.subject == cast.engagement]


def test_a_lost_deal_is_lost_everywhere(desk: Desk, lives: Lives) -> None:
    assert seen(desk, lives.lost, "gateway")["stage"] == "lost"
    assert seen(desk, lives.lost, "sales")["stage"] == "lost"
    assert seen(desk, lives.lost, "legal")["stage"] == "lost"
    assert seen(desk, lives.lost, "finance")["ended"] == "lost"
    problem = desk.ask(
        "POST",
        "delivery",
        f"/engagements/{lives.lost.engagement}/submit-brd",
        by="emma",
        body={"content": "Too late."},
        headers={"Idempotency-Key": "too-late"},
    )
    assert (problem.status_code, problem.json()["code"]) == (409, "engagement-over")


def test_a_terminated_engagement_is_still_settled(
    desk: Desk, lives: Lives, said: list[Recorded[Event]]
) -> None:
    of_finance = seen(desk, lives.terminated, "finance")

    assert seen(desk, lives.terminated, "gateway")["stage"] == "terminated"
    assert of_finance["ended"] == "terminated"
    assert of_finance["settled_on"] is not None
    assert of_finance["billed"] == of_finance["paid"]
    assert of_finance["open_points"] == []
    told = types(said, lives.terminated)
    assert {"EngagementTerminated", "AccountSettled"} <= set(told)
    assert "ResourceReleased" in told, "whoever was given to it is free again"


def test_an_early_start_is_capped_and_expires_by_the_clock(
    desk: Desk, lives: Lives, said: list[Recorded[Event]]
) -> None:
    delivery, legal = seen(desk, lives.early, "delivery"), seen(desk, lives.early, "legal")
    expired = next(each for each in said if isinstance(each.event, EarlyStartExpired))

    assert float(delivery["contract"]["hours_before_signature"]) == EARLY_HOURS
    assert legal["early_starts"][0]["status"] == "expired"
    assert expired.subject == lives.early.engagement
    assert expired.actor == "legal", "the clock gave it, and nobody else"
    day = legal["early_starts"][0]["expires_on"]
    assert expired.occurred_at.date().isoformat() > day
    assert isinstance(expired.event, EarlyStartExpired)
    assert expired.event.expired_on.isoformat() == day


def test_work_by_the_hour_is_billed_as_approved_and_closed(desk: Desk, lives: Lives) -> None:
    of_finance, of_gateway = (seen(desk, lives.hourly, name) for name in ("finance", "gateway"))
    by_time = [each for each in of_finance["invoices"] if each["kind"] == "time"]

    assert of_gateway["stage"] == "closed"
    assert sum(float(each["advance_drawn"]["amount"]) for each in by_time) > 0
    assert float(of_finance["advance_left"]["amount"]) == 0
    assert float(of_finance["billed"]["amount"]) <= float(of_finance["budget"]["price"]["amount"])
    assert of_finance["billed"] == of_finance["paid"] == of_finance["recognised"]


@pytest.mark.usefixtures("lives")
def test_the_clocks_go_on_once_history_is_told(desk: Desk) -> None:
    for service in SERVICES:
        assert desk.get(service, "/operations/clock", by="operator") == {"held_at": None}


GATES: dict[str, tuple[str, str, set[str]]] = {
    "1: nobody asked": (
        "hasty",
        "proposal-not-ready",
        {
            "manager-not-assigned",
            "estimate-not-endorsed",
            "estimate-not-priced",
            "project-management-missing",
        },
    ),
    "1: not endorsed": (
        "hasty",
        "proposal-not-ready",
        {"estimate-not-endorsed", "project-management-missing"},
    ),
    "1: no project management": ("hasty", "proposal-not-ready", {"project-management-missing"}),
    "2: nobody reviewed": (
        "whole",
        "sow-not-approved",
        {"delivery-review-missing", "finance-review-missing"},
    ),
    "2: one reviewed": ("whole", "sow-not-approved", {"finance-review-missing"}),
    "2: not approved": ("whole", "sow-not-approved", {"legal-approval-missing"}),
    "2: another paper": ("whole", "signed-content-differs", set()),
    "3: nobody signed": ("whole", "not-released", {"sow-not-signed"}),
    "3: one party signed": ("whole", "not-released", {"sow-not-signed"}),
    "3: nothing authorised": ("early", "not-released", {"sow-not-signed"}),
    "3: beyond the cap": ("early", "not-released", {"early-start-cap-spent"}),
    "3: expired": ("early", "not-released", {"early-start-expired"}),
    "4: no baseline": ("whole", "implementation-not-released", {"plan-not-baselined"}),
    "4: requirements not signed off": (
        "early",
        "implementation-not-released",
        {"brd-not-signed-off"},
    ),
    "5: before it is due": ("whole", "not-billable", {"not-due"}),
    "5: not accepted": ("whole", "invoice-unknown", set()),
    "5: no time approved": ("hourly", "not-billable", {"nothing-approved"}),
    "6: not assessed": (
        "whole",
        "change-not-released",
        {
            "change-not-assessed",
            "change-not-priced",
            "change-not-approved",
            "amendment-not-signed",
            "plan-not-rebaselined",
            "budget-not-amended",
        },
    ),
    "6: not approved": (
        "whole",
        "change-not-released",
        {
            "change-not-approved",
            "amendment-not-signed",
            "plan-not-rebaselined",
            "budget-not-amended",
        },
    ),
    "6: not signed": (
        "whole",
        "change-not-released",
        {"amendment-not-signed", "plan-not-rebaselined", "budget-not-amended"},
    ),
    "6: not planned": ("whole", "change-not-released", {"plan-not-rebaselined"}),
    "7: nothing accepted": (
        "whole",
        "not-closable",
        {"deliverable-not-accepted", "account-not-settled", "pir-not-held", "survey-not-sent"},
    ),
    "7: all accepted, an issue open": (
        "whole",
        "not-closable",
        {"account-not-settled", "issue-open", "pir-not-held", "survey-not-sent"},
    ),
    "7: unpaid": ("whole", "not-settled", {"invoice-unpaid"}),
    "7: not settled": ("whole", "not-closable", {"account-not-settled"}),
}
"""By try: whose engagement, the code of the refusal, and what it says is missing."""

HEARD_LATER = {
    "6: not approved": {"change-not-priced"},
    "6: not planned": {"budget-not-amended"},
    "7: unpaid": {"entry-unbilled", "draft-open"},
}
"""What may be missing as well, while another department's answer, or the clock, is on its way."""


@pytest.mark.parametrize("tried", GATES)
def test_a_gate_refuses_and_says_what_is_missing(lives: Lives, tried: str) -> None:
    name, code, missing = GATES[tried]
    problem = getattr(lives, name).refusals[tried]
    found = {each["code"] for each in problem["missing"]}

    assert (problem["status"], problem["code"]) == (409, code)
    assert missing <= found | HEARD_LATER.get(tried, set())
    assert found <= missing | HEARD_LATER.get(tried, set())
    assert all(each["sentence"] for each in problem["missing"])


def test_every_gate_that_was_tried_opened_in_the_end(desk: Desk, lives: Lives) -> None:
    tried = {*lives.whole.refusals, *lives.hasty.refusals, *lives.early.refusals}
    assert tried | lives.hourly.refusals.keys() == GATES.keys()
    assert seen(desk, lives.whole, "gateway")["stage"] == "closed"
    assert seen(desk, lives.hasty, "sales")["proposals"][1]["status"] == "submitted"
    assert any(
        each["kind"] == "time" and each["number"]
        for each in seen(desk, lives.hourly, "finance")["invoices"]
    )
