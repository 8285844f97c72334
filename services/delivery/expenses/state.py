"""State of the expenses of an engagement: those that wait, and totals of the approved ones.

A decided expense is kept in a stream of its own. What became of the last ones that no longer wait
is remembered here, so that a command which is given again is answered with it.
"""

from datetime import date
from typing import Literal, Self

from chassis.domain.state import Part, on_event
from contracts.delivery import (
    Expense,
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


MOST_ENDED = 10
"""Number of expenses of which an engagement remembers what became of them."""

Ending = Literal["approved", "approved as cost", "rejected", "withdrawn", "reversed"]
"""Ending of an expense that does not wait for approval."""


class EndedExpense(Value):
    """An expense, as it was submitted, that no longer waits, and what became of it.

    `on` is the day in UTC, `why` the reason of a rejection or of an approval as cost.
    """

    submitted: Expense
    ending: Ending
    on: date
    by: str
    why: str | None = None

    def __str__(self) -> str:
        return f"was {self.ending} on {self.on} by {self.by}"


class Expenses(Part):
    """Expenses that wait for approval by id, and totals of approved ones by currency.

    `ended` are the last ones that no longer wait, by id.
    """

    waiting: dict[str, WaitingExpense] = {}
    ended: dict[str, EndedExpense] = {}
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
    def _withdrawn(self, recorded: Recorded[ExpenseWithdrawn]) -> Self:
        return self._ended(recorded, "withdrawn")

    @on_event
    def _rejected(self, recorded: Recorded[ExpenseRejected]) -> Self:
        return self._ended(recorded, "rejected", recorded.event.why)

    @on_event
    def _approved(self, recorded: Recorded[ExpenseApproved]) -> Self:
        why = recorded.event.why_not_billed
        return self._ended(recorded, "approved" if why is None else "approved as cost", why)

    @on_event
    def _reversed(self, recorded: Recorded[ExpenseReversed]) -> Self:
        return self._ended(recorded, "reversed")

    @on_event
    def _added(self, event: ExpenseApproved) -> Self:
        return self._counted(event.amount)

    @on_event
    def _taken_away(self, event: ExpenseReversed) -> Self:
        return self._counted(-event.amount)

    def _ended(
        self,
        recorded: Recorded[ExpenseWithdrawn]
        | Recorded[ExpenseRejected]
        | Recorded[ExpenseApproved]
        | Recorded[ExpenseReversed],
        ending: Ending,
        why: str | None = None,
    ) -> Self:
        name, instead_of = recorded.event.expense, recorded.on_behalf_of
        waiting = self.waiting.get(name)
        ended = EndedExpense(
            submitted=_details(waiting.submitted if waiting else recorded.event),
            ending=ending,
            on=recorded.occurred_at.date(),
            by=f"{recorded.actor} for {instead_of}" if instead_of else recorded.actor,
            why=why,
        )
        others = [(key, each) for key, each in self.ended.items() if key != name]
        return self.updated(
            waiting={key: each for key, each in self.waiting.items() if key != name},
            ended=dict([*others, (name, ended)][-MOST_ENDED:]),
        )

    def _counted(self, amount: Money) -> Self:
        total = self.approved.get(amount.currency, Money.zero(amount.currency)) + amount
        totals = {**self.approved, amount.currency: total}
        return self.updated(approved={name: each for name, each in totals.items() if each.amount})


def _details(expense: Expense) -> Expense:
    return Expense.model_validate({name: getattr(expense, name) for name in Expense.model_fields})
