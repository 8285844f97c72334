from datetime import date

import pytest

from contracts.delivery import StatusReportPublished, SurveyAnswered, SurveySent
from contracts.values import RAG
from delivery.acceptance import RejectDeliverable, SubmitDeliverable
from delivery.progress import ReachMilestone
from delivery.timekeeping import ApproveTime, SubmitTime
from delivery.view_models import EngagementView
from delivery.views import engagement_view
from tests.unit.delivery import test_changes, test_closing
from tests.unit.delivery.life import (
    EARLY_START,
    FINISH,
    HASH,
    SOW,
    TERMINATED,
    WEEK,
    empty,
    estimated,
    hours,
    opened,
    released,
    won,
)


def codes(owed) -> list[str]:
    return [item.code for item in owed]


def test_the_view_shows_open_conditions_of_the_gates_ahead() -> None:
    early = engagement_view(won.consumed(SOW).state)
    assert codes(early.gates.work) == ["sow-not-signed"]
    assert codes(early.gates.implementation) == ["brd-not-signed-off", "plan-not-baselined"]
    assert codes(engagement_view(won.consumed(EARLY_START).state).gates.work) == []
    ready = engagement_view(released.state)
    assert not ready.gates.work
    assert not ready.gates.implementation
    assert codes(ready.gates.closing) == [
        "deliverable-not-accepted",
        "deliverable-not-accepted",
        "account-not-settled",
        "pir-not-held",
        "survey-not-sent",
    ]
    assert engagement_view(test_closing.finished.state).gates.closing == ()
    assert engagement_view(released.consumed(TERMINATED).state).gates.closing == ()


def test_an_estimate_shows_its_share_of_project_management() -> None:
    shown = engagement_view(won.state).estimates[0]
    assert (shown.hours, shown.project_management_hours) == (hours(270), hours(30))
    assert shown.project_management_share == hours("11.11")
    assert (shown.endorsed_by, str(shown.price)) == ("mara", "100,000.00 EUR")
    assert engagement_view(estimated.state).estimates[0].price is None


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
    assert engagement_view(released.state).status is None
    reported = released.published(
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
    assert engagement_view(reported.state).status == worst


def test_the_next_milestone_is_the_first_that_was_not_reached() -> None:
    assert engagement_view(won.state).next_milestone is None
    assert engagement_view(released.state).next_milestone == date(2026, 4, 30)
    reached = released.after(ReachMilestone(milestone="M1"))
    assert engagement_view(reached.state).next_milestone == FINISH
    assert engagement_view(reached.state).plan.milestones[0].reached_on == date(2026, 4, 8)


def test_time_shows_waiting_and_approved_hours() -> None:
    managing = SubmitTime(entry="T-1", role="pm", task="lead", week=WEEK, hours=hours(10))
    working = SubmitTime(entry="T-2", role="dev", task="analysis", week=WEEK, hours=hours(30))
    some = released.after(managing, by="milo").after(working, by="dev")
    half = engagement_view(some.after(ApproveTime(entry="T-1"), by="mara").state).time
    assert [entry.entry for entry in half.waiting] == ["T-2"]
    assert (half.approved_hours, half.project_management_share) == (hours(10), hours(100))
    both = some.after(ApproveTime(entry="T-1"), by="mara").after(
        ApproveTime(entry="T-2"), by="mara"
    )
    view = engagement_view(both.state)
    assert view.time.project_management_share == hours(25)
    assert [task.approved_hours for task in view.plan.tasks] == [hours(30), hours(0), hours(10)]


def test_deliverables_and_changes_show_their_status() -> None:
    out = released.after(SubmitDeliverable(deliverable="design", content_hash=HASH))
    back = out.after(
        RejectDeliverable(deliverable="design", submission=1, rejected_by="cleo", why="A page.")
    )
    shown = {each.deliverable: each for each in engagement_view(back.state).deliverables}
    assert (shown["design"].status, shown["design"].why) == ("rejected", "A page.")
    assert (shown["portal"].status, shown["portal"].submission) == ("owed", None)
    change = engagement_view(test_changes.signed.state).changes[0]
    assert (change.status, str(change.price)) == ("approved", "2,000.00 EUR")
    assert codes(change.waits_for) == ["plan-not-rebaselined", "budget-not-amended"]


def test_a_survey_shows_its_scores() -> None:
    asked = released.published(SurveySent(survey="S-1", contacts=("a", "b", "c"), sent_on=WEEK))
    empty_survey = engagement_view(asked.state).surveys[0]
    assert empty_survey.customer_satisfaction is None
    assert empty_survey.net_promoter_score is None
    answered = asked.published(
        *(
            SurveyAnswered(
                survey="S-1",
                answered_by=who,
                satisfaction={"quality": score},
                recommend=recommend,
                answered_on=WEEK,
            )
            for who, score, recommend in (("a", 5, 10), ("b", 4, 8), ("c", 2, 6))
        )
    )
    survey = engagement_view(answered.state).surveys[0]
    assert survey.customer_satisfaction == hours("66.67")
    assert survey.net_promoter_score == hours(0)  # one promoter, one detractor


@pytest.mark.parametrize("scenario", [empty, opened, released, test_closing.finished])
def test_every_engagement_can_be_shown(scenario) -> None:
    view = engagement_view(scenario.state)
    assert EngagementView.model_validate_json(view.model_dump_json()) == view
