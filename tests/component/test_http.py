"""Test a service over HTTP: two small departments on a real Kafka and a real store."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.kafka.topics import create_topics
from contracts.channels import DELIVERY
from tests.component.consumer_harness import topics
from tests.component.sample_app import delivery, running, sales, settings, token, until
from tests.infrastructure import KafkaServer, StoreServer, unique_name

ANN = token("ann", "account-executive")
PAUL = token("paul", "pmo-director")
DEAL = {
    "account": "acme",
    "title": "A new plant",
    "expected_value": {"amount": "1000.00", "currency": "EUR"},
    "expected_close": "2026-06-30",
    "owner": "ann",
}


class Company:
    """Two departments, requests that tests send to them, and the prefix of their topics."""

    def __init__(self, sales: httpx.AsyncClient, delivery: httpx.AsyncClient, prefix: str) -> None:
        self.sales, self.delivery, self.prefix = sales, delivery, prefix

    async def open(self, key: str = "k-1", **fields: Any) -> httpx.Response:
        headers = {**ANN, "Idempotency-Key": key, **fields.pop("headers", {})}
        return await self.sales.post("/engagements", json={**DEAL, **fields}, headers=headers)

    async def knows_ann(self) -> bool:
        return (await self.open("first")).status_code == 201

    async def qualify(self, engagement: str, key: str, **headers: str) -> httpx.Response:
        return await self.sales.post(
            f"/engagements/{engagement}/qualify-deal",
            json={"score": 80},
            headers={**ANN, "Idempotency-Key": key, **headers},
        )


# All tests share one company; each opens engagements of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company(kafka: KafkaServer, store: StoreServer) -> AsyncIterator[Company]:
    isolation = unique_name("http")
    await create_topics(kafka.bootstrap, isolation)
    given = {
        "kafka_bootstrap": kafka.bootstrap,
        "topic_prefix": isolation,
        "store_url": store.url,
    }
    ours = settings(**given, store_database=f"{isolation}-s")
    theirs = settings(**given, store_database=f"{isolation}-d")
    async with running(delivery(), theirs) as of_delivery, running(sales(), ours) as of_sales:
        published = await of_delivery.post(
            "/people/ann/publish-person",
            json={"name": "Ann Arbor"},
            headers={**PAUL, "Idempotency-Key": "p-1"},
        )
        assert published.status_code == 200, published.text
        company = Company(of_sales, of_delivery, isolation)
        await until(company.knows_ann)
        yield company


async def test_an_engagement_through_two_departments(company: Company) -> None:
    opened = await company.open("k-1")
    assert opened.status_code == 201, opened.text
    answer = opened.json()
    engagement = answer["id"]
    assert opened.headers["location"] == f"/engagements/{engagement}"
    assert opened.headers["etag"] == '"1"'
    assert opened.headers["concord-position"] == "sales=1"
    assert [event["type"] for event in answer["events"]] == ["concord.sales.opportunity-opened.v1"]
    assert "state" not in answer
    assert "preference-applied" not in opened.headers
    assert answer["row"]["title"] == "A new plant"
    assert answer["requests"] == []

    # The same request again: one effect, the same answer.
    again = await company.open("k-1")
    assert (again.status_code, again.json()) == (201, answer)
    assert again.headers["idempotency-replayed"] == "true"
    reused = await company.open("k-1", title="Another plant")
    assert (reused.status_code, reused.json()["code"]) == (422, "key-reused")

    # The event that the gate needs arrives while the command waits.
    see = "wait=20, return=representation"
    qualified = await company.qualify(engagement, "k-2", Prefer=see)
    assert qualified.status_code == 200, qualified.text
    assert qualified.headers["preference-applied"] == "return=representation, wait=20"
    assert qualified.json()["state"] == {
        "id": engagement,
        "title": "A new plant",
        "manager": "emma",
        "score": "80",
        "passed_over": [],
    }

    # The position contains the latest event of Sales, and the reaction of Delivery.
    read = await company.sales.get(f"/engagements/{engagement}", headers=ANN)
    assert read.headers["etag"] == qualified.headers["etag"]
    assert read.headers["concord-position"] == "delivery=1,sales=2"
    unchanged = await company.sales.get(
        f"/engagements/{engagement}", headers={**ANN, "If-None-Match": read.headers["etag"]}
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")

    stale = await company.qualify(engagement, "k-3", **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    fresh = await company.qualify(engagement, "k-4", **{"If-Match": read.headers["etag"]})
    assert fresh.status_code == 200

    early = await company.sales.get(
        f"/engagements/{engagement}", headers={**ANN, "Concord-After": "delivery=99"}
    )
    assert (early.status_code, early.json()["code"]) == (504, "not-processed-yet")
    with_money = await company.sales.get(
        f"/engagements/{engagement}", headers=token("fred", "executive", "confidential")
    )
    assert with_money.json()["value"] == {"amount": "1000", "currency": "EUR"}


async def test_a_refusal_lists_what_is_missing_and_who_owes_it(company: Company) -> None:
    refused = await company.open("k-9", owner="zoe")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "person-unknown"
    assert problem["missing"] == [
        {"code": "person-unknown", "sentence": "there is no person zoe", "owed_by": "delivery"}
    ]
    unknown = await company.qualify("E-0000000000000", "k-10")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-stream")


async def test_history_is_recorded_by_historians_alone(company: Company) -> None:
    past = {"Occurred-At": "2026-01-05T10:00:00+02:00"}
    denied = await company.open("h-1", headers=past)
    assert (denied.status_code, denied.json()["code"]) == (403, "not-allowed")
    historian = token("ann", "account-executive", "historian")
    future = await company.open("h-2", headers={**historian, "Occurred-At": "2999-01-01T00:00:00Z"})
    assert (future.status_code, future.json()["errors"][0]["field"]) == (422, "Occurred-At")
    taken = await company.open("h-3", headers={**historian, **past})
    assert taken.status_code == 201
    assert taken.json()["events"][0]["occurred_at"] == "2026-01-05T08:00:00Z"


async def test_a_person_is_erased(company: Company) -> None:
    url = "/people/bob"
    made = await company.delivery.post(
        f"{url}/publish-person",
        json={"name": "Bob"},
        headers={**PAUL, "Idempotency-Key": "b-1", "Prefer": "return=representation"},
    )
    assert made.json()["state"]["name"] == "Bob"
    erased = await company.delivery.delete(url, headers={**PAUL, "Idempotency-Key": "b-2"})
    assert (erased.status_code, erased.content) == (204, b"")
    gone = await company.delivery.get(url, headers=PAUL)
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-stream")


BAD = {
    "an unknown field": ({**DEAL, "colour": "red"}, 422, "colour"),
    "a missing field": ({k: v for k, v in DEAL.items() if k != "owner"}, 422, "owner"),
    "a wrong type": ({**DEAL, "title": 7}, 422, "title"),
    "a negative amount": (
        {**DEAL, "expected_value": {"amount": "-1", "currency": "EUR"}},
        422,
        "expected_value",
    ),
    "an unknown currency": (
        {**DEAL, "expected_value": {"amount": "1", "currency": "XXX"}},
        422,
        "expected_value.currency",
    ),
    "a number too long": (
        {**DEAL, "expected_value": {"amount": "1" * 40, "currency": "EUR"}},
        422,
        "expected_value.amount",
    ),
    "no date": ({**DEAL, "expected_close": "30/06/2026"}, 422, "expected_close"),
    "not an object": ([DEAL], 422, "body"),
    "an unknown field deep down": (
        {**DEAL, "expected_value": {"amount": "1", "currency": "EUR", "vat": 1}},
        422,
        "expected_value.vat",
    ),
}


async def test_bad_input_is_refused_by_name_and_nothing_is_stored(company: Company) -> None:
    container = company.sales.app.state.container  # type: ignore[attr-defined]
    by_ann = {"actor": "ann"}  # commits of consumed events, also of other tests, have another actor
    before = await container.store.commits.count_documents(by_ann)
    for name, (body, status, field) in BAD.items():
        answer = await company.sales.post(
            "/engagements", json=body, headers={**ANN, "Idempotency-Key": "bad"}
        )
        assert answer.status_code == status, (name, answer.text)
        assert answer.json()["errors"][0]["field"] == field, (name, answer.text)
    for raw, status, code in (
        (b"{", 400, "malformed-json"),
        (b'{"score": NaN}', 400, "malformed-json"),
        (b'{"score": 1e999999}', 400, "malformed-json"),
        (b'{"score": ' + b"9" * 5000 + b"}", 400, "malformed-json"),
        (b"[" * 40_000, 400, "malformed-json"),
        (b'{"score": 1, "score": 2}', 400, "malformed-json"),
        (b'{"score": "NaN"}', 422, "invalid-input"),
        (b'{"score": 101}', 422, "invalid-input"),
        (b'"' + b"x" * 1_100_000 + b'"', 413, "body-too-large"),
    ):
        answer = await company.sales.post(
            "/engagements/E-0000000000000/qualify-deal",
            content=raw,
            headers={**ANN, "Idempotency-Key": "bad", "Content-Type": "application/json"},
        )
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), (raw[:40], problem)
        assert answer.headers["content-type"] == "application/problem+json"
    for headers, status in (
        ({}, 422),
        ({"Idempotency-Key": "a b"}, 422),
        ({"Idempotency-Key": "x" * 200}, 422),
        ({"Idempotency-Key": "k", "If-Match": "3"}, 422),
        ({"Idempotency-Key": "k", "Concord-After": "nowhere=1"}, 422),
        ({"Idempotency-Key": "k", "Content-Type": "text/plain"}, 415),
    ):
        answer = await company.sales.post(
            "/engagements/E-0000000000000/qualify-deal",
            content=b'{"score": 1}',
            headers={"Content-Type": "application/json", **ANN, **headers},
        )
        assert answer.status_code == status, (headers, answer.text)
    assert await container.store.commits.count_documents(by_ann) == before


async def test_the_operator_sees_what_waits(company: Company) -> None:
    headers = token("oscar", "operator")
    nothing_waits: dict[str, Any] = {"items": [], "cursor": None}
    for path in ("parked", "waiting"):
        answer = await company.sales.get(f"/operations/{path}", headers=headers)
        assert answer.json() == nothing_waits
    denied = await company.sales.get("/operations/parked", headers=ANN)
    assert denied.status_code == 403
    nothing = await company.sales.post("/operations/parked/E-1/retry", headers=headers)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "not-parked")


async def test_the_operator_pages_through_what_was_set_aside(
    company: Company, kafka: KafkaServer
) -> None:
    headers = token("oscar", "operator")
    async with topics(kafka.bootstrap, company.prefix) as publisher:
        places = [await publisher.put(DELIVERY, b"E-1", b"{oops %d" % each) for each in range(3)]

    async def page(cursor: str = "0", limit: int = 2) -> dict[str, Any]:
        query = f"?cursor={cursor}&limit={limit}"
        answer = await company.sales.get(f"/operations/set-aside{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def all_are_there() -> bool:
        found = await page(limit=200)
        return [each["id"] for each in found["items"]] == places and found["cursor"] is None

    await until(all_are_there)
    first = await page()
    second = await page(first["cursor"])
    assert [each["id"] for each in first["items"]] == places[:2]
    assert [each["id"] for each in second["items"]] == places[2:]
    assert second["cursor"] is None
    assert "record" not in first["items"][0], "a page of texts may have hundreds of megabytes"

    one = await company.sales.get(f"/operations/record?id={places[1]}", headers=headers)
    assert (one.json()["record"], one.json()["code"]) == ("{oops 1", "no-event")
    none = await company.sales.get("/operations/record?id=nowhere/0/0", headers=headers)
    assert (none.status_code, none.json()["code"]) == (404, "not-parked")
    for wrong, field in (("limit=0", "limit"), ("limit=201", "limit"), ("cursor=x", "cursor")):
        refused = await company.sales.get(f"/operations/set-aside?{wrong}", headers=headers)
        assert refused.status_code == 422
        assert field in refused.text


async def test_a_list_is_filtered_sorted_and_paged(company: Company) -> None:
    titles = [f"Paging {number}" for number in range(5)]
    ids = [(await company.open(f"page-{t[-1]}", title=t)).json()["id"] for t in titles]
    await company.qualify(ids[2], "page-q", Prefer="wait=20")
    query = "&".join(f"title={title}" for title in titles)

    async def listed(rest: str = "") -> dict[str, Any]:
        answer = await company.sales.get(f"/engagements?{query}{rest}", headers=ANN)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def complete() -> bool:
        rows = (await listed("&manager=emma"))["rows"]
        return len(rows) == 5 and any(row["score"] == 80 for row in rows)

    await until(complete)
    whole = await listed("&sort=-title")
    assert [row["title"] for row in whole["rows"]] == titles[::-1]
    assert whole["cursor"] is None
    first = await listed("&sort=title&limit=2")
    second = await listed(f"&sort=title&limit=2&cursor={first['cursor']}")
    third = await listed(f"&sort=title&limit=2&cursor={second['cursor']}")
    pages = [first["rows"], second["rows"], third["rows"]]
    assert [row["id"] for page in pages for row in page] == ids
    assert third["cursor"] is None
    assert [row["id"] for row in (await listed("&score=80"))["rows"]] == [ids[2]]
    for wrong, field in (
        ("colour=red", "colour"),
        ("sort=colour", "sort"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("cursor=xyz", "cursor"),
        (f"cursor={first['cursor']}&sort=-title", "cursor"),
    ):
        answer = await company.sales.get(f"/engagements?{wrong}", headers=ANN)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"] == field


async def test_the_operator_holds_the_clock(company: Company) -> None:
    headers = token("oscar", "operator")
    held = await company.sales.post(
        "/operations/clock/hold", json={"at": "2025-01-01T00:00:00Z"}, headers=headers
    )
    assert held.json() == {"held_at": "2025-01-01T00:00:00Z"}
    assert (await company.sales.get("/operations/clock", headers=headers)).json() == held.json()
    released = await company.sales.post("/operations/clock/release", headers=headers)
    assert released.json() == {"held_at": None}


async def test_callers_without_a_right_learn_nothing(company: Company) -> None:
    malformed = await company.sales.post("/engagements", content=b"{")
    assert (malformed.status_code, malformed.json()["code"]) == (401, "token-missing")
    executive = token("eve", "executive")
    denied = await company.sales.post(
        "/engagements", json=DEAL, headers={**executive, "Idempotency-Key": "x"}
    )
    assert (denied.status_code, denied.json()["code"]) == (403, "not-allowed")
    for path, method, status, code in (
        ("/nowhere", "GET", 404, "unknown-route"),
        ("/engagements", "PATCH", 405, "method-not-allowed"),
    ):
        answer = await company.sales.request(method, path, headers=ANN)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_documents_need_no_token_and_no_internet(company: Company) -> None:
    openapi = (await company.sales.get("/openapi.json")).json()
    paths = openapi["paths"]
    opening = paths["/engagements"]["post"]
    assert opening["summary"] == "Open an opportunity"
    assert "For: account-executive." in opening["description"]
    answer = opening["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
    assert answer == "#/components/schemas/CommandAnswerEngagementView"
    assert "Problem" in openapi["components"]["schemas"]
    assert "/engagements/{engagement}/qualify-deal" in paths
    page = (await company.sales.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    assert (await company.sales.get("/static-offline-docs/swagger-ui.css")).status_code == 200
    events = (await company.sales.get("/asyncapi.json")).json()
    message = events["components"]["messages"]["concord.sales.opportunity-opened.v1"]
    assert message["bindings"]["kafka"]["key"]["description"] == "The id of the engagement."
    consumed = events["operations"]["consume-delivery"]["messages"]
    assert consumed == [
        {"$ref": "#/channels/delivery/messages/concord.delivery.manager-assigned.v1"}
    ]
    assert "concord.delivery.manager-assigned.v1" in (await company.sales.get("/asyncapi")).text
