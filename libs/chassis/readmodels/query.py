"""Define typed queries of a list, and the error of a query that is refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from chassis.readmodels.values import Value

ROWS = 50
"""Rows of a page where a query gives no other number."""


class AnyOf(NamedTuple):
    """The column has one of the values."""

    column: str
    values: tuple[Value, ...]


class Range(NamedTuple):
    """The column is not less than `low` and not more than `high`; None is no bound."""

    column: str
    low: Value | None
    high: Value | None


class Contains(NamedTuple):
    """The text contains another one; case and accents are ignored."""

    column: str
    text: str


class Empty(NamedTuple):
    """The column has no value, or has one."""

    column: str
    empty: bool


Filter: TypeAlias = AnyOf | Range | Contains | Empty


class Order(NamedTuple):
    """One column of a sort."""

    column: str
    descending: bool


class SumOf(NamedTuple):
    """The sum of a column; with `by`, one for each value of that column."""

    column: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a list: of the rows that match all filters and contain all words, in order.

    `scope` is the condition to which the rows of a list that grows with work are limited. `cursor`
    is as it was given: still sealed.
    """

    filters: tuple[Filter, ...] = ()
    search: str | None = None
    sort: tuple[Order, ...] = ()
    limit: int = ROWS
    cursor: str | None = None
    total: bool = False
    sum_of: SumOf | None = None
    expand: tuple[str, ...] = ()
    scope: AnyOf | None = None


class QueryError(NamedTuple):
    """A refused parameter and the sentence that says why."""

    field: str
    problem: str


class InvalidQuery(ValueError):
    """A query with refused parameters."""

    def __init__(self, errors: Sequence[QueryError]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.problem}" for each in errors))
        self.errors = tuple(errors)


def orders(names: Iterable[str]) -> tuple[Order, ...]:
    """Return the sort that names of columns give; those with a minus are descending."""
    return tuple(Order(name.removeprefix("-"), name.startswith("-")) for name in names)
