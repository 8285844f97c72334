"""Name what engagements request: keep an expense that was approved or rejected."""

from chassis.domain.commands import Command
from contracts.delivery import Expense
from contracts.values import ShortText


class KeepExpense(Command):
    """Keep a decided expense.

    `why` is the reason of a rejection, null where the expense was approved. `why_not_billed` is
    that of an approval as cost.
    """

    # Nested, so that a receipt is not looked for: the engagement has it.
    decided: Expense
    why: ShortText | None = None
    why_not_billed: ShortText | None = None
