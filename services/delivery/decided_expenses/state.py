"""State of a decided expense: what was spent, the decision, and its reversal."""

from typing import Literal, Self

from chassis.domain.pending import Refusal
from chassis.domain.state import Part, on_event
from contracts.delivery import Expense
from delivery.decided_expenses.events import (
    ExpenseDecided,
    ExpenseReversalBegun,
    ExpenseReversalEnded,
)

Status = Literal["rejected", "approved", "reversing", "reversed"]
"""Status of an expense; `reversing` until the engagement has answered."""


class DecidedExpense(Part):
    """An expense of an engagement that was approved or rejected.

    `why` is the reason of the rejection or reversal, `why_not_billed` that of an approval as cost.
    `asked` counts the attempts to reverse it; `refusal` is the answer to the last one.
    """

    subject: str
    expense: Expense | None = None
    status: Status = "approved"
    why: str | None = None
    why_not_billed: str | None = None
    asked: int = 0
    refusal: Refusal | None = None

    @property
    def engagement(self) -> str:
        """Return the id of the engagement."""
        return self.subject.partition(".")[0]

    @on_event
    def _decided(self, event: ExpenseDecided) -> Self:
        status: Status = "rejected" if event.why else "approved"
        return self.updated(
            expense=event.decided,
            status=status,
            why=event.why,
            why_not_billed=event.why_not_billed,
        )

    @on_event
    def _begun(self, event: ExpenseReversalBegun) -> Self:
        return self.updated(status="reversing", why=event.why, asked=event.number, refusal=None)

    @on_event
    def _ended(self, event: ExpenseReversalEnded) -> Self:
        if event.refusal:
            return self.updated(status="approved", why=None, refusal=event.refusal)
        return self.updated(status="reversed")
