"""The codes of problems in the OpenAPI document, and what a refusal becomes."""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field, ValidationError

from chassis.domain.commands import Missing, Refused
from chassis.web import problems
from contracts.refusals import PROBLEMS, REFUSALS


def test_the_openapi_document_explains_every_code_without_closing_the_list() -> None:
    schemas = problems.schemas()
    problem, missing = (
        schemas[name]["properties"]["code"] for name in ("ProblemDocument", "Missing")
    )
    assert problem["x-codes"] == dict([*PROBLEMS.items(), *REFUSALS.items()])
    assert missing["x-codes"] == REFUSALS
    for code in (problem, missing):
        assert code["type"] == "string"
        assert "enum" not in json.dumps(code)
        assert "accept unknown" in code["description"]


def test_a_refusal_is_answered_with_what_is_missing() -> None:
    refused = Refused(
        "proposal-not-ready",
        "no manager",
        [
            Missing("manager-not-assigned", "no manager", "delivery"),
            Missing("field-missing", "no account", field="account"),
        ],
    )
    answer = problems.translated(refused).response("/engagements/E-1")
    assert answer.status_code == 409
    assert json.loads(bytes(answer.body))["missing"] == [
        {"code": "manager-not-assigned", "sentence": "no manager", "owed_by": "delivery"},
        {"code": "field-missing", "sentence": "no account", "field": "account"},
    ]


class Body(BaseModel):
    """A request with a field of each frequent kind."""

    day: date = date(2026, 1, 1)
    hours: Annotated[Decimal, Field(le=100)] = Decimal(1)
    names: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)
    items: Annotated[list[str], Field(min_length=1)] = ["a"]
    kind: Literal["fixed", "at-cost"] = "fixed"
    code: Annotated[str, Field(max_length=3, pattern="^[A-Z]+$")] = "EUR"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"day": "31.03.2027"}, "must be a day that exists, as YYYY-MM-DD"),
        ({"day": "2027-02-30"}, "must be a day that exists, as YYYY-MM-DD"),
        ({"day": "2027-02-03T10:00:00"}, "must be a day that exists, as YYYY-MM-DD"),
        ({"day": None}, "must be a day that exists, as YYYY-MM-DD"),
        ({"hours": "ten"}, "must be a decimal number"),
        ({"hours": None}, "must be a decimal number"),
        ({"hours": 101}, "must be less than or equal to 100"),
        ({"names": []}, "must have at least 1 item"),
        ({"names": "a"}, "must be a JSON array"),
        ({"items": []}, "must have at least 1 item"),
        ({"kind": "gratis"}, "must be 'fixed' or 'at-cost'"),
        ({"code": "EURO"}, "must have at most 3 characters"),
        ({"code": "eur"}, "must match pattern '^[A-Z]+$'"),
    ],
)
def test_the_problem_of_a_field_says_what_its_value_must_be(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        Body.model_validate(given)
    [error] = raised.value.errors()
    assert problems.describe(error).problem == sentence


class Part(BaseModel):
    """A part of a request."""

    amount: Annotated[int, Field(gt=0)]
    works: Annotated[tuple[Decimal, ...], Field(min_length=1)] = (Decimal(1),)


class Parts(BaseModel):
    """A request with required parts."""

    parts: Annotated[tuple[Part, ...], Field(min_length=2)]
    limits: Annotated[dict[str, Part], Field(min_length=1)] = {"a": Part(amount=1)}


ONE = {"amount": 1}


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"parts": [{"amount": -1}, ONE]}, ["parts[0].amount"]),
        ({"parts": [{"amount": -1}, {"amount": -1}]}, ["parts[0].amount", "parts[1].amount"]),
        ({"parts": [ONE, {"amount": 1, "works": ["x"]}]}, ["parts[1].works[0]"]),
        ({"parts": [ONE, {"amount": 1, "works": []}]}, ["parts[1].works"]),
        ({"parts": [ONE]}, ["parts"]),
        ({"parts": [{"amount": -1}]}, ["parts[0].amount", "parts"]),
        ({"parts": [ONE, ONE], "limits": {"b": {}}}, ["limits.b.amount"]),
    ],
)
async def test_a_list_is_too_short_only_if_too_few_items_are_given(
    given: dict[str, Any], fields: list[str]
) -> None:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    def take(parts: Parts) -> None:
        del parts

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        answer = await client.post("/", json=given)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == fields
