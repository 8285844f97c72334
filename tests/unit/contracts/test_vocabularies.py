"""Open vocabularies: producers use the listed words only, readers accept words that are added."""

from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.lines import BillingItem, BillingKind
from contracts.vocabularies import HEARD, OPEN, Unlisted

Shape = Annotated[Literal["round", "square"] | Unlisted, OPEN]
SHAPE: TypeAdapter[Shape] = TypeAdapter(Shape)
KIND: TypeAdapter[BillingKind] = TypeAdapter(BillingKind)


def test_a_listed_word_is_the_same_for_all() -> None:
    for context in (None, HEARD):
        word = SHAPE.validate_python("round", context=context)
        assert word == "round"
        assert not isinstance(word, Unlisted)


def test_a_producer_uses_listed_words_only() -> None:
    with pytest.raises(ValidationError, match="'round' or 'square'"):
        SHAPE.validate_python("flat")


def test_a_reader_accepts_any_well_formed_word() -> None:
    word = SHAPE.validate_json(b'"flat"', context=HEARD)
    assert word == "flat"
    assert isinstance(word, Unlisted)
    assert SHAPE.dump_json(word) == b'"flat"'
    assert SHAPE.dump_python(word) == "flat"
    assert SHAPE.validate_python(word) is word, "an event may repeat what it follows from"


@pytest.mark.parametrize("word", ["", "Flat", "two words", "1st", "x" * 41, "a\n", 7, None, ["a"]])
def test_a_reader_accepts_no_word_of_another_form(word: object) -> None:
    with pytest.raises(ValidationError):
        SHAPE.validate_python(word, context=HEARD)


def test_the_schema_of_what_is_sent_is_open_and_that_of_a_command_is_not() -> None:
    assert SHAPE.json_schema(mode="serialization") == {
        "type": "string",
        "pattern": "^[a-z][a-z0-9-]*$",
        "maxLength": 40,
        "x-extensible-enum": ["round", "square"],
    }
    assert SHAPE.json_schema()["enum"] == ["round", "square"]


def test_an_item_that_was_heard_is_kept_in_another_event() -> None:
    item = {"item": "usage", "kind": "on-usage", "amount": {"amount": "10", "currency": "EUR"}}
    heard = BillingItem.model_validate(item, context=HEARD)
    assert BillingItem.model_validate(heard) == heard
    with pytest.raises(ValidationError):
        BillingItem.model_validate(item)
