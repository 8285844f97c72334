"""State of the receivables in Legal, from the events of Finance."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BudgetAmended,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
    PaymentOverdue,
    PaymentReceived,
)
from contracts.money import Money
from contracts.values import Identifier, Value


class Receivable(Value):
    """The amount that the customer still owes on an invoice."""

    number: Identifier
    outstanding: Money
    due_on: date
    overdue: bool = False


class Receivables(Part):
    """The receivables by invoice; `settled_on` is None while the account is not settled."""

    by_invoice: dict[Identifier, Receivable] = {}
    settled_on: date | None = None

    @on_event
    def _issued(self, event: InvoiceIssued) -> Self:
        receivable = Receivable(number=event.number, outstanding=event.amount, due_on=event.due_on)
        by_invoice = {**self.by_invoice, event.invoice: receivable}
        return self.updated(by_invoice=by_invoice, settled_on=None)

    @on_event
    def _overdue(self, event: PaymentOverdue) -> Self:
        known = self.by_invoice.get(event.invoice)
        if known is None:
            return self
        overdue = known.model_copy(update={"overdue": True, "outstanding": event.outstanding})
        return self.updated(by_invoice={**self.by_invoice, event.invoice: overdue})

    @on_event
    def _reduced(self, event: PaymentReceived | CreditNoteIssued | InvoiceVoided) -> Self:
        """Deduct the amount; remove the receivable where nothing is owed any more."""
        others = {name: each for name, each in self.by_invoice.items() if name != event.invoice}
        known = self.by_invoice.get(event.invoice)
        if known is not None and event.amount < known.outstanding:
            outstanding = known.outstanding - event.amount
            others[event.invoice] = known.model_copy(update={"outstanding": outstanding})
        return self.updated(by_invoice=others)

    @on_event
    def _settled(self, event: AccountSettled) -> Self:
        return self.updated(settled_on=event.settled_on)

    @on_event
    def _reopened(self, event: BudgetAmended | AccountReopened) -> Self:
        # Legal's own amendment is no step: Finance may settle before or after it processes that.
        return self.updated(settled_on=None)
