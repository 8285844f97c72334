"""Strict parsing of request bodies."""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, WrapValidator

from chassis.web.few_errors import few_errors
from chassis.web.problems import Problem
from chassis.web.request import StrictRequest


async def read(content: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    app = FastAPI()
    app.state.body_limit = 1_000_000
    return await StrictRequest({"type": "http", "app": app}, receive).json()


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: date = date(2026, 1, 5)
    billable: bool = True
    count: int = 1
    hours: Decimal = Decimal(0)


async def test_a_number_is_exact():
    sheet = Sheet.model_validate(await read(b'{"hours": 0.1000, "count": 3}'))

    assert (str(sheet.hours), sheet.count) == ("0.1000", 3)
    assert type(sheet.hours) is Decimal


@pytest.mark.parametrize("content", [b'{"on": 0}', b'{"on": 1767571200}', b'{"billable": 1}'])
async def test_a_number_is_neither_a_date_nor_a_boolean(content):
    with pytest.raises(ValueError, match=r"valid (date|boolean)"):
        Sheet.model_validate(await read(content))


class Week(BaseModel):
    sheet: Sheet = Sheet()


@pytest.mark.parametrize("content", [b"3", b"1.5", b'{"sheet": 3}', b'{"sheet": 1.5}'])
async def test_a_number_is_no_object_whose_fields_are_all_optional(content):
    with pytest.raises(ValidationError, match="valid dictionary"):
        # As FastAPI validates a body.
        TypeAdapter(Week).validate_python(await read(content), from_attributes=True)


async def test_text_is_left_to_the_types_of_the_fields():
    assert await read(b'{"title": "a\\u0000b", "lines": ["\\ud800"]}') == {
        "title": "a\0b",
        "lines": ["\ud800"],
    }


@pytest.mark.parametrize(
    ("content", "field", "bound"),
    [
        (b'{"a": {"tasks": [%s]}}' % b",".join([b"0"] * 3_001), "a.tasks", "3000 items"),
        (b"{%s}" % b",".join(b'"%d": 0' % n for n in range(201)), "body", "200 fields"),
        (b'{"a": [%s]}' % b",".join([b"[0, 0]"] * 50_000), "body", "100000 values in total"),
        (b'{"a": "\\\\", "b": [%s' % b",".join([b"{}"] * 50_000), "body", "100000 values in total"),
    ],
)
async def test_too_many_items_fields_or_values_are_refused_with_their_field(content, field, bound):
    with pytest.raises(Problem) as refused:
        await read(content)

    assert refused.value.detail == f"{field}: must have at most {bound}"


async def test_commas_and_brackets_in_a_text_are_not_counted_as_values():
    text = ', [{"' * 20_000
    assert await read(json.dumps({"content": text}).encode()) == {"content": text}


async def test_up_to_a_thousand_errors_are_listed():
    class Lines(BaseModel):
        lines: list[Sheet]

    body = TypeAdapter(Annotated[Lines, WrapValidator(few_errors)])
    wrong = {"on": "x", "billable": 3, "count": "x", "hours": "x", "more": 1}
    with pytest.raises(ValidationError) as listed:
        body.validate_python({"lines": [wrong] * 200})
    assert listed.value.error_count() == 1_000
    with pytest.raises(Problem, match="body: has 1,005 errors, too many to list"):
        body.validate_python({"lines": [wrong] * 201})


async def test_line_ends_tabs_and_all_scripts_are_valid_text():
    assert await read('{"text": "a\\n\\tb \\ud83d\\ude00 Łódź"}'.encode()) == {
        "text": "a\n\tb 😀 Łódź"
    }


@pytest.mark.parametrize(
    "content",
    [
        b'{"\\ud800": 1}',
        b'{"a": [{"b\\u0007": 1}]}',
        b'{"a": 1, "a": 2}',
        b"NaN",
        b"1e400",
        b"[" * 40_000,
        b"",
        b"\xff",
        b'"' + b'\\",[' * 200_000,
    ],
)
async def test_a_body_that_is_not_json_is_refused(content):
    with pytest.raises(Problem) as refused:
        await read(content)

    assert (refused.value.status_code, refused.value.code) == (400, "malformed-json")
