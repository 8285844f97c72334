"""Fields that only readers with the role `confidential` see."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json

from gateway.redaction import (
    Position,
    PositionText,
    Reader,
    Redacted,
    adapter_of_store,
    nothing,
)


class Answer(BaseModel):
    """Response model with a field of each kind."""

    lacking: Position
    cost: Annotated[int | None, Redacted(nothing)]


VERA = Reader("vera", confidential=True)
EVE = Reader("eve", everyone=True)
ANSWER = Answer(lacking={"sales": 1, "finance.confidential": 7, "unheard.of": 9}, cost=98765)


def test_a_response_shows_confidential_data_only_where_its_context_allows_it() -> None:
    everything = to_json([ANSWER], context=VERA)
    assert everything == f"[{ANSWER.model_dump_json(context=VERA)}]".encode()
    assert b"98765" in everything
    assert b"finance.confidential" in everything

    for context in (EVE, None, {}, {"confidential": True}):
        shown = to_json([ANSWER], context=context)
        assert shown == b'[{"lacking":{"sales":1},"cost":null}]'


@dataclass
class Stored:
    """Dataclass that the store has."""

    lacking: Position


def test_the_store_has_everything_and_a_response_with_the_same_class_has_not() -> None:
    stored = Stored({"sales": 1, "finance.confidential": 7})
    adapter = adapter_of_store(Stored)
    assert adapter.validate_json(adapter.dump_json(stored)) == stored
    assert b"confidential" not in TypeAdapter(Stored).dump_json(stored)


@dataclass
class Reference:
    """Dataclass with a position as text."""

    heard: PositionText


def test_a_position_is_a_text_in_the_store_and_by_channel_in_a_response() -> None:
    reference = Reference("finance.confidential=7,sales=1")
    store, response = adapter_of_store(Reference), TypeAdapter(Reference)
    assert store.dump_json(reference) == b'{"heard":"finance.confidential=7,sales=1"}'
    assert store.validate_json(store.dump_json(reference)) == reference
    assert response.dump_python(reference) == {"heard": {"sales": 1}}
    everything = response.dump_python(reference, context=VERA)
    assert everything == {"heard": {"finance.confidential": 7, "sales": 1}}
    schema = response.json_schema(mode="serialization")["properties"]["heard"]
    assert schema["additionalProperties"] == {"type": "integer"}


def test_the_schema_of_a_redacted_field_is_that_of_its_type() -> None:
    cost = Answer.model_json_schema(mode="serialization")["properties"]["cost"]
    assert cost["anyOf"] == [{"type": "integer"}, {"type": "null"}]
