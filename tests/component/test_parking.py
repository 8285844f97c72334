"""Test parked records in a real store: read page by page, released only by their reader."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from chassis.application.ports import Batch
from chassis.base.partitioning import partition_of
from chassis.domain.trouble import Trouble
from chassis.eventstore.journal import kafka_key
from chassis.eventstore.mongo import Store, StoreAway
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedRecordStore, Superseded
from chassis.kafka.parked_record import ParkedRecord
from chassis.kafka.parked_requests import Request
from contracts.channels import PARTITIONS, SALES
from contracts.event import encode
from tests.component.consumer_harness import Counting, said
from tests.infrastructure import StoreServer

E = "E-0000000000001"
FAILED, WAITING = Trouble("failed", "a bug"), Trouble("waiting", "it is behind another event")
NEWER = Trouble("newer-version", "its type is unknown")


@pytest.fixture
async def opened(store: StoreServer, isolation: str) -> AsyncIterator[Store]:
    opened = Store(store.url, isolation)
    yield opened
    await opened.close()


def arrival(engagement: str, sequence: int) -> Arrival:
    recorded = said(engagement, sequence)
    topic = f"{SALES.topic()}/{engagement}"
    key = kafka_key(recorded)
    return Arrival(topic, partition_of(key), sequence, key, SALES, encode(recorded), recorded)


async def reading(store: Store) -> ParkedRecordStore:
    """Return the parked records as a process that has all partitions from now on."""
    parking = ParkedRecordStore(store.parked)
    await parking.load(range(PARTITIONS))
    return parking


def intake(reader: Counting, parking: ParkedRecordStore) -> BatchProcessor:
    return BatchProcessor("readers", reader, parking, lambda event: f"engagement:{event.subject}")


async def park(parking: ParkedRecordStore, *troubles: Trouble) -> None:
    await parking.park(
        [(arrival(E, number), each, None) for number, each in enumerate(troubles, 1)]
    )


class Frozen(Counting):
    """An event handler whose process is paused before it consumes a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep, self.wakes = asyncio.Event(), asyncio.Event()

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        self.asleep.set()
        await self.wakes.wait()
        return await super().process(batch)


@pytest.mark.parametrize("action", ["retry", "set-aside"])
async def test_a_process_that_wakes_up_late_takes_nothing_from_its_successor(
    opened: Store, action: str
) -> None:
    frozen, late = Frozen(), await reading(opened)
    await park(late, FAILED, WAITING, WAITING)
    first, *_ = await late.look(E)
    asked = Request(E, action, "olga", first.id, "it was never published")
    attempt = asyncio.create_task(intake(frozen, late).retries.answer(asked))
    await frozen.asleep.wait()

    successor, reader = await reading(opened), Counting()
    frozen.wakes.set()
    with pytest.raises(Superseded):
        await attempt

    left = [2, 3] if action == "set-aside" else [1, 2, 3]
    assert [each.sequence for each in await successor.look(E)] == left
    if action == "retry":
        done = await intake(reader, successor).retries.try_again(E)
        assert (done.taken, done.waiting) == (3, 0)
        assert reader.heard[E] == ["sales-1", "sales-2", "sales-3"]


async def test_a_process_that_lost_the_partition_decides_nothing(opened: Store) -> None:
    late = await reading(opened)
    await park(late, FAILED)
    (record,) = await late.look(E)
    await reading(opened)

    with pytest.raises(Superseded):
        await intake(Counting(), late).retries.answer(
            Request(E, "set-aside", "olga", record.id, "no")
        )

    (still,) = await late.look(E)
    assert still == record


async def test_a_release_is_completed_by_the_successor_and_deletes_nothing_later(
    opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the successor read everything again and park the same records: they are kept."""
    late = await reading(opened)
    await park(late, FAILED, WAITING)
    records = await late.look(E)
    delete = late._delete
    begun: list[Any] = []

    async def dies(releasing: Any) -> None:
        begun.append(releasing)
        raise StoreAway("no answer")

    monkeypatch.setattr(late, "_delete", dies)
    with pytest.raises(StoreAway):
        await late.release(E, records)
    assert await late.look(E) == records

    successor = await reading(opened)
    assert E not in successor
    assert await successor.look(E) == []

    await park(successor, FAILED, WAITING)
    await delete(*begun)
    assert len(await successor.look(E)) == 2


async def test_a_retry_ends_the_parking_of_an_engagement_without_records(opened: Store) -> None:
    parking = await reading(opened)
    await park(parking, FAILED)
    await opened.parked.delete_many({"state": "parked"})

    done = await intake(Counting(), parking).retries.answer(Request(E, "retry", "olga"))

    assert (done.taken, done.head) == (0, None)
    assert E not in parking


async def test_parked_engagements_are_read_in_pages(opened: Store) -> None:
    """Count the engagements of a page, not the records that wait for them."""
    parking = await reading(opened)
    troubled = [f"E-{number}" for number in range(7)]
    for name in troubled:
        await parking.park([(arrival(name, 1), FAILED, None)])
    await parking.park([(arrival("E-new", 1), NEWER, None)])
    for number in range(2, 6):
        await parking.park([(arrival(name, number), WAITING, None) for name in troubled[:4]])

    found: list[tuple[str, int]] = []
    after, pages = 0, 0
    while page := await parking.page_parked(after, 3, is_parked=True):
        found += [(each.engagement, each.records) for each in page]
        after, pages = page[-1].order, pages + 1

    assert found == [(name, 5 if name in troubled[:4] else 1) for name in troubled]
    assert pages == 3
    (waiting,) = await parking.page_parked(0, 3, is_parked=False)
    assert (waiting.engagement, waiting.head.code) == ("E-new", "newer-version")


async def test_an_engagement_whose_first_record_was_set_aside_is_shown(opened: Store) -> None:
    """Set a record aside without the retry of the next ones, as if the process had ended."""
    parking = await reading(opened)
    await park(parking, FAILED, WAITING)
    first, _ = await parking.look(E)
    await parking.put_aside(first, "olga", "it was never published")

    (shown,) = await parking.page_parked(0, 10, is_parked=True)

    assert (shown.engagement, shown.head.code, shown.records) == (E, "waiting", 1)
    assert isinstance(await parking.record(first.id), ParkedRecord)
