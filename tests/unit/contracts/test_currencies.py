"""Currencies are those of ISO 4217, with minor units and the days on which they are in use."""

from dataclasses import replace
from datetime import date

import pytest
from iso_4217 import Currency as Listed
from pydantic import TypeAdapter, ValidationError

from contracts.currencies import IN_USE, MINOR_UNITS
from contracts.event import decode, encode
from contracts.money import Currency, Money
from contracts.sales import OpportunityOpened
from tests.unit.contracts.test_event import OPENED


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("BGN", date(1999, 7, 5), date(2025, 12, 31)),  # euro on 1 January, cash for a month more
        ("HRK", date(1994, 5, 30), date(2022, 12, 31)),
        ("LTL", date(1993, 6, 25), date(2014, 12, 31)),
        ("ANG", None, date(2025, 3, 30)),
        ("XCG", date(2025, 3, 31), None),
        ("SLL", None, date(2023, 12, 31)),  # beside SLE for 18 months
        ("SLE", date(2022, 7, 1), None),
        ("ZWL", None, date(2024, 6, 24)),
        ("ZWG", date(2024, 6, 25), None),
        ("DEM", None, date(2002, 2, 28)),
        ("EUR", date(1999, 1, 1), None),
        ("USD", None, None),
    ],
)
def test_a_currency_is_in_use_from_its_first_to_its_last_day(
    code: str, first: date | None, last: date | None
) -> None:
    days = IN_USE[code]
    assert days.last == last
    assert first in {None, days.first}
    for day in filter(None, days):
        assert day in days
    assert (date(2026, 11, 30) in days) == (last is None)
    if first is not None:
        assert date.fromordinal(first.toordinal() - 1) not in days


def test_every_active_currency_of_iso_4217_is_in_use_with_its_minor_unit() -> None:
    active = {
        each.name: each.subunit_exp
        for each in Listed
        if each.entities and not each.is_fund and each.subunit_exp in {0, 2, 3}
    }
    assert {code: MINOR_UNITS[code] for code, days in IN_USE.items() if days.last is None} == active
    assert {active["JPY"], active["KWD"], active["HUF"], active["UGX"]} == {0, 3, 2}


@pytest.mark.parametrize("code", ["XXX", "XAU", "XTS", "CLF", "CHE", "EURO", "eur", "AYM"])
def test_metals_funds_tests_and_other_words_are_no_currency(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Currency).validate_python(code)


def test_a_recorded_event_in_a_currency_withdrawn_since_is_read_back() -> None:
    levs = Money.model_validate({"amount": "10.50", "currency": "BGN"})
    recorded = replace(OPENED, event=OPENED.event.model_copy(update={"expected_value": levs}))
    read = decode(encode(recorded)).event
    assert isinstance(read, OpportunityOpened)
    assert read.expected_value == levs
