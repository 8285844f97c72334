"""Declare lists: the typed columns of a row, what may be asked about them, and of whom.

The annotations of a row model are those of the contracts. From them follow the type of each column,
and from the type what a reader may filter by, sort by and sum.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, reduce
from operator import or_
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AwareDatetime, StringConstraints, TypeAdapter

from chassis.base.view_model import ViewModel
from contracts.money import CURRENCY_CODE, Money, Rate
from contracts.roles import Role
from contracts.text import CLEAN_LINE, CLEAN_TEXT
from contracts.values import IdOf, Month
from contracts.vocabularies import Unlisted

ColumnType = Literal[
    "text",
    "id",
    "person",
    "contact",
    "account",
    "month",
    "day",
    "moment",
    "number",
    "decimal",
    "money",
    "rate",
    "flag",
    "enum",
]
"""Type of a column.

Moments are in UTC. Numbers are whole. Amounts of money and rates have a currency, and are compared
and summed within it only.
"""

NAMED: Final[frozenset[ColumnType]] = frozenset({"person", "contact", "account"})
"""Types of columns with ids of which a list can show the names."""
RANGED: Final[frozenset[ColumnType]] = frozenset(
    {"month", "day", "moment", "number", "decimal", "money", "rate"}
)
"""Types of columns that can be filtered by a range."""
SUMMED: Final[frozenset[ColumnType]] = frozenset({"number", "decimal", "money"})
"""Types of columns that can be summed."""
GROUPED: Final[frozenset[ColumnType]] = frozenset(
    {"text", "id", "person", "contact", "account", "month", "day", "flag", "enum"}
)
"""Types of columns by which sums can be grouped."""

PARAMETERS: Final = frozenset({"q", "sort", "limit", "cursor", "total", "sum", "by", "expand"})
"""Parameters of a list that are no columns."""

_SIMPLE: Final[Mapping[object, ColumnType]] = {
    bool: "flag",
    int: "number",
    date: "day",
    AwareDatetime: "moment",
    Decimal: "decimal",
    Money: "money",
    Rate: "rate",
}
_MONTH: Final = next(each for each in get_args(Month) if isinstance(each, StringConstraints))


@dataclass(frozen=True, slots=True)
class Searched:
    """Annotation of a column of a row whose words the search of its list finds."""


SEARCHED: Final = Searched()


class ListRow(ViewModel):
    """The base of the rows of lists; each field is a column."""


R = TypeVar("R", bound=ListRow)


@dataclass(frozen=True)
class Column:
    """A column of a list.

    `annotation` is that of the field without null. `words` are the listed words of an enum in their
    order; an `open` one may contain others.
    """

    name: str
    type: ColumnType
    annotation: Any
    optional: bool = False
    searched: bool = False
    words: tuple[str, ...] = ()
    open: bool = False

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Return what validates a value of the column, without null."""
        return TypeAdapter(self.annotation)


@dataclass(frozen=True, slots=True)
class KeysOf:
    """The keys of the rows of another list of the same service that are within limits."""

    kind: str
    limits: "Limits"


Limits: TypeAlias = Mapping[str, Collection[str] | KeysOf]
"""Values by column: a reader sees the rows with one of the values in at least one of the columns.

Without columns they see none. The columns have types of ids, months or enums.
"""


@dataclass(frozen=True)
class ListKind(Generic[R]):
    """A kind of list: its rows, the column that is their key, who may read it and its usual sort.

    A kind that grows with work has `scopes`: columns, one of which each query gives with one value.
    `sort` are names of columns, with a minus before those that are descending. Raises TypeError
    where a field of the row has no type of a column, or the name of a parameter, and where key,
    scopes or sort name no column.
    """

    name: str
    row: type[R]
    key: str
    readers: tuple[Role, ...]
    sort: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = self.columns
        if taken := PARAMETERS & columns.keys():
            raise TypeError(f"{self.row.__name__}: {', '.join(sorted(taken))} is a parameter")
        for name in (self.key, *self.scopes, *(each.removeprefix("-") for each in self.sort)):
            if name not in columns:
                raise TypeError(f"{self.row.__name__} has no column {name}")
        if columns[self.key].optional or columns[self.key].type != "id":
            raise TypeError(f"{self.row.__name__}.{self.key} must be an id to be the key")

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Return the columns by name, in the order of the fields."""
        return {each.name: each for each in columns_of(self.row)}


def columns_of(row: type[ListRow]) -> Iterator[Column]:
    """Yield the columns of a row; raises TypeError for a field that has no type of a column."""
    annotations = get_type_hints(row, include_extras=True)
    for name in row.model_fields:
        annotation = annotations[name]
        leaves = [*_leaves(annotation)]
        marks = [mark for _, found in leaves for mark in found]
        values = [leaf for leaf, _ in leaves if leaf is not NoneType]
        words = tuple(
            word for leaf in values if get_origin(leaf) is Literal for word in get_args(leaf)
        )
        kind = _type_of(values, marks, words)
        if kind is None:
            raise TypeError(f"{row.__name__}.{name}: {annotation} is no type of a column")
        yield Column(
            name,
            kind,
            _without_none(annotation),
            optional=len(values) < len(leaves),
            searched=SEARCHED in marks,
            words=words,
            open=Unlisted in values,
        )


def _leaves(annotation: object, marks: tuple[object, ...] = ()) -> Iterator[tuple[object, Any]]:
    """Yield the members of all unions in an annotation, each with the metadata around it."""
    if get_origin(annotation) is Annotated:
        inner, *found = get_args(annotation)
        yield from _leaves(inner, (*found, *marks))
    elif get_origin(annotation) in {Union, UnionType}:
        for each in get_args(annotation):
            yield from _leaves(each, marks)
    else:
        yield annotation, marks


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return Annotated[(_without_none(inner), *marks)]
    if get_origin(annotation) in {Union, UnionType}:
        return reduce(or_, [each for each in get_args(annotation) if each is not NoneType])
    return annotation


def _type_of(
    values: list[object], marks: list[object], words: tuple[object, ...]
) -> ColumnType | None:
    if words:
        listed = all(get_origin(each) is Literal or each is Unlisted for each in values)
        return "enum" if listed and all(isinstance(word, str) for word in words) else None
    if len(values) != 1:
        return None
    (value,) = values
    if value is not str:
        return _SIMPLE.get(value)
    for mark in marks:
        if isinstance(mark, IdOf):
            return mark.kind
    if _MONTH in marks:
        return "month"
    if CLEAN_LINE in marks or CLEAN_TEXT in marks:
        return "text"
    if any(isinstance(mark, StringConstraints) and mark.pattern for mark in marks):
        return "id"
    return "id" if CURRENCY_CODE in marks else None
