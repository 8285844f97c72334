"""Write the postings of a month as rows of a table for the general ledger."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from contracts.event import Event
from contracts.reference import AccountMappingDetails
from contracts.values import Month
from finance.postings.events import PeriodPosted, PeriodPostedInConfidence

COLUMNS = (
    "company",
    "period",
    "posting",
    "engagement",
    "event",
    "document",
    "day",
    "account",
    "about",
    "number",
    "currency",
    "debit",
    "credit",
)
"""Columns of the table. `posting` is the same for all lines of one balanced entry."""


def header() -> str:
    """Return the first line of the table."""
    return _line(COLUMNS)


def lines_of(
    company: str,
    month: Month,
    engagement: str,
    events: Iterable[Event],
    accounts: AccountMappingDetails,
) -> Iterator[str]:
    """Yield the lines of an engagement's entries of a month; amounts are in their currency."""
    entries = (
        each
        for event in events
        if isinstance(event, PeriodPosted | PeriodPostedInConfidence)
        for each in event.entries
    )
    for place, entry in enumerate(entries, start=1):
        for line in entry.lines:
            amount = line.amount.amount
            yield _line(
                (
                    company,
                    month,
                    f"{engagement}/{month}/{place}",
                    engagement,
                    entry.event,
                    entry.document,
                    entry.day.isoformat(),
                    line.account,
                    line.about or "",
                    accounts.number_of(line.account, line.about),
                    line.amount.currency,
                    f"{amount:f}" if amount > 0 else "",
                    f"{-amount:f}" if amount < 0 else "",
                )
            )


def _line(values: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue()
