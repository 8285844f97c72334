"""The five services: every route requires a token, and the API documents are complete."""

import re
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from chassis.domain.capability import Capability
from chassis.domain.state import Part
from chassis.kafka import asyncapi
from chassis.runtime.service import create_app
from chassis.web.auth import guarded, unguarded
from contracts.channels import DEPARTMENTS
from contracts.event import EVENTS
from tests.component.sample_app import settings


@pytest.fixture(scope="module", params=DEPARTMENTS)
def service(request):
    return import_module(f"{request.param}.service").SERVICE


@pytest.fixture(scope="module")
def app(service):
    return create_app(service, settings())


# Signing in needs no token, nor do the page to sign in on and its style sheet.
SIGNING_IN = {"GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /pages/static/{name}"}


def test_every_route_requires_a_token(service, app):
    assert unguarded(app) == (SIGNING_IN if service.name == "gateway" else set())
    assert guarded(app) > {"GET /operations/parked", "POST /operations/clock/hold"}


def test_only_these_commands_have_no_route(service):
    # Given by the deadline scheduler, the import of a CRM's export, streams that request them of
    # others, and the gateway itself.
    internal = {
        "add-engagement",
        "begin-round",
        "book-period",
        "check-period",
        "deadline-passed",
        "give-back-allocation",
        "give-back-time",
        "give-back-works",
        "give-way",
        "import-opportunity",
        "introduce-account",
        "keep-expense",
        "measure-week",
        "note-allocation",
        "note-costs",
        "note-deallocation",
        "note-decision",
        "note-group",
        "note-workload",
        "publish-disconnects",
        "receive-payment",
        "register-engagement",
        "take-allocation",
        "take-back-expense",
        "take-back-time",
        "take-number",
        "take-time",
        "take-works",
        "update-import",
        "waive-any-disconnect",
        "waive-disconnect",
    }
    without_route = {
        entry.command.named()
        for decider in service.all_deciders
        for entry in decider.commands.values()
        if entry.by is None
    }
    assert without_route <= internal


def test_nothing_is_left_out_of_a_service(service, monkeypatch):
    # Other tests of the chassis define events of their own.
    published = {
        name: each for name, each in EVENTS.items() if each.__module__.startswith("contracts.")
    }
    monkeypatch.setattr("chassis.runtime.service.EVENTS", published)
    service.require_complete()


def test_a_capability_that_is_not_listed_is_named_at_start(service):
    for decider in service.all_deciders:
        for left_out in decider.capabilities:
            rest = tuple(each for each in decider.capabilities if each is not left_out)
            others = tuple(each for each in service.all_deciders if each is not decider)
            shortened = replace(
                service, routes=(), deciders=(*others, replace(decider, capabilities=rest))
            )
            if left_out.module.endswith(".decisions"):
                with pytest.raises(TypeError, match=left_out.module.rpartition(".")[0]):
                    shortened.require_complete()


def test_an_event_that_no_state_evolves_by_is_named_at_start(service):
    for decider in service.all_deciders:
        others = tuple(each for each in service.all_deciders if each is not decider)
        forgetful = replace(decider, initial=lambda _: Part())
        if all(any(kind in each.evolves_by for each in others) for kind in decider.evolves_by):
            continue  # such as a number series: it evolves by internal events only
        with pytest.raises(TypeError, match=r"no part of a state has a step for concord\."):
            replace(service, routes=(), deciders=(*others, forgetful)).require_complete()


def test_a_command_without_a_decision_is_named_at_start(service):
    for decider in service.all_deciders:
        for capability in decider.capabilities:
            for entry in capability.commands:
                if entry.command.__module__ != capability.module:
                    continue
                forgotten: Capability[Any] = Capability(capability.module)
                forgotten.__dict__.update(vars(capability))
                forgotten.commands = [each for each in capability.commands if each is not entry]
                capabilities = tuple(
                    forgotten if each is capability else each for each in decider.capabilities
                )
                others = tuple(each for each in service.all_deciders if each is not decider)
                changed = (replace(decider, capabilities=capabilities), *others)
                with pytest.raises(
                    TypeError, match=f"nothing is decided on {entry.command.named()}"
                ):
                    replace(service, routes=(), deciders=changed).require_complete()


def test_a_command_with_roles_and_no_route_is_named_at_start(service):
    for routes in service.routes:
        rest = tuple(each for each in service.routes if each is not routes)
        if routes.commands:
            with pytest.raises(TypeError, match="has roles and no route"):
                replace(
                    service, routes=rest, deciders=(*service.deciders, routes.decider)
                ).require_complete()


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


def operations(app):
    for path in app.openapi()["paths"].values():
        yield from path.values()


def test_each_model_in_the_openapi_document_has_one_name_that_is_its_title(app):
    document = app.openapi()
    models = document["components"]["schemas"]
    assert [name for name, model in models.items() if model["title"] != name] == []
    assert [name for name in models if not re.fullmatch("[A-Z][A-Za-z0-9]*", name)] == []
    assert len({name.lower() for name in models}) == len(models)
    assert set(re.findall("#/components/schemas/([^']+)'", str(document))) <= models.keys()


def test_each_operation_has_a_summary_and_an_id_that_reads_as_a_method_of_a_capability(app):
    ids = [each["operationId"] for each in operations(app)]
    assert [each for each in ids if not re.fullmatch("[a-z]+(_[a-z]+)*", each)] == []
    assert len(set(ids)) == len(ids)
    assert all(len(each["tags"]) == 1 and each["summary"] for each in operations(app))


def test_each_operation_answers_with_a_schema(app):
    without = [
        f"{each['operationId']} {status}"
        for each in operations(app)
        for status, answer in each["responses"].items()
        if status != "204"
        and "$ref" not in answer
        and not all(content.get("schema") for content in answer.get("content", {"": {}}).values())
    ]
    assert without == []


def test_the_number_of_an_event_has_the_name_that_it_has_on_the_wire(app):
    fields = {
        name
        for schema in app.openapi()["components"]["schemas"].values()
        for name in schema.get("properties", {})
    }
    assert "streamsequence" in fields
    assert "sequence" not in fields


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
