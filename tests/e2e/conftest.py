"""The whole platform as processes, engagements that lived on it, and a desk to look at it from."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from pymongo import MongoClient

from chassis.base.settings import LOCAL_ISSUER
from chassis.web.auth import issue
from contracts.channels import CHANNELS
from contracts.event import Event, Recorded, decode
from contracts.roles import Role
from local.demo.driver import Driver, PlatformAccess
from local.demo.reference_data import publish, roles
from local.platform import SERVICES, Layout, Platform
from tests.e2e.spans import Collector
from tests.e2e.stories import Lives, live, monday


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first of these tests waits for the whole platform, and all of them for each other."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


class Desk:
    """Where somebody sits who asks the services one thing after the other."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.secret = platform.outside_environment()["CONCORD_TOKEN_SECRET"]
        self._http = httpx.Client(timeout=60)

    def close(self) -> None:
        self._http.close()

    def token(self, by: str, *given: Role) -> str:
        """A token of a person of the play, or of somebody with other roles."""
        every = given or roles()[by]
        return issue(self.secret, by, every, issuer=LOCAL_ISSUER, now=datetime.now(UTC))

    def ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        by: str = "vera",
        given: tuple[Role, ...] = (),
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token(by, *given)}", **(headers or {})}
        url = self.platform.layout.url(service) + path
        return self._http.request(method, url, json=body, headers=sent)

    def get(self, service: str, path: str, *, by: str = "vera") -> Any:
        """What stands at a path; it must be there."""
        answer = self.ask("GET", service, path, by=by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, service: str, path: str, items: str, cursor: str) -> Iterator[Any]:
        """Every item of a list, page after page."""
        following = ""
        while True:
            page = self.get(service, path + following)
            yield from page[items]
            if page[cursor] is None:
                return
            following = ("&" if "?" in path else "?") + f"cursor={page[cursor]}"

    def commits(self) -> dict[str, int]:
        """How many commits people have made in each service's journal.

        What departments hear, and do by the clock, goes on by itself and is not counted.
        """
        by_people = {"actor": {"$nin": list(SERVICES)}}
        counts = {}
        for service, store in self.platform.stores.items():
            with MongoClient[dict[str, Any]](store.url) as client:
                counts[service] = client[service]["commits"].count_documents(by_people)
        return counts


async def _read_topics(bootstrap: str) -> list[Recorded[Event]]:
    topics = [channel.topic() for channel in CHANNELS.values()]
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with consumer:
        partitions = list(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        found: list[Recorded[Event]] = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [decode(record.value) for record in records if record.value is not None]
        return found


def events(platform: Platform) -> list[Recorded[Event]]:
    """All that stands on the topics now."""
    return asyncio.run(_read_topics(platform.kafka.bootstrap))


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Where the services send their spans."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Platform]:
    """Everything, running; only requests that ask for it are traced."""
    layout = Layout.on_free_ports(tmp_path_factory.mktemp("platform"))
    platform = Platform(layout, report=lambda _: None)
    for service in platform.services.values():
        service.environment |= {
            "CONCORD_OTLP_ENDPOINT": collector.url,
            "CONCORD_TRACE_RATIO": "0",
        }
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="package")
def company(platform: Platform) -> PlatformAccess:
    """The play's company, known to the departments."""
    told = platform.outside_environment()
    company = PlatformAccess(
        urls={service: platform.layout.url(service) for service in SERVICES},
        secret=told["CONCORD_TOKEN_SECRET"],
        issuer=LOCAL_ISSUER,
        roles=roles(),
    )

    async def make_known() -> None:
        async with Driver(company, monday(400), "company") as driver:
            await publish(driver, monday(400))

    asyncio.run(make_known())
    return company


@pytest.fixture(scope="package")
def lives(company: PlatformAccess) -> Lives:
    """Engagements of every kind, played through HTTP alone."""

    async def play() -> Lives:
        async with Driver(company, monday(337), "lives") as driver:
            return await live(driver)

    return asyncio.run(play())


@pytest.fixture(scope="package")
def said(platform: Platform, lives: Lives) -> list[Recorded[Event]]:
    """All events on the topics once every life is lived."""
    assert lives.whole.engagement
    return events(platform)


@pytest.fixture(scope="package")
def desk(platform: Platform) -> Iterator[Desk]:
    desk = Desk(platform)
    yield desk
    desk.close()
