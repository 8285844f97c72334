"""Parked records without a store, for unit tests."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from chassis.base.partitioning import partition_of
from chassis.domain.stream import PassedOver
from chassis.domain.trouble import Trouble
from chassis.eventstore.journal import kafka_key
from chassis.kafka.consumer_settings import Arrival, judge
from chassis.kafka.parked import ParkedRecordStore, head_of
from chassis.kafka.parked_record import ParkedRecord
from contracts.channels import SALES
from contracts.event import Event, Recorded, encode

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


class ParkedInMemory(ParkedRecordStore):
    """Parked records in a dict, and stored decisions."""

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

    async def look(self, engagement: str, *, raw: bool = True) -> list[ParkedRecord]:
        return [each for each in self.records.values() if each.engagement == engagement]

    async def events_set_aside(self, engagement: str) -> list[ParkedRecord]:
        return []

    async def sure(self, engagement: str) -> None: ...

    async def release(self, engagement: str, records: Iterable[ParkedRecord]) -> None:
        for each in records:
            del self.records[each.id]

    async def passed_over(self, engagement: str) -> list[PassedOver]:
        return self.decisions

    async def engagements_passed_over(self) -> frozenset[str]:
        return frozenset()


def arrival(recorded: Recorded[Event], offset: int) -> Arrival:
    """Return the arrival of an event of Sales."""
    raw, key = encode(recorded), kafka_key(recorded)
    partition = partition_of(key)
    assert judge(SALES, partition, key, raw) == recorded
    return Arrival(SALES.topic(), partition, offset, key, SALES, raw, recorded)
