"""Check that rates are published in immutable versions, in one currency, each role once."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from contracts.reference import CostRatesPublished, RateCardPublished
from finance.rates import COST_RATES, RATE_CARD, PublishCostRates, PublishRateCard
from finance.views import cost_rates_notice, cost_rates_view, rate_card_view
from testkit.scenario import given
from tests.unit.finance.life import per_hour, rates, usd

TODAY = date(2026, 3, 2)
CARDS = given(RATE_CARD, "standard-EUR").on(TODAY)
COSTS = given(COST_RATES, "standard-EUR").on(TODAY)


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
    assert rate_card_view(dated.state).effective_from == date(2025, 1, 1)
    assert rate_card_view(CARDS.state).rates == {}


def test_equal_rates_are_no_new_version():
    once = CARDS.after(card())
    once.when(card()).then_nothing()
    once.when(card(rates=rates(architect=160))).then_accepted()


def test_a_record_keeps_its_currency_in_every_rate():
    CARDS.after(card()).when(card(currency="USD")).then_refused("currency-differs")
    foreign = rates(architect=1)[0].model_copy(update={"rate": usd(1)})
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


def test_cost_rates_have_a_floor_and_are_shown_only_with_the_role():
    command = PublishCostRates(currency="EUR", rates=rates(architect=80), floor=Decimal(30))
    published = COSTS.when(command).then(
        CostRatesPublished(
            effective_from=TODAY,
            cost_rates="standard-EUR",
            currency="EUR",
            rates=rates(architect=80),
            floor=Decimal(30),
        )
    )
    published.when(command).then_nothing()
    published.when(command.model_copy(update={"currency": "USD"})).then_refused("currency-differs")
    notice = cost_rates_notice(published.state)
    assert notice.roles == ["architect"]
    assert "80" not in notice.model_dump_json()
    assert cost_rates_view(published.state).rates == {"architect": per_hour(80)}
