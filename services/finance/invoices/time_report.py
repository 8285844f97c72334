"""Compute the time report of an invoice: the works that it bills, by day, person and role."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.base.view_model import ViewModel
from contracts.event import Event, Recorded
from contracts.finance import InvoiceIssued, InvoiceLine, WorkKind
from contracts.money import Money
from contracts.values import ExactHours, Identifier, PersonId, ProjectRole
from finance.billing.state import Invoice


class ReportedWork(ViewModel):
    """Time entry or expense on an invoice; `amount` is its part of the line, without tax.

    `written_down` is what an edit of the draft took off it, null where nothing.
    """

    invoice_line: Identifier
    kind: WorkKind
    entry: Identifier
    on: date
    person: PersonId
    role: ProjectRole | None
    hours: ExactHours | None
    amount: Money
    written_down: Money | None


class TimeReport(ViewModel):
    """Works that an invoice or a draft bills, by line and day; `hours` and `amount` are their sums.

    That of an invoice does not change once it is issued: credit notes name what they take back.
    """

    invoice: Identifier
    number: Identifier | None
    works: list[ReportedWork]
    hours: ExactHours
    amount: Money


def lines_as_issued(invoice: str, events: Iterable[Recorded[Event]]) -> tuple[InvoiceLine, ...]:
    """Return the lines with which one of these events issued an invoice."""
    (issued,) = (
        each.event
        for each in events
        if isinstance(each.event, InvoiceIssued) and each.event.invoice == invoice
    )
    return issued.lines


def time_report(invoice: Invoice, lines: Iterable[InvoiceLine]) -> TimeReport:
    """Return the time report of an invoice with these lines: as issued, or of the draft."""
    works = [
        ReportedWork(
            invoice_line=line.invoice_line,
            kind=work.kind,
            entry=work.entry,
            on=work.on,
            person=work.person,
            role=line.role,
            hours=work.hours,
            amount=work.amount,
            written_down=work.written_down,
        )
        for line in lines
        for work in sorted(line.works, key=lambda each: (each.on, each.entry))
    ]
    return TimeReport(
        invoice=invoice.invoice,
        number=invoice.number,
        works=works,
        hours=sum((each.hours for each in works if each.hours is not None), Decimal(0)),
        amount=Money.total((each.amount for each in works), invoice.amount.currency),
    )
