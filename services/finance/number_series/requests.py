"""Name what engagements request of a number series, and write its numbers as text."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chassis.domain.commands import Command
from chassis.domain.context import ReferenceData
from contracts.reference import CompanyPublished, NumberSeries
from contracts.values import Day, YesNo

SeriesKind = Literal["invoice", "credit-note"]
"""Kind of document that a series numbers."""

SeriesId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\.(invoice|credit-note)\.[0-9]{4}$"
    ),
    Field(examples=["concord-de.invoice.2026"]),
]
"""Subject of a series: company, kind of document and year."""

_USUAL: dict[SeriesKind, NumberSeries] = {
    "invoice": NumberSeries(),
    "credit-note": NumberSeries(prefix="CN-"),
}
"""Settings of a company without a record: an invoice and a credit note never have one number."""


class TakeNumber(Command):
    """Take the next number of the series for a document of a day.

    With `follow_days`, only if no number was taken for a document of a later day.
    """

    on: Day
    follow_days: YesNo = False


def series_of(company: str, kind: SeriesKind, on: date) -> str:
    """Return the subject of the series that numbers a company's documents of a kind on a day."""
    return f"{company}.{kind}.{on.year:04}"


def settings_on(
    records: ReferenceData, company: str | None, kind: SeriesKind, day: date
) -> NumberSeries:
    """Return the settings of a company's numbers on a day, the usual ones without a record."""
    found = None if company is None else records.on(CompanyPublished, company, day)
    if found is None:
        return _USUAL[kind]
    return found.event.invoice_numbers if kind == "invoice" else found.event.credit_note_numbers


def written(prefix: str, on: date, number: int) -> str:
    """Return the number of a document of a day as text, such as `2026-00042` after the prefix."""
    return f"{prefix}{on.year:04}-{number:05}"
