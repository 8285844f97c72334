"""Write the postings of a month as rows of a table for the general ledger."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from contracts.decimals import canonical_decimal
from contracts.event import Event
from contracts.money import Money
from contracts.reference import AccountMappingDetails
from contracts.values import Month
from finance.postings.events import PeriodPosted

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
    "base_currency",
    "base_debit",
    "base_credit",
)
"""Columns of the table. `posting` is the same for all lines of one balanced entry.

`currency` is that of the engagement, `base_currency` that of the company's books; the amounts in it
are empty where no exchange rate is known.
"""


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
    """Yield the lines of an engagement's entries of a month; amounts have their currency."""
    entries = (
        (event.base_currency, each)
        for event in events
        if isinstance(event, PeriodPosted)
        for each in event.entries
    )
    for place, (base, entry) in enumerate(entries, start=1):
        for line in entry.lines:
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
                    *_debit_and_credit(line.amount),
                    base,
                    *_debit_and_credit(line.base),
                )
            )


def _debit_and_credit(amount: Money | None) -> tuple[str, str]:
    """Return an amount as debit or credit, the other one empty; both where it is not known."""
    if amount is None:
        return "", ""
    number = canonical_decimal(abs(amount.amount))
    return (number, "") if amount.amount >= 0 else ("", number)


def _line(values: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue()
