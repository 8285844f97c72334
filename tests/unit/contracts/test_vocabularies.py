"""Open vocabularies: producers use the listed words only, readers accept words that are added."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts import release
from contracts.lines import BillingItem, BillingKind
from contracts.vocabularies import HEARD, OPEN, Unlisted

Shape = Annotated[Literal["round", "square"] | Unlisted, OPEN]
SHAPE: TypeAdapter[Shape] = TypeAdapter(Shape)
KIND: TypeAdapter[BillingKind] = TypeAdapter(BillingKind)


CLOSED: dict[str, set[str]] = {
    "intent of a credit": {"cancel-and-rebill", "give-back"},
    "acceptance, mode": {"by-customer", "deemed", "on-behalf"},
    "commitment": {"hard", "soft"},
    "confidence, severity, impact": {"high", "low", "medium"},
    "department that is asked": {"delivery", "finance", "legal", "sales"},
    "disconnect, severity": {"serious", "warning"},
    "floor": {"above", "below", "unknown"},
    "forecast, method": {"as-planned", "cost-and-schedule", "hours-to-complete", "trend"},
    "import, outcome": {"lost", "open", "won"},
    "ledger account": {
        "bank-charges",
        "contract-balance",
        "cost",
        "cost-clearing",
        "exchange-differences",
        "expected-losses",
        "loss-provision",
        "payments-received",
        "receivables",
        "revenue",
        "tax",
        "write-offs",
    },
    "party": {"company", "customer"},
    "redline, outcome": {"accepted", "rejected", "withdrawn"},
    "rounding": {"half-even", "half-up"},
    "stand-in, purpose": {"approvals", "time"},
    "status": {"amber", "green", "red"},
    "survey, kind": {"csat", "csat-and-nps", "nps"},
    "task, earned by": {"completion", "milestones", "percent-complete"},
    "task, link": {"finish-to-start", "start-to-start"},
    "tier": {"critical", "light", "standard"},
    "validity": {"confirmed", "false", "unknown"},
    "verdict": {"approved", "objected"},
    "weekday": {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
    "work, kind": {"expense", "time"},
}
"""The vocabularies to which a word is added with a new version of the event only."""


def enumerations(schema: Any) -> Iterator[frozenset[str]]:
    """Yield the words of each closed vocabulary in a schema."""
    if isinstance(schema, dict):
        if "enum" in schema:
            yield frozenset(schema["enum"])
        schema = [part for name, part in schema.items() if name != "examples"]
    if isinstance(schema, list):
        for part in schema:
            yield from enumerations(part)


def test_a_vocabulary_of_an_event_is_open_or_was_decided_to_be_closed() -> None:
    found = {
        words
        for event in release.events().values()
        for words in enumerations(release.schema(event))
    }
    assert found == {*map(frozenset, CLOSED.values())}, "see docs/adr/0036"


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
