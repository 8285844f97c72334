"""Answers are not cached for other callers."""

from fastapi import APIRouter, FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from chassis.web.request import StrictRoute

routes = APIRouter(route_class=StrictRoute)


@routes.get("/margins")
async def margins() -> list[str]:
    return ["0.31"]


@routes.get("/stream")
async def stream() -> Response:
    return Response("", headers={"Cache-Control": "no-store"})


async def test_an_answer_is_private_unless_it_sets_cache_control() -> None:
    app = FastAPI()
    app.include_router(routes)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        assert (await client.get("/margins")).headers["Cache-Control"] == "private, no-cache"
        assert (await client.get("/stream")).headers["Cache-Control"] == "no-store"
