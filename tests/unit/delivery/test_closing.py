from datetime import date

from contracts.delivery import (
    EngagementClosed,
    GoLiveWithdrawn,
    PirHeld,
    SolutionWentLive,
)
from contracts.finance import AccountReopened, InvoiceIssued
from contracts.legal import (
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
)
from contracts.lines import BillingItem
from delivery.acceptance.decisions import SubmitDeliverable, WithdrawAcceptance
from delivery.closing.decisions import CloseEngagement, GoLive, HoldPir, WithdrawGoLive
from delivery.engagement import Engagement
from delivery.expenses.decisions import ApproveExpense, RejectExpense, SubmitExpense
from delivery.management.decisions import AssignManager
from delivery.raid.decisions import CloseRaidItem, RaiseAction, RaiseIssue
from delivery.surveys.decisions import AnswerSurvey, SendSurvey
from delivery.time_entries.decisions import ApproveTime, RejectTime
from testkit.scenario import Scenario, like
from tests.amounts import eur, hours
from tests.invoices import untaxed
from tests.unit.delivery.builders import (
    AMENDMENT_SIGNED,
    BUDGET,
    BUDGET_AMENDED,
    CHANGES,
    HASH,
    LINES,
    SETTLED,
    SURVEY_SENT,
    TERMINATED,
    TIME_APPROVED,
    TODAY,
    WEEK,
    accepted,
    asked,
    entry,
    finished,
    released,
    reversed_time,
    signed,
    with_time,
    worked,
)

PIR = HoldPir(went_well=("The team",), went_badly=("The data",))
CLOSE = CloseEngagement()
SURVEY = SendSurvey(
    survey="S-1", kind="csat-and-nps", phase="Build", questions=SURVEY_SENT.questions
)
ISSUE = RaiseIssue(item="I-1", title="Slow", severity="low", owner="dev", due_on=TODAY)


def test_the_solution_goes_live_once_and_after_the_kickoff() -> None:
    live = released().when(GoLive()).then(SolutionWentLive(live_on=TODAY))
    live.on(date(2026, 4, 9)).when(GoLive()).then_nothing()
    live.when(GoLive(live_on=date(2026, 4, 7))).then_refused("already-recorded")
    signed().when(GoLive()).then_refused("work-not-begun")


def test_a_go_live_recorded_by_mistake_is_withdrawn_and_recorded_again() -> None:
    withdraw = WithdrawGoLive(why="Only a test.")
    live = released().after(GoLive())
    withdrawn = live.when(withdraw).then(
        GoLiveWithdrawn(live_on=TODAY, why="Only a test.", withdrawn_on=TODAY)
    )
    withdrawn.then_view(stage="delivering", live_on=None)
    withdrawn.when(withdraw).then_refused("solution-not-live")
    released().when(withdraw).then_refused("solution-not-live")
    other_day = GoLive(live_on=date(2026, 4, 7))
    withdrawn.when(other_day).then(SolutionWentLive(live_on=date(2026, 4, 7)))


def test_the_review_compares_sold_with_delivered_hours() -> None:
    held = (
        worked()
        .when(PIR)
        .then(
            PirHeld(
                held_on=TODAY,
                went_well=("The team",),
                went_badly=("The data",),
                sold_hours=hours(270),
                delivered_hours=hours(38),
            )
        )
    )
    held.on(date(2026, 4, 9)).when(PIR).then_nothing()
    held.when(HoldPir(went_well=(), went_badly=())).then_refused("already-recorded")
    more = with_time(held, *TIME_APPROVED.entries, approved=True)
    assert more.state.time.approved_hours == hours(76)
    more.when(PIR).then_nothing()
    more.when(HoldPir(went_well=("The team",), went_badly=())).then_refused(
        "already-recorded", fields={"went_badly"}
    )
    asked().when(PIR).then_refused("deal-not-won", missing=["deal-not-won"])


def test_a_finished_engagement_is_closed_once() -> None:
    closed = (
        finished()
        .when(CLOSE)
        .then(EngagementClosed(closed_on=TODAY, sold_hours=hours(270), delivered_hours=hours(38)))
    )
    closed.then_view(stage="closed")
    closed.when(CloseEngagement(closed_on=TODAY)).then_nothing()
    closed.on(date(2026, 4, 20)).when(CLOSE).then_nothing()
    closed.when(CloseEngagement(closed_on=date(2026, 4, 7))).then_refused("engagement-over")


def test_an_engagement_is_not_closed_while_anything_is_owed() -> None:
    waiting = accepted(released(), "design").after(ISSUE)
    refused = waiting.when(CLOSE)
    refused.then_refused(
        "engagement-not-closable",
        missing=[
            "deliverable-not-accepted",
            "account-not-settled",
            "issue-open",
            "pir-not-held",
            "survey-not-sent",
        ],
    )
    assert refused.refusal is not None
    sentences = [item.sentence for item in refused.refusal.missing]
    assert "deliverable portal (The portal) is not submitted" in sentences
    assert "issue I-1 (Slow) is open" in sentences
    assert {item.owed_by for item in refused.refusal.missing} == {"delivery", "finance"}


def test_a_submitted_deliverable_is_not_accepted_yet() -> None:
    waiting = accepted(worked(), "design").after(
        SubmitDeliverable(deliverable="portal", content_hash=HASH)
    )
    waiting.after(SURVEY).after(PIR).consumed(SETTLED).when(CLOSE).then_refused(
        "engagement-not-closable",
        missing=["deliverable-not-accepted"],
        saying="portal (The portal) is not acc",
    )


def test_each_open_item_prevents_closing_by_itself() -> None:
    issue = finished().after(ISSUE)
    issue.when(CLOSE).then_refused("engagement-not-closable", missing=["issue-open"])
    issue.after(CloseRaidItem(item="I-1", resolution="Fast.")).when(CLOSE).then_accepted()
    action = finished().after(RaiseAction(item="A-1", title="Hand over", owner="dev", due_on=TODAY))
    action.when(CLOSE).then_refused("engagement-not-closable", missing=["action-open"])
    action.after(CloseRaidItem(item="A-1", resolution="Done.")).when(CLOSE).then_accepted()
    wrong = WithdrawAcceptance(deliverable="design", submission=1, why="Another letter.")
    finished().after(wrong).when(CLOSE).then_refused(
        "engagement-not-closable", missing=["deliverable-not-accepted"]
    )
    rest = accepted(worked(), "design", "portal").after(SURVEY)
    rest.after(PIR).when(CLOSE).then_refused(
        "engagement-not-closable", missing=["account-not-settled"]
    )
    rest.consumed(SETTLED).when(CLOSE).then_refused(
        "engagement-not-closable", missing=["pir-not-held"]
    )
    without_survey = accepted(worked(), "design", "portal").after(PIR).consumed(SETTLED)
    without_survey.when(CLOSE).then_refused("engagement-not-closable", missing=["survey-not-sent"])


def test_an_open_obligation_of_either_party_prevents_closing() -> None:
    terms = {"text": "Insure.", "clause": "11 Insurance", "document": HASH, "person": "carl"}
    ours = ObligationRecorded.model_validate(
        {**terms, "obligation": "OB-1", "owed_by": "company", "recorded_on": TODAY}
    )
    theirs = ours.model_copy(
        update={"obligation": "OB-2", "owed_by": "customer", "due_on": date(2026, 5, 1)}
    )
    obliged = finished().consumed(ours, theirs)
    assert [each.obligation for each in obliged.view["contract"].obligations] == ["OB-1", "OB-2"]
    refused = obliged.when(CLOSE)
    refused.then_refused("engagement-not-closable", missing=["obligation-open"] * 2)
    assert refused.refusal is not None
    assert [(item.sentence, item.owed_by) for item in refused.refusal.missing] == [
        ("obligation OB-1 of the company (clause 11 Insurance) is open", "legal"),
        (
            "obligation OB-2 of the customer (clause 11 Insurance), due on 2026-05-01, is open",
            "legal",
        ),
    ]
    met = obliged.consumed(
        ObligationMet(obligation="OB-1", met_on=TODAY),
        ObligationWithdrawn(obligation="OB-2", why="Wrong.", withdrawn_on=TODAY),
    )
    met.when(CLOSE).then_accepted()
    again = ObligationReopened.model_validate(
        {
            **terms,
            "obligation": "OB-1",
            "owed_by": "company",
            "why": "Not ours.",
            "met_on": TODAY,
            "reopened_on": TODAY,
        }
    )
    reopened = met.consumed(again)
    reopened.when(CLOSE).then_refused("engagement-not-closable", missing=["obligation-open"])
    state = reopened.state
    assert type(state).model_validate_json(state.model_dump_json()) == state


def test_time_awaiting_approval_prevents_closing() -> None:
    one = with_time(finished(), entry(8))
    one.when(CLOSE).then_refused(
        "engagement-not-closable",
        missing=["time-waiting"],
        saying="1 time entry waits for approval: 8 hours of dev",
    )
    three = with_time(with_time(finished(), entry(8), entry(10)), entry(9), person="milo")
    three.when(CLOSE).then_refused(
        "engagement-not-closable",
        saying="3 time entries wait for approval: 16 hours of dev, 8 hours of milo",
    )
    decided = one.after(RejectTime(person="dev", week=WEEK, why="Twice."), by="mara")
    decided.when(CLOSE).then_accepted()


def test_an_expense_awaiting_approval_prevents_closing() -> None:
    waiting, expense = submitted(finished(), SPENT)
    waiting.when(CLOSE).then_refused(
        "engagement-not-closable", missing=["expense-waiting"], saying=f"{expense} of dev waits"
    )
    waiting.after(RejectExpense(expense=expense, why="No."), by="mara").when(CLOSE).then_accepted()


def submitted(
    scenario: Scenario[Engagement], expense: SubmitExpense
) -> tuple[Scenario[Engagement], str]:
    """Return the scenario after dev submitted an expense, and its id."""
    after = scenario.after(expense, by="dev")
    [waiting] = after.view["expenses"].waiting
    return after, waiting.expense


def test_an_invoice_after_the_settlement_has_to_be_settled_too() -> None:
    invoiced = finished().consumed(
        InvoiceIssued(
            invoice="INV-1",
            number="2026-1",
            billing_event="BE-1",
            kind="time",
            **untaxed(eur(10)),
            advance_drawn=eur(0),
            issued_on=TODAY,
            due_on=TODAY,
        )
    )
    invoiced.when(CLOSE).then_refused("engagement-not-closable", missing=["account-not-settled"])
    invoiced.consumed(SETTLED).when(CLOSE).then_accepted()


def test_a_change_order_after_the_settlement_has_to_be_settled_too() -> None:
    amended = finished().consumed(
        BUDGET_AMENDED.model_copy(update={"change": "CR-9", "amendment": "A-CR-9"})
    )
    amended.when(CLOSE).then_refused("engagement-not-closable", missing=["account-not-settled"])
    amended.consumed(SETTLED).when(CLOSE).then_accepted()


def test_an_amendment_after_the_settlement_prevents_closing_until_it_is_settled() -> None:
    # Finance settled before it processed the amendment; its amended budget follows.
    signed_after = finished().consumed(
        AMENDMENT_SIGNED.model_copy(
            update={"changes": (CHANGES[0].model_copy(update={"deliverables_added": ()}),)}
        )
    )
    signed_after.when(CLOSE).then_refused(
        "engagement-not-closable",
        missing=["budget-not-amended"],
        saying="amendment A-1 is signed and not in the budget",
    )
    amended = signed_after.consumed(BUDGET_AMENDED)
    amended.when(CLOSE).then_refused("engagement-not-closable", missing=["account-not-settled"])
    amended.consumed(SETTLED).when(CLOSE).then_accepted()


HOURLY = BUDGET.model_copy(
    update={
        "lines": (
            LINES[0].model_copy(
                update={
                    "pricing": "time-and-materials",
                    "billing": (BillingItem(item="B-1", kind="time", amount=eur(90_000)),),
                }
            ),
            LINES[1],
        )
    }
)
SPENT = SubmitExpense(amount=eur(90), description="A train.", category="travel", spent_on=TODAY)


def spent(scenario: Scenario[Engagement], submit: SubmitExpense = SPENT) -> Scenario[Engagement]:
    waiting, expense = submitted(scenario, submit)
    return waiting.after(ApproveExpense(expense=expense), by="mara")


def test_work_approved_after_the_settlement_prevents_closing_of_an_hourly_contract() -> None:
    by_the_hour = finished().consumed(HOURLY)
    settled_at = by_the_hour.stream.position
    by_the_hour.consumed(SETTLED, knowing=settled_at).when(CLOSE).then_accepted()
    since = with_time(by_the_hour, entry(9)).after(ApproveTime(person="dev", week=WEEK), by="mara")
    # Delivery processes the settlement later, but Finance had not processed these entries.
    since.consumed(SETTLED, knowing=settled_at).when(CLOSE).then_refused(
        "engagement-not-closable",
        missing=["account-not-settled"],
        saying="without work that was approved or reversed since",
    )
    since.consumed(SETTLED, knowing=since.stream.position).when(CLOSE).then_accepted()
    back = by_the_hour.published(reversed_time(*TIME_APPROVED.entries))
    for more in (spent(by_the_hour), back):
        more.consumed(SETTLED, knowing=settled_at).when(CLOSE).then_refused(
            "engagement-not-closable", missing=["account-not-settled"]
        )
    free = spent(by_the_hour, SPENT.model_copy(update={"billable": False}))
    free.consumed(SETTLED, knowing=settled_at).when(CLOSE).then_accepted()
    # A fixed price bills no time.
    spent(finished()).consumed(SETTLED, knowing=settled_at).when(CLOSE).then_accepted()


def test_a_reopened_account_has_to_be_settled() -> None:
    reopened = finished().consumed(
        AccountReopened(
            settled_on=SETTLED.settled_on, unbilled=eur(800), to_credit=eur(0), outstanding=eur(0)
        )
    )
    reopened.when(CLOSE).then_refused("engagement-not-closable", missing=["account-not-settled"])


def test_after_closing_only_survey_answers_are_accepted() -> None:
    closed = finished().after(CLOSE)
    answer = AnswerSurvey(
        survey="S-1", answered_by="cleo", satisfaction={"quality": 4}, recommend=9
    )
    closed.when(answer).then_accepted()
    closed.when(AssignManager(manager="milo")).then_refused("engagement-over", saying="closed")


def test_a_terminated_engagement_is_reviewed_and_not_closed() -> None:
    over = worked().consumed(TERMINATED)
    over.when(PIR).then(like(PirHeld, delivered_hours=hours(38)))
    over.when(SURVEY).then_accepted()
    over.when(CLOSE).then_refused("engagement-over")
