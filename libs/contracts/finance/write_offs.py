"""Define the events of amounts that the customer does not have to pay any more."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import Day, Identifier, ShortText, Value


class WriteOff(Value):
    """An amount of an invoice that is written off."""

    write_off: Identifier
    """Id of the write-off."""
    invoice: Identifier
    """Id of the invoice."""
    amount: PositiveMoney
    """Amount in the currency of the invoice."""
    why: ShortText
    """Reason for it."""


class WriteOffRecorded(WriteOff, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An amount that is outstanding on an invoice was written off: it is a loss of the company.

    Published by Finance. What was billed, its tax and the revenue stay as they are; a credit note
    changes these.
    """

    allocation: Identifier | None = None
    """Allocation beside which a small difference was written off; null for a debt that is lost."""
    written_off_on: Day
    """Day on which it was written off."""


class WriteOffReversed(WriteOff, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """A write-off, or a part of it, was reversed; that part is outstanding on the invoice again.

    Published by Finance. The reason is a correction, an allocation that was taken back, or a credit
    note: then the part is not owed. `amount` is that part.
    """

    reversed_on: Day
    """Day on which it was reversed."""
