"""The five services inside the test's own process, so that one of their parts can be a broken one.

Kafka and the store are real; only the way from a client to a service is none of the network's.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from chassis.base.settings import LOCAL_ISSUER
from chassis.kafka.topics import create_topics
from local.demo.driver import PlatformAccess
from local.demo.reference_data import roles
from local.platform import SERVICES
from tests.component.sample_app import SECRET, running, settings
from tests.faults import collected_state
from tests.faults.collected_state import Places
from tests.faults.load import Persistent
from tests.infrastructure import KafkaServer, StoreServer

Parts = Mapping[str, object]
"""What takes the place of what, by the name under which a module finds it."""


@dataclass(frozen=True, slots=True)
class World:
    """People who act, and where the checker reads what came of it."""

    driver: Persistent
    places: Places


@asynccontextmanager
async def world(
    kafka: KafkaServer,
    store: StoreServer,
    name: str,
    *,
    only: tuple[str, ...] = SERVICES,
    broken: Mapping[str, Parts] | None = None,
    patience: float = 60.0,
) -> AsyncIterator[World]:
    """Services under names of their own; `broken` says which parts of which are others."""
    await create_topics(kafka.bootstrap, name)
    places = Places(
        kafka.bootstrap, {service: (store.url, f"{name}-{service}") for service in only}, name
    )
    async with AsyncExitStack() as stack:
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        for service in only:
            given = settings(
                kafka_bootstrap=kafka.bootstrap,
                topic_prefix=name,
                store_url=store.url,
                store_database=f"{name}-{service}",
            )
            with pytest.MonkeyPatch.context() as patch:
                for place, part in ((broken or {}).get(service) or {}).items():
                    patch.setattr(place, part)
                client = await stack.enter_async_context(
                    running(collected_state.SERVICES[service], given)
                )
            mounts[f"http://{service}"] = client._transport
        company = PlatformAccess(
            urls={service: f"http://{service}" for service in only},
            secret=SECRET,
            issuer=LOCAL_ISSUER,
            roles=roles(),
        )
        # Nothing is asked twice: what a broken part did is left to the checker to find.
        driver = Persistent(company, name, clients=8, patience=patience, asks_twice=0.0)
        await driver._http.aclose()
        driver._http = httpx.AsyncClient(mounts=mounts, timeout=60)
        await stack.enter_async_context(driver)
        yield World(driver, places)
