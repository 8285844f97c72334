"""State of the receivables in Legal, from the events of Finance."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BudgetAmended,
    CreditNoteIssued,
    EngagementImported,
    InvoiceIssued,
    InvoiceVoided,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import Identifier, ShortText, Value


class Receivable(Value):
    """The amount with tax that the customer still owes on an invoice."""

    number: ShortText
    outstanding: Money
    due_on: date
    overdue: bool = False


class Receivables(Part):
    """The receivables by invoice, also those of which nothing is owed any more.

    `opening` is what was owed at the take-over, of the invoices from before. `settled_on` is None
    while the account is not settled.
    """

    by_invoice: dict[Identifier, Receivable] = {}
    opening: dict[Identifier, Money] = {}
    settled_on: date | None = None

    @on_event
    def _issued(self, event: InvoiceIssued) -> Self:
        owed = event.tax.gross
        receivable = Receivable(number=event.number, outstanding=owed, due_on=event.due_on)
        by_invoice = {**self.by_invoice, event.invoice: receivable}
        return self.updated(by_invoice=by_invoice, settled_on=None)

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        """Replace the invoices from before; Finance changes none that was paid since."""
        by_invoice = {
            name: each for name, each in self.by_invoice.items() if name not in self.opening
        }
        for one in event.receivables:
            new = Receivable(number=one.number, outstanding=one.open, due_on=one.due_on)
            same = self.opening.get(one.invoice) == one.open
            by_invoice[one.invoice] = self.by_invoice[one.invoice] if same else new
        opening = {one.invoice: one.open for one in event.receivables}
        return self.updated(by_invoice=by_invoice, opening=opening)

    @on_event
    def _overdue(self, event: PaymentOverdue) -> Self:
        known = self.by_invoice.get(event.invoice)
        if known is None:
            return self
        overdue = known.model_copy(update={"overdue": True})
        return self.updated(by_invoice={**self.by_invoice, event.invoice: overdue})

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        return self._reduced(event.invoice, event.tax.gross)

    @on_event
    def _voided(self, event: InvoiceVoided) -> Self:
        others = {name: each for name, each in self.by_invoice.items() if name != event.invoice}
        return self.updated(by_invoice=others)

    @on_event
    def _allocated(self, event: PaymentAllocated) -> Self:
        return self._reduced(event.invoice, event.paid)

    @on_event
    def _deallocated(self, event: PaymentDeallocated) -> Self:
        return self._reduced(event.invoice, -event.paid)

    @on_event
    def _written_off(self, event: WriteOffRecorded) -> Self:
        return self._reduced(event.invoice, event.amount)

    @on_event
    def _write_off_reversed(self, event: WriteOffReversed) -> Self:
        return self._reduced(event.invoice, -event.amount)

    def _reduced(self, invoice: str, amount: Money) -> Self:
        """Deduct an amount; a receivable of which nothing is owed is not overdue any more."""
        known = self.by_invoice.get(invoice)
        if known is None:
            return self
        left = known.outstanding - amount
        overdue = known.overdue and left.amount > 0
        changed = known.model_copy(update={"outstanding": left, "overdue": overdue})
        return self.updated(by_invoice={**self.by_invoice, invoice: changed})

    @on_event
    def _settled(self, event: AccountSettled) -> Self:
        return self.updated(settled_on=event.settled_on)

    @on_event
    def _reopened(self, event: BudgetAmended | AccountReopened) -> Self:
        # Legal's own amendment is no step: Finance may settle before or after it processes that.
        return self.updated(settled_on=None)

    def _without(self, invoice: str) -> Self:
        others = {name: each for name, each in self.by_invoice.items() if name != invoice}
        return self.updated(by_invoice=others)
