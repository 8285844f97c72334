"""The names of models and operations in an OpenAPI document."""

from typing import Any

from chassis.runtime.service import create_app
from chassis.web import openapi
from contracts.refusals import REFUSALS
from sales.service import SERVICE as SALES
from tests.component.sample_app import settings


def test_winning_a_deal_is_an_operation_of_proposals() -> None:
    paths = create_app(SALES, settings()).openapi()["paths"]
    winning = paths["/engagements/{engagement}/win-deal"]["post"]
    assert (winning["tags"], winning["operationId"]) == (["proposals"], "win_deal")


def test_a_command_names_the_codes_of_each_status_that_it_can_be_refused_with() -> None:
    document = create_app(SALES, settings()).openapi()
    shared = document["components"]["responses"]
    answers = {
        status: shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for status, each in document["paths"]["/engagements/{engagement}/win-deal"]["post"][
            "responses"
        ].items()
    }
    codes = {status: each["x-codes"] for status, each in answers.items() if "x-codes" in each}
    assert codes.keys() == {
        *["400", "401", "403", "404", "409", "412", "413", "415", "422", "500", "503", "504"]
    }
    assert codes["409"]["proposal-expired"] == REFUSALS["proposal-expired"]
    assert "document-unknown" in codes["409"]
    assert "proposal-repriced" not in codes["409"]
    assert {*codes["422"]} == {"event-not-recordable", "invalid-input", "key-reused"}
    assert {*codes["403"]} == {"not-allowed", "stand-in-not-recorded"}
    assert {"Retry-After"} == answers["503"]["headers"].keys()


def test_a_route_adds_its_codes_to_those_that_its_parameters_decide() -> None:
    paths = create_app(SALES, settings()).openapi()["paths"]
    found = paths["/engagements/{engagement}/documents/{content_hash}"]["get"]["responses"]
    assert list(found["404"]["x-codes"]) == ["unknown-document", "unknown-stream"]
    assert paths["/imports"]["post"]["responses"]["422"]["x-codes"].keys() == {
        "invalid-input",
        "unusable-export",
    }


def test_reading_one_stream_names_the_headers_by_which_it_is_read_again() -> None:
    read = create_app(SALES, settings()).openapi()["paths"]["/engagements/{engagement}"]["get"]
    given = {each["name"] for each in read["parameters"] if each["in"] == "header"}
    assert given == {"concord-after", "prefer", "if-none-match"}
    headers = read["responses"]["200"]["headers"]
    assert headers.keys() == {"Concord-As-Of", "ETag", "Concord-Position"}
    assert all(each["description"] and each["example"] for each in headers.values())


def test_only_what_everybody_may_read_needs_no_token() -> None:
    paths = create_app(SALES, settings()).openapi()["paths"]
    without = {
        path for path, each in paths.items() for one in each.values() if one.get("security") == []
    }
    assert without == {"/live", "/ready", "/health", "/schemas/{name}.json"}


def test_models_are_named_after_their_class_and_what_it_is_of() -> None:
    asked = {"properties": {"event": {"$ref": "#/components/schemas/contracts__sales__q__Asked"}}}
    keys: dict[str, dict[str, Any]] = {
        "Money-Input": {},
        "Money-Output": {},
        "VersionView_AccountPublished_": {"title": "VersionView[AccountPublished]"},
        "contracts__sales__q__Asked": {"title": "Asked"},
        "gateway__view__Asked": {"title": "Asked"},
        "gateway__view__Kept_Asked___1": asked,
        "ProblemDocument": {"title": "Problem"},
    }
    assert list(openapi.model_names(keys).values()) == [
        "MoneyInput",
        "Money",
        "VersionViewAccountPublished",
        "SalesAsked",
        "GatewayAsked",
        "KeptSalesAsked",
        "Problem",
    ]
