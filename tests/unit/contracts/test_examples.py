"""Each event type has an example, a whole CloudEvent, which partners see beside its schema."""

import pytest
from jsonschema import Draft202012Validator

from chassis.kafka import asyncapi
from contracts import release

EVENTS = release.events()


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_type_has_an_example_that_conforms(name: str) -> None:
    event = EVENTS[name]
    fault = release.example_fault(event)
    assert fault is None, f"{name}: {fault}; run `make examples`, which simulates the demo"
    example = release.example(event)
    assert example is not None
    strict = Draft202012Validator(
        release.strict_schema(event), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    strict.validate(example["data"])
    assert release.schema(event)["examples"] == [example["data"]]


def test_there_is_no_example_of_another_type() -> None:
    assert {file.stem for file in release.EXAMPLES.glob("*.json")} <= EVENTS.keys()


def test_the_asyncapi_document_has_the_examples() -> None:
    published = asyncapi.published_by("sales")
    document = asyncapi.document("sales", "Sales", [], "concord")
    for event in published:
        message = document["components"]["messages"][event.type]
        assert message["examples"] == [{"payload": release.example(event)}]
