"""Each service serves the JSON Schema of an event at the address that the event names."""

from collections.abc import AsyncIterator
from importlib import import_module

import httpx
import orjson
import pytest
from jsonschema import Draft202012Validator

from chassis.eventstore.journal import StoredEvent
from chassis.kafka import asyncapi
from chassis.runtime.container import Container, handle_by_streams
from chassis.runtime.service import create_app
from contracts.channels import DEPARTMENTS
from tests.builders import Life
from tests.component.sample_app import settings

PARTNERS = "https://concord.example/schemas"


@pytest.fixture(scope="module", params=DEPARTMENTS)
def service(request: pytest.FixtureRequest):
    return import_module(f"{request.param}.service").SERVICE


@pytest.fixture
async def client(service) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service, settings(schemas_url=PARTNERS))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://concord.example") as each:
        yield each


async def test_the_address_of_an_event_leads_to_a_schema_that_it_conforms_to(client) -> None:
    for recorded in Life().closed().events:
        stored = StoredEvent.of(recorded, own=True, schemas_url=PARTNERS)
        event = orjson.loads(stored.record)
        assert event["dataschema"].startswith(f"{PARTNERS}/")
        answer = await client.get(event["dataschema"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/schema+json"
        schema = answer.json()
        assert schema["$id"] == event["dataschema"]
        Draft202012Validator(schema).validate(event["data"])


async def test_a_schema_is_cached_by_its_etag(client) -> None:
    path = "/schemas/concord.sales.deal-won.v1.json"
    first = await client.get(path)
    assert first.headers["cache-control"] == "public, max-age=3600"
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(path, headers={"If-None-Match": '"1"'})
    assert other.content == first.content


async def test_an_unknown_type_has_no_schema(client) -> None:
    answer = await client.get("/schemas/concord.sales.deal-drawn.v1.json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-route")


def test_the_asyncapi_document_names_the_same_addresses(service) -> None:
    document = asyncapi.document(
        service.name, service.title, service.consumed_types, "concord", PARTNERS
    )
    for name, message in document["components"]["messages"].items():
        properties = message["payload"]["allOf"][1]["properties"]
        assert properties["dataschema"] == {"const": f"{PARTNERS}/{name}.json"}


def test_a_process_records_events_with_the_address_in_its_settings() -> None:
    container = Container(
        name="sales",
        settings=settings(schemas_url=PARTNERS),
        deciders=(),
        event_handling=handle_by_streams,
    )
    assert container.contexts.schemas_url == PARTNERS
