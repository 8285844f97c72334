"""Define countries and time zones, by the time zone database of the package `tzdata`.

Names of countries are those of the Unicode CLDR, too, which the package `babel` keeps.
"""

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from typing import Annotated
from zoneinfo import available_timezones

from babel import localedata
from babel.core import get_global
from pydantic import AfterValidator, Field, StringConstraints


def day_at(moment: datetime, zone: tzinfo | None) -> date:
    """Return the day of a moment in a time zone, or in UTC where the zone is not known."""
    return moment.astimezone(zone or UTC).date()


@cache
def _countries() -> dict[str, str]:
    """Return the English names of all countries, by ISO 3166-1 alpha-2 code."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in table.splitlines() if line[0] != "#")
    return {line[0]: line[1] for line in lines}


@cache
def countries() -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes of all countries."""
    return frozenset(_countries())


_OTHER_NAMES = {
    "england": "GB",
    "great britain": "GB",
    "northern ireland": "GB",
    "scotland": "GB",
    "wales": "GB",
    "großbritannien": "GB",
    "united states of america": "US",
    "vereinigte staaten von amerika": "US",
    "holland": "NL",
    "czech republic": "CZ",
    "turkey": "TR",
    "hong kong": "HK",
    "hongkong": "HK",
    "macau": "MO",
    "myanmar": "MM",
    "korea": "KR",
    "viet nam": "VN",
    "uae": "AE",
    "uk": "GB",
}
"""Names in common use that the table and the Unicode CLDR do not have."""


@cache
def _country_codes() -> dict[str, str]:
    """Return the codes by names (English and German, folded) and by codes of three letters."""
    found: dict[str, str] = {}
    for language in ("de", "en"):
        names = localedata.load(language, merge_inherited=False)["territories"]
        found |= {name.casefold(): code for code, name in names.items() if code in countries()}
    aliases = get_global("territory_aliases").items()
    found |= {
        alias.casefold(): codes[0]
        for alias, codes in aliases
        if len(alias) == 3 and alias.isalpha() and codes[0] in countries()
    }
    return found | {name.casefold(): code for code, name in _countries().items()} | _OTHER_NAMES


def country_named(text: str) -> str | None:
    """Return the code of a country, or None.

    Read in any case are its codes of two and three letters, its English or German name, and short
    forms in common use, also with points (`U.S.A.`) and after `the`.
    """
    code = text.upper().replace(".", "")
    name = text.casefold().removeprefix("the ")
    if code in countries():
        return code
    return _country_codes().get(name) or _country_codes().get(code.casefold())


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _country(code: str) -> str:
    if code not in countries():
        raise ValueError("not an ISO 3166-1 country code, such as DE or US")
    return code


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


CountryCode = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{2}$", max_length=2),
    AfterValidator(_country),
    Field(examples=["DE"]),
]
"""Country, by its ISO 3166-1 alpha-2 code."""

TimeZone = Annotated[
    str,
    StringConstraints(pattern="^[A-Z][A-Za-z0-9_+/-]*$", max_length=64),
    AfterValidator(_time_zone),
    Field(examples=["Europe/Berlin"]),
]
"""Time zone, by its name in the IANA database; `zoneinfo.ZoneInfo` accepts it."""
