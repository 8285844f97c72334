"""Test that Delivery's panel shows what is open with its day, and marks what is overdue."""

from datetime import date

from contracts import delivery, legal
from contracts.event import Event
from gateway.pages.department_panels import panels
from gateway.pages.names import Names
from gateway.view.engagement_view import View, apply_event
from testkit.scenario import RecordsOf
from tests.builders import Life

TODAY = date(2026, 4, 14)
DUE = date(2026, 4, 13)
ACTION = {"item": "A-1", "title": "Order a server", "owner": "max"}
ASSUMPTION = {"item": "AS-1", "title": "Data is clean", "owner": "max", "check_on": DUE}


def view_after(*events: Event) -> View:
    life = Life().kicked_off().say(100, *events)
    view = View(life.engagement)
    for recorded in life.events:
        apply_event(view, recorded)
    return view


def shown(label: str, *events: Event) -> tuple[str, ...]:
    """Return the lines of a row of Delivery's panel after some events; empty without the row."""
    found = panels(view_after(*events), Names(RecordsOf([])), TODAY, confidential=False)
    rows = next(each.rows for each in found if each.department == "delivery")
    return next((row.lines for row in rows if row.label == label), ())


def test_an_action_is_overdue_after_its_day() -> None:
    due_today = delivery.ActionRaised.model_validate({**ACTION, "due_on": TODAY})
    assert shown("Open", due_today) == ("action: Order a server, due 14 Apr 2026",)
    late = delivery.ActionUpdated.model_validate({**ACTION, "due_on": DUE, "why": "Sooner."})
    assert shown("Open", due_today, late) == ("action: Order a server, due 13 Apr 2026, overdue",)
    closed = delivery.RaidItemClosed(item="A-1", resolution="Done.", closed_on=TODAY)
    assert shown("Open", due_today, late, closed) == ()
    again = delivery.RaidItemReopened(
        item="A-1", why="Not done.", closed_on=TODAY, reopened_on=TODAY
    )
    assert shown("Open", due_today, late, closed, again) == shown("Open", due_today, late)
    gone = delivery.RaidItemWithdrawn(item="A-1", why="Not ours.", withdrawn_on=TODAY)
    assert shown("Open", due_today, late, closed, again, gone) == ()


def test_a_withdrawn_decision_is_not_in_the_view() -> None:
    decided = delivery.DecisionRecorded(
        item="D-1", title="Use Kafka", rationale="Order.", decided_by="max", decided_on=TODAY
    )
    gone = delivery.RaidItemWithdrawn(item="D-1", why="Not ours.", withdrawn_on=TODAY)
    assert [*view_after(decided).delivery.decisions] == ["D-1"]
    assert not view_after(decided, gone).delivery.decisions


def test_an_assumption_is_overdue_until_it_is_checked() -> None:
    raised = delivery.AssumptionRaised.model_validate(ASSUMPTION)
    assert shown("Open", raised) == (
        "assumption (unknown): Data is clean, due 13 Apr 2026, overdue",
    )
    checked = delivery.AssumptionUpdated.model_validate(
        {**ASSUMPTION, "validity": "false", "why": "We looked."}
    )
    assert shown("Open", raised, checked) == ("assumption (false): Data is clean",)


def test_each_survey_shows_who_answered_and_its_scores() -> None:
    sent = delivery.SurveySent(
        survey="S-1", kind="nps", phase="Build", contacts=("cora", "cy"), sent_on=DUE
    )
    assert shown("Surveys", sent) == ("Build: 0 of 2 answered",)
    answered = delivery.SurveyAnswered(
        survey="S-1", answered_by="cora", recommend=9, answered_on=TODAY
    )
    assert shown("Surveys", sent, answered) == ("Build: 1 of 2 answered, NPS 100",)


def test_what_the_customer_owes_is_shown_until_it_comes() -> None:
    requested = delivery.CustomerInputRequested(
        input="CI-1",
        description="Test data",
        requested_from="cora",
        due_on=DUE,
        requested_on=DUE,
    )
    assert shown("From the customer", requested) == ("Test data, due 13 Apr 2026, overdue",)
    received = delivery.CustomerInputReceived(input="CI-1", received_on=TODAY)
    assert shown("From the customer", requested, received) == ()
    again = delivery.CustomerInputReopened(
        input="CI-1", why="Last year's.", received_on=TODAY, reopened_on=TODAY
    )
    assert shown("From the customer", requested, received, again) == (
        "Test data, due 13 Apr 2026, overdue",
    )
    gone = delivery.CustomerInputWithdrawn(input="CI-1", why="Not ours.", withdrawn_on=TODAY)
    assert shown("From the customer", requested, gone) == ()
    delay = delivery.CustomerDelayRecorded(
        delay="CD-1",
        days=1,
        cause="Late data",
        input="CI-1",
        evidence="Letters.",
        recorded_on=TODAY,
    )
    assert shown("Customer delays", requested, delay) == ("1 day: Late data",)
    wrong = delivery.CustomerDelayWithdrawn(delay="CD-1", why="Not theirs.", withdrawn_on=TODAY)
    assert shown("Customer delays", requested, delay, wrong) == ()


def test_what_is_withdrawn_is_not_shown() -> None:
    live = delivery.SolutionWentLive(live_on=DUE)
    reached = delivery.MilestoneReached(milestone="m-2", reached_on=DUE)
    view = view_after(live, reached)
    assert (view.stage, list(view.delivery.milestones_reached)) == ("closing", ["m-2"])
    view = view_after(
        live,
        reached,
        delivery.GoLiveWithdrawn(live_on=DUE, why="A test.", withdrawn_on=DUE),
        delivery.MilestoneWithdrawn(
            milestone="m-2", reached_on=DUE, why="Too early.", withdrawn_on=DUE
        ),
    )
    assert (view.stage, list(view.delivery.milestones_reached)) == ("delivering", [])
    assert view.delivery.kickoff is not None
    kickoff = delivery.KickoffWithdrawn(
        held_on=view.delivery.kickoff.event.held_on, why="Another's.", withdrawn_on=DUE
    )
    assert view_after(kickoff).stage == "mobilising"


def test_a_question_is_shown_to_the_department_that_answers_until_it_does() -> None:
    question = {"question": "Q-1", "text": "Who?", "about": "Parties", "asked_on": DUE}
    to_delivery = legal.QuestionAsked.model_validate(
        {**question, "to_department": "delivery", "due_on": DUE}
    )
    assert shown("Questions", to_delivery) == ("Parties, due 13 Apr 2026, overdue",)
    answer = delivery.QuestionAnswered(question="Q-1", answer="You.", answered_on=TODAY)
    assert shown("Questions", to_delivery, answer) == ()
    to_contact = delivery.QuestionAsked.model_validate(
        {**question, "to_contact": "cora", "due_on": TODAY}
    )
    assert shown("Questions", to_contact) == ("cora: Parties, due 14 Apr 2026",)
