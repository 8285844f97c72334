"""Name what engagements request: keep an expense that was approved or rejected."""

from chassis.domain.commands import Command
from contracts.delivery import Expense
from contracts.values import ShortText


class KeepExpense(Command):
    """Keep a decided expense.

    `why` is the reason of a rejection, null where the expense was approved.
    """

    # Nested, so that a receipt is not looked for: the engagement has it.
    decided: Expense
    why: ShortText | None = None
