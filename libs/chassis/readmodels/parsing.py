"""Read the query of a URL as a typed query of a list.

==========================  ===================================================================
``field=value``             the field has the value; repeated: any of the values
``field.from``, ``.to``     the field is in a range, bounds included
``field.contains=text``     the text contains another one; case and accents are ignored
``field.empty=true``        the field has no value; ``false``: it has one
``q=words``                 every word begins a word of the texts that are searched
``sort=-value,title``       order, by several fields; a minus for descending
``limit``, ``cursor``       rows of a page, and the ``next`` of the page before
``total=true``              also the number of all rows
``sum=field``, ``by=field``  also the sum of a field, by the values of another one
``expand=field,field``      also the names of people, contacts and accounts
==========================  ===================================================================

Amounts are written with their currency: ``1000.00 EUR``. What means nothing is refused: all errors
are returned together, one for each parameter, and each names what is possible.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from chassis.domain.list_kinds import GROUPED, NAMED, PARAMETERS, RANGED, SUMMED, Column, ListKind
from chassis.readmodels.query import (
    ROWS,
    AnyOf,
    Contains,
    Empty,
    Filter,
    InvalidQuery,
    Query,
    QueryError,
    Range,
    SumOf,
    orders,
)
from chassis.readmodels.values import Value, read_value
from contracts.money import Money, Rate

MOST_ROWS = 200
MOST_CHARACTERS = 200
"""Characters that the value of a parameter may have, except a cursor."""
MOST_VALUES = 100
"""Values of one field that a query may give."""
MOST_SORTS = 5


def parse_query(kind: ListKind[Any], parameters: Iterable[tuple[str, str]]) -> Query:
    """Return the query that decoded parameters of a URL give, in any order; raises InvalidQuery."""
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(name, []).append(value)
    return _Parser(kind, given).query()


def possible(column: Column) -> list[str]:
    """Return the parameters by which a column can be filtered."""
    operators = [column.name]
    if column.type in RANGED:
        operators += [f"{column.name}.from", f"{column.name}.to"]
    if column.type == "text":
        operators.append(f"{column.name}.contains")
    if column.optional:
        operators.append(f"{column.name}.empty")
    return operators


class _Parser:
    def __init__(self, kind: ListKind[Any], given: Mapping[str, list[str]]) -> None:
        self._kind = kind
        self._columns = kind.columns
        self._given = given
        self._errors: dict[str, str] = {}
        self._filters = {
            parameter: column for column in kind.columns.values() for parameter in possible(column)
        }

    def query(self) -> Query:
        for name, values in self._given.items():
            problem = self._problem(name, values)
            if problem is not None:
                self._errors[name] = problem
        filters = tuple(
            each for column in self._columns.values() for each in self._filters_of(column)
        )
        query = Query(
            filters=filters,
            search=self._search(),
            sort=orders(self._names("sort", MOST_SORTS)) or orders(self._kind.sort),
            limit=self._limit(),
            cursor=self._single("cursor"),
            total=self._flag("total"),
            sum_of=self._sum(),
            expand=self._names("expand", len(self._columns)),
            scope=self._scope(filters),
        )
        if self._errors:
            raise InvalidQuery([QueryError(*each) for each in self._errors.items()])
        return query

    def _problem(self, name: str, values: list[str]) -> str | None:
        if name not in PARAMETERS and name not in self._filters:
            return self._unknown(name)
        if name in self._columns:
            if len(values) > MOST_VALUES:
                return f"is given more than {MOST_VALUES} times"
        elif len(values) > 1:
            return "is given more than once"
        for value in values:
            if name != "cursor" and len(value) > MOST_CHARACTERS:
                return f"has more than {MOST_CHARACTERS} characters"
            if any(unicodedata.category(each) in {"Cc", "Cs"} for each in value):
                return "must not contain control characters"
        return None

    def _unknown(self, name: str) -> str:
        column = self._columns.get(name.rpartition(".")[0])
        if column is not None:
            return f"is no filter of this field; possible: {', '.join(possible(column))}"
        return f"is no parameter of this list; fields: {', '.join(self._columns)}"

    def _texts(self, name: str) -> list[str]:
        return [] if name in self._errors else self._given.get(name, [])

    def _single(self, name: str) -> str | None:
        texts = self._texts(name)
        return texts[0] if texts else None

    # ---- filters ------------------------------------------------------------------------------

    def _filters_of(self, column: Column) -> Iterable[Filter]:
        name = column.name
        values = self._values(name, column)
        low, high = self._bound(f"{name}.from", column), self._bound(f"{name}.to", column)
        contains = self._single(f"{name}.contains")
        if values:
            yield AnyOf(name, tuple(values))
        if low is not None or high is not None:
            self._require_order(name, low, high)
            yield Range(name, low, high)
        if contains is not None:
            if not contains:
                self._errors[f"{name}.contains"] = "must not be empty"
            yield Contains(name, contains)
        if self._texts(f"{name}.empty"):
            empty = self._flag(f"{name}.empty")
            if empty and (values or low is not None or high is not None or contains is not None):
                self._errors[f"{name}.empty"] = f"contradicts the other filters of {name}"
            yield Empty(name, empty)

    def _values(self, name: str, column: Column) -> list[Value]:
        values: list[Value] = []
        for text in self._texts(name):
            try:
                values.append(read_value(column, text))
            except ValueError as error:
                self._errors[name] = str(error)
        return values

    def _bound(self, name: str, column: Column) -> Value | None:
        return next(iter(self._values(name, column)), None)

    def _require_order(self, name: str, low: Value | None, high: Value | None) -> None:
        if low is None or high is None:
            return
        if isinstance(low, Money | Rate) and isinstance(high, Money | Rate):
            if low.currency != high.currency:
                self._errors[f"{name}.to"] = f"must be in {low.currency}, as {name}.from is"
                return
            low, high = low.amount, high.amount
        if low > high:  # type: ignore[operator]  # both are values of one column
            self._errors[f"{name}.to"] = f"must not be less than {name}.from"

    def _scope(self, filters: Iterable[Filter]) -> AnyOf | None:
        scopes = self._kind.scopes
        for each in filters:
            if isinstance(each, AnyOf) and each.column in scopes and len(each.values) == 1:
                return each
        if scopes and not any(each in self._errors for each in scopes):
            problem = f"this list needs one value of {' or '.join(scopes)}"
            self._errors[scopes[0]] = problem
        return None

    # ---- the other parameters -----------------------------------------------------------------

    def _flag(self, name: str) -> bool:
        text = self._single(name)
        if text not in {None, "true", "false"}:
            self._errors[name] = "must be true or false"
        return text == "true"

    def _limit(self) -> int:
        text = self._single("limit")
        if text is None:
            return ROWS
        if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= MOST_ROWS:
            self._errors["limit"] = f"must be a whole number from 1 to {MOST_ROWS}"
            return ROWS
        return int(text)

    def _search(self) -> str | None:
        text = self._single("q")
        if text is None:
            return None
        if not any(column.searched for column in self._columns.values()):
            self._errors["q"] = "this list has no texts that are searched"
        elif not any(character.isalnum() for character in text):
            self._errors["q"] = "must contain a letter or a digit"
        return text

    def _names(self, parameter: str, most: int) -> tuple[str, ...]:
        text = self._single(parameter)
        if text is None:
            return ()
        names = tuple(text.split(","))
        columns = [name.removeprefix("-") if parameter == "sort" else name for name in names]
        allowed = [
            each.name
            for each in self._columns.values()
            if parameter == "sort" or each.type in NAMED
        ]
        if not set(columns) <= set(allowed):
            self._errors[parameter] = _one_of(allowed)
        elif len(set(columns)) < len(columns):
            self._errors[parameter] = "names a field twice"
        elif len(columns) > most:
            self._errors[parameter] = f"names more than {most} fields"
        return names

    def _sum(self) -> SumOf | None:
        column, by = self._single("sum"), self._single("by")
        for parameter, name, types in (("sum", column, SUMMED), ("by", by, GROUPED)):
            allowed = [each.name for each in self._columns.values() if each.type in types]
            if name is not None and name not in allowed:
                self._errors[parameter] = _one_of(allowed)
        if column is None:
            if by is not None and "sum" not in self._given:
                self._errors["by"] = "needs sum: the field whose sums are grouped"
            return None
        return SumOf(column, by)


def _one_of(names: list[str]) -> str:
    return f"must be one of {', '.join(names)}" if names else "no field of this list can be named"
