"""Test outages of Kafka and the stores: nothing is lost, and all recovers without an operator."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from chassis.eventstore.journal import Journal
from local.kafka import Kafka
from local.platform import SERVICES, Layout, Platform
from sales.accounts.names import account_id
from tests.faults.chaos import wait_for_all
from tests.faults.checker import at_rest
from tests.faults.collected_state import Places, gather, opened
from tests.faults.load import Load, company
from tests.faults.seeds import seeds
from tests.infrastructure import Server

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]

HOWS = ("stopped", "killed", "paused")


@asynccontextmanager
async def away(server: Server, how: str) -> AsyncIterator[None]:
    """Take a server away for the duration of the block."""
    begin = {"stopped": server.stop, "killed": server.kill, "paused": server.pause}[how]
    await asyncio.to_thread(begin)
    try:
        yield
    finally:
        await asyncio.to_thread(server.resume if how == "paused" else server.start)


@asynccontextmanager
async def under_load(platform: Platform, places: Places, seed: int) -> AsyncIterator[Load]:
    """Run clients during the block; then check that all agrees and every service is healthy."""
    async with Load(company(platform), seed) as load:
        await load.begin()
        await load.moved(30)
        yield load
        await wait_for_all(platform)
        await load.moved(50)
        await load.end()
        await at_rest(lambda: gather(places), load.acknowledged, limit=120)


async def reasons(platform: Platform, service: str) -> Mapping[str, str]:
    """Return why parts of a service do not work, by part; empty where all do."""
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.get(platform.layout.url(service) + "/health")
    parts: dict[str, Any] = answer.json()["parts"]
    found = {name: part["reason"] for name, part in parts.items() if not part["healthy"]}
    assert answer.json()["healthy"] == (not found)
    return found


async def says_it_is_behind(platform: Platform, service: str, part: str) -> None:
    """Wait until a service reports that this part does not work.

    Raises AssertionError after 45 seconds.
    """
    ends = time.monotonic() + 45
    while not (await reasons(platform, service)).get(part):
        assert time.monotonic() < ends, f"{service} says that its {part} works"
        await asyncio.sleep(0.2)


async def advance(load: Load, engagement: str, key: str, probability: int) -> httpx.Response:
    """Send a command to Sales once."""
    answer = await load.driver._ask(
        "POST",
        "sales",
        f"/engagements/{engagement}/advance-opportunity",
        "ann",
        {"Idempotency-Key": key},
        {"pipeline_stage": "qualifying", "probability": str(probability)},
    )
    assert isinstance(answer, httpx.Response)
    return answer


async def an_opportunity(load: Load, key: str) -> str:
    """Open an engagement that no client works on, and return its id."""
    body = {
        "account": account_id("Novamed Clinics"),
        "title": "Another portal",
        "expected_value": {"amount": "1000", "currency": "EUR"},
        "expected_close": "2099-06-01",
        "owner": "ann",
    }
    answer = await load.driver.send("sales", "/engagements", body, "ann", key=key, headers={})
    return str(answer.json()["id"])


@pytest.mark.long
async def test_kafka_goes_and_comes_back(platform: Platform, places: Places) -> None:
    async with under_load(platform, places, 31) as load:
        engagement = await an_opportunity(load, "kafka")
        for number, how in enumerate(HOWS):
            async with away(platform.kafka, how):
                for service in SERVICES:
                    await says_it_is_behind(platform, service, "consumer")
                # A department's decisions are stored in its journal, with or without Kafka.
                answer = await advance(load, engagement, f"kafka-{how}", 10 + number)
                assert answer.status_code == httpx.codes.OK
            await wait_for_all(platform)
            await load.moved(20)


@pytest.mark.long
async def test_each_store_goes_and_comes_back(platform: Platform, places: Places) -> None:
    async with under_load(platform, places, 32) as load:
        for number, service in enumerate(SERVICES):
            async with away(platform.stores[service], HOWS[number % len(HOWS)]):
                await says_it_is_behind(platform, service, "store")
            await asyncio.to_thread(platform.wait_healthy, service)
            await load.moved(20)


@pytest.mark.long
async def test_a_command_is_refused_while_its_store_is_away_or_stored(
    platform: Platform, places: Places
) -> None:
    async with under_load(platform, places, 33) as load:
        engagement = await an_opportunity(load, "store")
        async with away(platform.stores["sales"], "stopped"):
            refused = await advance(load, engagement, "while-away", 20)
            assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert refused.headers["content-type"] == "application/problem+json"
            assert int(refused.headers["retry-after"]) > 0
            assert refused.json()["code"] == "store-away"
            # A request that still waits when the store comes back is accepted.
            patient = asyncio.create_task(advance(load, engagement, "until-back", 30))
            await asyncio.sleep(2)
        assert (await patient).status_code == httpx.codes.OK
        async with opened(places, "sales") as store:
            journal = Journal(store)
            assert await journal.by_cause("ann/while-away") is None
            assert await journal.by_cause("ann/until-back") is not None
        again = await advance(load, engagement, "while-away", 20)
        assert again.status_code == httpx.codes.OK


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", seeds("outages", 2))
async def test_everything_goes_away_in_any_order(
    platform: Platform, places: Places, seed: int
) -> None:
    """Take servers away one after the other, at times two at once, at random by the seed."""
    random = Random(seed)
    servers: dict[str, Server] = {"kafka": platform.kafka, **platform.stores}
    async with under_load(platform, places, seed) as load:
        for _ in range(30):
            first, second = random.sample(sorted(servers), 2)
            async with away(servers[first], random.choice(HOWS)):
                await asyncio.sleep(random.uniform(0.1, 6))
                if random.random() < 0.3:
                    async with away(servers[second], random.choice(HOWS)):
                        await asyncio.sleep(random.uniform(0.1, 6))
            await load.moved(random.randrange(1, 20), limit=120)


@pytest.fixture
def three_brokers(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """Start a platform whose Kafka keeps three copies of every event."""
    monkeypatch.setenv("CONCORD_REPLICATION", "3")
    made = Replicated(Layout.on_free_ports(tmp_path_factory.mktemp("replicated")))
    try:
        made.start()
        yield made
    finally:
        made.kill()


class Replicated(Platform):
    """The platform on three brokers."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.kafka = Kafka(Path(layout.data) / "three", brokers=3)
        self.services = {service: self._service(service) for service in SERVICES}


async def in_sync(bootstrap: str, limit: float = 60.0) -> None:
    """Wait until all replicas are in sync: the only broker with an event may not be killed.

    Raises TimeoutError after `limit` seconds.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(limit):
            while True:
                partitions = [
                    partition
                    for topic in await admin.describe_topics()
                    for partition in topic["partitions"]
                ]
                if partitions and all(
                    len(each["isr"]) == len(each["replicas"]) for each in partitions
                ):
                    return
                await asyncio.sleep(0.2)
    finally:
        await admin.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_broker_of_three_is_killed_under_load(three_brokers: Platform) -> None:
    """Check that events keep flowing while one broker is away."""
    platform = three_brokers
    places = Places(
        platform.kafka.bootstrap,
        {name: (platform.stores[name].url, name) for name in SERVICES},
    )
    async with under_load(platform, places, 51) as load:
        for number in (1, 2, 3, 1):
            await asyncio.to_thread(platform.kafka.kill_node, number)
            await load.moved(60, limit=120)
            await asyncio.to_thread(platform.kafka.start_node, number)
            await asyncio.to_thread(platform.kafka.wait_ready)
            await in_sync(platform.kafka.bootstrap)
