"""Compute the backlog: what is booked and not yet recognised as revenue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from common.figures.figure import Dated, Figure, total, until
from contracts.money import Money


@dataclass(frozen=True, slots=True)
class Contract:
    """A won deal. Amounts are without tax.

    `booked` has the price from the day on which the deal was won and then what changes it,
    `recognised` the revenue of each time, both by day. `signed` is the day on which the contract
    was signed, None before it; `ended` that on which the engagement was closed or terminated.
    """

    signed: date | None
    ended: date | None
    booked: tuple[Dated[Money], ...]
    recognised: tuple[Dated[Money], ...] = ()


def backlog(
    contracts: Iterable[Contract], currency: str, as_of: date, *, signed: bool = False
) -> Figure[Money]:
    """Return booked less recognised of the deals that are won and not ended at the end of a day.

    With `signed`, only of contracts that are signed: the clean backlog. Unknown where a price or
    a recognised amount is. Raises CurrencyMismatch where an amount is not in `currency`.
    """
    running = [
        each
        for each in contracts
        if (each.ended is None or each.ended > as_of)
        and (not signed or (each.signed is not None and each.signed <= as_of))
    ]
    booked = (value for each in running for value in until(each.booked, as_of))
    recognised = (value for each in running for value in until(each.recognised, as_of))
    return total(booked, currency, as_of).with_other(
        total(recognised, currency, as_of), lambda one, other: one - other
    )
