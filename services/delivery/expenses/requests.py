"""Name what approved expenses request of engagements: take an expense back."""

from chassis.domain.commands import Command
from contracts.delivery import Expense
from contracts.values import Day, ShortText


class TakeBackExpense(Command):
    """Reverse an approved expense; its stream asks for it once."""

    # Nested, so that a receipt is not looked for: that was done when the expense was submitted.
    approved: Expense
    why: ShortText
    reversed_on: Day
