"""Released schemas: complete, true to the events, and guarded against what breaks a reader."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, create_model

from contracts import release
from contracts.channels import SALES
from contracts.event import Event, Recorded, decode, encode
from contracts.values import Hours, Value

EVENTS = release.events()


def test_every_event_is_released_as_it_is():
    broken, waiting = release.judged()
    assert broken == []
    assert waiting == [], "not released yet: run `make schemas`"


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_says_what_the_event_means(name):
    schema = release.schema(EVENTS[name])
    Draft202012Validator.check_schema(schema)
    assert schema["description"], f"{name} has no docstring"
    assert schema["$id"] == f"urn:{name.replace('.', ':')}"
    assert "additionalProperties" not in schema


class MayBeUnknown(Event, channel=SALES):
    """A ratio whose divisor is zero is unknown, and says so."""

    ratio: Decimal | None


def test_what_is_unknown_is_said_and_read_back():
    event = MayBeUnknown(ratio=None)
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    recorded = Recorded("f-1", "E-1", 1, event, "ann", "c-1", moment, moment, {})
    assert decode(encode(recorded)) == recorded


class Part(Value):
    hours: Hours


class ReleaseOne(Event, channel=SALES):
    """As it was."""

    title: Annotated[str, Field(max_length=10)]
    colour: Literal["red", "green"] = "red"
    parts: tuple[Part, ...] = ()


def changed(**fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas of ReleaseOne and of the same with other fields; None leaves one out."""
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


class NarrowPart(Value):
    hours: Annotated[Decimal, Field(ge=0, le=10, max_digits=9, decimal_places=2)]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"note": (str | None, None)},
        {"parts": (tuple[WiderPart, ...], ())},
        {"title": Annotated[str, Field(max_length=10, description="Better said.")]},
    ],
)
def test_what_breaks_nobody_is_let_through(change):
    assert release.breaks(*changed(**change)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": None}, "title: is gone"),
        ({"title": None, "name": str}, "title: is gone"),
        ({"owner": str}, "owner: is new and has no default"),
        ({"title": (Annotated[str, Field(max_length=10)], "x")}, "title: may be left out"),
        ({"colour": Literal["red", "green"]}, "colour: must be there now"),
        ({"colour": (Literal["red", "green"], "green")}, "colour default: was"),
        ({"colour": (Literal["red"], "red")}, "colour: got const"),
        ({"colour": (Literal["red", "green", "blue"], "red")}, "colour enum: was"),
        ({"title": Annotated[str, Field(max_length=5)]}, "title maxLength: was 10, is 5"),
        ({"title": Annotated[str, Field(max_length=10, min_length=1)]}, "title: got minLength"),
        ({"title": int}, "title type: was"),
        ({"parts": (tuple[NarrowPart, ...], ())}, "hours x-maximum: was"),
        ({"parts": Part}, "parts"),
    ],
)
def test_what_breaks_a_reader_is_named(change, said):
    lines = release.breaks(*changed(**change))
    assert any(said in line for line in lines), lines


def test_a_released_event_cannot_disappear(tmp_path):
    (tmp_path / "concord.sales.gone.v1.json").write_text("{}")
    broken, waiting = release.judged(tmp_path)
    assert broken == ["concord.sales.gone.v1: was released and is gone"]
    assert set(waiting) == set(EVENTS)


def test_the_same_event_always_gives_the_same_text():
    for event in EVENTS.values():
        assert release.text(event) == release.text(event)
        assert json.loads(release.text(event)) == release.schema(event)
