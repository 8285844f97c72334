"""State which rows of a table a query matches and its reader may see, as SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from chassis.domain.list_kinds import KeysOf, Limits
from chassis.readmodels.encodings import Cell, folded
from chassis.readmodels.query import AnyOf, Contains, Empty, Filter, Range
from chassis.readmodels.tables import Stored, Table
from chassis.readmodels.values import Value

Tables: TypeAlias = Mapping[str, Table[Any]]
"""The tables that are held, by kind."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL, and the values of its parameters."""

    sql: str
    values: tuple[Cell, ...] = ()

    @classmethod
    def every(cls, parts: Sequence["Condition"]) -> "Condition":
        """Return the condition that all parts are true."""
        return cls._joined(parts, " AND ", "TRUE")

    @classmethod
    def any(cls, parts: Sequence["Condition"]) -> "Condition":
        """Return the condition that at least one part is true."""
        return cls._joined(parts, " OR ", "FALSE")

    @classmethod
    def _joined(cls, parts: Sequence["Condition"], by: str, nothing: str) -> "Condition":
        if not parts:
            return cls(nothing)
        sql = by.join(f"({each.sql})" for each in parts)
        return cls(sql, tuple(value for each in parts for value in each.values))


def matching(stored: Stored, wanted: Filter) -> Condition:
    """Return the condition that a row matches a filter of a column."""
    match wanted:
        case AnyOf(values=values):
            if len(stored.encoding.sorted_by) == 1:
                encoded = tuple(
                    cell for each in values for cell in stored.encoding.encode(each)[:1]
                )
                return among(stored.cell, encoded)
            return Condition.any([_compared(stored, "=", each) for each in values])
        case Range(low=low, high=high):
            bounds = [(">=", low), ("<=", high)]
            return Condition.every(
                [_compared(stored, sign, each) for sign, each in bounds if each is not None]
            )
        case Contains(text=text):
            return Condition(f"instr({stored.folded}, ?) > 0", (folded(text),))
        case Empty(empty=empty):
            return Condition(f"{stored.cell} IS {'' if empty else 'NOT '}NULL")


def _compared(stored: Stored, sign: str, value: Value) -> Condition:
    """Return the condition that a column compares with a value; amounts in its currency."""
    names = dict(zip(stored.encoding.cells, stored.encoding.encode(value), strict=True))
    parts = [
        Condition(f'{stored.cell[:-1]}{end}" {"=" if end else sign} ?', (names[end],))
        for end in stored.encoding.sorted_by
        if end != ":folded"
    ]
    return Condition.every(parts)


def among(cell: str, values: tuple[Cell, ...]) -> Condition:
    """Return the condition that a cell has one of the values."""
    return Condition(f"{cell} IN ({', '.join('?' * len(values))})", values)


def having_words(table: Table[Any], search: str) -> Condition:
    """Return the condition that every word of a search begins a word of the row."""
    words = [
        folded(word).replace('"', '""')
        for word in search.split()
        if any(each.isalnum() for each in word)
    ]
    asked = " AND ".join(f'"{word}" *' for word in words)
    return Condition(
        f"n IN (SELECT rowid FROM {table.words} WHERE {table.words} MATCH ?)", (asked,)
    )


def within(table: Table[Any], limits: Limits, tables: Tables) -> Condition:
    """Return the condition that a row is within limits."""
    parts: list[Condition] = []
    for name, allowed in limits.items():
        stored = table.stored[name]
        if isinstance(allowed, KeysOf):
            other = tables[allowed.kind]
            inner = within(other, allowed.limits, tables)
            key = other.stored[other.kind.key].cell
            keys = f"SELECT {key} FROM {other.name} NOT INDEXED WHERE {inner.sql}"
            parts.append(Condition(f"{stored.cell} IN ({keys})", inner.values))
        else:
            values = tuple(cell for each in allowed for cell in stored.encoding.encode(each))
            parts.append(among(stored.cell, values))
    return Condition.any(parts)
