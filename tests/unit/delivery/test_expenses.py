from datetime import date, timedelta
from functools import cache

import pytest
from pydantic import ValidationError

from chassis.domain.pending import Requested
from contracts.delivery import (
    EngagementPutOnHold,
    Expense,
    ExpenseApproved,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
    ExpenseWithdrawn,
)
from contracts.lines import LineChange, NewLine
from delivery.decided_expenses.requests import KeepExpense
from delivery.engagement import Engagement
from delivery.expenses.decisions import (
    ApproveExpense,
    ApproveExpenseAsCost,
    RejectExpense,
    SubmitExpense,
    WithdrawExpense,
    keeping,
)
from delivery.expenses.requests import TakeBackExpense
from delivery.expenses.state import MOST_ENDED
from delivery.service import ENGAGEMENT
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.delivery.builders import (
    AMENDMENT_SIGNED,
    HASH,
    ID,
    LOST,
    SOW,
    SOW_SIGNED,
    START,
    TERMINATED,
    TODAY,
    WEEK,
    entry,
    finished,
    released,
    with_time,
)
from tests.unit.delivery.test_closing import CLOSE
from tests.unit.delivery.test_time_entries import early, initial, missing_of, unsigned

SUBMIT = SubmitExpense(
    amount=eur("120.5"),
    description="Train",
    category="travel",
    spent_on=WEEK,
    receipt=HASH,
)
SUBMITTED = ExpenseSubmitted(**{**dict(SUBMIT), "expense": "X-1"}, person="dev")
REPLACE = SUBMIT.model_copy(update={"expense": "X-1"})
WITHDRAW = WithdrawExpense(expense="X-1")
APPROVE = ApproveExpense(expense="X-1")
AS_COST = ApproveExpenseAsCost(expense="X-1", why_not_billed="Before the contract.")
EXPENSE = Expense.model_validate(dict(SUBMITTED))
BEFORE = START - timedelta(days=3)
"""Day before the contract takes effect."""
HELD = EngagementPutOnHold(reason="Waiting for data.", held_on=TODAY)
ENDED = TERMINATED.model_copy(update={"terminated_on": WEEK})


def keep(why: str | None = None) -> Requested:
    kept = KeepExpense(decided=EXPENSE, why=why)
    return keeping(f"{ID}.X-1", kept, id="expense-decided", item="X-1")


def spent(scenario: Scenario[Engagement], **update: object) -> Scenario[Engagement]:
    """Return the engagement with the expense, submitted with some other fields."""
    return scenario.published(ExpenseSubmitted.model_validate({**dict(SUBMITTED), **update}))


def missing_for(scenario: Scenario[Engagement]) -> list[str]:
    """Return the codes of what is missing for the expense, as the view shows them."""
    [waiting] = scenario.view["expenses"].waiting
    return [each.code for each in waiting.missing]


def at(**update: object) -> SubmitExpense:
    return SubmitExpense.model_validate({**dict(SUBMIT), **update})


@cache
def submitted() -> Scenario[Engagement]:
    return released().published(SUBMITTED, by="dev")


@cache
def approved() -> Scenario[Engagement]:
    return submitted().published(ExpenseApproved(**dict(SUBMITTED)), by="mara")


def test_an_expense_is_submitted_by_who_spent_it() -> None:
    made = released().when(SUBMIT, by="dev").then_accepted()
    [waiting] = made.view["expenses"].waiting
    assert waiting.expense.startswith("X-")
    assert (waiting.person, waiting.amount) == ("dev", SUBMIT.amount)
    made.when(at(expense=waiting.expense), by="dev").then_nothing()


def test_what_waits_is_replaced_by_the_same_person_only() -> None:
    other = at(expense="X-1", amount=eur(9))
    submitted().when(other, by="dev").then(like(ExpenseSubmitted, expense="X-1", amount=eur(9)))
    submitted().when(other, by="milo").then_refused("expense-not-own")
    released().when(other, by="dev").then_refused("expense-not-waiting", saying="unknown")


def test_what_was_approved_is_submitted_again_without_effect_only_as_it_was() -> None:
    approved().when(REPLACE, by="dev").then_nothing()
    approved().when(REPLACE, by="milo").then_refused("expense-not-own")
    other = at(expense="X-1", amount=eur(9), description="Taxi")
    refused = approved().when(other, by="dev")
    refused.then_refused("already-recorded", fields={"amount", "description"})
    refused.then_refused("already-recorded", saying="was approved on 2026-04-08 by mara")
    uncovered = spent(released(), spent_on=BEFORE).after(AS_COST, by="olga")
    uncovered.when(at(expense="X-1", spent_on=BEFORE), by="dev").then_nothing()


def test_an_expense_is_withdrawn_by_the_person_or_their_stand_in() -> None:
    withdrawn = ExpenseWithdrawn(**dict(SUBMITTED))
    gone = submitted().when(WITHDRAW, by="dev").then(withdrawn).then_view(expenses__waiting=())
    submitted().when(WITHDRAW, by="max", on_behalf_of="dev").then(withdrawn)
    for other in ("milo", "mara"):
        submitted().when(WITHDRAW, by=other).then_refused("expense-not-own")
    submitted().when(WITHDRAW, by="dev", on_behalf_of="milo").then_refused("expense-not-own")
    gone.when(SUBMIT, by="dev").then_accepted()


def test_of_a_withdrawal_and_a_decision_the_first_is_final() -> None:
    reject = RejectExpense(expense="X-1", why="No receipt.")
    given = ((WITHDRAW, "dev", "withdrawn"), (APPROVE, "mara", "approved"))
    for first, by, ending in (*given, (reject, "mara", "rejected")):
        ended = submitted().after(first, by=by)
        ended.when(first, by=by).then_nothing()
        for second, other in ((WITHDRAW, "dev"), (APPROVE, "mara"), (reject, "mara")):
            if second is not first:
                refused = ended.when(second, by=other)
                refused.then_refused("expense-not-waiting", fields={"expense"})
                became = f"X-1 does not wait for approval: it was {ending} on 2026-04-08 by {by}"
                refused.then_refused("expense-not-waiting", saying=became)
        if first is not APPROVE:
            ended.when(REPLACE, by="dev").then_refused("expense-not-waiting", saying=ending)
        ended.when(WITHDRAW, by="milo").then_refused("expense-not-own")


def test_what_became_of_the_last_expenses_is_remembered() -> None:
    ended = submitted().after(WITHDRAW, by="dev")
    for number in range(MOST_ENDED):
        ended.when(WITHDRAW, by="dev").then_nothing()
        other = SUBMITTED.model_copy(update={"expense": f"Y-{number}"})
        ended = ended.published(other, ExpenseApproved(**dict(other)))
    ended.when(WITHDRAW, by="dev").then_refused("expense-not-waiting", saying="unknown")


def test_an_expense_is_approved_once_by_another_person() -> None:
    approval = submitted().when(APPROVE, by="mara")
    approval.then_requests(keep())
    once = approval.then(ExpenseApproved(**dict(SUBMITTED)))
    once.when(APPROVE, by="mara").then_nothing()
    once.when(APPROVE, by="dev").then_refused("approver-is-author")
    once.then_view(expenses__waiting=(), expenses__approved=(SUBMIT.amount,))
    submitted().when(APPROVE, by="dev").then_refused("approver-is-author")
    submitted().when(APPROVE, by="mara", on_behalf_of="dev").then_refused("approver-is-author")
    for_dev = submitted().when(at(expense="X-1", amount=eur(9)), by="max", on_behalf_of="dev")
    for_dev.then_accepted().when(APPROVE, by="max").then_refused("approver-is-author")
    released().when(APPROVE, by="mara").then_refused("expense-not-waiting")


def test_a_rejected_expense_may_be_submitted_again() -> None:
    reject = RejectExpense(expense="X-1", why="No receipt.")
    rejection = submitted().when(reject, by="mara")
    rejection.then_requests(keep("No receipt."))
    rejected = rejection.then(ExpenseRejected(**dict(SUBMITTED), why="No receipt."))
    rejected.when(reject, by="mara").then_nothing()
    differing = reject.model_copy(update={"why": "Too much."})
    rejected.when(differing, by="mara").then_refused("already-recorded", fields={"why"})
    rejected.when(APPROVE, by="mara").then_refused("expense-not-waiting")
    rejected.when(REPLACE, by="dev").then_refused("expense-not-waiting")
    rejected.when(SUBMIT, by="dev").then(like(ExpenseSubmitted, person="dev"))
    approved().when(reject, by="mara").then_refused("expense-not-waiting")


def test_an_approved_expense_is_taken_back() -> None:
    correction = {"why": "The wrong receipt.", "reversed_on": date(2026, 4, 8)}
    back = TakeBackExpense.model_validate({"approved": EXPENSE, **correction})
    event = ExpenseReversed.model_validate({**dict(EXPENSE), **correction})
    approved().when(back).then(event).then_view(expenses__approved=())
    finished().after(CLOSE).when(back).then_refused("engagement-over")


def test_an_expense_is_refused_for_what_it_can_be_judged_by() -> None:
    tomorrow = at(spent_on=WEEK + timedelta(days=9))
    released().when(tomorrow, by="dev").then_refused("date-in-future")
    released().when(SUBMIT, by="ghost").then_refused("person-unknown")
    unknown = at(receipt=f"sha256:{'f' * 64}")
    released().when(unknown, by="dev").then_refused("document-unknown", fields=["receipt"])
    released().when(at(line="cruise"), by="dev").then_refused("line-unknown", saying="cruise")
    released().when(at(line="desk"), by="dev").then(like(ExpenseSubmitted, line="desk"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": {"amount": "0", "currency": "EUR"}},
        {"amount": {"amount": "-1", "currency": "EUR"}},
        {"amount": {"amount": "1.005", "currency": "EUR"}},
        {"amount": {"amount": "NaN", "currency": "EUR"}},
        {"amount": {"amount": "1", "currency": "euro"}},
        {"category": "Travel!"},
        {"description": ""},
        {"person": "dev"},
    ],
)
def test_invalid_expenses_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        at(**wrong)


def test_no_gate_refuses_an_expense() -> None:
    for over in (TERMINATED, LOST):
        released().consumed(over).when(SUBMIT, by="dev").then_accepted()
        submitted().consumed(over).when(APPROVE, by="mara").then_accepted()
        submitted().consumed(over).when(WITHDRAW, by="dev").then_accepted()
    closed = finished().after(CLOSE)
    closed.when(SUBMIT, by="dev").then_refused("engagement-over", saying="closed")


def test_stand_ins_for_time_submit_and_withdraw_expenses() -> None:
    purposes = {kind.named(): entry.stand_in for kind, entry in ENGAGEMENT.commands.items()}
    for_time = [name for name, purpose in purposes.items() if purpose == "time"]
    assert for_time == ["submit-expense", "withdraw-expense"]


# ---- what nothing covers -----------------------------------------------------------------------


def test_a_billable_expense_that_nothing_covers_is_not_approved_as_billable() -> None:
    made = released().when(at(spent_on=BEFORE), by="dev").then_accepted()
    [waiting] = made.view["expenses"].waiting
    assert [each.code for each in waiting.missing] == ["date-before-contract"]
    approve = ApproveExpense(expense=waiting.expense)
    made.when(approve, by="mara").then_refused(
        "expense-not-covered",
        missing=["date-before-contract"],
        saying="2026-04-06, after 2026-04-03",
    )


def test_an_expense_that_is_not_billable_needs_no_cover() -> None:
    cost = spent(released(), spent_on=BEFORE, billable=False)
    assert missing_for(cost) == []
    cost.when(APPROVE, by="mara").then(like(ExpenseApproved, billable=False, why_not_billed=None))


def test_an_expense_that_nothing_covers_is_approved_as_cost_with_a_reason() -> None:
    uncovered = spent(released(), spent_on=BEFORE)
    approval = uncovered.when(AS_COST, by="olga")
    cost = Expense.model_validate({**dict(EXPENSE), "spent_on": BEFORE, "billable": False})
    kept = KeepExpense(decided=cost, why_not_billed="Before the contract.")
    approval.then_requests(keeping(f"{ID}.X-1", kept, id="expense-decided", item="X-1"))
    once = approval.then(ExpenseApproved(**dict(cost), why_not_billed="Before the contract."))
    once.when(AS_COST, by="olga").then_nothing()
    differing = AS_COST.model_copy(update={"why_not_billed": "Too late."})
    once.when(differing, by="olga").then_refused("already-recorded", fields={"why_not_billed"})
    became = "it was approved as cost on 2026-04-08 by olga"
    once.when(APPROVE, by="mara").then_refused("expense-not-waiting", saying=became)
    uncovered.when(AS_COST, by="dev").then_refused("approver-is-author")
    for covered in (submitted(), spent(released(), spent_on=BEFORE, billable=False)):
        covered.when(AS_COST, by="olga").then_refused("expense-covered", saying="X-1")
    released().when(AS_COST, by="olga").then_refused("expense-not-waiting")


def test_only_the_director_approves_expenses_as_cost() -> None:
    [as_cost] = [each for each in ENGAGEMENT.commands if each is ApproveExpenseAsCost]
    assert ENGAGEMENT.commands[as_cost].by == ("pmo-director",)


@pytest.mark.parametrize("day", [BEFORE, WEEK, WEEK + timedelta(days=1), TODAY])
@pytest.mark.parametrize(
    "scenario",
    [
        unsigned(),
        unsigned().consumed(SOW, SOW_SIGNED),
        released(),
        released().consumed(ENDED),
        released().published(HELD),
        released().consumed(ENDED).published(HELD),
        early(),
        with_time(early(), *(initial(number, START, 20) for number in range(4)), approved=True),
    ],
    ids=["unsigned", "signed", "released", "ended", "held", "both", "early", "early-spent"],
)
def test_an_expense_is_covered_as_time_of_its_day_is(
    scenario: Scenario[Engagement], day: date
) -> None:
    task = "analysis" if scenario.state.planning.baseline else "initiation"
    worked = with_time(scenario, entry(9, day=day, task=task, line=None))
    paid = spent(scenario, spent_on=day)
    assert {*missing_for(paid)} == missing_of(worked)["T-9"]
    if missing_for(paid):
        paid.when(APPROVE, by="mara").then_refused("expense-not-covered")
    else:
        paid.when(APPROVE, by="mara").then_accepted()


def test_an_expense_is_covered_once_the_contract_is_signed() -> None:
    waiting = spent(unsigned(), spent_on=START)
    assert missing_for(waiting) == ["sow-not-signed"]
    waiting.consumed(SOW, SOW_SIGNED).when(APPROVE, by="mara").then_accepted()


def test_the_line_of_an_expense_was_signed_by_its_day() -> None:
    change = LineChange(
        line="travel", new=NewLine(title="Travel", pricing="at-cost"), price_delta=eur(2_000)
    )
    amended = released().consumed(AMENDMENT_SIGNED.model_copy(update={"changes": (change,)}))
    late = spent(amended, spent_on=TODAY - timedelta(days=1), line="travel")
    late.when(APPROVE, by="mara").then_refused(
        "expense-not-covered", missing=["date-before-amendment"], saying="A-1"
    )
    assert missing_for(spent(amended, spent_on=TODAY, line="travel")) == []
    assert missing_for(spent(released(), line="cruise")) == ["line-unknown"]


def test_what_an_expense_waits_for_is_owed_as_a_work_item() -> None:
    uncovered = spent(released(), spent_on=BEFORE)
    uncovered.then_work("expense-waiting")
    uncovered.then_work("date-before-contract", "expenses", to_person="mara")
    [item] = [each for each in uncovered.work if each.kind.code == "date-before-contract"]
    assert item.sentence.startswith("1 expense of dev cannot be billed: the contract covers work")
    assert item.kind.blocks == ("approve-expense",)
    assert item.kind.command == "approve-expense-as-cost"
    over = spent(released().consumed(ENDED), spent_on=TODAY)
    over.then_work("engagement-over", "expenses")
    [item] = [each for each in over.work if each.kind.code == "engagement-over"]
    assert item.kind.command == "approve-expense-as-cost"
    submitted().then_work("expense-waiting", "X-1")
    submitted().then_work("date-before-contract")
