"""Test that what the gateway stores is correct, wherever a worker was killed between two writes.

Tests kill the worker at its first write, at its second, and so on until there are no more, let a
new worker continue, and compare what is stored with the result of an undisturbed run.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from chassis.eventstore.mongo import Store
from contracts.channels import PARTITIONS
from contracts.event import Event, Recorded
from gateway.projection.projector import Projector
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import ViewStore
from testkit.scenario import RecordsOf
from tests.component.killable_store import Killed, Life, MortalStore
from tests.infrastructure import StoreServer
from tests.portfolio_builder import company, named

TODAY = date(2026, 5, 25)
ALL = frozenset(range(PARTITIONS))
Batch = dict[str, list[Recorded[Event]]]


@dataclass
class Worker:
    """A process of the gateway, with the number of batches it has projected and made durable."""

    store: Store
    taken: int = 0
    durable: int = 0
    folding: Projector = field(init=False)

    def __post_init__(self) -> None:
        self.folding = Projector(
            ViewStore(self.store), lambda: TODAY, CompanyTolerances(RecordsOf([]))
        )

    async def begin(self, at: int = 0) -> None:
        """Take all partitions over after `at` acknowledged batches."""
        self.taken = self.durable = at
        after_rewind = await self.folding.assigned(ALL)
        if after_rewind is not None:
            self.taken = self.durable = 0
            await after_rewind()

    async def work(self, batches: list[Batch]) -> None:
        """Project the remaining batches, with a checkpoint after each."""
        for batch in batches[self.taken :]:
            assert await self.folding.process(batch) == {}
            self.taken += 1
            await self.folding.checkpoint()
            self.durable = self.taken


def batches(count_of: int = 3) -> list[Batch]:
    """Return the events of three engagements on two partitions, in this many batches."""
    made: list[Batch] = [{} for _ in range(count_of)]
    for engagement in (named(1), named(3), named(7)):
        events = [each for each in company() if each.subject == engagement]
        size = -(-len(events) // count_of)
        for number, batch in enumerate(made):
            batch[engagement] = events[number * size : (number + 1) * size]
    return made


@asynccontextmanager
async def prepared(url: str, name: str) -> AsyncIterator[Store]:
    opened = Store(url, name)
    try:
        await ViewStore(opened).prepare()
        yield opened
    finally:
        await opened.close()


async def stored(store: Store) -> tuple[Any, Any, Any]:
    """Return views, totals and timeline as they are in the store."""
    views = {each["_id"]: each async for each in store.database["unified"].find({})}
    totals = {
        each["_id"]: (each["number"], _numbers(each["figures"]))
        async for each in store.database["totals"].find({})
    }
    timeline: dict[tuple[str, str], set[bytes]] = {}
    async for run in store.database["timeline"].find({}):
        timeline.setdefault((run["engagement"], run["channel"]), set()).update(run["events"])
    return views, totals, timeline


def _numbers(figures: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in figures.items() if Decimal(amount)}


async def added_up(store: Store) -> dict[int, dict[str, Decimal]]:
    """Return the sums of the stored views' figures, by partition."""
    sums: dict[int, dict[str, Decimal]] = {}
    async for each in store.database["unified"].find({}):
        partition = sums.setdefault(each["partition"], {})
        for name, amount in _numbers(each["figures"]).items():
            partition[name] = partition.get(name, Decimal(0)) + amount
    return {number: _not_zero(figures) for number, figures in sums.items()}


def _not_zero(figures: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: amount for name, amount in figures.items() if amount}


@pytest.fixture(scope="module")
def events() -> list[Batch]:
    return batches()


async def undisturbed(url: str, name: str, events: list[Batch]) -> tuple[Any, Any, Any]:
    async with prepared(url, name) as opened:
        worker = Worker(opened)
        await worker.begin()
        await worker.work(events)
        return await stored(opened)


async def test_a_gateway_killed_at_any_write_is_corrected_by_the_next_one(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, events)
    for writes in count(1):
        life = Life(writes)
        name = f"{isolation}-{writes}"
        async with prepared(store.url, name) as opened:
            first = Worker(MortalStore(store.url, name, life))
            with suppress(Killed):
                await first.begin()
                await first.work(events)
            if not life.ended:
                assert await stored(opened) == expected
                break
            second = Worker(opened)
            await second.begin(first.durable)
            # Before more events are consumed, the totals are the sums of the views.
            _, totals, _ = await stored(opened)
            added = await added_up(opened)
            assert {number: figures for number, (_, figures) in totals.items()} == added
            await second.work(events)
            assert await stored(opened) == expected, f"killed after {writes} writes"
            await opened._client.drop_database(name)
    assert writes > 30


async def test_a_gateway_killed_in_a_rebuild_is_corrected_by_the_next_one(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, events)
    async with prepared(store.url, isolation) as opened:
        for writes in count(0, 3):
            await ViewStore(opened).request_rebuild()
            life = Life(writes)
            first = Worker(MortalStore(store.url, isolation, life))
            with suppress(Killed):
                await first.begin(len(events))
                await first.work(events)
            second = Worker(opened)
            await second.begin(first.durable)
            await second.work(events)
            assert await stored(opened) == expected, f"killed after {writes} writes"
            if not life.ended:
                break
    assert writes > 40


async def test_only_the_requested_version_rebuilds_while_processes_are_replaced(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    async with prepared(store.url, isolation) as opened:
        old = Worker(opened)
        await old.begin()
        await old.work(events)
        before = await stored(opened)

        newer = ViewStore(opened, "newer")
        await newer.prepare()
        assert not await old.folding.must_rebuild()
        await old.begin(len(events))
        assert old.taken == len(events), "it must not consume from the first records"
        await ViewStore(opened).rebuild_started(ALL)
        assert await stored(opened) == before
        assert await newer.partitions_to_rebuild() == ALL

        new = Worker(opened)
        new.folding = Projector(newer, lambda: TODAY, CompanyTolerances(RecordsOf([])))
        await new.begin(len(events))
        assert new.taken == 0
        assert not await newer.partitions_to_rebuild()
        await new.work(events)
        assert await stored(opened) == before


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_gateway_that_wakes_up_late_changes_nothing(
    store: StoreServer, isolation: str, events: list[Batch], before: int
) -> None:
    """Take the partitions away between the projection of a batch and its write."""
    expected = await undisturbed(store.url, isolation, events)
    name = f"{isolation}-late"
    async with prepared(store.url, name) as opened:
        late, new = Worker(opened), Worker(opened)
        await late.begin()
        await late.work(events[:before])
        await late.folding.process(events[before])
        await new.begin(before)
        await new.work(events)
        await late.folding.checkpoint()
        assert await stored(opened) == expected


async def test_totals_that_are_wrong_are_corrected_by_the_next_process(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, events)
    async with prepared(store.url, isolation) as opened:
        wrong = {"$set": {"figures": {"on-hold": "7"}}, "$inc": {"number": 1 << 40}}
        await opened.database["totals"].update_many({}, wrong)
        await Worker(opened).begin(len(events))
        assert await stored(opened) == expected


async def test_a_view_that_cannot_be_read_is_written_again_from_its_timeline(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    expected = await undisturbed(store.url, isolation, events)
    async with prepared(store.url, isolation) as opened:
        engagement = next(iter(events[0]))
        broken = {"view": b"{}", "summary": "{}", "figures": 7}
        await opened.database["unified"].update_one({"_id": engagement}, {"$set": broken})
        await Worker(opened).begin(len(events))
        assert await stored(opened) == expected


async def test_disconnects_that_a_process_did_not_publish_are_listed_by_the_next(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    async with prepared(store.url, isolation) as opened:
        first, second = Worker(opened), Worker(opened)
        await first.begin()
        await first.work(events)
        wanted = set(first.folding.to_publish(0.0, 100))
        assert wanted
        await second.begin(len(events))
        assert set(second.folding.to_publish(0.0, 100)) == wanted


async def test_what_a_new_day_changes_is_written_without_a_further_event(
    store: StoreServer, isolation: str, events: list[Batch]
) -> None:
    async with prepared(store.url, isolation) as opened:
        worker = Worker(opened)
        await worker.begin()
        await worker.work(events)
        worker.folding.today = lambda: TODAY + timedelta(days=30)
        engagements = worker.folding.to_judge()
        assert engagements
        await worker.folding.judge_again(engagements)
        assert await worker.folding.flush(now=True)
        views, totals, _ = await stored(opened)
        judged = {views[each]["judged_on"] for each in engagements}
        assert judged == {(TODAY + timedelta(days=30)).isoformat()}
        added = await added_up(opened)
        assert {number: figures for number, (_, figures) in totals.items()} == added
