"""Texts for people, in English: amounts, numbers, days and lists.

Nothing is escaped here; the templates escape it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from contracts.counting import counted
from contracts.currencies import MINOR_UNITS
from contracts.decimals import round_decimal
from contracts.money import Money
from contracts.values import ForecastMethod

UNKNOWN = "\N{EN DASH}"
"""Shown where a figure is not known; zero is shown as 0."""

_MINUS = "\N{MINUS SIGN}"

FORMULAS: Mapping[ForecastMethod, str] = {
    "hours-to-complete": "AC + ETC",
    "trend": "BAC / CPI",
    "as-planned": f"AC + (BAC {_MINUS} EV)",
    "cost-and-schedule": f"AC + (BAC {_MINUS} EV) / (CPI \N{MULTIPLICATION SIGN} SPI)",
}
"""Formulas of the cost at completion, as earned value management writes them."""

_ACRONYMS = {"msa": "MSA", "nda": "NDA", "sow": "SOW", "pir": "PIR", "brd": "BRD", "pmo": "PMO"}


def number(value: Decimal | int) -> str:
    """Return a number with thousands separators, no trailing zeros, and a minus sign (U+2212)."""
    text = f"{abs(value):,f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{_MINUS}{text}" if value < 0 and text.strip("0,.") else text


def whole(amount: Decimal | None) -> str:
    """Return an amount rounded to whole units, for tables whose heading names the currency."""
    return UNKNOWN if amount is None else number(round_decimal(amount, 0))


def money(value: Money | None) -> str:
    """Return an amount and its currency; minor units only where they are not zero."""
    if value is None:
        return UNKNOWN
    amount = value.amount
    if amount == amount.to_integral_value():
        return f"{number(amount)} {value.currency}"
    sign = _MINUS if amount < 0 else ""
    return f"{sign}{abs(amount):,.{MINOR_UNITS[value.currency]}f} {value.currency}"


def rounded_money(value: Money | None) -> str:
    """Return an amount in whole units with its currency, for lists."""
    return UNKNOWN if value is None else f"{whole(value.amount)} {value.currency}"


def hours(value: Decimal) -> str:
    """Return hours with their unit, such as 36.5 h."""
    return f"{number(value)} h"


def percent(ratio: Decimal | None, digits: int = 1) -> str:
    """Return a ratio in percent."""
    return UNKNOWN if ratio is None else points(ratio * 100, digits)


def points(value: Decimal | None, digits: int = 1) -> str:
    """Return a value that is in percent already, with the sign for it."""
    if value is None:
        return UNKNOWN
    return f"{number(round_decimal(value, digits))}%"


def ratio(value: Decimal | None) -> str:
    """Return an index such as CPI, with two decimals."""
    return UNKNOWN if value is None else f"{round_decimal(value, 2)}".replace("-", _MINUS)


def day(value: date | datetime | None) -> str:
    """Return a day, such as 4 June 2026; of a moment the day in UTC."""
    return UNKNOWN if value is None else _day(value, "%B")


def short_day(value: date | datetime | None) -> str:
    """Return a day with a short month, such as 4 Jun 2026; of a moment the day in UTC."""
    return UNKNOWN if value is None else _day(value, "%b")


def _day(value: date | datetime, month: str) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return f"{value.day} {value:{month} %Y}"


def clock(value: datetime) -> str:
    """Return the hour and minute of a moment, in UTC."""
    return f"{value.astimezone(UTC):%H:%M}"


def moment(value: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{short_day(value)}, {clock(value)}"


def elapsed(since: datetime, today: date) -> str:
    """Return how long ago a moment was: in days, from 60 days on in months."""
    days = (today - since.astimezone(UTC).date()).days
    if days <= 0:
        return "today"
    if days < 60:
        return f"{counted(days, 'day')} ago"
    return f"{counted(days * 12 // 365, 'month')} ago"


def listed(parts: Iterable[str]) -> str:
    """Return a list in words: a, b and c."""
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def words(name: str) -> str:
    """Return a name of the contracts in words: on-acceptance is on acceptance."""
    return " ".join(_ACRONYMS.get(part, part) for part in name.replace("_", "-").split("-"))


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def promised(finish: date | None, forecast: date | None) -> str:
    """Return by how many days the forecast is later than the promised finish, or earlier.

    Return an empty text where one of them is not known.
    """
    if finish is None or forecast is None:
        return ""
    days = (forecast - finish).days
    if days > 0:
        return f"{counted(days, 'day')} late"
    return f"{counted(-days, 'day')} early" if days < 0 else "on time"
