"""The five services: every route requires a token, and the API documents are complete."""

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


# Signing in needs no token, nor do the page to sign in on and its style sheet.
SIGNING_IN = {"GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /pages/static/{name}"}


def test_every_route_requires_a_token(service, app):
    assert unguarded(app) == (SIGNING_IN if service.name == "gateway" else set())
    assert guarded(app) > {"GET /operations/parked", "POST /operations/clock/hold"}


def test_every_command_has_a_route(service):
    with_route = {route.command for routes in service.routes for route in routes.commands}
    # Given by the deadline scheduler, and by the import of a CRM's export for each row.
    internal = {"deadline-passed", "import-opportunity", "introduce-account"}
    without_route = {
        command.named()
        for routes in service.routes
        for command in routes.decider.decide.types - with_route
        if command.named() not in internal
    }
    assert without_route == set()


def test_every_list_in_a_command_has_a_maximum_length(service):
    unlimited = {
        f"{route.command.named()}: {name}"
        for routes in service.routes
        for route in routes.commands
        for name, field in route.command.model_json_schema()["properties"].items()
        for part in field.get("anyOf", [field])
        if part.get("type") == "array" and "maxItems" not in part
    }
    assert unlimited == set()


def test_the_openapi_document_is_complete(service, app):
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
    document = asyncapi.document(service.name, service.title, service.consumed_types, "concord")
    messages = document["components"]["messages"]
    assert {event.type for event in asyncapi.published_by(service.name)} <= set(messages)
    assert {kind.type for kind in service.consumed_types} <= set(messages)
    schemas = document["components"]["schemas"]
    for reference in re.findall(r"#/components/schemas/([\w.-]+)", str(document)):
        assert reference in schemas, reference
    for operation in document["operations"].values():
        channel = document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]
        for message in operation["messages"]:
            assert message["$ref"].rpartition("/")[2] in channel["messages"]
    assert document["info"]["title"] in asyncapi.page(document)
