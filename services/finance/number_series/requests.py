"""Name what engagements request of a number series, and write its numbers as text."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chassis.domain.commands import Command
from contracts.values import Day
from finance.company import COMPANY

SeriesKind = Literal["invoice", "credit-note"]
"""Kind of document that a series numbers."""

SeriesId = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}\.(invoice|credit-note)\.[0-9]{4}$"),
    Field(examples=[f"{COMPANY}.invoice.2026"]),
]
"""Subject of a series: company, kind of document and year."""

_PREFIXES: dict[SeriesKind, str] = {"invoice": "", "credit-note": "CN-"}


class TakeNumber(Command):
    """Take the next number of the series for a document of a day."""

    on: Day


def series_of(kind: SeriesKind, on: date) -> str:
    """Return the subject of the series that numbers a kind of document on a day."""
    return f"{COMPANY}.{kind}.{on.year:04}"


def written(kind: SeriesKind, on: date, number: int) -> str:
    """Return the number of a document of a day as text, such as `2026-00042`."""
    return f"{_PREFIXES[kind]}{on.year:04}-{number:05}"
