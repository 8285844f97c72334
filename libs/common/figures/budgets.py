"""Compare budgets with what was spent, in hours and in cost, by role, phase or contract line."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from common.figures.figure import Figure, Known, added, divided, grouped, number_of, total
from contracts.money import Money

Q = TypeVar("Q", Decimal, Money)
Dimension = Literal["role", "phase", "line"]


@dataclass(frozen=True, slots=True)
class Entry(Generic[Q]):
    """Hours or cost of a role in a phase for a contract line, each None where there is none.

    Of a budget, `day` is the day from which it applies; an amendment is an entry with what it adds,
    negative where it takes away. Of what was spent, it is the day of the work.
    """

    day: date
    role: str | None
    phase: str | None
    line: str | None
    quantity: Known[Q]

    def of(self, by: Dimension) -> str | None:
        """Return the role, the phase or the line."""
        match by:
            case "role":
                return self.role
            case "phase":
                return self.phase
            case "line":
                return self.line


@dataclass(frozen=True, slots=True)
class Compared(Generic[Q]):
    """A budget and what was spent of it.

    `left` is negative where more was spent; `used` is spent / budget, a ratio with four decimals.
    """

    budget: Figure[Q]
    spent: Figure[Q]
    left: Figure[Q]
    used: Figure[Decimal]


def hours_against_budget(
    budget: Iterable[Entry[Decimal]],
    spent: Iterable[Entry[Decimal]],
    by: Dimension,
    as_of: date,
) -> dict[str | None, Compared[Decimal]]:
    """Return hours at the end of a day beside their budget, by a dimension.

    What has no value of the dimension is under None.
    """

    def compare(
        of_budget: list[Known[Decimal]], of_spent: list[Known[Decimal]]
    ) -> Compared[Decimal]:
        planned, done = added(of_budget, as_of), added(of_spent, as_of)
        left = planned.with_other(done, lambda one, other: one - other)
        return Compared(planned, done, left, _used(done, planned))

    return _compared(budget, spent, by, as_of, compare)


def cost_against_budget(
    budget: Iterable[Entry[Money]],
    spent: Iterable[Entry[Money]],
    by: Dimension,
    currency: str,
    as_of: date,
) -> dict[str | None, Compared[Money]]:
    """Return cost at the end of a day beside its budget, by a dimension. Confidential.

    What has no value of the dimension is under None. Raises CurrencyMismatch where an amount is not
    in `currency`.
    """

    def compare(of_budget: list[Known[Money]], of_spent: list[Known[Money]]) -> Compared[Money]:
        planned = total(of_budget, currency, as_of)
        done = total(of_spent, currency, as_of)
        left = planned.with_other(done, lambda one, other: one - other)
        return Compared(planned, done, left, _used(number_of(done), number_of(planned)))

    return _compared(budget, spent, by, as_of, compare)


def _used(spent: Figure[Decimal], budget: Figure[Decimal]) -> Figure[Decimal]:
    return divided(spent, budget, "nothing is budgeted")


def _compared(
    budget: Iterable[Entry[Q]],
    spent: Iterable[Entry[Q]],
    by: Dimension,
    as_of: date,
    compare: Callable[[list[Known[Q]], list[Known[Q]]], Compared[Q]],
) -> dict[str | None, Compared[Q]]:
    planned, done = (_by(entries, by, as_of) for entries in (budget, spent))
    return {key: compare(planned.get(key, []), done.get(key, [])) for key in planned | done}


def _by(
    entries: Iterable[Entry[Q]], by: Dimension, as_of: date
) -> dict[str | None, list[Known[Q]]]:
    applied = (each for each in entries if each.day <= as_of)
    groups = grouped(applied, lambda each: each.of(by))
    return {name: [each.quantity for each in group] for name, group in groups.items()}
