"""Read the values of columns as they are written in the query of a URL and in CSV."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from chassis.domain.list_kinds import Column, ColumnType
from contracts.decimals import Number
from contracts.money import Money, Rate
from contracts.values import Day, Moment
from contracts.vocabularies import HEARD

Value: TypeAlias = str | int | bool | Decimal | date | datetime | Money | Rate
"""The value of a column of a row; moments have a time zone, amounts a currency."""

T = TypeVar("T")

LARGEST: Final = 2**63 - 1
"""Largest whole number in a column, and smallest with a minus."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_MONEY = re.compile(r"(\S+) ([A-Z]{3})")
_A_DAY = TypeAdapter[date](Day)
_A_MOMENT = TypeAdapter[datetime](Moment)
_A_NUMBER = TypeAdapter[Decimal](Number)
_MONEYS: Final[Mapping[ColumnType, TypeAdapter[Any]]] = {
    "money": TypeAdapter(Money),
    "rate": TypeAdapter(Rate),
}
_FLAGS = {"true": True, "false": False}


def read_value(column: Column, text: str) -> Value:
    """Return the value that a text gives to a column; raises ValueError with a sentence."""
    return _READERS[column.type](column, text)


def _known(adapter: TypeAdapter[T], given: object, otherwise: str) -> T:
    try:
        return adapter.validate_python(given, context=HEARD)
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_input=False)
        own = first["type"] in {"value_error", "invalid_value"}
        sentence = first["msg"].removeprefix("Value error, ")
        raise ValueError(sentence if own else otherwise) from None


def _text(column: Column, text: str) -> Value:
    return text


def _identity(column: Column, text: str) -> Value:
    return str(_known(column.adapter, text, f"must be {_EXPECTED[column.type]}"))


def _day(column: Column, text: str) -> Value:
    return _known(_A_DAY, text if _DAY.fullmatch(text) else None, _EXPECTED_DAY)


def _moment(column: Column, text: str) -> Value:
    return _known(_A_MOMENT, text if _MOMENT.fullmatch(text) else None, _EXPECTED_MOMENT)


def _number(column: Column, text: str) -> Value:
    if not _WHOLE.fullmatch(text) or abs(int(text)) > LARGEST:
        raise ValueError(f"must be a whole number, at most {LARGEST}")
    return int(text)


def _decimal(column: Column, text: str) -> Value:
    return _known(_A_NUMBER, text, "must be a decimal number, such as 1250.5")


def _money(column: Column, text: str) -> Value:
    parts = _MONEY.fullmatch(text)
    if parts is None:
        raise ValueError("must be an amount and its currency, such as 1000.00 EUR")
    amount, currency = parts.groups()
    found: Money | Rate = _known(
        _MONEYS[column.type],
        {"amount": amount, "currency": currency},
        "must be an amount, such as 1000.00 EUR",
    )
    return found


def _flag(column: Column, text: str) -> Value:
    if text not in _FLAGS:
        raise ValueError("must be true or false")
    return _FLAGS[text]


def _enum(column: Column, text: str) -> Value:
    if text not in column.words:
        raise ValueError(f"must be one of {', '.join(column.words)}")
    return text


_EXPECTED: Final[Mapping[ColumnType, str]] = {
    "id": "an id of this kind",
    "person": "the id of a person, such as ann.archer",
    "contact": "the id of a contact, such as ann.archer",
    "account": "the id of an account",
    "month": "a month, such as 2026-03",
}
_EXPECTED_DAY = "must be a day that exists, such as 2026-03-02"
_EXPECTED_MOMENT = "must be a moment with its time zone, such as 2026-03-02T09:30:00Z"
_READERS: Final[Mapping[ColumnType, Callable[[Column, str], Value]]] = {
    "text": _text,
    **dict.fromkeys(_EXPECTED, _identity),
    "day": _day,
    "moment": _moment,
    "number": _number,
    "decimal": _decimal,
    "money": _money,
    "rate": _money,
    "flag": _flag,
    "enum": _enum,
}
