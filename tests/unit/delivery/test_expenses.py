from datetime import date, timedelta
from functools import cache

import pytest
from pydantic import ValidationError

from chassis.domain.pending import Requested
from contracts.delivery import (
    Expense,
    ExpenseApproved,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
    ExpenseWithdrawn,
)
from delivery.decided_expenses.requests import KeepExpense
from delivery.engagement import Engagement
from delivery.expenses.decisions import (
    ApproveExpense,
    RejectExpense,
    SubmitExpense,
    WithdrawExpense,
    keeping,
)
from delivery.expenses.requests import TakeBackExpense
from delivery.service import ENGAGEMENT
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.delivery.builders import HASH, ID, LOST, TERMINATED, WEEK, finished, released
from tests.unit.delivery.test_closing import CLOSE

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
EXPENSE = Expense.model_validate(dict(SUBMITTED))


def keep(why: str | None = None) -> Requested:
    kept = KeepExpense(decided=EXPENSE, why=why)
    return keeping(f"{ID}.X-1", kept, id="expense-decided", item="X-1")


def at(**update: object) -> SubmitExpense:
    return SubmitExpense.model_validate({**dict(SUBMIT), **update})


@cache
def submitted() -> Scenario[Engagement]:
    return released().published(SUBMITTED, by="dev")


@cache
def approved() -> Scenario[Engagement]:
    return submitted().published(ExpenseApproved(**dict(SUBMITTED)))


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
    for gone in (released(), approved()):
        gone.when(other, by="dev").then_refused("expense-not-waiting")


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
    for first in (WITHDRAW, APPROVE, reject):
        ended = submitted().after(first, by="dev" if first is WITHDRAW else "mara")
        ended.when(WITHDRAW, by="dev").then_refused("expense-not-waiting", saying="X-1")
        ended.when(APPROVE, by="mara").then_refused("expense-not-waiting", fields={"expense"})
        ended.when(reject, by="mara").then_refused("expense-not-waiting")
        ended.when(REPLACE, by="dev").then_refused("expense-not-waiting")


def test_an_expense_is_approved_once_by_another_person() -> None:
    approval = submitted().when(APPROVE, by="mara")
    approval.then_requests(keep())
    once = approval.then(ExpenseApproved(**dict(SUBMITTED)))
    once.when(APPROVE, by="mara").then_refused("expense-not-waiting")
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
    rejected.when(reject, by="mara").then_refused("expense-not-waiting")
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
