"""Check that rate cards are published in immutable versions, in one currency, each role once."""

from datetime import date

import pytest
from pydantic import ValidationError

from chassis.domain.reference import VersionView, record_view
from contracts.reference import AccountPublished, RateCardPublished
from finance.rate_cards.decisions import PublishRateCard
from finance.rate_cards.pricing import rate_card_on
from finance.service import RATE_CARD
from testkit.matchers import RecordsOf
from testkit.scenario import given, like
from tests.amounts import per_hour
from tests.unit.finance.builders import rates

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


def test_an_account_may_have_a_card_of_its_own_under_its_name() -> None:
    acme = AccountPublished(account="acme", name="Acme")
    own = given(RATE_CARD, "acme-EUR", records=[acme]).on(TODAY)
    own.when(card(account="acme")).then(like(RateCardPublished, account="acme", currency="EUR"))
    own.when(card(account="other")).then_refused("account-unknown", saying="account")
    own.when(card()).then_refused("rate-card-misnamed", saying="standard-EUR")
    standard = given(RATE_CARD, "standard-EUR", records=[acme]).on(TODAY)
    standard.when(card(account="acme")).then_refused("rate-card-misnamed", saying="acme-EUR")


def test_the_card_of_the_account_takes_precedence_on_its_days() -> None:
    def published(id: str, account: str | None, day: date) -> RateCardPublished:
        return RateCardPublished(
            rate_card=id,
            account=account,
            currency="EUR",
            rates=rates(architect=150),
            effective_from=day,
        )

    june = date(2026, 6, 1)
    records = RecordsOf(
        [published("standard-EUR", None, TODAY), published("acme-EUR", "acme", june)]
    )

    def chosen(account: str | None, day: date) -> str | None:
        found = rate_card_on(records, "EUR", account, day)
        return found.event.rate_card if found else None

    assert chosen("acme", june) == "acme-EUR"
    assert chosen("acme", date(2026, 5, 31)) == "standard-EUR"
    assert chosen("other", june) == "standard-EUR"
    assert chosen(None, june) == "standard-EUR"
    assert chosen("acme", date(2026, 3, 1)) is None
    assert rate_card_on(records, "USD", "acme", june) is None


def test_a_card_of_an_account_named_standard_is_not_the_standard_card() -> None:
    own = RateCardPublished(
        rate_card="standard-EUR", account="standard", currency="EUR", rates=rates(architect=1)
    )
    assert rate_card_on(RecordsOf([own]), "EUR", "acme", TODAY) is None
