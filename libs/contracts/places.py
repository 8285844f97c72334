"""Define countries and time zones, by the time zone database of the package `tzdata`."""

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from typing import Annotated
from zoneinfo import available_timezones

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


_OTHER_NAMES = {"united kingdom": "GB", "south korea": "KR", "north korea": "KP", "myanmar": "MM"}
"""Names in common use of countries that the table names otherwise."""


@cache
def _country_codes() -> dict[str, str]:
    return _OTHER_NAMES | {name.casefold(): code for code, name in _countries().items()}


def country_named(text: str) -> str | None:
    """Return the code of a country by its code or its English name in any case, or None."""
    code = text.upper()
    return code if code in countries() else _country_codes().get(text.casefold())


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
