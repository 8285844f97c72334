"""Run the five services in the test's process, so that parts of them can be replaced.

Kafka and the store are real; only requests to the services do not use the network.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from chassis.base.settings import LOCAL_ISSUER
from chassis.kafka.topics import create_topics
from chassis.runtime.container import REAL_PARTS, Parts
from chassis.runtime.service import Service
from local.demo.driver import PlatformAccess
from local.demo.reference_data import roles
from local.platform import SERVICES
from tests.component.sample_app import SECRET, running, settings
from tests.faults import collected_state
from tests.faults.collected_state import Places
from tests.faults.load import Persistent
from tests.infrastructure import KafkaServer, StoreServer


@dataclass(frozen=True, slots=True)
class Variant:
    """A service, perhaps with another handler of its events or with other parts."""

    service: Service
    parts: Parts = REAL_PARTS


@dataclass(frozen=True, slots=True)
class World:
    """The driver of the services, and the places that the checker reads."""

    driver: Persistent
    places: Places


@asynccontextmanager
async def world(
    kafka: KafkaServer,
    store: StoreServer,
    name: str,
    *,
    only: tuple[str, ...] = SERVICES,
    broken: Variant | None = None,
    patience: float = 60.0,
) -> AsyncIterator[World]:
    """Start services with their own topics and databases; `broken` replaces one of them."""
    await create_topics(kafka.bootstrap, name)
    places = Places(
        kafka.bootstrap, {service: (store.url, f"{name}-{service}") for service in only}, name
    )
    started = {each: Variant(collected_state.SERVICES[each]) for each in only}
    if broken is not None:
        started[broken.service.name] = broken
    async with AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        for service, each in started.items():
            given = settings(
                kafka_bootstrap=kafka.bootstrap,
                topic_prefix=name,
                store_url=store.url,
                store_database=f"{name}-{service}",
            )
            client = await stack.enter_async_context(running(each.service, given, parts=each.parts))
            mounts[f"http://{service}"] = client._transport
        company = PlatformAccess(
            urls={service: f"http://{service}" for service in only},
            secret=SECRET,
            issuer=LOCAL_ISSUER,
            roles=roles(),
        )
        # No request is repeated, so that only the checker can find what a broken part did.
        driver = Persistent(company, name, clients=8, patience=patience, asks_twice=0.0)
        await driver._http.aclose()
        driver._http = httpx.AsyncClient(mounts=mounts, timeout=60)
        await stack.enter_async_context(driver)
        yield World(driver, places)
