"""Apply credit notes to what an invoice bills and to what is owed on it."""

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from contracts import finance
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.money import Money
from gateway.formatting import day
from gateway.view.sections.finance.invoices import (
    CreditedLine,
    CreditNote,
    Invoice,
    clear_overdue,
    with_tax,
)
from gateway.view.sections.finance.lines import LINES_OF_PEOPLE, BilledLine, reduced
from gateway.view.sections.finance.reversed_work import ReversedWork
from gateway.view.sections.steps import PartSteps


class Fields(Protocol):
    """Fields of the section that these steps change."""

    invoices: dict[str, Invoice]
    reversed: dict[str, ReversedWork]
    given_back: dict[str, set[str]]


steps = PartSteps[Fields]()
steps.of_people(finance.CreditNoteIssued, hidden=LINES_OF_PEOPLE)

steps.describe(
    finance.CreditNoteIssued,
    lambda event, _: (
        f"Credit note {event.number} on invoice {event.details.invoice_number} over "
        f"{with_tax(event.amount, event.tax)} issued on {day(event.issued_on)}, "
        f"{intent(event.intent)}: “{event.why}”"
    ),
)


@steps.on(finance.CreditNoteIssued)
def _credited(section: Fields, recorded: Recorded[finance.CreditNoteIssued]) -> None:
    invoice = section.invoices.get(recorded.event.invoice)
    event = recorded.event
    corrected = section.reversed.get(event.invoice)
    gone = corrected.works if corrected is not None else set[str]()
    if invoice is not None:
        invoice.credited = invoice.credited + event.amount
        invoice.gross_credited = invoice.gross_credited + event.tax.gross
        invoice.credit_notes.append(_credit_note(event))
        if event.intent == "cancel-and-rebill":
            again = {each.invoice_line: each for each in event.lines}
            invoice.billed_lines = [
                _cancelled(line, again[line.invoice_line], gone)
                if line.invoice_line in again
                else line
                for line in invoice.billed_lines
            ]
        clear_overdue(invoice)
    if event.intent == "give-back":
        named = {f"{line.invoice_line}/{each.key}" for line in event.lines for each in line.works}
        if named:
            section.given_back.setdefault(event.invoice, set()).update(named)
    if corrected is not None:
        for line in event.lines:
            for work in line.works:
                if work.key in corrected.works:
                    owed = corrected.to_credit[line.invoice_line]
                    corrected.to_credit[line.invoice_line] = owed - work.amount


def _credit_note(event: finance.CreditNoteIssued) -> CreditNote:
    return CreditNote(
        event.credit_note,
        event.number,
        event.intent,
        event.issued_on,
        event.amount,
        event.tax.gross,
        event.advance_restored,
        event.why,
        [
            CreditedLine(
                each.invoice_line,
                each.line,
                each.role,
                each.amount,
                len(each.works),
                _hours(each.works),
            )
            for each in event.lines
        ],
    )


def _hours(works: Iterable[finance.BilledWork]) -> Decimal | None:
    """Return the hours of works; None where none of them is time."""
    known = [each.hours for each in works if each.hours is not None]
    return sum(known, Decimal(0)) if known else None


def _cancelled(line: BilledLine, credit: finance.CreditedLine, gone: Container[str]) -> BilledLine:
    """Return a line without what is billed again.

    Works whose approval was reversed were taken off it before. What was given back of others for
    good stays on it. A line that is taken back beyond its works, which is possible with exceptions,
    bills nothing else.
    """
    nothing = Money.zero(line.amount.currency)
    if credit.amount > Money.total((each.amount for each in credit.works), line.amount.currency):
        days: dict[date, Number] = {}
        for work in credit.works:
            if work.given_back_hours is not None:
                days[work.on] = days.get(work.on, Decimal(0)) + work.given_back_hours
        hours = sum(days.values(), Decimal(0))
        return replace(line, amount=line.amount - credit.amount, hours=hours, days=days)
    less = replace(line, amount=nothing, written_down=nothing, hours=Decimal(0), days={})
    for work in credit.works:
        if work.key not in gone:
            less.amount = less.amount + work.whole
            less.written_down = less.written_down + (work.written_down or nothing)
            less.hours = (less.hours or Decimal(0)) + (work.hours or Decimal(0))
            less.days[work.on] = less.days.get(work.on, Decimal(0)) + (work.hours or Decimal(0))
    return reduced(line, less)


def intent(name: str) -> str:
    """Return what follows from a credit with an intent, such as "to be billed again"."""
    return "given back for good" if name == "give-back" else "to be billed again"
