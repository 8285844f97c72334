"""The codes of problems in the OpenAPI document, and what a refusal becomes."""

import json

from chassis.domain.commands import Missing, Refused
from chassis.web import problems
from contracts.refusals import PROBLEMS, REFUSALS


def test_the_openapi_document_explains_every_code_without_closing_the_list() -> None:
    schemas = problems.schemas()
    problem, missing = (schemas[name]["properties"]["code"] for name in ("Problem", "Missing"))
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
