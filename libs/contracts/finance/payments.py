"""Define the events of payments on invoices, and of overdue invoices."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.money import ItemMoney, Money, NotNegativeMoney, PositiveMoney, PositiveTotal
from contracts.values import Conversion, Day, Identifier, ShortText, Value


class Allocation(Value):
    """A part of a payment on an invoice, in the currency of the invoice."""

    payment: Identifier
    """Id of the payment."""
    allocation: Identifier
    """Id of the allocation; a payment can be allocated to an invoice more than once."""
    invoice: Identifier
    """Id of the invoice."""
    amount: NotNegativeMoney
    """Money of the payment; like the invoice to be paid, with tax."""
    bank_charge: PositiveMoney | None = None
    """Amount that banks kept of what the customer had paid; null where they kept nothing."""
    received_on: Day
    """Day on which the money of the payment arrived."""
    conversion: Conversion | None = None
    """`amount` converted into the currency of the payment; null where that is the same."""
    booked: Conversion | None = None
    """`amount` converted into the base currency of the company, at the invoice date.

    Null where the invoice is in the base currency, or the exchange rate is not known.
    """
    received: Conversion | None = None
    """Money of the payment converted into the base currency, on the day on which it arrived.

    Null where the payment is in the base currency, or the exchange rate is not known.
    """
    exchange_difference: ItemMoney | None = None
    """Realised exchange difference, in the base currency of the company: a loss is negative.

    What the money is worth on the day on which it arrived, less what `amount` was worth on the
    invoice date. Null where nothing is converted, or an exchange rate or the company is not known.
    A bank charge is worth what it was on the invoice date, so it has no difference.
    """

    @property
    def paid(self) -> Money:
        """Return what the customer paid: money of the payment, and what banks kept."""
        return self.amount if self.bank_charge is None else self.amount + self.bank_charge

    @property
    def used(self) -> Money:
        """Return the money of the payment, in the currency of the payment."""
        return self.conversion.converted if self.conversion else self.amount


class PaymentAllocated(Allocation, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """A payment of the customer, or a part of it, was allocated to an invoice.

    Published by Finance, one event for each allocation. An invoice takes no more than is
    outstanding on it; the payment keeps the rest. A difference that is written off beside it has an
    event of its own, `write-off-recorded`.
    """

    amount: PositiveMoney
    """Money of the payment; like the invoice to be paid, with tax."""


class PaymentDeallocated(Allocation, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An allocation, or a part of it, was taken back; that part is outstanding on the invoice.

    Published by Finance. The reason is a correction, a payment that the bank took back, or a credit
    note on a paid invoice: then the part is not owed, and goes back to the payment. The fields are
    those of the part. `amount` is zero where only a bank charge is taken back.
    """

    why: ShortText
    """Reason for taking it back."""
    deallocated_on: Day
    """Day on which it was taken back."""


class PaymentOverdue(Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An invoice was not paid in full by its due day.

    Published by Finance, once per invoice; again where a payment on it was taken back after it had
    been paid in full. No event ends it: it is over when allocations, write-offs and credit notes
    reach the amount of the invoice, or the invoice is voided.
    """

    invoice: Identifier
    """Id of the invoice."""
    due_on: Day
    """Last day for payment."""
    outstanding: PositiveTotal
    """Amount of the invoice less credit notes, allocations and write-offs; with tax."""
