"""Encode the values of columns as cells of SQLite that sort as the values do, and back.

A text has a second cell that sorts without case and accents. A decimal is a key of bytes that sorts
exactly at any size; for sums it has two whole numbers as well, unless it is too large for them. An
amount has its currency first.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from chassis.domain.list_kinds import Column
from contracts.money import Money, Rate
from contracts.vocabularies import Unlisted

Cell: TypeAlias = int | str | bytes | None

DECIMALS: Final = 8
"""Decimals of the numbers that SQLite sums; no type of the contracts has more."""
_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ZERO, _MIDDLE = b"\x80", 0x8000


@dataclass(frozen=True, slots=True)
class Encoding:
    """The cells of a column.

    `cells` are the ends of their names, `sorted_by` those of the cells that are compared, in order,
    and `summed` those of the two parts of a sum. `encode` returns one value for each cell; `decode`
    gets them, and is None where the first one is the value.
    """

    cells: tuple[str, ...]
    sorted_by: tuple[str, ...]
    encode: Callable[[Any], tuple[Cell, ...]]
    decode: Callable[..., Any] | None = None
    summed: tuple[str, ...] = ()


def folded(text: str) -> str:
    """Return a text without case and accents, for comparisons."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    return _NOT_ASCII.sub(_unmarked, plain).casefold()


def _unmarked(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


def decimal_key(number: Decimal) -> bytes:
    """Return bytes that sort as the numbers do; raises ValueError where it is not finite."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{number} is not finite")  # noqa: TRY004
    magnitude = len(digits) + exponent
    significant = bytes(digits).lstrip(b"\0")
    magnitude -= len(digits) - len(significant)
    significant = significant.rstrip(b"\0")
    if not significant:
        return _ZERO
    if sign:
        reverse = bytes(9 - digit for digit in significant)
        return b"\x7f" + (_MIDDLE - magnitude).to_bytes(2, "big") + reverse + b"\xff"
    return b"\x81" + (_MIDDLE + magnitude).to_bytes(2, "big") + significant


def decimal_of(key: bytes) -> Decimal:
    """Return the number of a key, without an exponent above 0."""
    if key == _ZERO:
        return Decimal(0)
    magnitude, digits = int.from_bytes(key[1:3], "big") - _MIDDLE, key[3:]
    if negative := key[0] == 0x7F:
        magnitude, digits = -magnitude, bytes(9 - digit for digit in digits[:-1])
    digits = digits.ljust(magnitude, b"\0")
    return Decimal((negative, tuple(digits), magnitude - len(digits)))


def _parts(number: Decimal) -> tuple[Cell, Cell]:
    """Return whole units and the rest as a number of `DECIMALS`; None where they are not exact."""
    scaled = number.scaleb(DECIMALS)
    exact = int(scaled)
    whole, rest = divmod(exact, 10**DECIMALS)
    return (whole, rest) if exact == scaled and abs(whole) < _LARGEST else (None, None)


def _amount(value: Money) -> tuple[Cell, ...]:
    return (value.currency, decimal_key(value.amount), *_parts(value.amount))


def _microseconds(moment: datetime) -> tuple[Cell, ...]:
    return ((moment - _EPOCH) // _MICROSECOND,)


def _itself(value: Cell) -> tuple[Cell, ...]:
    return (value,)


def _moment_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _money_of(currency: str, key: bytes, *_: Cell) -> Money:
    return Money.model_construct(currency=currency, amount=decimal_of(key))


def _rate_of(currency: str, key: bytes) -> Rate:
    return Rate.model_construct(currency=currency, amount=decimal_of(key))


_PLAIN = Encoding(("",), ("",), _itself)
_TEXT = Encoding(("", ":folded"), (":folded", ""), lambda value: (value, folded(value)))
_DAY = Encoding(("",), ("",), lambda day: (day.toordinal(),), date.fromordinal)
_MOMENT = Encoding(("",), ("",), _microseconds, _moment_of)
_NUMBER = Encoding(("",), ("",), _itself, summed=("",))
_FLAG = Encoding(("",), ("",), lambda value: (int(value),), bool)
_DECIMAL = Encoding(
    ("", ":whole", ":rest"),
    ("",),
    lambda number: (decimal_key(number), *_parts(number)),
    lambda key, *_: decimal_of(key),
    summed=(":whole", ":rest"),
)
_MONEY = Encoding(
    (":currency", "", ":whole", ":rest"),
    (":currency", ""),
    _amount,
    _money_of,
    summed=(":whole", ":rest"),
)
_RATE = Encoding(
    (":currency", ""),
    (":currency", ""),
    lambda rate: (rate.currency, decimal_key(rate.amount)),
    _rate_of,
)


def encoding_of(column: Column) -> Encoding:
    """Return the encoding of a column.

    The words of an enum sort in their order and before those that are not listed.
    """
    match column.type:
        case "text":
            return _TEXT
        case "day":
            return _DAY
        case "moment":
            return _MOMENT
        case "number":
            return _NUMBER
        case "flag":
            return _FLAG
        case "decimal":
            return _DECIMAL
        case "money":
            return _MONEY
        case "rate":
            return _RATE
        case "enum":
            return _enum(column.words)
        case "id" | "person" | "contact" | "account" | "month":
            return _PLAIN


def _enum(words: tuple[str, ...]) -> Encoding:
    numbers = {word: number for number, word in enumerate(words)}

    def encode(word: str) -> tuple[Cell, ...]:
        return (numbers.get(word, str(word)),)

    def decode(cell: Cell) -> str:
        return words[cell] if isinstance(cell, int) else Unlisted(str(cell))

    return Encoding(("",), ("",), encode, decode)
