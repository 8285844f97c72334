"""Commands name currencies that are in use on the day; what is recorded in others goes on."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.money import Money, Rate
from contracts.refusals import RefusalCode
from contracts.values import RoleRate
from finance.exchange_rates.decisions import PublishExchangeRate
from finance.rate_cards.decisions import PublishRateCard
from finance.service import EXCHANGE_RATE, RATE_CARD
from sales.opportunity.decisions import UpdateOpportunity
from sales.service import ENGAGEMENT
from testkit.scenario import Scenario, given
from tests.unit.sales.builders import ENGAGEMENT_ID, OPEN, RECORDS

CODE: RefusalCode = "currency-not-in-use"


def money(amount: int, currency: str) -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def new(day: date) -> Scenario[Any]:
    return given(ENGAGEMENT, ENGAGEMENT_ID, records=RECORDS).on(day)


@pytest.mark.parametrize(
    ("currency", "before", "after"),
    [
        ("BGN", date(2025, 12, 31), date(2026, 1, 1)),
        ("HRK", date(2022, 12, 31), date(2023, 1, 1)),
        ("ANG", date(2025, 3, 30), date(2025, 3, 31)),
    ],
)
def test_a_withdrawn_currency_is_refused_from_the_day_after_its_last(
    currency: str, before: date, after: date
) -> None:
    command = OPEN.model_copy(update={"expected_value": money(100, currency)})
    new(before).when(command).then_accepted()
    new(after).when(command).then_refused(CODE, fields=("expected_value.currency",))


def test_a_new_currency_is_refused_before_its_first_day() -> None:
    command = OPEN.model_copy(update={"expected_value": money(100, "XCG")})
    new(date(2025, 3, 30)).when(command).then_refused(CODE)
    new(date(2025, 3, 31)).when(command).then_accepted()


def test_what_is_recorded_in_a_currency_withdrawn_since_can_still_be_changed() -> None:
    value = money(100, "BGN")
    opened = new(date(2025, 12, 1)).after(OPEN.model_copy(update={"expected_value": value}))
    details = {**dict(OPEN), "expected_value": money(90, "BGN")}
    change = UpdateOpportunity.model_validate(details)
    opened.on(date(2026, 3, 2)).when(change).then_accepted()
    other = change.model_copy(update={"expected_value": money(90, "HRK")})
    opened.on(date(2026, 3, 2)).when(other).then_refused(CODE)


def test_rates_per_hour_are_refused_too() -> None:
    card = PublishRateCard(
        currency="BGN",
        rates=(RoleRate(role="developer", rate=Rate(amount=Decimal(150), currency="BGN")),),
    )
    standard = given(RATE_CARD, "standard-BGN")
    standard.on(date(2025, 11, 3)).when(card).then_accepted()
    standard.on(date(2026, 3, 2)).when(card).then_refused(
        CODE, fields=("currency", "rates.0.rate.currency")
    )


def test_a_rate_of_an_earlier_day_is_entered_after_the_end_of_the_currency() -> None:
    command = PublishExchangeRate(rate=Decimal("0.51129"), source="ECB")
    last = given(EXCHANGE_RATE, "BGN-EUR-2025-12-31").on(date(2026, 3, 2))
    last.when(command).then_accepted()
