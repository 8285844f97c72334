"""Test the gateway's projection on a real store, with queries and updates at the same time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime

from chassis.eventstore.mongo import Store
from chassis.runtime.container import Container
from gateway.decider import ENGAGEMENT as ENGAGEMENT_FINDINGS
from gateway.projection.projector import Projector
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import CachedView, ViewStore
from gateway.service import event_handling
from testkit.scenario import RecordsOf
from tests.builders import ENGAGEMENT, Life
from tests.component.sample_app import settings
from tests.infrastructure import StoreServer

TODAY = date(2026, 3, 2)


class Hesitant(ViewStore):
    """A shelf whose next answer is kept back until it may come."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.has_read = asyncio.Event()
        self.goes_on: asyncio.Event | None = None

    async def cached_views(self, engagements: Sequence[str]) -> dict[str, CachedView]:
        found = await super().cached_views(engagements)
        goes_on, self.goes_on = self.goes_on, None
        if goes_on is not None:
            self.has_read.set()
            await goes_on.wait()
        return found


async def test_what_is_folded_while_an_engagement_is_read_is_not_undone(
    store: StoreServer, isolation: str
) -> None:
    """It is read to be judged on a new day, and its events go on arriving."""
    events = Life().won().events
    opened = Store(store.url, isolation)
    shelf = Hesitant(opened)
    await shelf.prepare()
    folding = Projector(shelf, lambda: TODAY, CompanyTolerances(RecordsOf([])))
    try:
        goes_on = shelf.goes_on = asyncio.Event()
        judging = asyncio.create_task(folding.judge_again([ENGAGEMENT]))
        await shelf.has_read.wait()
        assert await folding.process({ENGAGEMENT: events[:3]}) == {}
        goes_on.set()
        await judging
        assert await folding.process({ENGAGEMENT: events[3:]}) == {}
        held = await folding.look(ENGAGEMENT)
        assert held is not None
        assert sum(held.view.position().values()) == len(events)
    finally:
        await opened.close()


async def test_a_clock_that_is_held_is_known_before_the_first_event_is_judged(
    store: StoreServer, isolation: str
) -> None:
    given = settings(kafka_bootstrap="127.0.0.1:9", store_url=store.url, store_database=isolation)
    container = Container(
        name="gateway",
        settings=given,
        deciders=[ENGAGEMENT_FINDINGS],
        event_handling=event_handling,
    )
    try:
        await container.deadlines.hold(datetime(2026, 3, 2, 12, tzinfo=UTC), by="otto")
        assert container.event_handling.prepare is not None
        await container.event_handling.prepare()
        assert container.event_handling.handler.today() == TODAY
    finally:
        await container.store.close()
