"""Test that every route refuses invalid input, made from OpenAPI documents, and stores nothing."""

import json
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest

from local.demo.reference_data import CUSTOMERS, SELLING_COMPANY
from local.paths import HOST
from local.platform import SERVICES
from sales.accounts.names import account_id
from tests.e2e.conftest import ApiClient
from tests.e2e.mistakes import LARGEST, Mistake, Tokens, mistakes
from tests.e2e.openapi import Route, routes
from tests.e2e.scenarios import IN_A_MONTH, Engagements

AT_ONCE = 4


@pytest.fixture(scope="module")
def tokens(api: ApiClient) -> Tokens:
    return Tokens(api.secret)


def every_route(api: ApiClient, service: str) -> list[Route]:
    answer = httpx.get(f"{api.platform.layout.url(service)}/openapi.json", timeout=60)
    return list(routes(service, answer.json()))


def made(port: int, mistakes: Sequence[Mistake]) -> list[str]:
    """Send the invalid requests, several at a time, and return the unexpected answers."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        parts = (mistakes[start::AT_ONCE] for start in range(AT_ONCE))
        found = threads.map(lambda part: _one_by_one(port, part), parts)
        return [complaint for complaints in found for complaint in complaints]


def _one_by_one(port: int, mistakes: Sequence[Mistake]) -> list[str]:
    complaints = []
    # For thousands of requests: httpx would take five times as long.
    with closing(HTTPConnection(HOST, port, timeout=60)) as connection:
        for mistake in mistakes:
            headers = {name: text.encode() for name, text in mistake.headers.items()}
            connection.request(mistake.route.method, mistake.address, mistake.content, headers)
            answer = connection.getresponse()
            content = answer.read()
            wrong = _wrong_with(answer.status, answer.headers["content-type"], content, mistake)
            if wrong:
                complaints.append(f"{mistake.name}: {wrong}: {content[:300]!r}")
    return complaints


def _wrong_with(status: int, media: str | None, content: bytes, mistake: Mistake) -> str | None:
    if media != "application/problem+json":
        return f"{status} is no problem+json"
    problem = json.loads(content)
    if (status, problem["code"]) != (mistake.status, mistake.code):
        return f"wanted {mistake.status} {mistake.code}, got {status}"
    if problem["status"] != mistake.status or not problem["title"] or not problem["detail"]:
        return "the problem is not whole"
    if not re.fullmatch(f"urn:concord:problem:{mistake.code}", problem["type"]):
        return "the problem's type is another"
    named = [each["field"] for each in problem.get("errors", ())]
    if mistake.names is not None and not _names(named, mistake.names):
        return f"wanted {mistake.names} to be named, got {named}"
    return None


def _names(named: Iterable[str], wanted: str) -> bool:
    """Return whether a field, or one within it, is named, ignoring case as for headers."""
    return any(
        each.lower() == wanted.lower() or each.startswith((f"{wanted}.", f"{wanted}["))
        for each in named
    )


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("access")
def test_every_route_refuses_every_mistake_and_stores_nothing(
    api: ApiClient, tokens: Tokens, service: str
) -> None:
    known = every_route(api, service)
    first = next(route for route in known if route.is_command)
    every = [
        mistake for route in known for mistake in mistakes(route, tokens, every=route == first)
    ]
    before = api.commits()
    assert before["sales"] > 0, "commits by people are counted"
    complaints = made(api.platform.layout.ports[service], every)

    assert not complaints, "\n".join([f"{len(complaints)} of {len(every)}:", *complaints[:20]])
    assert len(known) >= 15
    assert len(every) > 40 * len([route for route in known if route.is_command])
    assert api.commits() == before
    log = (api.platform.layout.logs / f"{service}.log").read_text()
    assert "Exception in ASGI application" not in log


def test_an_invalid_export_is_refused_as_a_whole(api: ApiClient, access: object) -> None:
    url = f"{api.platform.layout.url('sales')}/imports"
    before = api.commits()
    headers = {"Authorization": f"Bearer {api.token('sam')}", "Content-Type": "text/csv"}
    for content, status, code in (
        (b"\xff\xfe\x00", 422, "unusable-export"),
        (b"", 422, "unusable-export"),
        (b"no,such,columns\n1,2,3\n", 422, "unusable-export"),
        (b"a" * (5 * LARGEST), 413, "body-too-large"),
    ):
        answer = httpx.post(url, headers=headers, content=content, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert api.commits() == before


ENDS_BEFORE_IT_STARTS = {
    "sales/draft-proposal": {
        "company": SELLING_COMPANY["EUR"],
        "estimate_version": 1,
        "deliverables": [{"deliverable": "a", "title": "A"}],
        "lines": [
            {
                "line": "a",
                "title": "A",
                "pricing": "fixed",
                "price": {"amount": "1", "currency": "EUR"},
            }
        ],
        "valid_until": "2026-05-01",
        "promised_start": "2026-05-02",
        "promised_finish": "2026-05-01",
        "method": "Backwards.",
    },
    "legal/draft-sow": {
        "scope": "Backwards.",
        "starts_on": "2026-05-02",
        "finishes_on": "2026-05-01",
    },
    "delivery/request-resource": {
        "role": "engineer",
        "hours": "1",
        "starts_on": "2026-05-02",
        "finishes_on": "2026-05-01",
    },
    "delivery/draft-plan": {
        "template": "standard-delivery",
        "tasks": [
            {
                "task": "t",
                "title": "T",
                "phase": "Build",
                "starts_on": "2026-05-02",
                "finishes_on": "2026-05-01",
                "hours": [{"role": "engineer", "hours": "1"}],
            }
        ],
    },
}


@pytest.mark.parametrize("command", ENDS_BEFORE_IT_STARTS)
def test_an_end_before_its_start_is_refused(
    api: ApiClient, engagements: Engagements, command: str
) -> None:
    service, _, name = command.partition("/")
    engagement = engagements.hasty if service == "sales" else engagements.running
    before = api.commits()
    answer = api.request(
        "POST",
        service,
        f"/engagements/{engagement.engagement}/{name}",
        by="everybody",
        body=ENDS_BEFORE_IT_STARTS[command],
        headers={"Idempotency-Key": f"backwards-{service}"},
    )

    assert answer.status_code in {409, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "finish" in answer.text
    assert api.commits()[service] == before[service]


def test_a_reused_key_and_an_outdated_etag_are_refused(api: ApiClient, access: object) -> None:
    body = {
        "account": account_id(CUSTOMERS[0].name),
        "title": "Once",
        "expected_value": {"amount": "1000.50", "currency": "EUR"},
        "expected_close": IN_A_MONTH.isoformat(),
        "owner": "ann",
    }
    headers = {"Idempotency-Key": "just-once"}
    first, again = (
        api.request("POST", "sales", "/engagements", by="ann", body=body, headers=headers)
        for _ in range(2)
    )
    before = api.commits()["sales"]
    other = api.request(
        "POST", "sales", "/engagements", by="ann", body={**body, "title": "Two"}, headers=headers
    )
    stale = api.request(
        "POST",
        "sales",
        f"/engagements/{first.json()['id']}/qualify-opportunity",
        by="ann",
        body={"budget": True, "authority": True, "need": True, "timing": True, "score": "50"},
        headers={"Idempotency-Key": "stale", "If-Match": '"7"'},
    )

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert api.commits()["sales"] == before


FORM = "application/x-www-form-urlencoded"
NOBODYS = "/pages/engagements/E-0D5R2K8WQ3V7X"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (NOBODYS, 404),
        ("/pages/engagements/E-1", 404),
        ("/pages/engagements/%00", 404),
        ("/pages/engagements?sort=nonsense", 404),
        ("/pages/engagements?stage=%ED%A0%80", 404),
        ("/pages/engagements?cursor=%00", 404),
        ("/pages/engagements?cursor=e30", 404),
        ("/pages/disconnects?owner=nobody", 404),
        ("/pages/disconnects?cursor=WzFd", 404),
        ("/pages/static/..%2f..%2fservice.py", 404),
    ],
)
@pytest.mark.usefixtures("access")
def test_a_missing_page_is_not_found(
    api: ApiClient, tokens: Tokens, path: str, status: int
) -> None:
    url = api.platform.layout.url("gateway") + path
    signed_in = {"Cookie": f"concord={tokens.everybody}"}

    assert httpx.get(url, headers=signed_in).status_code == status
    if "static" not in path:
        assert httpx.get(url).status_code == 401, "the token is checked first"
        outside = {"Cookie": f"concord={tokens.of('customer')}"}
        assert httpx.get(url, headers=outside).status_code in {403, 404}


@pytest.mark.parametrize(
    ("path", "form", "headers", "status"),
    [
        ("/sign-in", b"token=nonsense", {}, 401),
        ("/sign-in", b"token=nonsense&next=//%5B", {}, 401),
        ("/sign-in", b"token=nonsense&next=http://%5B", {}, 401),
        ("/sign-in", b"token=%ff%fe", {}, 401),
        ("/sign-in", b"\xff\xfe", {}, 400),
        ("/sign-in", b"&".join([b"a=1"] * 99), {}, 400),
        ("/sign-in", b"token=" + b"x" * 20_000, {}, 413),
        ("/sign-in", b"{}", {"Content-Type": "application/json"}, 415),
        ("/sign-in", b"token=x", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/sign-in", b"token=x", {"Sec-Fetch-Site": "", "Origin": "http://["}, 403),
        (f"{NOBODYS}/waive", b"finding=x&why=Because&until=2999-12-31", {}, 404),
        (f"{NOBODYS}/waive", b"finding=x", {}, 422),
        (f"{NOBODYS}/waive", b"finding=x&why=Because&until=soon", {}, 422),
        (f"{NOBODYS}/waive", b"finding=x&until=2999-12-31&why=" + b"a" * 9_000, {}, 422),
        ("/pages/engagements/E-1/waive", b"finding=x&why=y&until=2999-12-31", {}, 404),
    ],
)
@pytest.mark.usefixtures("access")
def test_an_invalid_form_changes_nothing(
    api: ApiClient, tokens: Tokens, path: str, form: bytes, headers: dict[str, str], status: int
) -> None:
    before = api.commits()["gateway"]
    sent = {
        "Cookie": f"concord={tokens.everybody}",
        "Content-Type": FORM,
        "Sec-Fetch-Site": "same-origin",
        **headers,
    }
    if not sent["Sec-Fetch-Site"]:
        del sent["Sec-Fetch-Site"]
    answer = httpx.post(api.platform.layout.url("gateway") + path, headers=sent, content=form)

    assert answer.status_code == status, answer.text[:300]
    assert "set-cookie" not in answer.headers
    assert api.commits()["gateway"] == before
