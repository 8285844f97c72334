"""Divide amounts by age in days."""

from collections.abc import Iterable
from datetime import date

from common.figures.figure import Figure, Known, grouped, total
from contracts.money import Money

Age = str
"""Class of ages in days, such as ``31-60``."""
_LAST = {30: "1-30", 60: "31-60", 90: "61-90"}
OLDEST: Age = "over-90"
AGES: tuple[Age, ...] = (*_LAST.values(), OLDEST)
"""Classes of ages from one day on, the youngest first."""


def by_age(
    parts: Iterable[tuple[int, Known[Money]]], youngest: Age, currency: str, as_of: date
) -> dict[Age, Figure[Money]]:
    """Return the sum of amounts in each class, where each part has an age in days and an amount.

    `youngest` is the name of the class of ages below one day. An unknown amount makes the sum of
    its own class unknown only. Raises CurrencyMismatch where an amount is not in `currency`.
    """
    groups = grouped(parts, lambda part: _age(part[0], youngest))
    return {
        age: total((amount for _, amount in groups.get(age, ())), currency, as_of)
        for age in (youngest, *AGES)
    }


def _age(days: int, youngest: Age) -> Age:
    if days < 1:
        return youngest
    return next((age for last, age in _LAST.items() if days <= last), OLDEST)
