"""State of the expenses of an engagement: those that wait, and totals of the approved ones.

An expense that is withdrawn or decided leaves the state; a decided one is kept in a stream of its
own.
"""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
    ExpenseWithdrawn,
)
from contracts.event import Recorded
from contracts.money import Money
from contracts.values import Value


class WaitingExpense(Value):
    """An expense that is neither withdrawn nor decided, and who submitted it.

    `submitted_by` has the stand-in who submitted it, too. The day is in UTC.
    """

    submitted: ExpenseSubmitted
    submitted_on: date
    submitted_by: tuple[str, ...]


class Expenses(Part):
    """Expenses that wait for approval by id, and totals of approved ones by currency."""

    waiting: dict[str, WaitingExpense] = {}
    approved: dict[str, Money] = {}

    @on_event
    def _submitted(self, recorded: Recorded[ExpenseSubmitted]) -> Self:
        by = (recorded.actor, recorded.on_behalf_of)
        waiting = WaitingExpense(
            submitted=recorded.event,
            submitted_on=recorded.occurred_at.date(),
            submitted_by=tuple(each for each in by if each is not None),
        )
        return self.updated(waiting={**self.waiting, recorded.event.expense: waiting})

    @on_event
    def _ended(self, event: ExpenseWithdrawn | ExpenseApproved | ExpenseRejected) -> Self:
        left = {name: each for name, each in self.waiting.items() if name != event.expense}
        return self.updated(waiting=left)

    @on_event
    def _approved(self, event: ExpenseApproved) -> Self:
        return self._counted(event.amount)

    @on_event
    def _reversed(self, event: ExpenseReversed) -> Self:
        return self._counted(-event.amount)

    def _counted(self, amount: Money) -> Self:
        total = self.approved.get(amount.currency, Money.zero(amount.currency)) + amount
        totals = {**self.approved, amount.currency: total}
        return self.updated(approved={name: each for name, each in totals.items() if each.amount})
