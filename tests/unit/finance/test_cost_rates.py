"""Check that cost rates are published in confidence, with the floor of margins."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from chassis.domain.reference import record_view
from contracts.reference import CostRatesPublished, GradeRate, PersonRate, PurchaseCost
from finance.cost_rates.decisions import PublishCostRates
from finance.service import COST_RATES
from testkit.scenario import given
from tests.amounts import per_hour
from tests.unit.finance.builders import rates

TODAY = date(2026, 3, 2)
COSTS = given(COST_RATES, "standard-EUR").on(TODAY)


def test_cost_rates_have_a_floor_and_are_shown_only_with_the_role():
    bought = (PurchaseCost(kind="licence", percent=Decimal(77)),)
    command = PublishCostRates(
        currency="EUR", rates=rates(architect=80), purchases=bought, floor=Decimal(30)
    )
    published = COSTS.when(command).then(
        CostRatesPublished(
            effective_from=TODAY,
            cost_rates="standard-EUR",
            currency="EUR",
            rates=rates(architect=80),
            purchases=bought,
            floor=Decimal(30),
        )
    )
    published.when(command).then_nothing()
    published.when(command.model_copy(update={"currency": "USD"})).then_refused("currency-differs")
    open_view = COST_RATES.views(published.state)
    assert open_view["roles"] == ["architect"]
    assert not {"rates", "purchases", "floor"} & open_view.keys()
    assert "80" not in str(open_view)
    assert "77" not in str(open_view)
    newest = record_view(published.stream, TODAY).newest
    assert newest is not None
    assert newest.record.by_role == {"architect": per_hour(80)}


def test_the_floor_is_shown_as_a_canonical_decimal():
    command = PublishCostRates(currency="EUR", rates=rates(architect=80), floor=Decimal("30.50"))
    view = record_view(COSTS.after(command).stream, TODAY)
    assert view.model_dump(mode="json")["newest"]["record"]["floor"] == "30.5"


def test_rates_of_grades_and_people_are_in_the_currency_of_the_record() -> None:
    command = PublishCostRates(
        currency="EUR",
        rates=rates(architect=80),
        grades=(GradeRate(grade="senior", rate=per_hour(90)),),
        people=(PersonRate(person="dev", rate=per_hour(95)),),
    )
    COSTS.when(command).then_accepted()
    for foreign in (
        {"grades": (GradeRate(grade="senior", rate=per_hour(90, "USD")),)},
        {"people": (PersonRate(person="dev", rate=per_hour(95, "USD")),)},
    ):
        COSTS.when(command.model_copy(update=foreign)).then_refused("currency-differs")


@pytest.mark.parametrize(
    "bad",
    [
        {"grades": [{"grade": "senior", "rate": {"amount": "0", "currency": "EUR"}}]},
        {"people": [{"person": "dev", "rate": {"amount": "100000001", "currency": "EUR"}}]},
        {"people": [{"person": "dev", "rate": {"amount": "1", "currency": "EUR"}}] * 2},
        {"people": [{"person": "a@b.example", "rate": {"amount": "1", "currency": "EUR"}}]},
        {"purchases": [{"kind": "licence", "percent": "-1"}]},
        {"purchases": [{"kind": "licence", "percent": "100.1"}]},
        {"purchases": [{"kind": "flights", "percent": "90"}]},
        {"purchases": [{"kind": "licence", "percent": "80"}] * 2},
    ],
)
def test_invalid_rates_are_refused_by_field(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PublishCostRates.model_validate({"currency": "EUR", "rates": rates(architect=80), **bad})
