"""State of an approved expense: what was spent, and its reversal."""

from typing import Literal, Self

from chassis.domain.pending import Refusal
from chassis.domain.state import Kept, Part, on_event
from delivery.approved_expenses.events import (
    ExpenseKept,
    ExpenseReversalBegun,
    ExpenseReversalEnded,
)

Status = Literal["approved", "reversing", "reversed"]
"""Status of an expense; `reversing` until the engagement has answered."""


class ApprovedExpense(Part):
    """An approved expense of an engagement.

    `asked` counts the attempts to reverse it; `refusal` is the answer to the last one.
    """

    subject: str
    kept: Kept[ExpenseKept] = None
    status: Status = "approved"
    asked: int = 0
    refusal: Refusal | None = None

    @property
    def engagement(self) -> str:
        """Return the id of the engagement."""
        return self.subject.partition(".")[0]

    @on_event
    def _begun(self, event: ExpenseReversalBegun) -> Self:
        return self.updated(status="reversing", asked=event.number, refusal=None)

    @on_event
    def _ended(self, event: ExpenseReversalEnded) -> Self:
        status: Status = "approved" if event.refusal else "reversed"
        return self.updated(status=status, refusal=event.refusal)
