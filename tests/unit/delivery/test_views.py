from datetime import date

import pytest

from contracts.delivery import EngagementPutOnHold, StatusReportPublished
from contracts.values import RAG
from delivery.acceptance.decisions import RejectDeliverable, SubmitDeliverable
from delivery.progress.decisions import ReachMilestone
from delivery.service import ENGAGEMENT
from delivery.time_entries.decisions import ApproveTime
from tests.amounts import hours
from tests.unit.delivery.builders import (
    EARLY_START,
    FINISH,
    HASH,
    SOW,
    TERMINATED,
    WEEK,
    change_signed,
    empty,
    entry,
    estimated,
    finished,
    kicked_off,
    opened,
    released,
    with_time,
    won,
)


def codes(owed) -> list[str]:
    return [item.code for item in owed]


def test_the_view_shows_open_conditions_of_the_gates_ahead() -> None:
    early = won().consumed(SOW).view
    assert codes(early["gates"].work) == ["sow-not-signed"]
    assert codes(early["gates"].implementation) == ["brd-not-signed-off", "plan-not-baselined"]
    assert codes(won().consumed(EARLY_START).view["gates"].work) == []
    ready = released().view
    assert not ready["gates"].work
    assert not ready["gates"].implementation
    assert codes(ready["gates"].closing) == [
        "deliverable-not-accepted",
        "deliverable-not-accepted",
        "account-not-settled",
        "pir-not-held",
        "survey-not-sent",
    ]
    assert finished().view["gates"].closing == ()
    assert released().consumed(TERMINATED).view["gates"].closing == ()


def test_an_estimate_shows_its_share_of_project_management() -> None:
    shown = won().view["estimates"][0]
    assert (shown.hours, shown.project_management_hours) == (hours(270), hours(30))
    assert shown.project_management_share == hours("11.11")
    assert (shown.endorsed_by, str(shown.price)) == ("mara", "100,000.00 EUR")
    assert estimated().view["estimates"][0].price is None


@pytest.mark.parametrize(
    ("scope", "schedule", "cost", "worst"),
    [
        ("green", "green", "green", "green"),
        ("green", "amber", "green", "amber"),
        ("amber", "green", "red", "red"),
    ],
)
def test_the_status_is_the_worst_of_the_last_report(
    scope: RAG, schedule: RAG, cost: RAG, worst: RAG
) -> None:
    assert released().view["status"] is None
    reported = released().published(
        StatusReportPublished(
            report=1,
            as_of=WEEK,
            scope=scope,
            schedule=schedule,
            cost=cost,
            narrative="On the way.",
            forecast_finish=FINISH,
            estimate_to_complete=hours(9),
        )
    )
    assert reported.view["status"] == worst


def test_the_next_milestone_is_the_first_that_was_not_reached() -> None:
    assert won().view["next_milestone"] is None
    assert released().view["next_milestone"] == date(2026, 4, 30)
    reached = released().after(ReachMilestone(milestone="M1"))
    assert reached.view["next_milestone"] == FINISH
    assert reached.view["plan"].milestones[0].reached_on == date(2026, 4, 8)


def test_time_shows_waiting_and_approved_hours() -> None:
    managing = entry(1, role="project-manager", task="lead", hours=hours(10))
    working = entry(2, hours=hours(20))
    some = with_time(with_time(released(), managing, person="milo"), working)
    waiting = some.view["time"].waiting
    assert [(week.person, week.hours) for week in waiting] == [("milo", 10), ("dev", 20)]
    half = some.after(ApproveTime(person="milo", week=WEEK), by="mara")
    assert [week.person for week in half.view["time"].waiting] == ["dev"]
    half.then_view(time__approved_hours=hours(10), time__project_management_share=hours(100))
    view = half.after(ApproveTime(person="dev", week=WEEK), by="mara").view
    assert view["time"].project_management_share == hours("33.33")
    assert [task.approved_hours for task in view["plan"].tasks] == [hours(20), hours(0), hours(10)]


def test_deliverables_and_changes_show_their_status() -> None:
    out = released().after(SubmitDeliverable(deliverable="design", content_hash=HASH))
    back = out.after(
        RejectDeliverable(deliverable="design", submission=1, rejected_by="cleo", why="A page.")
    )
    shown = {each.deliverable: each for each in back.view["deliverables"]}
    assert (shown["design"].status, shown["design"].why) == ("rejected", "A page.")
    assert (shown["portal"].status, shown["portal"].submission) == ("owed", None)
    change = change_signed().view["changes"][0]
    assert (change.status, str(change.price)) == ("approved", "2,000.00 EUR")
    assert codes(change.waits_for) == ["plan-not-rebaselined", "budget-not-amended"]


@pytest.mark.parametrize("scenario", [empty, opened, released, finished])
def test_every_engagement_can_be_shown(scenario) -> None:
    model = ENGAGEMENT.views.model("View")
    view = model(**scenario().view)
    assert model.model_validate_json(view.model_dump_json()) == view


def test_the_list_row_of_an_engagement() -> None:
    assert ENGAGEMENT.rows(empty().state) == {
        "account": None,
        "title": None,
        "stage": "planning",
        "manager": None,
        "tier": None,
        "on_hold": False,
        "status": None,
        "next_milestone": None,
        "imported": False,
    }
    row = ENGAGEMENT.rows(kicked_off().state)
    view = kicked_off().view
    assert (row["account"], row["title"]) == (view["account"], view["title"])
    assert (row["stage"], row["manager"]) == ("delivering", view["manager"])
    planned = released()
    due = planned.view["next_milestone"]
    assert ENGAGEMENT.rows(planned.state)["next_milestone"] == due.isoformat()


def test_the_list_says_whether_an_engagement_is_on_hold() -> None:
    held = kicked_off().published(EngagementPutOnHold(reason="Budget.", held_on=WEEK))
    assert ENGAGEMENT.rows(held.state)["on_hold"] is True
