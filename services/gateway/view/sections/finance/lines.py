"""Keep lines of drafts and invoices, as the customer reads them and as far as they bill work."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from contracts import finance
from contracts.decimals import Number
from contracts.money import Money, Rate
from gateway.view.sections.steps import FieldPaths

WORKS_OF_PEOPLE: FieldPaths = {"works": True}
LINES_OF_PEOPLE: FieldPaths = {"lines": {"__all__": WORKS_OF_PEOPLE}}
"""The works that an event lists, itself or by line, with who did them."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A line of a draft or an invoice, as the customer reads it; role and hours where it is time.

    `written_down` is what an edit of the draft took off the amount. The tax code is known from the
    issue on; the tax is rounded once for each code.
    """

    invoice_line: str
    line: str
    description: str
    role: str | None
    hours: Number | None
    amount: Money
    written_down: Money | None
    tax_code: str | None


def lines_shown(
    lines: Iterable[finance.InvoiceLine], tax: finance.TaxTotals | None = None
) -> list[InvoiceLine]:
    """Return lines as the customer reads them, with their tax codes once the tax is known."""
    codes = {name: each.tax_code for each in (tax.by_code if tax else ()) for name in each.lines}
    return [
        InvoiceLine(
            line.invoice_line,
            line.line,
            line.description,
            line.role,
            line.hours,
            line.amount,
            line.written_down,
            codes.get(line.line),
        )
        for line in lines
    ]


@dataclass(slots=True)
class BilledLine:
    """A line of an invoice as far as it bills; role, hours (also by day) and rate where it is time.

    `amount` contains what is `written_down` of it, and not what was credited to be billed again.
    """

    invoice_line: str
    line: str
    amount: Money
    role: str | None
    hours: Number | None
    rate: Rate | None
    written_down: Money
    days: dict[date, Number] = field(default_factory=dict)


def lines_billed(lines: Iterable[finance.InvoiceLine]) -> list[BilledLine]:
    """Return lines as far as they bill work."""
    return [
        BilledLine(
            line.invoice_line,
            line.line,
            line.whole,
            line.role,
            line.hours,
            line.rate,
            line.written_down or Money.zero(line.amount.currency),
            {each.day: each.hours for each in line.days},
        )
        for line in lines
    ]


def reduced(line: BilledLine, less: BilledLine) -> BilledLine:
    """Return a line without a part of its amount, hours and days."""
    days = {on: hours - less.days.get(on, Decimal(0)) for on, hours in line.days.items()}
    return replace(
        line,
        amount=line.amount - less.amount,
        written_down=line.written_down - less.written_down,
        hours=None if line.hours is None else line.hours - (less.hours or Decimal(0)),
        days={on: hours for on, hours in days.items() if hours > 0},
    )
