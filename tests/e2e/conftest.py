"""Fixtures of the end-to-end tests: the platform as processes, engagements on it, a client."""

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
from tests.e2e.scenarios import Engagements, monday, run_all
from tests.e2e.spans import Collector


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set a timeout of 900 s: the first test starts the platform and runs all engagements."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


class ApiClient:
    """HTTP client of the services, with tokens for the demo's people."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.secret = platform.outside_environment()["CONCORD_TOKEN_SECRET"]
        self._http = httpx.Client(timeout=60)

    def close(self) -> None:
        self._http.close()

    def token(self, by: str, *given: Role) -> str:
        """Return a token of a person of the demo, or one with the given roles."""
        every = given or roles()[by]
        return issue(self.secret, by, every, issuer=LOCAL_ISSUER, now=datetime.now(UTC))

    def request(
        self,
        method: str,
        service: str,
        path: str,
        *,
        by: str = "vera",
        given: tuple[Role, ...] = (),
        body: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token(by, *given)}", **(headers or {})}
        url = self.platform.layout.url(service) + path
        return self._http.request(method, url, json=body, content=content, headers=sent)

    def get(self, service: str, path: str, *, by: str = "vera") -> Any:
        """Return the body of a GET, whose status must be 200."""
        answer = self.request("GET", service, path, by=by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, service: str, path: str, items: str, cursor: str) -> Iterator[Any]:
        """Yield every item of a list, page by page."""
        following = ""
        while True:
            page = self.get(service, path + following)
            yield from page[items]
            if page[cursor] is None:
                return
            following = ("&" if "?" in path else "?") + f"cursor={page[cursor]}"

    def commits(self) -> dict[str, int]:
        """Return the number of commits by people in each service's journal.

        Commits for consumed events and deadlines are not counted, as they happen at any time.
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
    """Return all events on the topics."""
    return asyncio.run(_read_topics(platform.kafka.bootstrap))


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Start the collector to which the services export spans."""
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Platform]:
    """Start the platform; only requests with a sampled traceparent are traced."""
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
def access(platform: Platform) -> PlatformAccess:
    """Publish the demo's reference data, and return the access to the platform."""
    variables = platform.outside_environment()
    access = PlatformAccess(
        urls={service: platform.layout.url(service) for service in SERVICES},
        secret=variables["CONCORD_TOKEN_SECRET"],
        issuer=LOCAL_ISSUER,
        roles=roles(),
    )

    async def publish_all() -> None:
        async with Driver(access, monday(400), "company") as driver:
            await publish(driver, monday(400))

    asyncio.run(publish_all())
    return access


@pytest.fixture(scope="package")
def engagements(access: PlatformAccess) -> Engagements:
    """Run engagements of every kind over HTTP."""

    async def run() -> Engagements:
        async with Driver(access, monday(337), "lives") as driver:
            return await run_all(driver)

    return asyncio.run(run())


@pytest.fixture(scope="package")
def published(platform: Platform, engagements: Engagements) -> list[Recorded[Event]]:
    """Return all events on the topics after all engagements have run."""
    assert engagements.whole.engagement
    return events(platform)


@pytest.fixture(scope="package")
def api(platform: Platform) -> Iterator[ApiClient]:
    api = ApiClient(platform)
    yield api
    api.close()
