"""Numbers, days and booleans are not coerced, and are within the bounds of an item or a total."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.decimals import Number
from contracts.delivery import EstimateSubmitted, HoursOfDay, ImportedProgress, Risk, TaskProgress
from contracts.event import Event
from contracts.legal import SowDrafted
from contracts.money import Amount, Money, PositiveMoney, PositiveTotal
from contracts.sales import DealWon, EstimateRequested, PipelinePosition, Qualification
from contracts.values import (
    FIRST_DAY,
    LAST_DAY,
    AsNumber,
    Day,
    Days,
    EstimateLine,
    Hours,
    HoursDelta,
    ItemLine,
    JudgedPercent,
    Month,
    PersonId,
    SomeHours,
    TotalHours,
    Version,
    Week,
    YesNo,
    days_after,
)
from contracts.vocabularies import HEARD

ARCHITECT = {"role": "architect", "rate": {"amount": "150", "currency": "EUR"}}
WHOLE: TypeAdapter[int] = TypeAdapter(Annotated[int, AsNumber])


@pytest.mark.parametrize("given", [3, Decimal(3), Decimal("3.0")])
def test_a_whole_number_has_no_fraction(given: object) -> None:
    assert WHOLE.validate_python(given) == 3


@pytest.mark.parametrize("given", ["3", True, Decimal("3.5"), None, [3]])
def test_a_value_is_not_coerced_to_a_number(given: object) -> None:
    kinds: list[TypeAdapter[int]] = [WHOLE, TypeAdapter(Days), TypeAdapter(Version)]
    for kind in kinds:
        with pytest.raises(ValidationError):
            kind.validate_python(given)


@pytest.mark.parametrize("given", ["yes", "true", 1, 0, Decimal(1), None])
def test_a_value_is_not_coerced_to_a_boolean(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(YesNo).validate_python(given)


@pytest.mark.parametrize("share", ["0.4", "0.0001", "0.9999"])
def test_a_judged_percentage_is_no_share_of_one(share: str) -> None:
    percent: TypeAdapter[Decimal] = TypeAdapter(JudgedPercent)
    for allowed in ("0", "1", "1.5", "100"):
        assert percent.validate_python(allowed) == Decimal(allowed)
    with pytest.raises(ValidationError, match="must be in percent, 0 or from 1 to 100: 40 is"):
        percent.validate_python(share)
    assert percent.validate_python(share, context=HEARD) == Decimal(share)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (ImportedProgress, "complete"),
        (TaskProgress, "complete"),
        (Risk, "probability"),
        (PipelinePosition, "probability"),
        (Qualification, "score"),
        (EstimateSubmitted, "contingency"),
    ],
)
def test_what_people_judge_in_percent_is_no_share_of_one(kind: type[BaseModel], field: str) -> None:
    schema = kind.model_json_schema()["properties"][field]
    assert schema["x-minimum-unless-zero"] == "1"


def test_a_person_id_is_not_an_e_mail_address() -> None:
    person: TypeAdapter[str] = TypeAdapter(PersonId)
    assert person.validate_python("ann.archer") == "ann.archer"
    with pytest.raises(ValidationError, match=r"such as ann\.archer and not an e-mail address"):
        person.validate_python("ann.archer@acme.com")
    assert person.validate_python("ann@acme.com", context=HEARD) == "ann@acme.com"


@pytest.mark.parametrize(
    ("kind", "good", "bad", "message"),
    [
        (
            Day,
            ["1970-01-01", "2999-12-31"],
            ["1969-12-31", "3000-01-01", "0001-01-01", "9999-12-31"],
            "must be a day from 1970-01-01 to 2999-12-31",
        ),
        (
            Week,
            ["1970-01-05", "2999-12-30"],
            ["1969-12-29", "3000-01-06"],
            "must be a day from 1970-01-01 to 2999-12-31",
        ),
        (
            Month,
            ["1970-01", "2999-12"],
            ["1969-12", "3000-01", "0000-01", "9999-12"],
            "must be a month from 1970-01 to 2999-12",
        ),
    ],
)
def test_days_weeks_and_months_have_bounds(
    kind: Any, good: list[str], bad: list[str], message: str
) -> None:
    calendar: TypeAdapter[Any] = TypeAdapter(kind)
    for text in good:
        assert str(calendar.validate_python(text)) == text
    for text in bad:
        with pytest.raises(ValidationError, match=message):
            calendar.validate_python(text)


@pytest.mark.parametrize(
    ("day", "days", "after"),
    [
        (date(2026, 2, 27), 2, date(2026, 3, 1)),
        (date(2026, 3, 1), -1, date(2026, 2, 28)),
        (LAST_DAY, 10_000, LAST_DAY),
        (FIRST_DAY, -10_000, FIRST_DAY),
        (date.max, 1, LAST_DAY),
    ],
)
def test_a_computed_day_is_within_the_bounds(day: date, days: int, after: date) -> None:
    assert days_after(day, days) == after


def test_a_total_of_many_items_exceeds_the_bound_of_an_item() -> None:
    item: TypeAdapter[Money] = TypeAdapter(PositiveMoney)
    total: TypeAdapter[Money] = TypeAdapter(PositiveTotal)
    most = item.validate_python({"amount": "99999999999999.99", "currency": "EUR"})
    many = Money.total([most] * 1_000_000, "EUR")
    assert total.validate_python(many) == many
    with pytest.raises(ValidationError, match=r"amount\n +must be less than 100,000,000,000,000"):
        item.validate_python({"amount": "100000000000000", "currency": "EUR"})
    line = {"phase": "Build", "role": "engineer", "hours": "1000000.01"}
    assert EstimateLine.model_validate(line).hours == Decimal("1000000.01")
    with pytest.raises(ValidationError, match=r"hours\n +must be 1,000,000 at most"):
        TypeAdapter(ItemLine).validate_python(line)


def test_sums_and_roundings_lose_no_digits() -> None:
    large = Money(amount=Decimal("99999999999999999999999999.99"), currency="EUR")
    sum_of_both = large + Money(amount=Decimal("0.01"), currency="EUR")
    assert sum_of_both.amount == Decimal(10) ** 26
    # Exactly half of it ends in .995, and half up is .00 of the next unit.
    assert Money.nearest(large.amount / 2, "EUR", "half-up").amount == Decimal(10) ** 26 / 2


@pytest.mark.parametrize("event", [EstimateRequested, DealWon, SowDrafted])
def test_what_is_sold_has_a_deliverable(event: type[Event]) -> None:
    with pytest.raises(ValidationError, match=r"deliverables\n.*at least 1 item"):
        event.model_validate({"deliverables": []})


@pytest.mark.parametrize(
    "kind", [Hours, SomeHours, HoursOfDay, TotalHours, HoursDelta, JudgedPercent, Amount, Number]
)
def test_a_decimal_is_read_in_plain_notation(kind: Any) -> None:
    known: TypeAdapter[Decimal] = TypeAdapter(kind)
    pattern = re.compile(known.json_schema(mode="validation")["anyOf"][1]["pattern"])
    for plain in ("3", "03", "3.0"):
        assert known.validate_python(plain) == known.validate_json(f'"{plain}"') == 3
        assert pattern.search(plain)
    assert known.validate_json("3") == known.validate_json("3.0") == 3
    for other in (
        "\u0663",
        "\uff13",
        "3\u00a0",
        "+3",
        " 3",
        "3 ",
        "3\n",
        "1e1",
        "1_0",
        "3.",
        ".5",
        "",
    ):
        with pytest.raises(ValidationError, match="must be written with the digits 0 to 9"):
            known.validate_python(other)
