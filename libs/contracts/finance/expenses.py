"""Define the events of expenses in other currencies."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.values import Conversion, Day, Identifier, Value, YesNo


class ConvertedExpense(Value):
    """An approved expense in another currency, and its conversion."""

    expense: Identifier
    """Id of the expense within the engagement."""
    spent_on: Day
    """Day of the expense."""
    line: Identifier | None
    """Id of the contract line that its approval names; null where it names none.

    The line of the invoice that bills it names the line then.
    """
    billable: YesNo
    """True if the customer pays it."""
    conversion: Conversion
    """The amount before and after, and the exchange rate."""


class ExpenseConverted(ConvertedExpense, Event, channel=FINANCE):
    """An approved expense in another currency was converted at the exchange rate of its day.

    Published by Finance once, as soon as a rate is known. Cost, billing and revenue use it.
    """


class ExpenseConversionReversed(ConvertedExpense, Event, channel=FINANCE):
    """A converted expense counts no more: its approval was reversed. Published by Finance."""
