"""Compute bookings and the win rate by month; deals from an import are a part of their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from common.figures.figure import Figure, Known, divided, grouped, number_of, total
from contracts.money import Money


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity; `value` is the price of a won deal, else the expected value, without tax.

    `closed` is the day on which it was won or lost; None while it is open, or where an import has
    no day.
    """

    deal: str
    closed: date | None
    outcome: Literal["open", "won", "lost"]
    value: Known[Money]
    imported: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """Deals that were won and lost in a month.

    `bookings` is the value of the won ones. A win rate is won / (won + lost), a ratio with four
    decimals, by number and by value.
    """

    won: int
    lost: int
    bookings: Figure[Money]
    win_rate: Figure[Decimal]
    win_rate_by_value: Figure[Decimal]


def decided_by_month(
    deals: Iterable[Deal], currency: str, as_of: date, *, imported: bool
) -> dict[date | None, Decided]:
    """Return what was won and lost, by the first day of the month, in order.

    Only imported deals count, or only others. Deals that an import closed on an unknown day are at
    the end, under None. Open deals count nothing. Raises CurrencyMismatch where an amount is not in
    `currency`.
    """
    closed = (
        each
        for each in deals
        if each.imported == imported
        and each.outcome != "open"
        and (each.closed is None or each.closed <= as_of)
    )
    months = grouped(closed, lambda each: each.closed and each.closed.replace(day=1))
    ordered = sorted(months, key=lambda month: month or date.max)
    return {month: _decided(months[month], currency, as_of) for month in ordered}


def _decided(deals: list[Deal], currency: str, as_of: date) -> Decided:
    won = [each for each in deals if each.outcome == "won"]
    bookings = total((each.value for each in won), currency, as_of)
    value = total((each.value for each in deals), currency, as_of)
    return Decided(
        won=len(won),
        lost=len(deals) - len(won),
        bookings=bookings,
        win_rate=divided(
            Figure(as_of, Decimal(len(won))),
            Figure(as_of, Decimal(len(deals))),
            "no deal is closed",
        ),
        win_rate_by_value=divided(
            number_of(bookings), number_of(value), "the closed deals have no value"
        ),
    )
