"""Define the events of payments and refunds."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.finance.invoices import InvoiceMovement
from contracts.money import PositiveTotal
from contracts.values import Day, Identifier


class PaymentReceived(InvoiceMovement, Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """The customer paid an invoice, in part or in full.

    Published by Finance, one event for each payment; two may be equal in every field.
    """

    received_on: Day
    """Day on which the money arrived."""


class RefundPaid(InvoiceMovement, Event, channel=FINANCE):
    """Money that the customer had paid beyond what an invoice came to was paid back.

    Published by Finance. An invoice comes to its amount less its credit notes.
    """

    paid_on: Day
    """Day on which the money was paid back."""


class PaymentOverdue(Event, channel=FINANCE, consumed_by=("sales", "legal")):
    """An invoice was not paid in full by its due day. Published by Finance, once per invoice.

    No event ends it: it is over when payments and credit notes reach the amount of the invoice, or
    the invoice is voided.
    """

    invoice: Identifier
    """Id of the invoice."""
    due_on: Day
    """Last day for payment."""
    outstanding: PositiveTotal
    """Amount of the invoice less credit notes and payments, with refunds added again."""
