"""Compute receivables, their age by due day, and days sales outstanding (DSO).

Amounts are with tax, receivables as well as sales, so that they are compared with the same scope.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from chassis.domain.commands import Missing
from common.figures.ages import Age, by_age
from common.figures.figure import Figure, divided, figure, number_of
from contracts.decimals import round_decimal
from contracts.money import Money

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Settlement:
    """An amount that reduces what is owed on an invoice; negative where that was taken back.

    Only what is credited reduces sales as well. An invoice that is void is credited in full.
    """

    day: date
    amount: Money
    kind: Literal["paid", "credited", "written-off"]


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its day, the last day for payment, and what reduces it. With tax."""

    invoice: str
    day: date
    due: date
    amount: Money
    settlements: tuple[Settlement, ...] = ()

    def outstanding(self, as_of: date) -> Money:
        """Return what the customer owes on it at the end of a day; nothing before its own day.

        Negative where more was paid than is owed.
        """
        currency = self.amount.currency
        if self.day > as_of:
            return Money.zero(currency)
        settled = (each.amount for each in self.settlements if each.day <= as_of)
        return self.amount - Money.total(settled, currency)


def receivables(invoices: Iterable[Invoice], currency: str, as_of: date) -> Figure[Money]:
    """Return what customers owe at the end of a day.

    Raises CurrencyMismatch where an amount is not in `currency`.
    """
    owed = (each.outstanding(as_of) for each in invoices)
    return Figure(as_of, Money.total(owed, currency))


def ageing(invoices: Iterable[Invoice], currency: str, as_of: date) -> dict[Age, Figure[Money]]:
    """Return what customers owe at the end of a day, by the days since the day it was due.

    The classes are ``not-due`` and those of `AGES`; they add up to the receivables. Raises
    CurrencyMismatch where an amount is not in `currency`.
    """
    owed = (((as_of - each.due).days, each.outstanding(as_of)) for each in invoices)
    return by_age(owed, "not-due", currency, as_of)


def credit_sales(
    invoices: Iterable[Invoice], currency: str, first: date, as_of: date
) -> Figure[Money]:
    """Return what was invoiced from one day to another, less what was credited in these days.

    Raises CurrencyMismatch where an amount is not in `currency`.
    """
    return Figure(as_of, _sales(list(invoices), currency, first, as_of))


def days_sales_outstanding(
    invoices: Sequence[Invoice], currency: str, first: date, as_of: date
) -> Figure[Decimal]:
    """Return DSO = receivables / credit sales x days, for the days from `first` to `as_of`.

    In days, rounded to two decimals; unknown where there were no sales. Raises CurrencyMismatch
    where an amount is not in `currency`.
    """
    days = (as_of - first).days + 1
    owed = number_of(receivables(invoices, currency, as_of)).then(lambda amount: amount * days)
    sales = number_of(credit_sales(invoices, currency, first, as_of))
    return divided(owed, sales, f"there were no credit sales from {first} to {as_of}", 2)


def days_sales_outstanding_by_count_back(
    invoices: Sequence[Invoice], currency: str, first: date, as_of: date
) -> Figure[Decimal]:
    """Return DSO by the count-back method: the days back to the sales that are still owed.

    The sales of each calendar month, the last one first, are taken from the receivables; the month
    in which they are used up counts in proportion. So the figure does not change with the season,
    as that over a period does.

    In days, rounded to two decimals. `first` is the first day whose sales the rows contain; where
    they do not reach the receivables, the figure is unknown. Zero where nothing is owed. Raises
    CurrencyMismatch where an amount is not in `currency`.
    """
    owed = number_of(receivables(invoices, currency, as_of)).value or Decimal(0)
    counted, last = Fraction(0), as_of
    while owed > 0:
        if last < first:
            sentence = f"{owed} {currency} of what is owed is of sales before {first}"
            return figure(Missing("sales-unknown", sentence), as_of)
        begins = max(last.replace(day=1), first)
        days, sales = (last - begins).days + 1, _sales(invoices, currency, begins, last).amount
        counted += days if sales <= owed else Fraction(owed) / Fraction(sales) * days
        owed -= sales
        last = begins - _ONE_DAY
    return Figure(as_of, round_decimal(counted, 2))


def _sales(invoices: Sequence[Invoice], currency: str, first: date, last: date) -> Money:
    issued = (each.amount for each in invoices if first <= each.day <= last)
    credited = (
        settlement.amount
        for each in invoices
        for settlement in each.settlements
        if settlement.kind == "credited" and first <= settlement.day <= last
    )
    return Money.total(issued, currency) - Money.total(credited, currency)
