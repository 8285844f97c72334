"""Validation of the query of a list."""

from urllib.parse import quote

import pytest
from starlette.requests import Request

from chassis.application.read_models import Listing
from chassis.web.list_routes import ListRoute
from chassis.web.problems import Problem


async def get(query: str) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [],
        "query_string": quote(query, "=").encode(),
    }
    await ListRoute(Listing("deal", ("title",), lambda _: {}), "deals").endpoint(Request(scope))


@pytest.mark.parametrize(
    "limit", ["0", "201", "000001999999999", "000001" + "0" * 5_000, "-1", "1.0", "", "²", "٣"]
)
async def test_a_limit_outside_its_range_is_refused(limit: str) -> None:
    with pytest.raises(Problem) as refused:
        await get(f"limit={limit}")
    assert refused.value.detail == "limit: must be a whole number from 1 to 200"
