"""State of the invoices in Sales, from the events of Finance."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import (
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import Value


class Invoice(Value):
    """An invoice, with the amounts paid, written off and credited, all with tax.

    `fell_due` says that Finance published it as overdue. Lines, which name each work, are left out.
    """

    issued: InvoiceIssued
    paid: Money
    written_off: Money
    credited: Money
    voided: bool = False
    fell_due: bool = False

    @property
    def overdue(self) -> bool:
        """Return whether the invoice is overdue and neither void nor fully paid or credited."""
        settled = self.paid + self.written_off + self.credited
        return self.fell_due and not self.voided and settled < self.issued.tax.gross


class Invoices(Part):
    """The issued invoices by id."""

    by_id: dict[str, Invoice] = {}

    @on_event
    def _issued(self, event: InvoiceIssued) -> Self:
        zero = Money.zero(event.amount.currency)
        issued = event.model_copy(update={"lines": ()})
        invoice = Invoice(issued=issued, paid=zero, written_off=zero, credited=zero)
        return self.updated(by_id={**self.by_id, event.invoice: invoice})

    @on_event
    def _voided(self, event: InvoiceVoided) -> Self:
        return self._with(event.invoice, voided=True)

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        known = self.by_id.get(event.invoice)
        return (
            self._with(event.invoice, credited=known.credited + event.tax.gross) if known else self
        )

    @on_event
    def _allocated(self, event: PaymentAllocated) -> Self:
        return self._paid(event.invoice, event.paid)

    @on_event
    def _deallocated(self, event: PaymentDeallocated) -> Self:
        return self._paid(event.invoice, -event.paid)

    def _paid(self, invoice: str, amount: Money) -> Self:
        known = self.by_id.get(invoice)
        return self._with(invoice, paid=known.paid + amount) if known else self

    @on_event
    def _written_off(self, event: WriteOffRecorded) -> Self:
        return self._not_owed(event.invoice, event.amount)

    @on_event
    def _write_off_reversed(self, event: WriteOffReversed) -> Self:
        return self._not_owed(event.invoice, -event.amount)

    def _not_owed(self, invoice: str, amount: Money) -> Self:
        known = self.by_id.get(invoice)
        return self._with(invoice, written_off=known.written_off + amount) if known else self

    @on_event
    def _overdue(self, event: PaymentOverdue) -> Self:
        return self._with(event.invoice, fell_due=True)

    def _with(self, invoice: str, **fields: object) -> Self:
        """Return the invoices with one of them changed, or unchanged where it was not issued."""
        known = self.by_id.get(invoice)
        if known is None:
            return self
        return self.updated(by_id={**self.by_id, invoice: known.model_copy(update=fields)})
