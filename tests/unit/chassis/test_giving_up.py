"""What is parked and cannot simply be tried again: it holds up nothing else."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from chassis.application.ports import CannotBeKept
from chassis.base.partitioning import partition_of
from chassis.domain.decider import PassedOver
from chassis.domain.trouble import Head, Trouble
from chassis.eventstore.journal import kafka_key
from chassis.eventstore.mongo import Document, StoreAway
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.consumer_settings import Arrival, judge
from chassis.kafka.parked import ParkedRecordStore, head_of
from chassis.kafka.parked_record import ParkedRecord
from contracts.channels import SALES
from contracts.event import Event, Recorded, encode
from tests.component.consumer_harness import Counting, said

E, OTHER = "E-0000000000001", "E-0000000000002"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class InMemory(ParkedRecordStore):
    """What is parked, without a store."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None))
        self.records: dict[str, ParkedRecord] = {}
        self.decisions: list[PassedOver] = []

    async def park(self, records: Sequence[tuple[Arrival, Trouble, int | None]]) -> None:
        for each, trouble, expected in records:
            assert each.key is not None
            assert each.recorded is not None
            record = ParkedRecord(
                each.id,
                each.key,
                each.channel,
                each.partition,
                each.offset,
                each.recorded.sequence,
                trouble.code,
                trouble.sentence,
                expected,
                each.raw,
                NOW,
                len(self.records),
            )
            self.records.setdefault(each.id, record)
            self._heads.setdefault(each.key, head_of(record))

    async def look(self, engagement: str, *, raw: bool = True) -> list[ParkedRecord]:  # noqa: ARG002
        return [each for each in self.records.values() if each.engagement == engagement]

    async def events_set_aside(self, engagement: str) -> list[ParkedRecord]:  # noqa: ARG002
        return []

    async def sure(self, engagement: str) -> None: ...

    async def release(self, engagement: str, records: Iterable[ParkedRecord]) -> None:  # noqa: ARG002
        for each in records:
            del self.records[each.id]

    async def passed_over(self, engagement: str) -> list[PassedOver]:  # noqa: ARG002
        return self.decisions


class Refusing(Counting):
    """A reader that cannot write some engagements, some of them not even with what they await."""

    def __init__(self, *full: str) -> None:
        super().__init__()
        self.unwritten: set[str] = set()
        self.full = set(full)

    async def settle(self, *, now: bool) -> bool:  # noqa: ARG002
        if self.unwritten:
            raise CannotBeKept(dict.fromkeys(self.unwritten, "it is too large"))
        return True

    async def give_up(self, engagement: str) -> Sequence[Recorded[Event]]:
        self.unwritten.discard(engagement)
        return ()

    async def waits(self, engagement: str, head: Head | None) -> None:
        await super().waits(engagement, head)
        if engagement in self.full:
            self.unwritten.add(engagement)


class Behind(Counting):
    """A reader that writes behind, to a store that is away."""

    is_away = True

    async def settle(self, *, now: bool) -> bool:
        if self.is_away:
            raise StoreAway("nobody answers")
        return await super().settle(now=now)


def arrival(recorded: Recorded[Event], offset: int) -> Arrival:
    raw, key = encode(recorded), kafka_key(recorded)
    partition = partition_of(key)
    assert judge(SALES, partition, key, raw) == recorded
    return Arrival(SALES.topic(), partition, offset, key, SALES, raw, recorded)


def intake(reader: Counting, parking: InMemory) -> BatchProcessor:
    return BatchProcessor(
        "readers", reader, parking, lambda event: (f"engagement:{event.subject}",)
    )


async def test_an_engagement_with_no_room_for_what_it_awaits_does_not_hold_the_reader_up() -> None:
    reader = Refusing(E)
    reader.unwritten = {E, OTHER}

    assert await intake(reader, InMemory()).settle(now=True)


async def test_an_engagement_flows_again_though_another_cannot_be_written() -> None:
    reader, parking = Refusing(), InMemory()
    await parking.park([(arrival(said(E, 1), 0), Trouble("failed", "a bug"), None)])
    reader.unwritten = {OTHER}

    attempt = await intake(reader, parking).try_again(E)

    assert (attempt.taken, attempt.waiting, attempt.head) == (1, 0, None)
    assert (parking.records, dict(parking.heads)) == ({}, {})


async def test_nothing_is_parked_before_what_precedes_it_is_durable() -> None:
    """Whoever takes over would put it behind what is parked, and a skip would pass over it."""
    reader, parking = Behind(), InMemory()
    batch = [arrival(said(E, 1), 0), arrival(said(E, 3), 1)]

    with pytest.raises(StoreAway):
        await intake(reader, parking).take_in(batch)

    assert not parking.records
    reader.is_away = False
    await intake(reader, parking).take_in(batch)
    assert [each.code for each in parking.records.values()] == ["gap"]


async def test_a_decision_that_was_stored_is_carried_out_by_whoever_takes_over() -> None:
    """The process that stored it ended before it passed over what is missing."""
    reader, parking = Counting(), InMemory()
    await parking.park([(arrival(said(E, 3), 0), Trouble("gap", "3 came"), 1)])
    parking.decisions = [PassedOver("sales", 1, 2, "olga", "They were lost.", NOW)]

    await intake(reader, parking).take_up(E)

    assert reader.heard[E] == ["sales-3"]
    assert not parking.heads


class Documents:
    """A collection that finds the same documents, whatever is asked."""

    def __init__(self, *documents: Document) -> None:
        self.documents = documents

    async def create_index(self, keys: object) -> None: ...

    def find(self, *_: object) -> "Documents":
        return self

    def sort(self, *_: object) -> "Documents":
        return self

    async def __aiter__(self) -> AsyncIterator[Document]:
        for each in self.documents:
            yield each


class Read(ParkedRecordStore):
    """What is parked, for a process that has its partitions already."""

    async def _take_over(self, partitions: Collection[int]) -> None: ...


async def test_what_a_newer_version_parked_on_a_channel_of_its_own_stops_no_older_one() -> None:
    parked: Document = {
        "_id": "place",
        "engagement": E,
        "partition": 0,
        "offset": 0,
        "sequence": 1,
        "code": "failed",
        "sentence": "a bug",
        "expected": None,
        "at": NOW.isoformat(),
        "order": 1,
    }
    newer = {**parked, "engagement": OTHER, "channel": "support"}
    parking = Read(cast("Any", Documents(newer, {**parked, "channel": "sales"})))

    await parking.load({0})

    assert parking.heads.keys() == {E}
