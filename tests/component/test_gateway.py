"""Test the gateway on a real Kafka and a real store: engagements consumed, projected, queried."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from chassis.eventstore.mongo import Store
from chassis.kafka.topics import create_topics
from contracts.event import Event, Recorded
from gateway.rebuild import ask
from gateway.service import SERVICE
from tests.builders import Life
from tests.component.consumer_harness import Topics, topics
from tests.component.sample_app import running, settings_at, token, until
from tests.infrastructure import KafkaServer, StoreServer, unique_name

NEXT_MONTH = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERA = token("vera", "vp-engagement-management", "confidential")
EMMA = token("emma", "engagement-manager")
OSCAR = token("oscar", "operator")
TODAY = datetime.now(UTC).date()
CLOSED, LATE, SIGNED = "E-0000000000001", "E-0000000000002", "E-0000000000003"


@dataclass
class World:
    """The gateway, and a publisher on its topics."""

    client: httpx.AsyncClient
    topics: Topics
    given: Any
    database: str

    async def get(self, path: str, who: dict[str, str] | None = None, **query: Any) -> Any:
        answer = await self.client.get(path, params=query, headers=who or VERA)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def folded(self, engagement: str, life: Life) -> dict[str, Any]:
        """Return the view of the engagement when it contains all events of `life`."""
        last: dict[str, int] = {}
        for recorded in life.events:
            last[recorded.channel.name] = recorded.sequence
        position = ",".join(f"{name}={sequence}" for name, sequence in sorted(last.items()))
        answer = await self.client.get(
            f"/engagements/{engagement}",
            headers={**VERA, "Concord-After": position, "Prefer": "wait=20"},
        )
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def documents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the documents that the gateway stores, by collection and id."""
        store = Store(self.given.store_url.get_secret_value(), self.database)
        kept: dict[str, dict[str, dict[str, Any]]] = {}
        for name in ("unified", "totals"):
            found = store.database[name].find({})
            kept[name] = {str(each["_id"]): each async for each in found}
        await store.close()
        return kept


def figures(documents: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the sums that the gateway stores, by partition."""
    return {partition: kept["figures"] for partition, kept in documents["totals"].items()}


def shuffled(events: Sequence[Recorded[Event]], seed: int) -> list[Recorded[Event]]:
    """Return the same events with the channels interleaved in another way."""
    draw = random.Random(seed)
    queues: dict[str, list[Recorded[Event]]] = {}
    for recorded in events:
        queues.setdefault(recorded.channel.name, []).append(recorded)
    mixed: list[Recorded[Event]] = []
    while queues:
        name = draw.choice(sorted(queues))
        mixed.append(queues[name].pop(0))
        if not queues[name]:
            del queues[name]
    return mixed


def lives() -> dict[str, Life]:
    begins = TODAY - timedelta(days=365)
    late = Life(LATE, begins).worked(8)
    late.say(95, late.report(9, 95, finish=180))
    return {
        CLOSED: Life(CLOSED, begins).closed(),
        LATE: late,
        SIGNED: Life(SIGNED, begins).signed(),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(kafka: KafkaServer, store: StoreServer) -> AsyncIterator[World]:
    name = unique_name("gateway")
    await create_topics(kafka.bootstrap, name)
    given = settings_at(kafka, store, name)
    async with topics(kafka.bootstrap, name) as publisher, running(SERVICE, given) as client:
        world = World(client, publisher, given, name)
        for seed, life in enumerate(lives().values()):
            await publisher.say(*shuffled(life.events, seed))
        for engagement, life in lives().items():
            await world.folded(engagement, life)
        yield world


async def test_engagements_are_shown_as_their_departments_published_them(world: World) -> None:
    closed = await world.get(f"/engagements/{CLOSED}")
    assert closed["stage"] == "closed"
    assert closed["complete"]
    assert closed["lacking"] == {}
    assert closed["confidential"]["cost"] == {"amount": "48000", "currency": "EUR"}
    assert closed["disconnects"] == []

    page = await world.get("/engagements", sort="title", stage="delivering")
    assert [each["engagement"] for each in page["items"]] == [LATE]

    portfolio = await world.get("/portfolio")
    assert portfolio["by_stage"]["closed"] == 1
    euros = portfolio["currencies"][0]
    assert euros["billed"] == "100000"
    assert euros["backlog_clean"] == "200000"
    assert portfolio["confidential"][0]["margin_sold"]["margin"] == "0.3"


async def test_costs_are_shown_only_to_callers_with_the_right(world: World) -> None:
    seen = await world.get(f"/engagements/{CLOSED}", EMMA)
    assert seen["confidential"] is None
    assert "finance.confidential" not in seen["freshness"]
    assert (await world.get("/portfolio", EMMA))["confidential"] is None
    types = {each["type"] for each in await world.get(f"/engagements/{CLOSED}/timeline", EMMA)}
    assert "concord.finance.payment-allocated.v1" in types
    assert "concord.finance.cost-accrued.v1" not in types

    customer = await world.client.get("/portfolio", headers=token("cleo", "customer"))
    assert customer.status_code == 403


async def test_every_page_of_a_list_leads_to_the_next(world: World) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        more: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = await world.get("/engagements", limit=1, sort="-price", **more)
        seen += [each["engagement"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(lives())

    wrong = await world.client.get("/engagements", params={"cursor": "nonsense"}, headers=VERA)
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "cursor"


async def test_the_timeline_has_every_event_once_in_order(world: World) -> None:
    life = lives()[CLOSED]
    timeline = await world.get(f"/engagements/{CLOSED}/timeline")
    published = [each for each in timeline if each["channel"] != "gateway"]

    assert [each["id"] for each in published] == [each.id for each in life.events]
    assert published[10]["heard"] == dict(life.events[10].heard)
    assert published[0]["actor"] == "ann"


async def test_a_disconnect_is_published_waived_and_still_listed(world: World) -> None:
    finding = "promised-finish-before-forecast"

    async def is_published() -> bool:
        timeline = await world.get(f"/engagements/{LATE}/timeline")
        kinds = [each["type"] for each in timeline if each["data"].get("finding") == finding]
        return kinds == ["concord.gateway.disconnect-detected.v1"]

    await until(is_published)
    page = await world.get("/disconnects", engagement=LATE, rule=finding)
    assert page["items"][0]["severity"] == "serious"
    assert "30 days later" in page["items"][0]["sentence"]
    assert len(page["items"][0]["evidence"]) == 2

    body = {
        "finding": finding,
        "why": "Agreed with the customer on the phone.",
        "until": NEXT_MONTH,
    }
    path = f"/engagements/{LATE}/waive-disconnect"
    refused = await world.client.post(path, json=body, headers={**EMMA, "Idempotency-Key": "w"})
    assert refused.status_code == 403
    waived = await world.client.post(path, json=body, headers={**VERA, "Idempotency-Key": "w"})
    assert waived.status_code == 200, waived.text
    assert [each["channel"] for each in waived.json()["events"]] == ["gateway"]

    async def is_waived() -> bool:
        items: list[Any] = (await world.get("/disconnects", rule=finding, waived="true"))["items"]
        return [each["waived"]["waived_by"] for each in items] == ["vera"]

    await until(is_waived)
    assert (await world.get("/disconnects", rule=finding, waived="false"))["items"] == []


async def test_an_event_out_of_order_waits_for_the_one_before_it(world: World) -> None:
    engagement = "E-0000000000004"
    life = Life(engagement, TODAY - timedelta(days=365)).proposed()
    sales = [each for each in life.events if each.channel.name == "sales"]
    others = [each for each in life.events if each.channel.name != "sales"]
    await world.topics.say(*others, sales[0], *sales[2:])

    async def parked() -> bool:
        found = await world.get("/operations/parked", OSCAR)
        waiting = {each["engagement"]: each["code"] for each in found["items"]}
        return waiting == {engagement: "gap"}

    await until(parked)

    async def shown_as_parked() -> bool:
        answer = await world.client.get(f"/engagements/{engagement}", headers=VERA)
        return answer.status_code == 200 and answer.json()["waits"] is not None

    await until(shown_as_parked)
    view = await world.get(f"/engagements/{engagement}", EMMA)
    assert not view["complete"]
    waits = view["waits"]
    assert (waits["state"], waits["code"], waits["channel"]) == ("parked", "gap", "sales")
    assert waits["why"] == "sales 3 came where 2 was expected"
    assert datetime.fromisoformat(waits["since"]) <= datetime.now(UTC)
    (row,) = (await world.get("/engagements", waits="parked"))["items"]
    assert row["engagement"] == engagement

    await world.topics.say(sales[1])
    assert (await world.folded(engagement, life))["stage"] == "proposal"

    async def flows() -> bool:
        found: dict[str, Any] = await world.get("/operations/parked", OSCAR)
        return not found["items"]

    await until(flows)


async def test_no_rule_is_applied_to_a_parked_engagement(world: World) -> None:
    """Find no delay while events of Delivery are missing, and one when the gap is passed over."""
    engagement = "E-0000000000005"
    life = Life(engagement, TODAY - timedelta(days=365)).worked(8)
    life.say(95, life.report(9, 95, finish=180))
    missing = next(each for each in life.events if each.channel.name == "delivery")
    await world.topics.say(*(each for each in life.events if each is not missing))

    async def parked() -> bool:
        answer = await world.client.get(f"/engagements/{engagement}", headers=VERA)
        return answer.status_code == 200 and answer.json()["waits"] is not None

    await until(parked)
    (waiting, *_) = await world.get(f"/operations/parked/{engagement}", OSCAR)
    assert (await world.get(f"/engagements/{engagement}"))["disconnects"] == []

    published = sum(each.channel.name == "delivery" for each in life.events)
    why = "The first event of Delivery was lost."
    body = {"record": waiting["id"], "why": why, "published": published}
    skipped = await world.client.post(
        f"/operations/parked/{engagement}/skip", json=body, headers=OSCAR
    )
    assert (skipped.status_code, skipped.json()["code"]) == (200, None), skipped.text
    view = await world.folded(engagement, life)
    assert view["complete"]
    assert view["waits"] is None
    (passed,) = view["passed_over"]
    assert (passed["channel"], passed["first"], passed["last"]) == ("delivery", 1, 1)
    assert (passed["by"], passed["why"]) == ("oscar", why)
    assert "promised-finish-before-forecast" in {each["rule"] for each in view["disconnects"]}


async def test_a_rebuild_from_the_topics_gives_the_same_views(world: World) -> None:
    listed = await world.get("/engagements", sort="engagement")
    portfolio = await world.get("/portfolio")
    before = await world.documents()
    assert len(before["unified"]) == len(listed["items"])
    await ask(world.given)

    async def is_rebuilt() -> bool:
        now = await world.documents()
        shown: dict[str, Any] = await world.get("/portfolio")
        return (
            now["unified"] == before["unified"]
            and figures(now) == figures(before)
            and shown == portfolio
        )

    async def is_listed() -> bool:
        shown: dict[str, Any] = await world.get("/engagements", sort="engagement")
        return bool(shown == listed)

    await until(is_rebuilt)
    await until(is_listed)
