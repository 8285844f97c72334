"""The names of models and operations in an OpenAPI document."""

from typing import Any

from chassis.runtime.service import create_app
from chassis.web import openapi
from sales.service import SERVICE as SALES
from tests.component.sample_app import settings


def test_winning_a_deal_is_an_operation_of_proposals() -> None:
    paths = create_app(SALES, settings()).openapi()["paths"]
    winning = paths["/engagements/{engagement}/win-deal"]["post"]
    assert (winning["tags"], winning["operationId"]) == (["proposals"], "win_deal")


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
