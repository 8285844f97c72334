"""Test that tax rates are in force by day and belong to one country."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.reference import TaxRatePublished
from finance.service import TAX_RATE
from finance.tax_rates.decisions import PublishTaxRate
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
