"""Released schemas are complete, match the events and cannot be changed incompatibly."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, create_model

from contracts import release
from contracts.channels import SALES
from contracts.event import LOCAL_SCHEMAS, Event, Recorded, decode, encode
from contracts.money import Amount, Currency, Money
from contracts.text import CLEAN_LINE
from contracts.values import DistinctBy, Hours, Value
from contracts.vocabularies import OPEN, Unlisted

EVENTS = release.events()


def test_every_event_has_its_schema_released():
    breaking, unreleased = release.check()
    assert breaking == []
    assert unreleased == [], "not released yet: run `make schemas`"


def decimals(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the schemas of decimals in a schema."""
    if isinstance(part, dict):
        if part.get("format") == "decimal":
            yield part
        for inside in part.values():
            yield from decimals(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from decimals(inside)


def test_every_decimal_has_a_pattern_that_refuses_an_exponent():
    found = [each for event in EVENTS.values() for each in decimals(release.schema(event))]
    assert len(found) > len(EVENTS) / 2
    for schema in found:
        validator = Draft202012Validator(schema)
        assert validator.is_valid("0")
        assert validator.is_valid("10.5")
        assert not validator.is_valid("1E+3")
        assert not validator.is_valid("abc")
        assert not validator.is_valid("")
        assert not validator.is_valid("10.50")


def parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a schema and its definitions, by name."""
    yield schema["title"], schema
    yield from schema.get("$defs", {}).items()


def types(part: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each part of a schema that names a type, with its place."""
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            yield at, part
        for name, inside in part.items():
            if name not in {"default", "examples"}:
                yield from types(inside, f"{at}.{name}")
    elif isinstance(part, list):
        for inside in part:
            yield from types(inside, at)


@pytest.mark.parametrize("name", EVENTS)
def test_every_field_has_a_description(name: str) -> None:
    undescribed = [
        f"{part}.{field}"
        for part, schema in parts(release.schema(EVENTS[name]))
        for field, each in schema.get("properties", {}).items()
        if not each.get("description")
    ]
    assert undescribed == [], "write a docstring below each of these fields"


@pytest.mark.parametrize("name", EVENTS)
def test_every_text_and_number_has_bounds(name: str) -> None:
    for at, part in types(release.schema(EVENTS[name])):
        if part["type"] == "string" and "enum" not in part and "const" not in part:
            is_bounded = part.keys() & {"pattern", "maxLength"} or (
                part.get("format") in {"date", "date-time"} and "x-maximum" in part
            )
            assert is_bounded, f"{at} has no bounds"
        elif part["type"] in {"integer", "number"}:
            assert abs(part["minimum"]) <= 2**53, at
            assert abs(part["maximum"]) <= 2**53, at


def lists(part: Any) -> Iterator[dict[str, Any]]:
    """Yield the schemas of lists in a schema."""
    if isinstance(part, dict):
        if part.get("type") == "array":
            yield part
        for inside in part.values():
            yield from lists(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from lists(inside)


def test_the_length_of_a_list_is_limited_by_keywords_for_lists():
    found = [each for event in EVENTS.values() for each in lists(release.schema(event))]
    assert len(found) > 50
    assert [each for each in found if each.keys() & {"minLength", "maxLength"}] == []


@pytest.mark.parametrize("name", EVENTS)
def test_every_list_has_a_maximum_length(name: str) -> None:
    schema = release.schema(EVENTS[name])
    assert [each for each in lists(schema) if "maxItems" not in each] == []


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_is_valid_and_has_a_description(name):
    schema = release.schema(EVENTS[name])
    Draft202012Validator.check_schema(schema)
    assert schema["description"], f"{name} has no docstring"
    assert schema["$id"] == f"{LOCAL_SCHEMAS}/{name}.json"
    assert "additionalProperties" not in schema


class MayBeUnknown(Event, channel=SALES):
    """A ratio whose divisor is zero is unknown (null)."""

    ratio: Decimal | None


def test_an_unknown_value_is_encoded_and_decoded():
    event = MayBeUnknown(ratio=None)
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    recorded = Recorded("f-1", "E-1", 1, event, "ann", "c-1", moment, moment, {})
    assert decode(encode(recorded)) == recorded


class Part(Value):
    hours: Hours


class LooseMoney(Value):
    amount: Amount
    currency: Currency


Shape = Annotated[Literal["round", "square"] | Unlisted, OPEN]
MoreShapes = Annotated[Literal["round", "square", "flat"] | Unlisted, OPEN]
FewerShapes = Annotated[Literal["round"] | Unlisted, OPEN]


class ReleaseOne(Event, channel=SALES):
    """First version."""

    title: Annotated[str, Field(max_length=10)]
    colour: Literal["red", "green"] = "red"
    shape: Shape = "round"
    parts: tuple[Part, ...] = ()
    price: LooseMoney = LooseMoney(amount=Decimal(1), currency="EUR")


def changed(**fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of ReleaseOne and of a copy with other fields; None removes a field."""
    kept: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in ReleaseOne.model_fields.items()
        if name not in fields
    }
    for name, kind in fields.items():
        if kind is not None:
            kept[name] = kind if isinstance(kind, tuple) else (kind, ...)
    model = create_model("ReleaseOne", __base__=Event, **kept)
    model.type, model.channel = ReleaseOne.type, ReleaseOne.channel
    return release.schema(ReleaseOne), release.schema(model)


class WiderPart(Value):
    hours: Hours
    note: str | None = None


DISTINCT_PARTS = Annotated[tuple[Part, ...], DistinctBy("hours")]
WHOLE = Money(amount=Decimal(1), currency="EUR")


class NarrowPart(Value):
    hours: Annotated[Decimal, Field(ge=0, le=10, max_digits=9, decimal_places=2)]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"note": (str | None, None)},
        {"parts": (tuple[WiderPart, ...], ())},
        {"shape": (MoreShapes, "round")},
        {"title": Annotated[str, Field(max_length=10, description="Another text.")]},
    ],
)
def test_a_compatible_change_is_accepted(change):
    assert release.breaks(*changed(**change)) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"title": None}, "title: removed"),
        ({"title": None, "name": str}, "title: removed"),
        ({"owner": str}, "owner: new without a default"),
        ({"title": (Annotated[str, Field(max_length=10)], "x")}, "title: now optional"),
        ({"colour": Literal["red", "green"]}, "colour: now required"),
        ({"colour": (Literal["red", "green"], "green")}, "colour default: was"),
        ({"colour": (Literal["red"], "red")}, "colour: const added"),
        ({"colour": (Literal["red", "green", "blue"], "red")}, "colour enum: was"),
        ({"shape": (FewerShapes, "round")}, "shape x-extensible-enum: square removed"),
        ({"shape": (Literal["round", "square"], "round")}, "shape: x-extensible-enum removed"),
        ({"colour": (MoreShapes, "red")}, "colour: enum removed"),
        ({"title": Annotated[str, Field(max_length=5)]}, "title maxLength: was 10, is 5"),
        ({"title": Annotated[str, Field(max_length=10, min_length=1)]}, "title: minLength added"),
        ({"title": int}, "title type: was"),
        ({"parts": (tuple[NarrowPart, ...], ())}, "hours x-maximum: was"),
        ({"parts": Part}, "parts"),
        ({"parts": (DISTINCT_PARTS, ())}, 'parts: x-distinct-by added: "hours"'),
        ({"title": Annotated[str, CLEAN_LINE]}, 'title: x-clean-text added: "line"'),
        ({"price": (Money, WHOLE)}, "price: x-whole-minor-units added: true"),
    ],
)
def test_an_incompatible_change_is_reported(change, difference):
    lines = release.breaks(*changed(**change))
    assert any(difference in line for line in lines), lines


def test_a_released_event_cannot_be_removed(tmp_path):
    (tmp_path / "concord.sales.gone.v1.json").write_text("{}")
    breaking, unreleased = release.check(tmp_path)
    assert breaking == ["concord.sales.gone.v1: released, but removed from the contracts"]
    assert set(unreleased) == set(EVENTS)


def test_the_text_of_a_schema_is_stable():
    for event in EVENTS.values():
        assert release.text(event) == release.text(event)
        assert json.loads(release.text(event)) == release.schema(event)
