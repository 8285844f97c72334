"""Check that rate cards are published in immutable versions, in one currency, each role once."""

from datetime import date

import pytest
from pydantic import ValidationError

from chassis.domain.reference import VersionView, record_view
from contracts.reference import RateCardPublished
from finance.rate_cards.decisions import PublishRateCard
from finance.service import RATE_CARD
from testkit.scenario import given
from tests.unit.finance.builders import per_hour, rates

TODAY = date(2026, 3, 2)
CARDS = given(RATE_CARD, "standard-EUR").on(TODAY)


def card(**more: object) -> PublishRateCard:
    return PublishRateCard.model_validate(
        {"currency": "EUR", "rates": rates(architect=150), **more}
    )


def test_a_card_is_published_from_today_unless_a_day_is_named():
    CARDS.when(card()).then(
        RateCardPublished(
            effective_from=TODAY,
            rate_card="standard-EUR",
            currency="EUR",
            rates=rates(architect=150),
        )
    )
    dated = CARDS.after(card(effective_from=date(2025, 1, 1)))
    assert record_view(dated.stream, TODAY).newest == VersionView(
        version=1, record=dated.state.versions[0]
    )
    assert dated.state.versions[0].effective_from == date(2025, 1, 1)


def test_equal_rates_are_no_new_version():
    once = CARDS.after(card())
    once.when(card()).then_nothing()
    once.when(card(rates=rates(architect=160))).then_accepted()


def test_a_record_keeps_its_currency_in_every_rate():
    CARDS.after(card()).when(card(currency="USD")).then_refused("currency-differs")
    foreign = rates(architect=1)[0].model_copy(update={"rate": per_hour(1, "USD")})
    CARDS.when(card(rates=(foreign,))).then_refused("currency-differs", saying="in EUR")


@pytest.mark.parametrize(
    "bad",
    [
        {"rates": ()},
        {"rates": (*rates(architect=1), *rates(architect=2))},
        {"rates": rates(architect="100000000.01")},
        {"currency": "XXX"},
    ],
)
def test_invalid_rates_are_refused_by_field(bad: dict[str, object]):
    with pytest.raises(ValidationError):
        card(**bad)
