"""Test that tax rates are in force by day and belong to one country."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.reference import TaxRatePublished
from finance.service import TAX_RATE
from finance.tax_rates.decisions import PublishTaxRate, tax_percent_on
from testkit.matchers import RecordsOf
from testkit.scenario import given

TODAY = date(2026, 3, 2)
STANDARD = given(TAX_RATE, "DE-standard").on(TODAY)


def tax(**more: object) -> PublishTaxRate:
    return PublishTaxRate.model_validate(
        {"name": "VAT, Germany", "country": "DE", "percent": "19", **more}
    )


def test_a_rate_is_in_force_from_today_unless_a_day_is_named() -> None:
    published = STANDARD.when(tax()).then(
        TaxRatePublished(
            tax_rate="DE-standard",
            name="VAT, Germany",
            country="DE",
            percent=Decimal(19),
            effective_from=TODAY,
        )
    )
    published.when(tax()).then_nothing()
    published.when(tax(percent="20", effective_from="2027-01-01")).then_accepted()


def test_a_code_belongs_to_one_country() -> None:
    STANDARD.after(tax()).when(tax(country="AT")).then_refused("country-differs", saying="of DE")


@pytest.mark.parametrize("bad", [{"percent": "101"}, {"percent": "-1"}, {"country": "XX"}])
def test_invalid_rates_are_refused_by_field(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        tax(**bad)


def test_the_percentage_of_a_day_is_that_of_the_rate_in_force() -> None:
    def rate(percent: int, day: date) -> TaxRatePublished:
        return TaxRatePublished(
            tax_rate="DE-standard",
            name="VAT, Germany",
            country="DE",
            percent=Decimal(percent),
            effective_from=day,
        )

    records = RecordsOf([rate(19, date(2007, 1, 1)), rate(16, date(2020, 7, 1))])
    assert tax_percent_on(records, "DE-standard", date(2020, 6, 30)) == 19
    assert tax_percent_on(records, "DE-standard", date(2020, 7, 1)) == 16
    assert tax_percent_on(records, "DE-standard", date(2006, 12, 31)) is None
    assert tax_percent_on(records, "AT-standard", date(2020, 7, 1)) is None
