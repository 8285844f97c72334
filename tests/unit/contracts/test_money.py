"""Amounts are whole in their minor unit, rates are not, and each decimal has one text."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.currencies import MINOR_UNITS
from contracts.decimals import Rounding, canonical_decimal, round_decimal
from contracts.documents import canonical
from contracts.event import encode
from contracts.money import (
    Amount,
    ItemMoney,
    Money,
    NotNegativeMoney,
    PositiveMoney,
    PositiveRate,
    PositiveTotal,
    Rate,
    RateAmount,
)
from contracts.values import (
    ComputedPercent,
    Hours,
    HoursDelta,
    Percent,
    PricedLine,
    Ratio,
    RoleRate,
    TotalHours,
)
from tests.unit.contracts.test_event import OPENED

ADAPTERS: dict[str, TypeAdapter[Decimal]] = {
    "amount": TypeAdapter(Amount),
    "rate": TypeAdapter(RateAmount),
    "hours": TypeAdapter(Hours),
    "total-hours": TypeAdapter(TotalHours),
    "hours-delta": TypeAdapter(HoursDelta),
    "percent": TypeAdapter(Percent),
    "computed-percent": TypeAdapter(ComputedPercent),
    "ratio": TypeAdapter(Ratio),
}
EUR = {"currency": "EUR"}


@pytest.mark.parametrize(
    "kind",
    [Money, ItemMoney, NotNegativeMoney, PositiveMoney, PositiveTotal],
    ids=["any", "item", "not-negative", "positive", "positive-total"],
)
@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [
        ("10.005", "EUR", "must have 2 decimals at most in EUR"),
        ("0.5", "JPY", "must have no decimals in JPY"),
        ("1.0005", "KWD", "no more than 3 decimal places"),
    ],
)
def test_an_amount_is_whole_in_the_minor_unit(
    kind: Any, amount: str, currency: str, why: str
) -> None:
    money: TypeAdapter[Money] = TypeAdapter(kind)
    with pytest.raises(ValidationError) as refused:
        money.validate_python({"amount": amount, "currency": currency})
    [error] = refused.value.errors()
    assert (error["loc"], why in error["msg"]) == (("amount",), True)
    whole = {"amount": round_decimal(Decimal(amount), MINOR_UNITS[currency]), "currency": currency}
    assert money.validate_python(whole).currency == currency


@pytest.mark.parametrize("amount", ["-0.0001", "0.00001", "100000000000000", "NaN", "Infinity"])
def test_a_rate_has_four_decimals_and_is_not_negative(amount: str) -> None:
    assert Rate.model_validate({**EUR, "amount": "0.0001"}).amount == Decimal("0.0001")
    with pytest.raises(ValidationError, match="amount"):
        Rate.model_validate({**EUR, "amount": amount})


def test_an_agreed_rate_is_more_than_zero() -> None:
    free = Rate.model_validate({**EUR, "amount": 0})
    with pytest.raises(ValidationError, match="must be more than zero"):
        TypeAdapter(PositiveRate).validate_python(free)
    with pytest.raises(ValidationError, match="must be more than zero"):
        RoleRate(role="architect", rate=free)


def test_a_rate_is_written_with_all_its_decimals() -> None:
    assert str(Rate.model_validate({**EUR, "amount": "1050.0"})) == "1,050.00 EUR"
    assert str(Rate.model_validate({**EUR, "amount": "87.1250"})) == "87.125 EUR"
    assert str(Rate.model_validate({"amount": "0.5", "currency": "JPY"})) == "0.5 JPY"


@pytest.mark.parametrize(
    ("amount", "decimals", "up", "even"),
    [
        ("5.005", 2, "5.01", "5.00"),
        ("5.015", 2, "5.02", "5.02"),
        ("-5.005", 2, "-5.01", "-5.00"),
        ("5.0049", 2, "5.00", "5.00"),
        ("0.5", 0, "1", "0"),
    ],
)
def test_a_half_is_rounded_up_unless_the_policy_is_half_even(
    amount: str, decimals: int, up: str, even: str
) -> None:
    number = Decimal(amount)
    assert str(round_decimal(number, decimals)) == up
    assert str(round_decimal(number, decimals, "half-up")) == up
    assert str(round_decimal(number, decimals, "half-even")) == even


def test_a_quarter_of_an_hour_is_rounded_as_spreadsheets_round_it() -> None:
    rate = Rate.model_validate({**EUR, "amount": "100.10"})
    quarter = Decimal("0.25")  # 25.025 exactly
    assert rate.for_hours(quarter, "half-up") == Money.model_validate({**EUR, "amount": "25.03"})
    assert rate.for_hours(quarter, "half-even") == Money.model_validate({**EUR, "amount": "25.02"})


def test_hours_times_rate_is_rounded_once() -> None:
    rate = Rate.model_validate({**EUR, "amount": "10.01"})
    assert rate.for_hours(Decimal("0.5"), "half-up") == Money.model_validate(
        {**EUR, "amount": "5.01"}
    )  # of 5.005
    assert rate.for_hours(Decimal("0.5"), "half-even") == Money.model_validate(
        {**EUR, "amount": "5.00"}
    )
    assert rate.for_hours(3, "half-up") == Money.model_validate({**EUR, "amount": "30.03"})
    third = Money.nearest(Decimal(100) / 3, "EUR", "half-up")
    assert third == Money.model_validate({**EUR, "amount": "33.33"})


@given(
    st.decimals(-(10**12), 10**12, places=6),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from(["half-up", "half-even"]),
)
def test_the_nearest_amount_is_valid_and_within_half_a_minor_unit(
    number: Decimal, currency: str, rounding: Rounding
) -> None:
    money = Money.nearest(number, currency, rounding)
    assert Money.model_validate(money.model_dump()) == money
    assert abs(money.amount - number) * 2 <= Decimal(1).scaleb(-MINOR_UNITS[currency])


def line(amount: str, rate: str = "10.01") -> PricedLine:
    return PricedLine.model_validate(
        {
            "role": "architect",
            "hours": "0.5",
            "rate": {**EUR, "amount": rate},
            "amount": {**EUR, "amount": amount},
        }
    )


def test_an_amount_within_half_a_minor_unit_of_hours_times_rate_is_accepted() -> None:
    assert (
        line("5.00").rate.for_hours(Decimal("0.5"), "half-up") == line("5.01").amount
    )  # exactly 5.005
    for wrong in ("5.02", "4.99"):
        with pytest.raises(ValidationError) as refused:
            line(wrong)
        [error] = refused.value.errors()
        assert error["loc"] == ("amount",)
        assert error["msg"] == "must be hours x rate, 5.01 EUR"
    with pytest.raises(ValidationError, match=r"hours x rate, 5\.00 EUR"):
        line("5.01", rate="10.0099")  # 5.00495


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1e3", "1000"),
        ("1E+3", "1000"),
        ("10.50", "10.5"),
        ("0.00", "0"),
        ("-0", "0"),
        ("1e-6", "0.000001"),
        ("-100.0", "-100"),
    ],
)
def test_a_decimal_has_one_text(number: str, text: str) -> None:
    assert canonical_decimal(Decimal(number)) == text
    assert json.loads(canonical({"number": Decimal(number)})) == {"number": text}


def test_a_number_that_is_not_finite_has_no_text() -> None:
    with pytest.raises(TypeError, match="NaN has no canonical form"):
        canonical_decimal(Decimal("NaN"))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
@example(Decimal("1E+28"))
def test_equal_numbers_have_equal_texts(number: Decimal) -> None:
    text = canonical_decimal(number)
    assert "E" not in text
    assert Decimal(text) == number
    assert canonical_decimal(number * Decimal("1.000")) == canonical_decimal(Decimal(text))


@pytest.mark.parametrize("given", [1000, Decimal("1e3"), "1000.00"])
def test_an_event_is_published_with_canonical_decimals(given: object) -> None:
    value = Money.model_validate({**EUR, "amount": given})
    event = OPENED.event.model_copy(update={"expected_value": value})
    published = json.loads(encode(replace(OPENED, event=event)))
    assert published["data"]["expected_value"] == {"amount": "1000", "currency": "EUR"}


@pytest.mark.parametrize("name", ADAPTERS)
@given(st.data())
def test_every_published_decimal_matches_the_pattern_of_its_schema(
    name: str, data: st.DataObject
) -> None:
    adapter = ADAPTERS[name]
    schema = adapter.json_schema(mode="serialization")
    number = data.draw(
        st.one_of(
            st.decimals(0, 100, places=2),
            st.decimals(-1000, 1000, places=data.draw(st.integers(0, 6))),
            st.integers(-9, 9).map(lambda digit: Decimal(digit).scaleb(5)),
        )
    )
    try:
        accepted = adapter.validate_python(number)
    except ValidationError:
        return
    text = json.loads(adapter.dump_json(accepted))
    assert Decimal(text) == number
    assert re.search(schema["pattern"], text)


@pytest.mark.parametrize("text", ["1E+3", "01", "1.0", "1.50", "-0", "", ".5", "1.", "+1", "0.0"])
def test_another_text_does_not_match_the_pattern(text: str) -> None:
    for adapter in ADAPTERS.values():
        assert not re.search(adapter.json_schema(mode="serialization")["pattern"], text)


def test_the_pattern_limits_decimals_and_sign() -> None:
    patterns = {
        name: adapter.json_schema(mode="serialization")["pattern"]
        for name, adapter in ADAPTERS.items()
    }
    assert re.search(patterns["rate"], "0.0001")
    assert not re.search(patterns["rate"], "0.00001")
    assert not re.search(patterns["rate"], "-1")
    assert re.search(patterns["hours-delta"], "-1.25")
    assert not re.search(patterns["hours"], "-1.25")
