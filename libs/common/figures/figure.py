"""Define figures and the values of rows: known, or unknown with what is missing."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar

from chassis.domain.commands import Missing
from contracts.decimals import round_decimal
from contracts.money import Money

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
Key = TypeVar("Key", bound=Hashable)

Known: TypeAlias = T | Missing
"""A value, or what is missing for it and who owes that."""


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value, or what is missing for it, from a day on."""

    day: date
    value: Known[T]


@dataclass(frozen=True, slots=True)
class Figure(Generic[T]):
    """A figure at the end of a day: its value, or all that is missing for it; never both.

    Raises ValueError for a figure with both or neither.
    """

    as_of: date
    value: T | None
    missing: tuple[Missing, ...] = ()

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.missing):
            raise ValueError("a figure has either a value or what is missing for it")

    def then(self, compute: Callable[[T], Known[A]]) -> "Figure[A]":
        """Return the figure that is computed from the value; unknown where the value is."""
        if self.value is None:
            return Figure(self.as_of, None, self.missing)
        return figure(compute(self.value), self.as_of)

    def with_other(self, other: "Figure[A]", compute: Callable[[T, A], Known[B]]) -> "Figure[B]":
        """Return the figure that is computed from two of one day; unknown where one of them is."""
        if self.value is None or other.value is None:
            return Figure(self.as_of, None, tuple(dict.fromkeys(self.missing + other.missing)))
        return figure(compute(self.value, other.value), self.as_of)


def figure(known: Known[T], as_of: date) -> Figure[T]:
    """Return the figure of a value, or of what is missing for it."""
    if isinstance(known, Missing):
        return Figure(as_of, None, (known,))
    return Figure(as_of, known)


def listed(parts: Iterable[Known[T]], as_of: date) -> Figure[list[T]]:
    """Return the values of parts; unknown where one is, with each thing that is missing once."""
    values: list[T] = []
    missing: list[Missing] = []
    for each in parts:
        if isinstance(each, Missing):
            missing.append(each)
        else:
            values.append(each)
    if missing:
        return Figure(as_of, None, tuple(dict.fromkeys(missing)))
    return Figure(as_of, values)


def total(parts: Iterable[Known[Money]], currency: str, as_of: date) -> Figure[Money]:
    """Return the sum of amounts; unknown where one is.

    Raises CurrencyMismatch where an amount is not in `currency`.
    """
    return listed(parts, as_of).then(lambda known: Money.total(known, currency))


def added(parts: Iterable[Known[Decimal]], as_of: date) -> Figure[Decimal]:
    """Return the sum of numbers; unknown where one is."""
    return listed(parts, as_of).then(lambda known: sum(known, Decimal(0)))


def number_of(amount: Figure[Money]) -> Figure[Decimal]:
    """Return an amount as a number in its currency, to be divided by another one."""
    return amount.then(lambda known: known.amount)


def divided(
    part: Figure[Decimal], by: Figure[Decimal], nothing: str, decimals: int = 4
) -> Figure[Decimal]:
    """Return a quotient, rounded once; unknown unless the divisor is more than zero.

    `nothing` is the sentence that names what there is none of.
    """
    return part.with_other(
        by,
        lambda over, under: (
            round_decimal(over / under, decimals) if under > 0 else Missing("divisor-zero", nothing)
        ),
    )


def grouped(rows: Iterable[T], key: Callable[[T], Key]) -> dict[Key, list[T]]:
    """Return rows by a key, each group and the groups in the order of the rows.

    So any figure is computed by a dimension: per person, role, account or month.
    """
    groups: dict[Key, list[T]] = {}
    for each in rows:
        groups.setdefault(key(each), []).append(each)
    return groups


def until(rows: Iterable[Dated[T]], as_of: date) -> list[Known[T]]:
    """Return the values of the rows up to a day."""
    return [each.value for each in rows if each.day <= as_of]
