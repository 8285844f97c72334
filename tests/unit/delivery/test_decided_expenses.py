from datetime import date, timedelta
from functools import cache

import pytest

from chassis.domain.pending import Refusal
from contracts.refusals import RefusalCode
from delivery.decided_expenses.decisions import ReverseExpense, taking_back
from delivery.decided_expenses.events import (
    ExpenseDecided,
    ExpenseReversalBegun,
    ExpenseReversalEnded,
)
from delivery.decided_expenses.requests import KeepExpense
from delivery.decided_expenses.state import DecidedExpense
from delivery.expenses.requests import TakeBackExpense
from delivery.service import EXPENSE
from testkit.scenario import Scenario, given
from tests.unit.delivery.builders import ID, WEEK
from tests.unit.delivery.test_expenses import EXPENSE as SPENT

SUBJECT = f"{ID}.X-1"
WHY = "The wrong receipt."
REVERSE = ReverseExpense(why=WHY)
BACK = TakeBackExpense(approved=SPENT, why=WHY, reversed_on=date(2026, 4, 8))
ASKED = taking_back(ID, BACK, id="take-back-1", item="X-1")


@cache
def kept() -> Scenario[DecidedExpense]:
    return (
        given(EXPENSE, SUBJECT)
        .on(date(2026, 4, 8))
        .when(KeepExpense(decided=SPENT))
        .then(ExpenseDecided(decided=SPENT))
    )


@cache
def reversing() -> Scenario[DecidedExpense]:
    asked = kept().when(REVERSE, by="mara")
    asked.then_requests(ASKED)
    return asked.then(ExpenseReversalBegun(number=1, why=WHY))


def test_an_approved_expense_is_reversed_once() -> None:
    kept().then_view(engagement=ID, status="approved", why=None, refusal=None)
    assert EXPENSE.rows(kept().state) == {
        "engagement": ID,
        "person": "dev",
        "category": "travel",
        "spent_on": "2026-04-06",
        "status": "approved",
    }
    for_now = reversing().then_view(status="reversing")
    for_now.when(REVERSE, by="mara").then_refused("expense-not-approved")
    outcome = for_now.when_outcome("take-back-1", "X-1")
    done = outcome.then(ExpenseReversalEnded()).then_view(status="reversed", why=WHY)
    done.when(REVERSE, by="mara").then_refused("expense-not-approved")


def test_a_rejected_expense_is_kept_with_the_reason() -> None:
    empty = given(EXPENSE, SUBJECT).on(date(2026, 4, 8))
    rejected = empty.after(KeepExpense(decided=SPENT, why="No receipt."))
    rejected.then_view(expense=SPENT, status="rejected", why="No receipt.")
    rejected.when(REVERSE, by="mara").then_refused("expense-not-approved")
    cost = SPENT.model_copy(update={"billable": False})
    as_cost = empty.after(KeepExpense(decided=cost, why_not_billed="Too early."))
    as_cost.then_view(status="approved", why=None, why_not_billed="Too early.")
    as_cost.when(REVERSE, by="mara").then_accepted()


def test_a_refused_reversal_may_be_asked_again() -> None:
    refusal = Refusal("engagement-over", "The engagement is closed.")
    outcome = reversing().when_outcome("take-back-1", "X-1", refused=refusal)
    refused = outcome.then(ExpenseReversalEnded(refusal=refusal))
    refused.then_view(status="approved", why=None, refusal=refusal)
    again = taking_back(ID, BACK, id="take-back-2", item="X-1")
    refused.when(REVERSE, by="mara").then_requests(again)


def test_nobody_reverses_their_own_expense() -> None:
    kept().when(REVERSE, by="dev").then_refused("approver-is-author")


@pytest.mark.parametrize(("days", "code"), [(-1, "date-before-record"), (9, "date-in-future")])
def test_the_day_of_a_reversal_is_between_the_expense_and_today(
    days: int, code: RefusalCode
) -> None:
    wrong = REVERSE.model_copy(update={"reversed_on": WEEK + timedelta(days=days)})
    kept().when(wrong, by="mara").then_refused(code)
