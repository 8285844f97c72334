"""Answer queries from a table: conditions, order, pages, totals and sums, as SQL.

Rows without a value come last in both directions, and the key of the row decides between equals.
Texts are compared by their first 200 characters.
"""

import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias

from chassis.domain.list_kinds import Limits, R
from chassis.readmodels.conditions import Condition, Tables, having_words, matching, within
from chassis.readmodels.encodings import Cell
from chassis.readmodels.query import Order, Query
from chassis.readmodels.sums import GroupSum, sums_of
from chassis.readmodels.tables import Table

Place: TypeAlias = tuple[Cell, ...]
"""Position of a row in an order: the cells by which it is sorted, and its key at the end."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """The answer of a list: the rows of a page, and total and sums where they were asked for.

    `next` is the place after which the next page begins; None where there is none.
    """

    rows: list[R]
    next: Place | None
    total: int | None = None
    sums: list[GroupSum] | None = None


class Selection(Generic[R]):
    """The rows of a table that match a query and the limits of its reader; None is no limit."""

    def __init__(
        self, table: Table[R], query: Query, limits: Limits | None, tables: Tables
    ) -> None:
        self._table = table
        self._query = query
        parts = [matching(table.stored[each.column], each) for each in query.filters]
        if query.search is not None:
            parts.append(having_words(table, query.search))
        if limits is not None:
            parts.append(within(table, limits, tables))
        self._where = Condition.every(parts)
        key = table.kind.key
        orders = (*query.sort, Order(key, descending=False))
        self._order = [
            (cell, order.descending, table.stored[order.column].column.optional)
            for order in orders
            for cell in table.stored[order.column].sorted_by
        ]
        first = table.stored[orders[0].column].column
        is_usual = not parts and first.name == table.order and not first.optional
        self._source = table.ordered if is_usual else f"{table.name} NOT INDEXED"

    def answer(self, database: sqlite3.Connection, after: Place | None) -> Answer[R]:
        """Return the page after a place, with the total and the sums; raises InvalidQuery."""
        limit, sum_of = self._query.limit, self._query.sum_of
        where = self._where
        if after is not None:
            where = Condition.every([where, self._after(after)])
        cells = ", ".join(cell for cell, *_ in self._order)
        found = database.execute(
            f"SELECT n, {cells} FROM {self._source} WHERE {where.sql}"
            f" ORDER BY {self._sorted()} LIMIT {limit + 1}",
            where.values,
        ).fetchall()
        return Answer(
            list(self._table.rows(database, [row[0] for row in found[:limit]])),
            found[limit - 1][1:] if len(found) > limit else None,
            self._total(database) if self._query.total else None,
            sums_of(database, self._table, sum_of, self._where) if sum_of else None,
        )

    def ids(self, database: sqlite3.Connection) -> "array[int]":
        """Return the ids of all rows in order."""
        rows = database.execute(
            f"SELECT n FROM {self._source} WHERE {self._where.sql} ORDER BY {self._sorted()}",
            self._where.values,
        )
        return array("q", (n for (n,) in rows))

    def rows(self, database: sqlite3.Connection, ids: Sequence[int]) -> list[R]:
        """Return the rows of ids in their order, without those that do not match any more."""
        return list(self._table.rows(database, ids, self._where.sql, self._where.values))

    def _sorted(self) -> str:
        return ", ".join(
            f"{cell} {'DESC' if descending else 'ASC'}{' NULLS LAST' if optional else ''}"
            for cell, descending, optional in self._order
        )

    def _after(self, place: Place) -> Condition:
        """Return the condition that a row comes after a place: greater at the first difference."""
        parts: list[Condition] = []
        equal: list[Condition] = []
        for (cell, descending, optional), value in zip(self._order, place, strict=True):
            if value is not None:
                later = f"{cell} {'<' if descending else '>'} ?"
                later += f" OR {cell} IS NULL" if optional else ""
                parts.append(Condition.every([*equal, Condition(later, (value,))]))
            equal.append(Condition(f"{cell} IS ?", (value,)))
        return Condition.any(parts)

    def _total(self, database: sqlite3.Connection) -> int:
        (total,) = database.execute(
            f"SELECT count(*) FROM {self._source} WHERE {self._where.sql}",
            self._where.values,
        ).fetchone()
        return int(total)
