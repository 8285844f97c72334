"""Add up BAC, PV, EV and AC by phase and by contract line, without rounding. Pure functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from fractions import Fraction
from operator import add, sub

from contracts.decimals import as_decimal


@dataclass(frozen=True, slots=True)
class Amounts:
    """BAC, PV, EV and AC of some work, exact."""

    budget: Fraction = Fraction(0)
    due: Fraction = Fraction(0)
    done: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*map(add, astuple(self), astuple(other)))

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(*map(sub, astuple(self), astuple(other)))

    def rounded(self, nearest: Callable[[Decimal], Decimal]) -> "Amounts":
        """Return the amounts rounded by a function."""
        return Amounts(*(Fraction(nearest(as_decimal(each))) for each in astuple(self)))


@dataclass(frozen=True, slots=True)
class Cell:
    """The amounts of a phase, a line, or both; None where it belongs to none."""

    phase: str | None
    line: str | None
    amounts: Amounts


def total(parts: Iterable[Amounts]) -> Amounts:
    """Return the sum."""
    return sum(parts, Amounts())


def by_part(
    parts: Iterable[tuple[str | None, Amounts]], whole: Amounts
) -> dict[str | None, Amounts]:
    """Return the sums by part, and under None what the whole has beyond them."""
    sums = dict[str | None, Amounts]()
    for name, amounts in parts:
        if name is not None:
            sums[name] = sums.get(name, Amounts()) + amounts
    return {**sums, None: whole - total(sums.values())}


def rounded_parts(parts: Iterable[Amounts], nearest: Callable[[Decimal], Decimal]) -> list[Amounts]:
    """Return amounts rounded so that they add up to the rounded sum.

    Each is what the rounded sum grows by with the part, so that none becomes negative.
    """
    found, exact, before = list[Amounts](), Amounts(), Amounts()
    for part in parts:
        exact = exact + part
        now = exact.rounded(nearest)
        found.append(now - before)
        before = now
    return found


def shared(
    amount: Fraction, expected: Mapping[str, Fraction], limits: Mapping[str, Fraction]
) -> dict[str, Fraction]:
    """Return an amount, at most the sum of the limits, shared so that no share exceeds its limit.

    Each has what is `expected` of it, which is at most its limit. Where that is more than the
    amount, all have less in proportion; where it is less, the rest fills what the limits leave.
    """
    whole = sum(expected.values(), Fraction(0))
    if whole >= amount:
        return {name: each * amount / whole if whole else each for name, each in expected.items()}
    part = (amount - whole) / (sum(limits.values(), Fraction(0)) - whole)
    return {name: each + (limits[name] - each) * part for name, each in expected.items()}
