"""Keep issued invoices, and what is paid, written off and credited of them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from contracts import finance
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import day, money
from gateway.view.sections.finance.drafts import Billable, Draft
from gateway.view.sections.finance.importing import OpeningInvoice
from gateway.view.sections.finance.lines import (
    LINES_OF_PEOPLE,
    WORKS_OF_PEOPLE,
    BilledLine,
    InvoiceLine,
    lines_billed,
    lines_shown,
)
from gateway.view.sections.finance.reversed_work import ReversedWork
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """Part of a line of an invoice that a credit note takes back; `hours` are of its works."""

    invoice_line: str
    line: str
    role: str | None
    amount: Money
    works: int
    hours: Number | None


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A credit note; `amount` is without tax: its lines less what of an advance is restored."""

    credit_note: str
    number: str
    intent: str
    issued_on: date
    amount: Money
    gross: Money
    advance_restored: Money | None
    why: str
    lines: list[CreditedLine]


@dataclass(slots=True)
class Invoice:
    """An issued invoice, with what is paid, written off and credited.

    `amount`, `advance_drawn` and `credited` are without tax, the other amounts with tax. `line` is
    the contract line of its billing entry, of which an advance pays a part.
    """

    invoice: str
    number: str
    kind: str
    amount: Money
    gross: Money
    deliverables: list[str]
    line: str
    lines: list[InvoiceLine]
    billed_lines: list[BilledLine]
    advance_drawn: Money
    issued_on: date
    due_on: date
    said: Ref
    paid: Money
    written_off: Money
    credited: Money
    gross_credited: Money
    credit_notes: list[CreditNote] = field(default_factory=list)
    voided: bool = False
    overdue: Ref | None = None

    def left_of(self, invoice_line: str) -> Money:
        """Return what no credit note takes back of one of its lines, before the advance."""
        billed = (each.amount for each in self.lines if each.invoice_line == invoice_line)
        credited = (
            each.amount
            for note in self.credit_notes
            for each in note.lines
            if each.invoice_line == invoice_line
        )
        currency = self.amount.currency
        return Money.total(billed, currency) - Money.total(credited, currency)

    def billed_on(self, line: str) -> Money:
        """Return what it bills on a contract line, less credits on it and the advance."""
        currency = self.amount.currency
        on_line = Money.total((each.amount for each in self.lines if each.line == line), currency)
        credited = (
            each.amount for note in self.credit_notes for each in note.lines if each.line == line
        )
        left = on_line - Money.total(credited, currency)
        if line != self.line:
            return left
        restored = (each.advance_restored for each in self.credit_notes if each.advance_restored)
        return left - (self.advance_drawn - Money.total(restored, currency))

    @property
    def outstanding(self) -> Money:
        """The amount with tax that the customer still owes on it; 0 where it is void."""
        if self.voided:
            return Money.zero(self.amount.currency)
        return self.gross - self.paid - self.written_off - self.gross_credited


class Fields(Protocol):
    """Fields of the section that these steps change."""

    billing: dict[str, Billable]
    drafts: dict[str, Draft]
    invoices: dict[str, Invoice]
    reversed: dict[str, ReversedWork]


steps = PartSteps[Fields]()
steps.of_people(finance.InvoiceIssued, hidden=LINES_OF_PEOPLE)
steps.of_people(finance.InvoiceVoided, hidden=WORKS_OF_PEOPLE)


def with_tax(net: Money, tax: finance.TaxTotals) -> str:
    """Return an amount without tax and, where there is tax, with tax."""
    return f"{money(net)} ({money(tax.gross)} with tax)" if tax.total.amount else money(net)


steps.describe(
    finance.InvoiceIssued,
    lambda event, _: (
        f"Invoice {event.number} over {with_tax(event.amount, event.tax)} issued on "
        f"{day(event.issued_on)}, due {day(event.due_on)}."
    ),
)


@steps.on(finance.InvoiceIssued)
def _issued(section: Fields, recorded: Recorded[finance.InvoiceIssued]) -> None:
    event = recorded.event
    nothing = Money.zero(event.amount.currency)
    section.drafts.pop(event.invoice, None)
    due = section.billing.get(event.billing_event)
    section.invoices[event.invoice] = Invoice(
        invoice=event.invoice,
        number=event.number,
        kind=event.kind,
        amount=event.amount,
        gross=event.tax.gross,
        deliverables=list(event.deliverables),
        line=due.line if due is not None else event.lines[0].line,
        lines=lines_shown(event.lines, event.tax),
        billed_lines=lines_billed(event.lines),
        advance_drawn=event.advance_drawn,
        issued_on=event.issued_on,
        due_on=event.due_on,
        said=ref(recorded),
        paid=nothing,
        written_off=nothing,
        credited=nothing,
        gross_credited=nothing,
    )
    if due is not None:
        due.invoiced = True


steps.describe(
    finance.InvoiceVoided,
    lambda event, _: f"Invoice {event.number} over {money(event.amount)} voided: “{event.why}”",
)


@steps.on(finance.InvoiceVoided)
def _voided(section: Fields, recorded: Recorded[finance.InvoiceVoided]) -> None:
    section.reversed.pop(recorded.event.invoice, None)
    invoice = section.invoices.get(recorded.event.invoice)
    if invoice is not None:
        invoice.voided = True
        clear_overdue(invoice)


def clear_overdue(invoice: Invoice | OpeningInvoice) -> None:
    """Clear the overdue mark of an invoice of which nothing is outstanding any more."""
    if invoice.outstanding.amount <= 0:
        invoice.overdue = None
