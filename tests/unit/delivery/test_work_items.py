"""Each work item of Delivery: it appears when something waits, and its command makes it go."""

from datetime import date, timedelta
from typing import Any

import pytest

from chassis.domain.pending import Refusal
from contracts.delivery import (
    ActionRaised,
    AssumptionRaised,
    DeliverableSubmitted,
    EngagementPutOnHold,
    EngagementResumed,
    ExpenseSubmitted,
    IssueRaised,
    ManagerAssigned,
    ResourceRequested,
    RiskRaised,
    SolutionWentLive,
    TierChosen,
)
from contracts.legal import AcceptanceTerms
from contracts.lines import LineRate
from contracts.refusals import RefusalCode
from contracts.roles import Role
from delivery.acceptance.decisions import AcceptDeliverable, RejectDeliverable, SubmitDeliverable
from delivery.changes.decisions import ApproveChange, AssessChange
from delivery.closing.decisions import CloseEngagement, HoldPir
from delivery.contract.decisions import ReviewSow
from delivery.customer_inputs.decisions import ReceiveCustomerInput
from delivery.estimates.decisions import EndorseEstimate, SubmitEstimate
from delivery.expenses.decisions import ApproveExpense
from delivery.expenses.work_items import CONDITIONS as OF_EXPENSES
from delivery.kickoff.decisions import HoldKickoff
from delivery.management.decisions import AssignManager, Resume
from delivery.planning import work_items as planning
from delivery.planning.decisions import BaselinePlan
from delivery.progress.decisions import ReachMilestone, WithdrawMilestone
from delivery.raid.decisions import CloseRaidItem
from delivery.requirements.decisions import SignOffBrd, SubmitBrd
from delivery.resources.decisions import AllocateResource
from delivery.surveys.decisions import AnswerSurvey
from delivery.time_entries.decisions import ApproveTime, RejectTime
from delivery.time_entries.requests import RecordedEntry, TakeTime
from delivery.time_entries.work_items import CONDITIONS
from delivery.timesheets.decisions import (
    ApproveInternalTime,
    SubmitTimesheet,
)
from delivery.timesheets.requests import NoteDecision
from tests.amounts import eur, hours, per_hour
from tests.unit.delivery.builders import (
    BASELINED,
    CHANGE_ASSESSED,
    DRAFTED,
    EARLY_START,
    FINISH,
    HASH,
    ID,
    SIGNED,
    SOW,
    SOW_SIGNED,
    START,
    SURVEY_SENT,
    TERMINATED,
    TODAY,
    WEEK,
    accepted,
    as_submitted,
    asked,
    change_approved,
    change_assessed,
    change_priced,
    change_rebaselined,
    change_requested,
    change_signed,
    entry,
    estimated,
    finished,
    kicked_off,
    managed,
    opened,
    released,
    signed,
    with_time,
    won,
    worked,
)
from tests.unit.delivery.test_customer_inputs import REQUESTED as INPUT
from tests.unit.delivery.test_progress import REPORT
from tests.unit.delivery.test_raid import RISK
from tests.unit.delivery.test_time_entries import AS_COST, contracted, hourly, initial, unsigned
from tests.unit.delivery.test_timesheets import (
    answered,
    new,
    off,
    save,
    submitted,
    taken,
    work,
)
from tests.unit.deploy.test_docs import missing

HELD = EngagementPutOnHold(held_on=START, reason="Strike.")
APPROVE = ApproveTime(person="dev", week=WEEK)
JANUARY = date(2026, 1, 5)
"""Day of the events of which the builders say no other."""


def test_an_opportunity_waits_for_its_manager() -> None:
    opened().then_work(
        "manager-not-assigned", "manager", since=JANUARY, person=None, to_person="ann"
    )
    assigned = opened().after(AssignManager(manager="mara", assigned_on=JANUARY), by="olga")
    assigned.then_work("manager-not-assigned")
    opened().consumed(TERMINATED).then_work("manager-not-assigned")


def test_a_requested_estimate_waits_for_its_submission_and_then_for_the_endorsement() -> None:
    managed().then_work("estimate-not-submitted")
    asked().then_work("estimate-not-submitted", "estimate", since=JANUARY, person="mara")
    after = (
        asked()
        .on(TODAY)
        .after(SubmitEstimate(template="web", duration_days=100, confidence="medium"), by="dev")
    )
    after.then_work("estimate-not-submitted")
    after.then_work("estimate-not-endorsed", "estimate-1", since=TODAY, person="mara")
    endorsed = after.after(EndorseEstimate(version=1), by="mara")
    endorsed.then_work("estimate-not-endorsed")


def test_an_endorsement_is_owed_again_by_the_next_manager_and_not_after_the_deal() -> None:
    endorsed = estimated().after(EndorseEstimate(version=1), by="mara")
    moved = endorsed.published(ManagerAssigned(manager="milo", assigned_on=TODAY))
    moved.then_work("estimate-not-endorsed", "estimate-1", person="milo")
    won().published(ManagerAssigned(manager="milo", assigned_on=TODAY)).then_work(
        "estimate-not-endorsed"
    )


def test_the_newest_statement_of_work_waits_for_the_review_until_it_is_signed() -> None:
    drafted = won().on(TODAY).consumed(SOW)
    drafted.then_work("delivery-review-missing", "sow-1", since=TODAY, person="mara")
    drafted.after(ReviewSow(version=1, verdict="approved")).then_work("delivery-review-missing")
    again = drafted.after(ReviewSow(version=1, verdict="approved")).consumed(
        SOW.model_copy(update={"version": 2})
    )
    again.then_work("delivery-review-missing", "sow-2")
    drafted.consumed(SOW_SIGNED).then_work("delivery-review-missing")


def test_a_signed_contract_waits_for_the_kickoff_the_requirements_and_the_baseline() -> None:
    begun = signed()
    begun.then_work("kickoff-not-held", "kickoff", since=SIGNED, person="mara")
    begun.then_work("brd-not-submitted", "brd", since=SIGNED, person="mara")
    begun.then_work("plan-not-baselined", "plan", since=SIGNED, person="mara", kind=planning.DRAFT)
    held = begun.after(HoldKickoff(attendees=("mara", "cleo")), by="mara")
    held.then_work("kickoff-not-held")
    submitted = held.after(SubmitBrd(content_hash=HASH), by="mara")
    submitted.then_work("brd-not-submitted")
    submitted.then_work("brd-not-signed-off", "brd-1", since=TODAY)
    [item] = [each for each in submitted.work if each.kind.code == "brd-not-signed-off"]
    assert item.owed_by.department == "customer"
    signed_off = submitted.after(SignOffBrd(version=1, signed_by="cleo"), by="mara")
    signed_off.then_work("brd-not-signed-off")
    drafted = signed_off.published(DRAFTED)
    drafted.then_work("plan-not-baselined", "plan", kind=planning.BASELINE)
    drafted.after(BaselinePlan(version=1), by="mara").then_work("plan-not-baselined")


def test_a_signed_amendment_waits_for_the_new_baseline() -> None:
    change_approved().then_work("plan-not-rebaselined")
    change_signed().then_work(
        "plan-not-rebaselined", "CR-1", since=TODAY, person="mara", kind=planning.DRAFT_AGAIN
    )
    drafted = change_signed().published(
        DRAFTED.model_copy(update={"version": 2, "changes": ("CR-1",)})
    )
    drafted.then_work("plan-not-rebaselined", "CR-1", kind=planning.REBASELINE)
    baselined = drafted.after(BaselinePlan(version=2, changes=("CR-1",)), by="mara")
    baselined.then_work("plan-not-rebaselined")


def test_a_change_waits_for_its_assessment_and_then_for_the_customer() -> None:
    requested = change_requested()
    requested.then_work("change-not-assessed", "CR-1", since=TODAY, person="mara", to_person="cleo")
    requested.then_work("change-not-approved")
    assessed = requested.after(AssessChange(**dict(CHANGE_ASSESSED)), by="dev")
    assessed.then_work("change-not-assessed").then_work("change-not-approved")
    change_priced().then_work("change-not-approved", "CR-1", since=TODAY)
    decided = change_priced().after(ApproveChange(change="CR-1", approved_by="cleo"), by="mara")
    decided.then_work("change-not-approved")


def test_a_submitted_deliverable_waits_for_the_customer_and_a_rejected_one_for_the_manager() -> (
    None
):
    submitted = released().published(
        DeliverableSubmitted(
            deliverable="design", submission=1, content_hash=HASH, submitted_on=TODAY
        )
    )
    submitted.then_work(
        "deliverable-not-accepted", "design", since=TODAY, due=None, to_person="mara"
    )
    accept = AcceptDeliverable(deliverable="design", submission=1, accepted_by="cleo")
    submitted.after(accept, by="mara").then_work("deliverable-not-accepted")
    reject = RejectDeliverable(
        deliverable="design", submission=1, rejected_by="cleo", why="No index."
    )
    rejected = submitted.after(reject, by="mara")
    rejected.then_work("deliverable-not-accepted")
    rejected.then_work("submission-rejected", "design", person="mara", to_person="cleo")
    again = rejected.uploaded("sha256:" + "c" * 64).after(
        SubmitDeliverable(deliverable="design", content_hash="sha256:" + "c" * 64), by="dev"
    )
    again.then_work("submission-rejected").then_work("deliverable-not-accepted", "design")


def test_the_decision_on_a_submission_is_due_before_it_is_deemed_accepted() -> None:
    terms = AcceptanceTerms(deemed_after_days=10)
    deemed = SOW.model_copy(update={"acceptance_terms": terms})
    submitted = (
        won()
        .consumed(deemed, SOW_SIGNED)
        .published(
            DeliverableSubmitted(
                deliverable="design", submission=1, content_hash=HASH, submitted_on=TODAY
            )
        )
    )
    submitted.then_work("deliverable-not-accepted", "design", due=date(2026, 4, 18))


def test_a_requested_input_is_owed_by_the_contact_until_it_comes() -> None:
    waits = released().published(INPUT)
    waits.then_work("input-not-received", "CI-1", since=TODAY, due=date(2026, 4, 20), person="cleo")
    [item] = [each for each in waits.work if each.kind.code == "input-not-received"]
    assert (item.is_overdue(date(2026, 4, 20)), item.is_overdue(date(2026, 4, 21))) == (False, True)
    came = waits.after(ReceiveCustomerInput(input="CI-1", evidence=HASH), by="dev")
    came.then_work("input-not-received")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (RiskRaised(**{**dict(RISK), "item": "R-1", "owner": "dev", "due_on": TODAY}), "risk-open"),
        (
            AssumptionRaised(item="R-1", title="Clean", owner="dev", check_on=TODAY),
            "assumption-open",
        ),
        (
            IssueRaised(item="R-1", title="No data", severity="high", owner="dev", due_on=TODAY),
            "issue-open",
        ),
        (ActionRaised(item="R-1", title="Ask", owner="dev", due_on=TODAY), "action-open"),
    ],
)
def test_what_the_raid_log_has_open_is_owed_by_its_owner(event: Any, code: RefusalCode) -> None:
    raised = released().published(event)
    raised.then_work(code, "R-1", since=TODAY, due=TODAY, person="dev", to_person="mara")
    closed = raised.after(CloseRaidItem(item="R-1", resolution="Done."), by="mara")
    closed.then_work(code)


def test_a_request_for_people_is_due_on_its_first_day() -> None:
    wanted = ResourceRequested(
        request="RQ-1", role="architect", hours=hours(40), starts_on=START, finishes_on=TODAY
    )
    waits = released().published(wanted)
    waits.then_work("request-not-staffed", "RQ-1", since=TODAY, due=START, to_person="mara")
    staffed = waits.after(AllocateResource(request="RQ-1", person="dev"), by="mara")
    staffed.then_work("request-not-staffed")


# ---- time and expenses -----------------------------------------------------------------------


def test_covered_time_is_owed_by_the_engagement_manager_since_its_submission() -> None:
    waits = with_time(released(), entry(1), entry(2))
    waits.then_work("time-waiting", f"dev.{WEEK}", since=TODAY, person="mara", to_person="dev")
    waits.after(APPROVE, by="mara").then_work("time-waiting")


def test_time_of_the_manager_is_owed_by_the_director() -> None:
    waits = with_time(released(), entry(1), person="mara")
    waits.then_work("time-waiting", f"mara.{WEEK}", person=None)
    [item] = [each for each in waits.work if each.kind.code == "time-waiting"]
    assert item.owed_by.role == "pmo-director"


@pytest.mark.parametrize(
    ("person", "role", "asked"),
    [("dev", "engagement-manager", "mara"), ("mara", "pmo-director", None)],
)
def test_a_week_beyond_the_hours_of_a_person_asks_the_manager_until_it_is_decided(
    person: str, role: Role, asked: str | None
) -> None:
    uncovered = entry(1, task="unplanned")
    entries = (RecordedEntry.model_validate(dict(as_submitted(uncovered))),)
    take = TakeTime(
        person=person, week=WEEK, revision=1, beyond_weekly_hours=hours(5), entries=entries
    )
    waits = released().after(take, by=person)
    waits.then_work(
        "week-too-long", f"{person}.{WEEK}", since=TODAY, due=None, person=asked, to_person=person
    )
    [item] = [each for each in waits.work if each.kind.code == "week-too-long"]
    assert item.owed_by.role == role
    assert "is 5 hours longer" in item.sentence
    rejected = waits.after(RejectTime(person=person, week=WEEK, why="Not agreed."), by="olga")
    rejected.then_work("week-too-long")
    short = take.model_copy(update={"beyond_weekly_hours": None})
    released().after(short, by=person).then_work("week-too-long")


def test_uncovered_time_is_owed_by_who_can_open_the_gate_and_asks_nobody_to_approve_it() -> None:
    before = with_time(unsigned(), initial(1, START), initial(2, START + timedelta(days=1)))
    before.then_work("time-waiting")
    before.then_work("sow-not-signed", "time", since=TODAY, to_person="mara")
    [item] = [each for each in before.work if each.about == "time"]
    assert item.owed_by.department == "legal"
    assert item.sentence.startswith("16 hours of dev cannot be billed: ")
    signed_now = before.consumed(SOW, SOW_SIGNED)
    signed_now.then_work("sow-not-signed")
    signed_now.then_work("time-waiting", f"dev.{WEEK}")
    before.after(AS_COST, by="olga").then_work("sow-not-signed")


def test_a_week_may_wait_for_its_approval_and_for_a_gate() -> None:
    both = with_time(released(), entry(1), entry(2, task="unplanned"))
    both.then_work("time-waiting", f"dev.{WEEK}").then_work("task-unknown", "time")
    sentences = {each.about: each.sentence for each in both.work}
    assert sentences[f"dev.{WEEK}"].startswith("8 hours of dev")
    assert sentences["time"].startswith("8 hours of dev")
    both.after(AS_COST, by="olga").then_work("task-unknown")


def test_time_of_days_on_hold_can_only_be_approved_as_cost_also_after_they_ended() -> None:
    held = released().published(HELD)
    waits = with_time(held, entry(1, day=TODAY))
    resumed = waits.on(TODAY + timedelta(days=1)).after(Resume(), by="mara")
    for each in (waits, resumed):
        each.then_work("engagement-on-hold", "time", person=None, to_person="mara")
        each.after(AS_COST, by="olga").then_work("engagement-on-hold")


def test_time_on_a_change_is_owed_by_who_delays_it_next() -> None:
    for scenario, code, department in (
        (change_requested(), "change-not-assessed", "delivery"),
        (change_assessed(), "change-not-priced", "finance"),
        (change_priced(), "change-not-approved", "delivery"),
        (change_approved(), "amendment-not-signed", "legal"),
        (change_signed(), "plan-not-rebaselined", "delivery"),
        (change_rebaselined(), "budget-not-amended", "finance"),
    ):
        waits = with_time(scenario, entry(1, task="CR-1", day=TODAY, line=None))
        [item] = [each for each in waits.work if each.about == "time"]
        assert (item.kind.code, item.owed_by.department) == (code, department)


def test_an_item_about_several_holds_or_days_says_how_many_others_there_are() -> None:
    days = [START + timedelta(days=each) for each in range(3)]
    one, other, third = days
    held = released().published(
        *(
            event
            for first, until in ((one, other), (other, third))
            for event in (
                HELD.model_copy(update={"held_on": first}),
                EngagementResumed(resumed_on=until),
            )
        )
    )
    waits = with_time(held, entry(1, day=one), entry(2, day=other))
    [item] = [each for each in waits.work if each.about == "time"]
    assert item.sentence == (
        f"16 hours of dev cannot be billed: work was on hold from {one} until it was resumed on"
        f" {other} (and 1 other hold)"
    )
    over = released().consumed(TERMINATED.model_copy(update={"terminated_on": START}))
    ended = with_time(over, entry(1, day=other), entry(2, day=third))
    [item] = [each for each in ended.work if each.about == "time"]
    assert item.sentence.endswith(f"ended on {START}, before {other} (and 1 other day)")


def test_time_that_waits_for_a_baseline_asks_for_a_draft_where_there_is_none_to_approve() -> None:
    waits = with_time(change_signed(), entry(1, task="CR-1", day=TODAY, line=None))
    drafted = waits.published(DRAFTED.model_copy(update={"version": 2, "changes": ("CR-1",)}))
    for scenario, command in ((waits, "draft-plan"), (drafted, "baseline-plan")):
        [item] = [
            each
            for each in scenario.work
            if (each.kind.code, each.about) == ("plan-not-rebaselined", "time")
        ]
        assert item.kind.command == command


def test_hours_beyond_an_early_start_ask_for_another_one() -> None:
    early = unsigned().consumed(EARLY_START.model_copy(update={"cap_hours": hours(8)}))
    waits = with_time(early, initial(1, START), initial(2, TODAY))
    waits.then_work("early-start-cap-spent", "time")
    waits.consumed(EARLY_START).then_work("early-start-cap-spent")


def test_time_after_an_early_start_asks_for_another_one() -> None:
    waits = with_time(unsigned().consumed(EARLY_START), initial(1, date(2026, 5, 4)))
    waits.then_work("early-start-expired", "time")
    longer = EARLY_START.model_copy(update={"expires_on": date(2026, 5, 31)})
    waits.consumed(longer).then_work("early-start-expired")


def test_time_after_a_termination_can_only_be_approved_as_cost() -> None:
    over = released().consumed(TERMINATED.model_copy(update={"terminated_on": START}))
    waits = with_time(over, entry(1, day=TODAY))
    waits.then_work("engagement-over", "time", since=TODAY)
    assert {each.owed_by.role for each in waits.work if each.about == "time"} == {"pmo-director"}
    waits.after(AS_COST, by="olga").then_work("engagement-over")


def test_time_without_a_rate_or_a_line_is_owed_by_sales_finance_or_the_manager() -> None:
    rate = LineRate(role="architect", rate=per_hour(100))
    misspelt = with_time(contracted(hourly(rate)), entry(1, role="architct"))
    misspelt.then_work("rates-missing", "time")
    assert {each.owed_by.department for each in misspelt.work if each.about == "time"} == {"sales"}
    misspelt.after(AS_COST, by="olga").then_work("rates-missing")
    in_money = EARLY_START.model_copy(update={"cap_hours": None, "cap_amount": eur(2_000)})
    early = with_time(unsigned().consumed(in_money), initial(1, START))
    early.then_work("rates-missing", "time")
    assert {each.owed_by.role for each in early.work if each.about == "time"} == {"pmo-director"}
    several = contracted(hourly(rate), hourly(rate, line="more"))
    waits = with_time(several, entry(1, task="any"))
    waits.then_work("line-not-named", "time", person="mara")
    waits.after(AS_COST, by="olga").then_work("line-not-named")
    gone = with_time(contracted(hourly(rate, line="other")), entry(1))
    gone.then_work("line-unknown", "time", person="mara")
    gone.after(AS_COST, by="olga").then_work("line-unknown")


def test_an_expense_waits_for_its_approver_since_its_submission() -> None:
    expense = ExpenseSubmitted(
        expense="X-1",
        person="dev",
        amount=eur(80),
        description="Train.",
        category="travel",
        spent_on=START,
    )
    waits = released().published(expense, by="dev")
    waits.then_work("expense-waiting", "X-1", since=TODAY, person="mara", to_person="dev")
    waits.after(ApproveExpense(expense="X-1"), by="mara").then_work("expense-waiting")
    own = released().published(expense.model_copy(update={"person": "mara"}), by="mara")
    own.then_work("expense-waiting", "X-1", person=None)


# ---- progress --------------------------------------------------------------------------------


def test_milestones_of_the_baseline_are_due_on_their_day_until_they_are_reached() -> None:
    signed().then_work("milestone-not-reached")
    since = BASELINED.baselined_on
    released().then_work("milestone-not-reached", "M1", "M2", since=since, person="mara")
    due = {each.about: each.due for each in released().work if each.about in {"M1", "M2"}}
    assert due == {"M1": date(2026, 4, 30), "M2": FINISH}
    reached = released().after(ReachMilestone(milestone="M1"), by="mara")
    reached.then_work("milestone-not-reached", "M2")
    withdrawn = reached.after(WithdrawMilestone(milestone="M1", why="Not yet."), by="mara")
    withdrawn.then_work("milestone-not-reached", "M1", "M2")
    withdrawn.published(HELD).then_work("milestone-not-reached")
    withdrawn.consumed(TERMINATED).then_work("milestone-not-reached")


def test_a_status_report_is_due_by_the_interval_of_the_tier_from_the_kickoff_or_the_last_one() -> (
    None
):
    signed().then_work("report-not-published")
    kicked_off().then_work(
        "report-not-published", "report", since=START, due=START + timedelta(days=14), person="mara"
    )
    critical = TierChosen(tier="critical", proposed="standard", reason="New.")
    soon = kicked_off().published(critical)
    soon.then_work("report-not-published", "report", due=START + timedelta(days=7))
    reported = kicked_off().after(REPORT, by="mara")
    reported.then_work(
        "report-not-published", "report", since=TODAY, due=TODAY + timedelta(days=14)
    )
    reported.published(HELD).then_work("report-not-published")
    reported.published(SolutionWentLive(live_on=TODAY)).then_work("report-not-published")
    reported.consumed(TERMINATED).then_work("report-not-published")


# ---- closing ---------------------------------------------------------------------------------


def test_after_the_go_live_what_gate_7_asks_for_is_owed() -> None:
    live = worked().published(SolutionWentLive(live_on=TODAY))
    live.then_work("deliverable-not-submitted", "design", "portal", since=TODAY, person="mara")
    live.then_work("engagement-not-closed")
    live.then_work("survey-not-sent", "closing").then_work("pir-not-held", "closing")
    reviewed = live.after(HoldPir(went_well=("The team",), went_badly=("The data",)), by="mara")
    reviewed.then_work("pir-not-held")
    reviewed.published(SURVEY_SENT).then_work("survey-not-sent")
    accepted(live, "design").then_work("deliverable-not-submitted", "portal")
    worked().then_work("pir-not-held")


def test_an_engagement_that_may_be_closed_waits_for_that_and_closed_it_owes_nothing() -> None:
    finished().then_work("engagement-not-closed", "closing", since=TODAY, person="mara")
    finished().then_work("survey-not-answered", "S-1/cleo", "S-1/cy", since=TODAY)
    answer = AnswerSurvey(
        survey="S-1", answered_by="cleo", satisfaction={"quality": 5, "timeliness": 4}, recommend=9
    )
    answered_one = finished().after(answer, by="mara")
    answered_one.then_work("survey-not-answered", "S-1/cy", person="cy")
    assert finished().after(CloseEngagement(), by="mara").work == ()


# ---- timesheets ------------------------------------------------------------------------------


def test_a_saved_week_is_due_on_its_sunday() -> None:
    saved = new().after(save(training=[off()]), by="dev")
    saved.then_work(
        "timesheet-not-submitted",
        "draft",
        since=WEEK,
        due=WEEK + timedelta(days=6),
        person="dev",
    )
    after = saved.after(SubmitTimesheet(), by="dev")
    after.then_work("timesheet-not-submitted")
    after.then_work("internal-time-waiting", "training", to_person="dev", since=WEEK + timedelta(4))
    after.after(ApproveInternalTime(), by="mara").then_work("internal-time-waiting")


def test_rejected_time_is_owed_by_its_person_until_the_week_is_saved_again() -> None:
    one = taken().view["lines"][0].entries[0].entry
    rejected = taken().after(NoteDecision(rejected=(one,), why="Other week."))
    rejected.then_work("time-returned", ID, person="dev", since=WEEK + timedelta(days=4))
    [item] = [each for each in rejected.work if each.kind.code == "time-returned"]
    assert "Other week." in item.sentence
    rejected.after(save(work()), by="dev").then_work("time-returned")


def test_time_that_an_engagement_refused_is_owed_by_its_person() -> None:
    refusal = Refusal("engagement-over", "it was closed")
    refused = answered(submitted(), ID, refused=refusal)
    refused.then_work("time-returned", ID, person="dev")
    refused.then_work("timesheet-not-submitted")
    refused.after(save(work()), by="dev").then_work("timesheet-not-submitted", "draft")


def test_every_condition_of_the_approval_of_time_has_a_kind_of_items() -> None:
    conditions = {
        (code.replace("\\", ""), owed_by)
        for file, names in (
            (
                "delivery/coverage.py",
                (
                    "_before_take_over",
                    "_outside_contract",
                    "outside_early_start",
                    "_beyond_caps",
                    "_outside_plan",
                    "_without_rate",
                ),
            ),
            (
                "delivery/policies.py",
                ("on_hold", "change_not_released", "change_not_priced", "not_implementable"),
            ),
        )
        for name in names
        for code, owed_by in missing(file, name)
    }
    known = {(str(code), str(owed_by)) for code, owed_by in CONDITIONS}
    several = {
        ("brd-not-signed-off", "(?:legal|delivery)"),
        ("rates-missing", "(?:finance|delivery)"),
    }
    assert conditions - several <= known
    assert several <= conditions


def test_every_condition_of_the_approval_of_expenses_has_a_kind_of_items() -> None:
    conditions = {
        (code.replace("\\", ""), owed_by)
        for file, names in (
            (
                "delivery/coverage.py",
                (
                    "_before_take_over",
                    "_outside_contract",
                    "outside_early_start",
                    "_beyond_caps",
                    "_without_line",
                ),
            ),
            ("delivery/policies.py", ("on_hold",)),
        )
        for name in names
        for code, owed_by in missing(file, name)
    }
    known = {(str(code), str(owed_by)) for code, owed_by in OF_EXPENSES}
    several = {("rates-missing", "(?:finance|delivery)")}
    assert conditions - several <= known
    assert several <= conditions
