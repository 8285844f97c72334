"""View models are constructed without validation, and are pydantic models in every other way."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json

from chassis.base.view_model import ViewModel, whole


class Part(ViewModel):
    hours: Annotated[Decimal, Field(le=10)]


class Whole(ViewModel):
    """A view."""

    day: date
    parts: tuple[Part, ...]
    note: str | None = None


class SameWhole(BaseModel):
    day: date
    parts: tuple[Part, ...]
    note: str | None = None


def test_the_constructor_accepts_values_that_validation_would_refuse() -> None:
    view = Whole(note="n", parts=(Part(hours=Decimal(11)),), day=date(2026, 3, 2))
    assert to_json(view) == b'{"day":"2026-03-02","parts":[{"hours":"11"}],"note":"n"}'
    assert view.model_dump_json(warnings="error").encode() == to_json(view)


def test_equality_serialisation_and_schema_are_those_of_any_model() -> None:
    view = Whole(day=date(2026, 3, 2), parts=(Part(hours=Decimal(1)),))
    assert view == Whole.model_validate_json(view.model_dump_json())
    assert to_json(view) == to_json(SameWhole(day=view.day, parts=view.parts))
    schema, same = Whole.model_json_schema(), SameWhole.model_json_schema()
    assert schema["properties"] == same["properties"]
    assert schema["required"] == same["required"]


def test_model_validate_validates() -> None:
    with pytest.raises(ValidationError, match=r"parts\.0\.hours"):
        Whole.model_validate({"day": "2026-03-02", "parts": [{"hours": "11"}]})


@pytest.mark.parametrize(
    ("amount", "listed"),
    [("2.5", 3), ("-1e3", -1000), ("1e26", 2**53 - 1), ("-1e26", 1 - 2**53)],
)
def test_a_whole_amount_is_within_the_integers_of_json(amount: str, listed: int) -> None:
    assert whole(Decimal(amount)) == listed


def test_a_missing_or_unknown_field_raises_a_type_error() -> None:
    with pytest.raises(TypeError, match="Part: missing or unknown hour, hours"):
        Part(hour=Decimal(1))  # type: ignore[call-arg]
