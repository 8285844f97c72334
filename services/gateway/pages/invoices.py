"""Drafts, invoices and credit notes of an engagement's page, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.counting import counted
from gateway.formatting import hours, money, sentence_case, short_day, words
from gateway.pages.names import Names
from gateway.view.engagement_view import View
from gateway.view.sections.finance.credit_notes import intent as consequence
from gateway.view.sections.finance.drafts import Draft
from gateway.view.sections.finance.importing import OpeningInvoice
from gateway.view.sections.finance.invoices import CreditedLine, CreditNote, Invoice
from gateway.view.sections.finance.lines import InvoiceLine

_SHOWN = 12
"""Documents that a page shows; the older ones are counted."""
_LINES = 20
"""Lines of a document that a page shows; the others are counted."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """Line of a document as texts; `written_down` and `tax_code` are empty where there is none."""

    text: str
    detail: str
    amount: str
    written_down: str
    tax_code: str


@dataclass(frozen=True, slots=True)
class Bill:
    """A draft, invoice or credit note; `notes` say what is to be known of it as a whole.

    `more` is the number of lines that are not shown.
    """

    title: str
    notes: tuple[str, ...]
    lines: tuple[BillLine, ...]
    more: int


def bills(view: View, names: Names) -> tuple[tuple[Bill, ...], int]:
    """Return drafts, then invoices and their credit notes, the latest first, and how many more."""
    every = tuple(_every(view, names))
    return every[:_SHOWN], max(0, len(every) - _SHOWN)


def invoice_state(invoice: Invoice | OpeningInvoice) -> str:
    """Return whether an invoice is void, paid, credited, due or overdue."""
    if isinstance(invoice, Invoice) and invoice.voided:
        return "void"
    if invoice.outstanding.amount <= 0:
        return "paid" if invoice.paid.amount > 0 else "credited"
    overdue = invoice.overdue is not None
    return f"{'overdue since' if overdue else 'due'} {short_day(invoice.due_on)}"


def _every(view: View, names: Names) -> Iterator[Bill]:
    for name, draft in reversed(view.finance.drafts.items()):
        yield _draft(name, draft, names)
    latest = sorted(
        view.finance.invoices.values(),
        key=lambda each: (each.issued_on, each.said.streamsequence),
        reverse=True,
    )
    for invoice in latest:
        for note in reversed(invoice.credit_notes):
            yield _credit_note(invoice, note, names)
        yield _invoice(invoice, names)


def _draft(name: str, draft: Draft, names: Names) -> Bill:
    notes = [name, f"{money(draft.amount)} without tax"]
    if draft.edited is not None:
        notes.append(f"edited: “{draft.edited}”")
    if draft.held is not None:
        notes.append(f"held: “{draft.held}”")
    return _bill(f"Draft, {words(draft.kind)}", notes, [_line(each, names) for each in draft.lines])


def _invoice(invoice: Invoice, names: Names) -> Bill:
    notes = [
        f"{money(invoice.amount)} without tax",
        f"{money(invoice.gross)} with tax",
        f"issued {short_day(invoice.issued_on)}",
        invoice_state(invoice),
    ]
    if invoice.advance_drawn.amount:
        notes.append(f"{money(invoice.advance_drawn)} paid by an advance")
    return _bill(f"Invoice {invoice.number}", notes, [_line(each, names) for each in invoice.lines])


def _credit_note(invoice: Invoice, note: CreditNote, names: Names) -> Bill:
    notes = [
        f"{money(note.amount)} without tax",
        f"{money(note.gross)} with tax",
        f"issued {short_day(note.issued_on)}",
        f"{consequence(note.intent)}: “{note.why}”",
    ]
    if note.advance_restored is not None:
        notes.append(f"{money(note.advance_restored)} of an advance restored")
    texts = {each.invoice_line: each for each in invoice.lines}
    lines = [_credited(each, texts.get(each.invoice_line), names) for each in note.lines]
    return _bill(f"Credit note {note.number} on invoice {invoice.number}", notes, lines)


def _bill(title: str, notes: list[str], lines: list[BillLine]) -> Bill:
    return Bill(title, tuple(notes), tuple(lines[:_LINES]), max(0, len(lines) - _LINES))


def _line(line: InvoiceLine, names: Names) -> BillLine:
    time = "" if line.hours is None else hours(line.hours)
    return BillLine(
        text=line.description,
        detail=_detail(names.title(line.line), line.role, time, line.invoice_line),
        amount=money(line.amount),
        written_down="" if line.written_down is None else money(line.written_down),
        tax_code=line.tax_code or "",
    )


def _credited(line: CreditedLine, billed: InvoiceLine | None, names: Names) -> BillLine:
    time = "" if line.hours is None else hours(line.hours)
    works = counted(line.works, "entry", "entries") if line.works else ""
    return BillLine(
        text=billed.description if billed is not None else names.title(line.line),
        detail=_detail(names.title(line.line), line.role, works, time, line.invoice_line),
        amount=money(-line.amount),
        written_down="",
        tax_code=(billed.tax_code if billed is not None else None) or "",
    )


def _detail(*parts: str | None) -> str:
    return sentence_case(" · ".join(part for part in parts if part))
