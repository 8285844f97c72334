"""Test that the gateway stores a correct result in the end, wherever it was killed in a rebuild.

The consumer, its group's offsets and the store are real. Of one engagement, a missing event was
passed over by an operator; of another one, an event is missing and the later ones are parked.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from typing import Any

import pytest

from chassis.base.settings import Settings
from chassis.eventstore.mongo import Store
from chassis.kafka.acls import group
from chassis.kafka.topics import create_topics
from chassis.runtime.container import Container
from contracts.channels import SALES
from contracts.event import Event, Recorded
from gateway.projection.projector import Projector
from gateway.projection.view_store import ViewStore
from gateway.service import SERVICE
from tests.builders import Life as LifeOf
from tests.component.consumer_harness import IsBehind, offsets, topics
from tests.component.killable_store import Life, MortalListener, mortal
from tests.component.sample_app import settings_at, until
from tests.component.test_taken_over import TODAY, added_up, stored
from tests.infrastructure import KafkaServer, StoreServer
from tests.portfolio_builder import company, named

DECIDED, PARKED = "E-0000000000101", "E-0000000000102"
WHOLE = (named(1), named(7))
ENGAGEMENTS = {*WHOLE, DECIDED, PARKED}


@dataclass
class Scene:
    """The settings and the store of a gateway that consumes the topics of one prefix."""

    given: Settings
    store: Store
    is_behind: IsBehind

    async def at_rest(self) -> bool:
        """Return whether no rebuild is pending and all published events are stored."""
        views = await self.store.database["unified"].count_documents({})
        if await ViewStore(self.store).partitions_to_rebuild() or views < len(ENGAGEMENTS):
            return False
        return await self.is_behind(events())

    async def kept(self) -> tuple[Any, Any, Any]:
        """Return views, totals and timeline as stored, without the moments of parking."""
        views, totals, timeline = await stored(self.store)
        for each in views.values():
            for name in ("waits", "summary"):
                text = each[name] if isinstance(each[name], str) else each[name].decode()
                each[name] = re.sub(r'"since":"[^"]+"', '"since":"THEN"', text)
        return views, totals, timeline


def without(engagement: str, missing: int) -> list[Recorded[Event]]:
    """Return the first events of an engagement without one event of Sales."""
    life = LifeOf(engagement, date(2026, 1, 5)).signed()
    is_missing = {each.id for each in life.events if of_sales(each) and each.sequence == missing}
    return [each for each in life.events if each.id not in is_missing]


def of_sales(recorded: Recorded[Event]) -> bool:
    return recorded.channel is SALES


def events() -> Sequence[Recorded[Event]]:
    whole = [each for each in company() if each.subject in WHOLE]
    # Only Sales' events: how many of another channel come before the gap would vary.
    return [*whole, *without(DECIDED, 3), *filter(of_sales, without(PARKED, 3))]


@asynccontextmanager
async def opened(kafka: KafkaServer, store: StoreServer, name: str) -> AsyncIterator[Scene]:
    given = settings_at(kafka, store, name)
    await create_topics(kafka.bootstrap, name)
    async with topics(kafka.bootstrap, name) as publisher:
        await publisher.say(*events())
    kept = Store(store.url, name)
    try:
        async with offsets(kafka.bootstrap, name, group(SERVICE.name, name)) as is_behind:
            yield Scene(given, kept, is_behind)
    finally:
        await kept.close()


@asynccontextmanager
async def gateway(scene: Scene, life: Life) -> AsyncIterator[tuple[Container, MortalListener]]:
    async with mortal(SERVICE, scene.given, life) as container:
        assert isinstance(container.event_handling.handler, Projector)
        assert isinstance(container.consumer, MortalListener)
        container.event_handling.handler.today = lambda: TODAY
        yield container, container.consumer


async def rest(scene: Scene, container: Container) -> None:
    """Wait until all is consumed and stored, then write what the projector still buffers."""
    await until(scene.at_rest)
    assert await container.event_handling.handler.flush(now=True)


async def read_again(scene: Scene, listener: MortalListener) -> None:
    await ViewStore(scene.store).request_rebuild()
    listener.prepare_again()


@pytest.mark.long
async def test_a_gateway_killed_in_a_rebuild_is_corrected_by_the_next_one(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    """Let each process correct what the one before left, and kill it a few writes later."""
    async with opened(kafka, store, isolation) as scene:
        async with gateway(scene, Life(None)) as (container, listener):
            await rest(scene, container)
            (behind, *_) = await listener.parked_records.look(DECIDED)
            await listener.skip(DECIDED, behind.id, "olga", "lost in a fire", behind.sequence)
            await read_again(scene, listener)
            await rest(scene, container)
            assert {*listener.parked_records.heads} == {PARKED}
        expected = await scene.kept()
        assert expected[0].keys() == ENGAGEMENTS
        assert len(expected[0][DECIDED]["passed_over"]) == 1

        where = "not killed yet"
        # The first writes are offsets, parked records and the request; then come the documents.
        for writes in chain(range(5), count(5, 6)):
            life = Life(None)
            async with gateway(scene, life) as (container, listener):
                await rest(scene, container)
                assert await scene.kept() == expected, where
                await adds_up(scene)
                listener.goes_back_with, where = writes, f"killed after {writes} writes"
                await read_again(scene, listener)

                async def is_over(life: Life = life) -> bool:
                    return life.ended or await scene.at_rest()

                await until(is_over)
                if not life.ended:
                    await rest(scene, container)
                    break
        assert await scene.kept() == expected, where
    assert writes > 20


async def adds_up(scene: Scene) -> None:
    """Check that the totals are the sums of the views."""
    _, totals, _ = await stored(scene.store)
    added = await added_up(scene.store)
    assert {number: figures for number, (_, figures) in totals.items()} == added
