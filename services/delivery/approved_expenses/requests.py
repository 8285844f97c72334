"""Name what engagements request: keep an expense that was approved."""

from chassis.domain.commands import Command
from contracts.delivery import Expense


class KeepExpense(Command):
    """Keep an approved expense."""

    # Nested, so that a receipt is not looked for: the engagement has it.
    approved: Expense
