"""Sum a column of the rows that a query matches, exactly and by groups."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from chassis.readmodels.conditions import Condition
from chassis.readmodels.encodings import DECIMALS, Cell, decimal_of
from chassis.readmodels.query import InvalidQuery, QueryError, SumOf
from chassis.readmodels.tables import Stored, Table
from chassis.readmodels.values import Value
from contracts.money import Money

MOST_GROUPS: Final = 1_000
"""Values by which one answer groups sums."""


@dataclass(frozen=True, slots=True)
class GroupSum:
    """A sum; of amounts, in one currency. `group` is the value by which rows are grouped."""

    group: Value | None
    sum: Money | Decimal | int


def sums_of(
    database: sqlite3.Connection, table: Table[Any], wanted: SumOf, selected: Condition
) -> list[GroupSum]:
    """Return the sums of the rows that have a value, exactly, in order of their groups.

    Raises InvalidQuery for more than `MOST_GROUPS` groups.
    """
    stored = table.stored[wanted.column]
    by = None if wanted.by is None else table.stored[wanted.by]
    group = [] if by is None else [*by.cells]
    if stored.column.type == "money":
        group.append(stored.cells[0])
    where = Condition.every([selected, Condition(f"{stored.cell} IS NOT NULL")])
    source = f"FROM {table.name} NOT INDEXED WHERE {where.sql}"
    if by is not None:
        _require_few(database, f"SELECT DISTINCT {', '.join(by.cells)} {source}", where)
    # The halves of a number are summed for themselves: their sums stay below 2^63.
    halves = [half for each in stored.summed for half in (f"{each} >> 32", f"{each} & 0xffffffff")]
    without = f"count(*) - count({stored.summed[0]})"
    cells = ", ".join([*group, without, *(f"sum({each})" for each in halves)])
    grouped = f"GROUP BY {', '.join(group)}" if group else ""
    found: dict[tuple[Cell, ...], Decimal] = {}
    too_large = 0
    for row in database.execute(f"SELECT {cells} {source} {grouped}", where.values):
        at = row[: len(group)]
        too_large += row[len(group)]
        found[at] = _joined(row[len(group) + 1 :])
    if too_large:
        cells = ", ".join([*group, stored.cell])
        rest = f"SELECT {cells} {source} AND {stored.summed[0]} IS NULL"
        for *group_cells, key in database.execute(rest, where.values):
            found[tuple(group_cells)] += decimal_of(key)
    return _ordered(stored, by, found)


def _require_few(database: sqlite3.Connection, distinct: str, where: Condition) -> None:
    (groups,) = database.execute(
        f"SELECT count(*) FROM ({distinct} LIMIT {MOST_GROUPS + 1})", where.values
    ).fetchone()
    if groups > MOST_GROUPS:
        problem = f"has more than {MOST_GROUPS:,} values here: filter the rows first"
        raise InvalidQuery([QueryError("by", problem)])


def _joined(halves: Sequence[int | None]) -> Decimal:
    """Return the number of the summed halves of its whole part and of its rest, if it has one."""
    numbers = [
        ((high or 0) << 32) + (low or 0)
        for high, low in zip(halves[::2], halves[1::2], strict=True)
    ]
    return sum(
        (Decimal(number).scaleb(-DECIMALS * at) for at, number in enumerate(numbers)), Decimal(0)
    )


def _ordered(
    stored: Stored, by: Stored | None, found: Mapping[tuple[Cell, ...], Decimal]
) -> list[GroupSum]:
    sums: list[tuple[tuple[Any, ...], GroupSum]] = []
    for cells, number in found.items():
        group: Value | None = None
        place: list[tuple[bool, bool, Any]] = []
        if by is not None:
            own = cells[: len(by.cells)]
            group = None if own[0] is None else by.value(own)
            named = dict(zip(by.encoding.cells, own, strict=True))
            place += (
                (named[each] is None, isinstance(named[each], str), named[each])
                for each in by.encoding.sorted_by
            )
        match stored.column.type:
            case "money":
                currency = str(cells[-1])
                place.append((False, False, currency))
                total: Money | Decimal | int = Money.model_construct(
                    amount=number, currency=currency
                )
            case "number":
                total = int(number)
            case _:
                total = number
        sums.append((tuple(place), GroupSum(group, total)))
    return [each for _, each in sorted(sums, key=lambda pair: pair[0])]
