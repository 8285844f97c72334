"""Test exchange rates: published by day, found by day, and amounts converted with them."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from common.exchange import convert, exchange_rate_on
from contracts.decimals import ROUNDING, Rounding
from contracts.money import Money
from contracts.reference import ExchangeRatePublished
from contracts.values import Conversion
from finance.exchange_rates.decisions import ExchangeRateId, PublishExchangeRate
from finance.service import EXCHANGE_RATE
from testkit.matchers import RecordsOf
from testkit.scenario import given, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import exchange

MARCH_2, MARCH_5, MARCH_9 = date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 9)
ID = TypeAdapter[str](ExchangeRateId)


def test_a_rate_is_published_for_the_currencies_and_the_day_of_its_id() -> None:
    publish = PublishExchangeRate(rate=Decimal("1.08765432"), source="ECB")
    published = (
        given(EXCHANGE_RATE, "EUR-USD-2026-03-02")
        .when(publish)
        .then(exchange("1.08765432", MARCH_2))
    )
    published.when(publish).then_nothing()
    corrected = publish.model_copy(update={"rate": Decimal("1.09")})
    published.when(corrected).then(like(ExchangeRatePublished, rate=Decimal("1.09")))


@pytest.mark.parametrize(
    "id",
    [
        "EUR-USD",
        "EUR-EUR-2026-03-02",
        "EUR-XXX-2026-03-02",
        "EUR-USD-2026-02-30",
        "EUR-USD-3000-01-01",
        "BGN-EUR-2026-01-01",
        "USD-XCG-2025-03-30",
    ],
)
def test_an_id_without_two_currencies_and_a_day_is_refused(id: str) -> None:
    for sound in ("EUR-USD-2026-03-02", "BGN-EUR-2025-12-31", "USD-XCG-2025-03-31"):
        assert ID.validate_python(sound) == sound
    with pytest.raises(ValidationError):
        ID.validate_python(id)


@pytest.mark.parametrize("rate", ["0", "-1", "1.123456789", "100000000"])
def test_an_invalid_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValidationError):
        PublishExchangeRate(rate=Decimal(rate), source="ECB")


def test_the_newest_rate_until_the_day_is_in_force_in_whatever_order_they_came() -> None:
    late = RecordsOf(
        [exchange("1.10", MARCH_2), exchange("1.30", MARCH_9), exchange("1.20", MARCH_5)]
    )
    for day, rate in (
        (MARCH_2, "1.10"),
        (date(2026, 3, 4), "1.10"),
        (MARCH_5, "1.20"),
        (date(2026, 3, 8), "1.20"),
        (date(2026, 4, 1), "1.30"),
    ):
        found = exchange_rate_on(late, "EUR", "USD", day)
        assert found is not None
        assert found.event.rate == Decimal(rate)
    assert exchange_rate_on(late, "EUR", "USD", date(2026, 3, 1)) is None
    assert exchange_rate_on(late, "EUR", "GBP", MARCH_9) is None


def test_a_rate_older_than_a_year_is_not_used() -> None:
    records = RecordsOf([exchange("1.10", MARCH_2)])
    assert exchange_rate_on(records, "EUR", "USD", date(2027, 3, 3)) is not None
    assert exchange_rate_on(records, "EUR", "USD", date(2027, 3, 4)) is None


def test_an_amount_is_converted_at_a_rate_whose_id_is_kept() -> None:
    records = RecordsOf([exchange("1.0825", MARCH_2)])

    def converted(amount: Money, currency: str, day: date = MARCH_5) -> Conversion | None:
        return convert(records, amount, currency, day, ROUNDING)

    there = Conversion(
        amount=eur("100.10"),
        converted=usd("108.36"),
        exchange_rate="EUR-USD-2026-03-02",
        version=1,
    )
    assert converted(eur("100.10"), "USD") == there
    back = there.model_copy(update={"amount": usd("108.25"), "converted": eur(100)})
    assert converted(usd("108.25"), "EUR") == back
    assert converted(eur(1), "GBP") is None
    assert converted(eur(1), "USD", date(2026, 3, 1)) is None
    assert converted(eur(95_000_000_000_000), "USD") is None  # beyond the maximum


def test_the_newer_of_both_directions_is_taken() -> None:
    records = RecordsOf(
        [exchange("1.25", MARCH_2), exchange("0.5", MARCH_5, base="USD", quote="EUR")]
    )
    for day, amount, rate in (
        (MARCH_2, "1.25", "EUR-USD-2026-03-02"),
        (MARCH_5, "2", "USD-EUR-2026-03-05"),
    ):
        found = convert(records, eur(1), "USD", day, ROUNDING)
        assert found is not None
        assert (found.converted, found.exchange_rate) == (usd(amount), rate)


@pytest.mark.parametrize(("policy", "amount"), [("half-even", "0.04"), ("half-up", "0.05")])
def test_a_conversion_is_rounded_once_by_the_policy(policy: Rounding, amount: str) -> None:
    records = RecordsOf([exchange("1.5", MARCH_2)])
    found = convert(records, eur("0.03"), "USD", MARCH_2, policy)
    assert found is not None
    assert found.converted == usd(amount)
