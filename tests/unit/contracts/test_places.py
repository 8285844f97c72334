"""Test the types of countries and time zones."""

from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.places import CountryCode, TimeZone, countries, country_named

COUNTRY = TypeAdapter[str](CountryCode)
ZONE = TypeAdapter[str](TimeZone)


@pytest.mark.parametrize("code", ["DE", "US", "KW"])
def test_countries_of_the_standard_are_accepted(code: str) -> None:
    assert COUNTRY.validate_python(code) == code


@pytest.mark.parametrize("code", ["XX", "de", "DEU", "", "D\n"])
def test_other_codes_are_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        COUNTRY.validate_python(code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("usa", "US"),
        ("U.S.A.", "US"),
        ("UK", "GB"),
        ("Deutschland", "DE"),
        ("Vereinigtes Königreich", "GB"),
        ("The Netherlands", "NL"),
        ("DEU", "DE"),
        ("de", "DE"),
        ("Türkei", "TR"),
        ("South Korea", "KR"),
        ("Czechia", "CZ"),
    ],
)
def test_a_country_is_known_by_its_codes_and_names(text: str, code: str) -> None:
    assert country_named(text) == code


@pytest.mark.parametrize("text", ["Norwegia", "XX", "DD", "Europe", ""])
def test_other_words_are_no_country(text: str) -> None:
    assert country_named(text) is None


def test_all_countries_have_a_code_of_two_letters() -> None:
    assert len(countries()) > 240
    assert all(len(code) == 2 for code in countries())


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC"])
def test_time_zones_of_the_database_are_accepted(name: str) -> None:
    assert ZoneInfo(ZONE.validate_python(name)).key == name


@pytest.mark.parametrize(
    "name", ["Europe/Bonn", "CET+1", "localtime", "posixrules", "../../etc/passwd", "europe/berlin"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ZONE.validate_python(name)
