"""Bodies of requests, read strictly."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from chassis.exchange import StrictRequest
from chassis.problems import Problem


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
async def test_a_number_is_neither_a_day_nor_a_truth(content):
    with pytest.raises(ValueError, match=r"valid (date|boolean)"):
        Sheet.model_validate(await read(content))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"title": "a\\u0000b"}', "title"),
        (b'{"lines": [{}, {"text": "bell\\u0007"}]}', "lines[1].text"),
        (b'{"title": "half \\ud800"}', "title"),
        (b'"\\u0085"', "body"),
        (b"3", "body"),
    ],
)
async def test_what_is_no_text_is_refused_by_name(content, field):
    with pytest.raises(Problem) as refused:
        await read(content)

    assert refused.value.status_code == 422
    assert refused.value.errors is not None
    assert refused.value.errors[0].field == field


async def test_lines_tabs_and_every_script_are_text():
    assert await read('{"text": "a\\n\\tb \\ud83d\\ude00 Łódź"}'.encode()) == {
        "text": "a\n\tb 😀 Łódź"
    }


@pytest.mark.parametrize(
    "content",
    [b'{"\\ud800": 1}', b'{"a": 1, "a": 2}', b"NaN", b"1e400", b"[" * 100_000, b"", b"\xff"],
)
async def test_what_is_not_json_is_refused(content):
    with pytest.raises(Problem) as refused:
        await read(content)

    assert (refused.value.status_code, refused.value.code) == (400, "malformed-json")
