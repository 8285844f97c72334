"""Test the records of companies that sell, and rounding by their policy."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.decimals import Rounding
from contracts.reference import CalendarPublished, CompanyPublished, NumberSeries
from finance.companies.decisions import PublishCompany
from finance.companies.policy import accountant_limits, rounding_on
from finance.rate_cards.pricing import priced_lines
from finance.service import COMPANY_RECORD
from testkit.matchers import RecordsOf
from testkit.scenario import given, like
from tests.amounts import eur, per_hour

TODAY = date(2026, 3, 2)
FULL = {
    "legal_name": "Concord Consulting GmbH",
    "address": "Uferstrasse 12\n80331 Munich",
    "country": "DE",
    "vat_id": "DE136695976",
    "bank_accounts": (
        {"bank_account": "main", "currency": "EUR", "iban": "DE89370400440532013000"},
        {"bank_account": "dollars", "currency": "USD", "number": "021000021 / 4417"},
    ),
    "base_currency": "EUR",
    "time_zone": "Europe/Berlin",
}
COMPANY = given(COMPANY_RECORD, "concord-de").on(TODAY)


def company(**more: object) -> PublishCompany:
    return PublishCompany.model_validate({**FULL, **more})


def test_a_company_is_published_whole() -> None:
    published = COMPANY.when(company()).then(
        CompanyPublished.model_validate({"company": "concord-de", **FULL})
    )
    published.when(company()).then_nothing()
    moved = company(address="Hafenweg 1\n20457 Hamburg")
    published.when(moved).then(like(CompanyPublished, address="Hafenweg 1\n20457 Hamburg"))


def test_the_books_of_a_company_keep_their_currency() -> None:
    COMPANY.after(company()).when(company(base_currency="USD")).then_refused("currency-differs")


def test_the_calendar_of_a_company_is_published() -> None:
    munich = company(calendar="munich")
    COMPANY.when(munich).then_refused("calendar-unknown", fields=["calendar"])
    known = CalendarPublished(calendar="munich", name="Munich", country="DE", subdivision="BY")
    COMPANY.knowing(known).when(munich).then(like(CompanyPublished, calendar="munich"))


def test_numbers_have_different_prefixes_by_kind() -> None:
    series = company(invoice_numbers=NumberSeries(prefix="DE-", follow_days=True))
    assert series.credit_note_numbers == NumberSeries(prefix="CN-")
    COMPANY.when(series).then_accepted()
    equal = company(invoice_numbers=NumberSeries(prefix="CN-"))
    COMPANY.when(equal).then_refused("number-prefixes-equal")


@pytest.mark.parametrize(
    "bad",
    [
        {"vat_id": "DE136695977"},
        {"time_zone": "Europe/Munich"},
        {"country": "XX"},
        {"base_currency": "XXX"},
        {"rounding": "up"},
        {"bank_charge_limit": "-1"},
        {"bank_charge_limit": "100.5"},
        {"write_off_limit": "NaN"},
        {"legal_name": " "},
        {"invoice_numbers": {"prefix": "a b"}},
        {"bank_accounts": ({"bank_account": "main", "currency": "EUR"},)},
        {
            "bank_accounts": (
                {"bank_account": "main", "currency": "EUR", "iban": "DE88370400440532013000"},
            )
        },
        {"bank_accounts": (FULL["bank_accounts"][0], FULL["bank_accounts"][0])},
    ],
)
def test_invalid_records_are_refused_by_field(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        company(**bad)


def test_the_policy_of_the_company_on_the_day_decides_a_half() -> None:
    bankers = CompanyPublished.model_validate(
        {"company": "concord-de", **FULL, "rounding": "half-even", "effective_from": TODAY}
    )
    records = RecordsOf([bankers])
    assert rounding_on(records, "concord-de", TODAY) == "half-even"
    assert rounding_on(records, "concord-de", date(2026, 3, 1)) == "half-up"
    assert rounding_on(records, "other", TODAY) == "half-up"
    assert rounding_on(records, None, TODAY) == "half-up"


def test_accountants_have_limits_unless_the_company_is_unknown() -> None:
    strict = {"write_off_limit": "0", "effective_from": TODAY}
    records = RecordsOf(
        [CompanyPublished.model_validate({"company": "concord-de", **FULL, **strict})]
    )
    none = Decimal(0)
    assert accountant_limits(records, "concord-de", TODAY) == (Decimal(5), none)
    assert accountant_limits(records, "other", TODAY) == (none, none)
    assert accountant_limits(records, None, TODAY) == (none, none)


@pytest.mark.parametrize(("policy", "amount"), [("half-even", "5.00"), ("half-up", "5.01")])
def test_a_line_of_a_price_is_rounded_by_the_policy(policy: Rounding, amount: str) -> None:
    rates = {"tester": per_hour("10.01")}  # 5.005 for half an hour
    lines = priced_lines([("tester", "delivery", Decimal("0.5"))], rates, policy)
    assert lines is not None
    assert [line.amount for line in lines] == [eur(amount)]
