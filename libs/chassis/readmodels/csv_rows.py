"""Write the rows of a list as CSV, and read them back.

The header has the names of the columns; amounts have two, with their amount and currency. A field
without a value is empty, days and moments are written as in ISO 8601, moments in UTC. Programs for
spreadsheets compute a field that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
return: an apostrophe is written before such a text, and also before one that begins with an
apostrophe or is empty, so that reading removes exactly what was added. Numbers are written without.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from chassis.domain.list_kinds import Column, ListKind, R
from chassis.readmodels.values import read_value
from contracts.decimals import canonical_decimal
from contracts.money import Money, Rate
from contracts.vocabularies import Unlisted

_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
_MONEY = {"money", "rate"}
_WORDS = {"text", "id", "person", "contact", "account", "enum"}


class InvalidCsv(ValueError):
    """A text that is not the CSV of a list; the sentence names line and column."""


def header(kind: ListKind[Any]) -> str:
    """Return the first line, with the names of the columns."""
    return _lines([_names(kind)])


def written(kind: ListKind[R], rows: Iterable[R]) -> str:
    """Return the lines of rows."""
    columns = tuple(kind.columns.values())
    return _lines(
        [text for column in columns for text in _fields(column, getattr(row, column.name))]
        for row in rows
    )


def read_rows(kind: ListKind[R], text: str) -> Iterator[R]:
    """Yield the rows of a text that begins with the header; raises InvalidCsv."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = next(lines, [])
    if names != _names(kind):
        raise InvalidCsv(f"line 1: the columns must be {', '.join(_names(kind))}")
    for line in lines:
        if len(line) != len(names):
            raise InvalidCsv(f"line {lines.line_num}: has {len(line)} fields, not {len(names)}")
        fields = dict(zip(names, line, strict=True))
        values: dict[str, object] = {}
        for name, column in kind.columns.items():
            try:
                values[name] = _value(column, fields)
            except ValueError as error:
                raise InvalidCsv(f"line {lines.line_num}, {name}: {error}") from None
        yield kind.row(**values)


def _names(kind: ListKind[Any]) -> list[str]:
    return [name for column in kind.columns.values() for name in _columns(column)]


def _columns(column: Column) -> tuple[str, ...]:
    if column.type in _MONEY:
        return (f"{column.name}.amount", f"{column.name}.currency")
    return (column.name,)


def _lines(lines: Iterable[Iterable[str]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(lines)
    return file.getvalue()


def _fields(column: Column, value: object) -> tuple[str, ...]:
    match value:
        case None:
            return ("",) * len(_columns(column))
        case Money() | Rate():
            return canonical_decimal(value.amount), value.currency
        case bool():
            return (str(value).lower(),)
        case Decimal():
            return (canonical_decimal(value),)
        case datetime():
            return (value.astimezone(UTC).isoformat().replace("+00:00", "Z"),)
        case date():
            return (value.isoformat(),)
        case str():
            marked = not value or value.startswith((*_COMPUTED, "'"))
            return (f"'{value}" if marked else value,)
        case _:
            return (str(value),)


def _value(column: Column, fields: Mapping[str, str]) -> object:
    given = [fields[name] for name in _columns(column)]
    if column.optional and not any(given):
        return None
    text = " ".join(given)
    if column.type in _WORDS:
        text = text.removeprefix("'")
    if column.open and text not in column.words:
        return Unlisted(text)
    return read_value(column, text)
