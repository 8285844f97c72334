"""Define the currencies of ISO 4217, withdrawn ones among them, with their days and minor units.

The codes and minor units are those of the lists of ISO 4217, which the package `iso_4217` keeps.
The days are those of the Unicode CLDR, which the package `babel` keeps, see
docs/adr/0080-take-currencies-and-their-days-from-kept-packages.md.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from babel.core import get_global
from iso_4217 import Currency as _Listed

_CASH: Final = timedelta(days=365)
"""Longest time in which cash of a currency is still taken after another has replaced it."""


class Days(NamedTuple):
    """The days on which a currency is in use; None where there is no first or last day."""

    first: date | None
    last: date | None

    def __contains__(self, day: object) -> bool:
        return (
            isinstance(day, date)
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
        )


def _tender() -> Iterator[tuple[str, Days]]:
    """Yield the days on which each territory has a currency as legal tender, by code.

    Where another currency replaces one that is tender for a while longer, as cash is, the last day
    is that before the change.
    """
    for listed in get_global("territory_currencies").values():
        periods = [
            (code, Days(begun and date(*begun), ended and date(*ended)))
            for code, begun, ended, tender in listed
            if tender
        ]
        for code, days in periods:
            yield code, days._replace(last=_last_day(days, [other for _, other in periods]))


def _last_day(days: Days, others: list[Days]) -> date | None:
    first, last = days
    replaced = sorted(
        other.first - timedelta(days=1)
        for other in others
        if last is not None
        and other.first is not None
        and (first is None or first < other.first)
        and other.first <= last <= other.first + _CASH
    )
    return replaced[0] if replaced else last


def _days() -> dict[str, Days]:
    """Return the days of each currency: from the first to the last in any territory."""
    found: dict[str, Days] = {}
    for code, days in _tender():
        known = found.get(code, days)
        firsts = [each.first for each in (known, days) if each.first is not None]
        lasts = [each.last for each in (known, days) if each.last is not None]
        found[code] = Days(
            min(firsts) if len(firsts) == 2 else None, max(lasts) if len(lasts) == 2 else None
        )
    return found


def _currencies() -> Iterator[tuple[str, int, Days]]:
    """Yield code, decimals of the minor unit, and days of each currency.

    Metals, funds and units of account are left out, and withdrawn currencies without a last day.
    """
    known, digits = _days(), get_global("currency_fractions")
    for each in _Listed:
        days = known.get(each.name, Days(None, None))
        if each.entities:
            if not each.is_fund and each.subunit_exp is not None and each.subunit_exp <= 3:
                yield each.name, each.subunit_exp, days._replace(last=None)
        elif days.last is not None:
            # ISO 4217 states no minor unit of withdrawn currencies.
            yield each.name, digits.get(each.name, digits["DEFAULT"])[0], days


_ALL: Final = tuple(_currencies())

MINOR_UNITS: Final = {code: decimals for code, decimals, _ in _ALL}
"""Number of decimals of the minor unit, by code, also of withdrawn currencies."""

IN_USE: Final = {code: days for code, _, days in _ALL}
"""The days on which a currency is in use, by code."""
