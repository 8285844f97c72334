"""Pages on other origins: those in the settings may send requests and read every answer."""

from types import SimpleNamespace

import httpx
import pytest

from chassis.runtime.service import create_app
from chassis.web import cors
from chassis.web.auth import guarded
from chassis.web.request import AS_OF, COMMAND_ANSWER, COMMAND_HEADERS, READ_HEADERS
from tests.component.sample_app import delivery, sales, settings, token

PAGE = "https://planner.example"
OWN = {"cors_origins": f"{PAGE}, http://127.0.0.1:5173"}


def client(origin: str | None = PAGE, **given: str) -> httpx.AsyncClient:
    app = create_app(sales(), settings(**given))
    app.state.container = SimpleNamespace(waits_for="the store is not prepared yet")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://sales",
        headers={"Origin": origin} if origin else {},
    )


async def preflight(service: httpx.AsyncClient, method: str, *headers: str) -> httpx.Response:
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(headers),
    }
    return await service.options("/engagements", headers=asked)


@pytest.mark.parametrize("origin", [PAGE, "http://127.0.0.1:5173"])
async def test_a_preflight_request_needs_no_token(origin: str) -> None:
    async with client(origin, **OWN) as service:
        answer = await preflight(service, "POST", *(name.lower() for name in cors.SENT))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers
    assert int(answer.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize(
    ("origin", "method", "header"),
    [
        ("https://other.example", "POST", "prefer"),
        (f"{PAGE}.example", "POST", "prefer"),
        ("null", "POST", "prefer"),
        (PAGE, "TRACE", "prefer"),
        (PAGE, "POST", "cookie"),
    ],
)
async def test_other_origins_methods_and_headers_are_not_allowed(
    origin: str, method: str, header: str
) -> None:
    async with client(origin, **OWN) as service:
        assert (await preflight(service, method, header)).status_code == 400
        answer = await service.get("/live")
    assert ("access-control-allow-origin" in answer.headers) == (origin == PAGE)


async def test_a_page_can_read_errors_as_well() -> None:
    async with client(**OWN) as service:
        answers = [
            await service.get("/engagements"),
            await service.get("/engagements", headers=token("ann", "executive")),
            await service.get("/nowhere"),
            await service.get("/health"),  # fails here: the service has no health
        ]
    assert [answer.status_code for answer in answers] == [401, 503, 404, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert {"ETag", "Retry-After"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )
        assert "Origin" in answer.headers["vary"]


async def test_no_other_origin_is_allowed_by_default() -> None:
    async with client() as service:
        answer = await preflight(service, "GET")
        assert answer.status_code == 405
        for each in (answer, await service.get("/live")):
            assert not any(name.startswith("access-control") for name in each.headers)


async def test_an_answer_for_one_origin_is_not_kept_for_another() -> None:
    async with client(None, **OWN) as service:
        assert "Origin" in (await service.get("/live")).headers["vary"]


def test_pages_may_send_and_read_every_header_of_the_interface() -> None:
    sent = [COMMAND_HEADERS["parameters"], READ_HEADERS["parameters"]]
    names = {each["name"] for headers in sent for each in headers}  # type: ignore[attr-defined]
    assert names <= {name.lower() for name in cors.SENT}
    assert {*COMMAND_ANSWER["headers"], *AS_OF[200]["headers"]} <= set(cors.READ)


@pytest.mark.parametrize("service", [sales(), delivery()], ids=lambda service: service.name)
def test_pages_may_use_every_method_of_the_interface(service: object) -> None:
    routes = guarded(create_app(service, settings()))  # type: ignore[arg-type]
    assert {route.partition(" ")[0] for route in routes} <= set(cors.METHODS)
