"""State of the expenses of an engagement."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    ExpenseRejected,
    ExpenseReversed,
    ExpenseSubmitted,
)
from contracts.event import Recorded
from contracts.values import Value


class WaitingExpense(Value):
    """An expense that is neither approved nor rejected, and who submitted it.

    `submitted_by` has the stand-in who submitted it, too.
    """

    submitted: ExpenseSubmitted
    submitted_by: tuple[str, ...]


class Expenses(Part):
    """Expenses that wait for approval, and approved ones, by id; ids of those that were reversed.

    An approved expense is kept, because a reversal contains it whole.
    """

    waiting: dict[str, WaitingExpense] = {}
    approved: Annotated[dict[str, ExpenseApproved], Keep("expense", until=(ExpenseReversed,))] = {}
    reversed: tuple[str, ...] = ()

    @on_event
    def _submitted(self, recorded: Recorded[ExpenseSubmitted]) -> Self:
        by = (recorded.actor, recorded.on_behalf_of)
        waiting = WaitingExpense(
            submitted=recorded.event, submitted_by=tuple(each for each in by if each is not None)
        )
        return self.updated(waiting={**self.waiting, recorded.event.expense: waiting})

    @on_event
    def _decided(self, event: ExpenseApproved | ExpenseRejected) -> Self:
        left = {name: each for name, each in self.waiting.items() if name != event.expense}
        return self.updated(waiting=left)

    @on_event
    def _reversed(self, event: ExpenseReversed) -> Self:
        return self.updated(reversed=(*self.reversed, event.expense))
