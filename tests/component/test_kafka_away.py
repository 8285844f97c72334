"""Test that services accept commands and reads while Kafka is down, at their start or later."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from chassis.base.settings import Settings
from chassis.kafka.topics import create_topics
from contracts.delivery import ManagerAssigned
from contracts.event import Event, Recorded
from contracts.reference import PersonPublished
from gateway.service import SERVICE as GATEWAY
from tests.builders import Life
from tests.component.consumer_harness import MOMENT, topics
from tests.component.sample_app import (
    healthy,
    ready,
    running,
    sales,
    settings,
    settings_at,
    token,
    until,
)
from tests.infrastructure import KafkaServer, StoreServer

ANN = token("ann", "account-executive")
VERA = token("vera", "vp-engagement-management", "confidential")
NOWHERE = "127.0.0.1:1"
"""An address where no Kafka answers."""
AWAY_FOR = 32.0
"""Seconds for which Kafka is away: longer than the consumer needs to lose its partitions."""
DEAL = {
    "account": "acme",
    "title": "A new plant",
    "expected_value": {"amount": "1000.00", "currency": "EUR"},
    "expected_close": "2026-06-30",
    "owner": "ann",
}
FIRST, SECOND = "E-0000000000001", "E-0000000000002"


async def open_deal(client: httpx.AsyncClient, key: str) -> str:
    """Open a deal and return its id; reference data must contain its owner."""
    answer = await client.post("/engagements", json=DEAL, headers={**ANN, "Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def say(kafka: KafkaServer, prefix: str, *events: Recorded[Event]) -> None:
    async with topics(kafka.bootstrap, prefix) as publisher:
        await publisher.say(*events)


def recorded(subject: str, event: Event) -> Recorded[Event]:
    return Recorded(
        id=f"{subject}-{event.type}",
        subject=subject,
        sequence=1,
        event=event,
        actor="paul",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        heard={},
    )


PERSON = recorded("ann", PersonPublished(person="ann", name="Ann", department="sales"))


def assigned(engagement: str) -> Recorded[Event]:
    return recorded(engagement, ManagerAssigned(manager="emma", assigned_on=MOMENT.date()))


async def has_manager(client: httpx.AsyncClient, engagement: str) -> bool:
    answer = await client.get(f"/engagements/{engagement}", headers=ANN)
    return answer.status_code == 200 and answer.json()["manager"] == "emma"


async def parts(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/health")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["parts"]
    return found


def as_of(answer: httpx.Response) -> datetime:
    return datetime.fromisoformat(answer.headers["concord-as-of"])


async def is_listed(client: httpx.AsyncClient, engagement: str) -> bool:
    rows = (await client.get("/engagements", headers=ANN)).json()["rows"]
    return engagement in {row["id"] for row in rows}


@asynccontextmanager
async def away(kafka: KafkaServer) -> AsyncIterator[None]:
    await asyncio.to_thread(kafka.stop)
    yield
    await asyncio.to_thread(kafka.start)


def given(kafka: KafkaServer, store: StoreServer, isolation: str) -> Settings:
    return settings_at(kafka, store, isolation)


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_department_works_while_kafka_is_away(
    fresh_kafka: Callable[..., KafkaServer], store: StoreServer, isolation: str
) -> None:
    kafka = fresh_kafka()
    own_settings = given(kafka, store, isolation)
    await create_topics(kafka.bootstrap, isolation)
    await say(kafka, isolation, PERSON)

    async with running(sales(), own_settings) as client:
        first = await open_deal(client, "before")
        await until(lambda: is_listed(client, first))

        async def has_moment() -> bool:
            read = await client.get(f"/engagements/{first}", headers=ANN)
            listed = await client.get("/engagements", headers=ANN)
            return all("concord-as-of" in each.headers for each in (read, listed))

        await until(has_moment)
        stopped_at = datetime.now(UTC)
        async with away(kafka):
            ends = time.monotonic() + AWAY_FOR
            number = 0
            while time.monotonic() < ends:
                assert await ready(client), (await client.get("/ready")).text
                number += 1
                opened = await open_deal(client, f"away-{number}")
                await until(partial(is_listed, client, opened))
                await asyncio.sleep(1)
            read = await client.get(f"/engagements/{first}", headers=ANN)
            assert as_of(read) < stopped_at + timedelta(seconds=5)
            found = await parts(client)
            assert found["consumer"]["healthy"] is False
            assert datetime.fromisoformat(found["consumer"]["since"]) > stopped_at
            assert found["as-of"]["degraded"] is True
            assert found["as-of"]["reason"].endswith("s old")
            assert found["reference-data"]["degraded"] is True
            assert found["store"]["healthy"] is found["deadlines"]["healthy"] is True

    # A process that starts while Kafka is away uses the stored copy of the reference data.
    await asyncio.to_thread(kafka.stop)
    async with running(sales(), own_settings, ready) as client:
        second = await open_deal(client, "started")
        assert not await healthy(client)
        assert "concord-as-of" in (await client.get("/engagements", headers=ANN)).headers
        await asyncio.to_thread(kafka.start)
        await until(lambda: healthy(client))
        await say(kafka, isolation, assigned(first), assigned(second))
        await until(lambda: has_manager(client, first))
        await until(lambda: has_manager(client, second))

        async def all_is_well() -> bool:
            moment = as_of(await client.get("/engagements", headers=ANN))
            is_new = datetime.now(UTC) - moment < timedelta(seconds=20)
            return is_new and not any("reason" in each for each in (await parts(client)).values())

        await until(all_is_well)


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_gateway_shows_what_was_last_written_while_kafka_is_away(
    fresh_kafka: Callable[..., KafkaServer], store: StoreServer, isolation: str
) -> None:
    kafka = fresh_kafka()
    own_settings = given(kafka, store, isolation)
    await create_topics(kafka.bootstrap, isolation)
    begins = datetime.now(UTC).date() - timedelta(days=365)
    await say(kafka, isolation, *Life(FIRST, begins).closed().events)

    async def shown(client: httpx.AsyncClient) -> tuple[list[str], Any, list[str]]:
        page = (await client.get("/engagements", headers=VERA)).json()
        portfolio = (await client.get("/portfolio", headers=VERA)).json()
        view = (await client.get(f"/engagements/{FIRST}", headers=VERA)).json()
        return [each["engagement"] for each in page["items"]], portfolio["by_stage"], view["stage"]

    async def text(client: httpx.AsyncClient) -> str:
        cookie = f"concord={VERA['Authorization'].removeprefix('Bearer ')}"
        return (await client.get("/", headers={"Cookie": cookie})).text

    async def is_closed(client: httpx.AsyncClient) -> bool:
        answer = await client.get(f"/engagements/{FIRST}", headers=VERA)
        return answer.status_code == 200 and answer.json()["stage"] == "closed"

    async def is_old(client: httpx.AsyncClient) -> bool:
        return "Last update received" in await text(client)

    async with running(GATEWAY, own_settings) as client:
        await until(lambda: is_closed(client))
        await until(lambda: no_notice(client, text))
        before = await shown(client)
        assert before[0] == [FIRST]
        async with away(kafka):
            ends = time.monotonic() + AWAY_FOR
            while time.monotonic() < ends:
                assert await ready(client)
                assert await shown(client) == before
                await asyncio.sleep(1)
            await until(lambda: is_old(client))

    await asyncio.to_thread(kafka.stop)
    async with running(GATEWAY, own_settings, ready) as client:
        assert await shown(client) == before
        assert await is_old(client)
        await asyncio.to_thread(kafka.start)
        await until(lambda: healthy(client))
        await say(kafka, isolation, *Life(SECOND, begins).signed().events)

        async def has_both() -> bool:
            return sorted((await shown(client))[0]) == [FIRST, SECOND]

        await until(has_both)
        await until(lambda: no_notice(client, text))


async def no_notice(client: httpx.AsyncClient, text: Callable[..., Any]) -> bool:
    shown = await text(client)
    return "may be missing" not in shown and "Portfolio" in shown


async def holds(
    client: httpx.AsyncClient,
    path: str,
    published: datetime,
    managers: Callable[[Any], list[str | None]],
) -> bool:
    """Return whether an answer claims to contain all published by then; if so, check it."""
    answer = await client.get(path, headers=ANN)
    if "concord-as-of" not in answer.headers or as_of(answer) < published:
        return False
    assert set(managers(answer.json())) == {"emma"}, f"{path} as of {as_of(answer)}"
    return True


@pytest.mark.slow
async def test_an_answer_contains_all_that_was_published_before_its_moment(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    """Run two replicas: each reads half of the partitions, and both answer for all of them."""
    own_settings = given(kafka, store, isolation)
    await create_topics(kafka.bootstrap, isolation)
    await say(kafka, isolation, PERSON)
    async with running(sales(), own_settings) as one, running(sales(), own_settings) as two:
        for number in range(3):
            deals = {await open_deal(one, f"deal-{number}-{each}") for each in range(6)}
            await say(kafka, isolation, *(assigned(deal) for deal in deals))
            published = datetime.now(UTC)
            reads = [(f"/engagements/{deal}", lambda view: [view["manager"]]) for deal in deals]
            for client in (one, two):
                for path, read in reads:
                    await until(partial(holds, client, path, published, read))
                listed = partial(managers_of, deals)
                await until(partial(holds, client, "/engagements?limit=200", published, listed))


def managers_of(deals: set[str], page: Any) -> list[str | None]:
    return [row["manager"] for row in page["rows"] if row["id"] in deals]


async def test_without_kafka_and_without_a_copy_a_service_reports_why_it_is_not_ready(
    store: StoreServer, isolation: str
) -> None:
    own_settings = settings(
        kafka_bootstrap=NOWHERE,
        topic_prefix=isolation,
        store_url=store.url,
        store_database=isolation,
    )

    async def reports_why() -> bool:
        answer = await client.get("/ready")
        part = answer.json()["parts"]["reference-data"]
        return answer.status_code == 503 and "Kafka does not answer" in part.get("reason", "")

    async with running(sales(), own_settings, wait=None) as client:
        await until(reports_why)
        refused = await client.get("/engagements", headers=ANN)
        assert (refused.status_code, refused.json()["code"]) == (503, "starting")
        assert "never read" in refused.json()["detail"]
        assert (await client.get("/health")).json()["ready"] is False
