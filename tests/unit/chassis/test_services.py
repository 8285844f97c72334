"""The five services as they are put together: every route authorises, every document is whole."""

import re
from importlib import import_module

import pytest

from chassis.kafka import asyncapi
from chassis.runtime.service import create_app
from chassis.web.auth import guarded, unguarded
from contracts.channels import DEPARTMENTS
from tests.component.sample_app import settings


@pytest.fixture(scope="module", params=DEPARTMENTS)
def service(request):
    return import_module(f"{request.param}.app").SERVICE


@pytest.fixture(scope="module")
def app(service):
    return create_app(service, settings())


# Who is not signed in yet must be able to sign in, and to see the page on which to do so.
SIGNING_IN = {"GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /pages/static/{name}"}


def test_every_route_authorises(service, app):
    assert unguarded(app) == (SIGNING_IN if service.name == "gateway" else set())
    assert guarded(app) > {"GET /operations/parked", "POST /operations/clock/hold"}


def test_every_command_is_given_somewhere(service):
    given = {route.command for routes in service.routes for route in routes.commands}
    # The clock's, and what the import of a CRM's export gives row by row.
    internal = {"deadline-passed", "import-opportunity", "introduce-account"}
    lost = {
        command.named()
        for routes in service.routes
        for command in routes.decider.decide.types - given
        if command.named() not in internal
    }
    assert lost == set(), "decided, and reached by no route"


def test_every_list_of_a_command_has_an_end(service):
    endless = {
        f"{route.command.named()}: {name}"
        for routes in service.routes
        for route in routes.commands
        for name, field in route.command.model_json_schema()["properties"].items()
        for part in field.get("anyOf", [field])
        if part.get("type") == "array" and "maxItems" not in part
    }
    assert endless == set()


def test_the_openapi_document_is_whole(service, app):
    document = app.openapi()
    schemas = document["components"]["schemas"]
    for reference in re.findall(r"#/components/schemas/([\w.-]+)", str(document)):
        assert reference in schemas, reference
    operations = [
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if "operationId" in operation
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert [name for name, each in zip(names, operations, strict=True) if not each["summary"]] == []


def test_the_asyncapi_document_has_a_message_for_every_event(service, app):
    document = asyncapi.document(service.name, service.title, service.heard_types, "concord")
    messages = document["components"]["messages"]
    assert {event.type for event in asyncapi.said_by(service.name)} <= set(messages)
    assert {kind.type for kind in service.heard_types} <= set(messages)
    schemas = document["components"]["schemas"]
    for reference in re.findall(r"#/components/schemas/([\w.-]+)", str(document)):
        assert reference in schemas, reference
    for operation in document["operations"].values():
        channel = document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
        for message in operation["messages"]:
            assert message["$ref"].rpartition("/")[2] in channel["messages"]
    assert document["info"]["title"] in asyncapi.page(document)
