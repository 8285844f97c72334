"""Unit tests of the consumer; those with a real Kafka are in tests/component."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from chassis.eventstore.mongo import StoreAway
from chassis.kafka.consumer import Consumer, _Abandoned
from chassis.kafka.parked import ParkedRecordStore
from contracts.channels import SALES
from tests.component.consumer_harness import Counting

PLACE = TopicPartition(SALES.topic(), 3)


class KafkaConsumer:
    """A client's consumer of one partition, with the offsets that were committed."""

    def __init__(self) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self.position: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def beginning_offsets(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed |= offsets

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.position[place] = offset


def unconnected() -> Consumer:
    return Consumer(
        "127.0.0.1:9",
        group="readers",
        channels=[SALES],
        router=lambda recorded: recorded.subject,
        event_handler=Counting(),
        parked_records=ParkedRecordStore(cast("Any", None)),
    )


async def test_a_rebuild_discards_offsets_that_were_not_committed_yet() -> None:
    """With them a process that takes over would continue behind events that are no longer kept."""
    kafka_consumer, consumer = KafkaConsumer(), unconnected()
    consumer._subscriber = cast("Any", SimpleNamespace(consumer=kafka_consumer))
    consumer._durable = {PLACE: 70}

    await consumer._go_back()
    await consumer._commit(now=True)

    assert (kafka_consumer.committed, kafka_consumer.position) == ({PLACE: 0}, {PLACE: 0})


async def test_an_outage_is_logged_once_although_a_batch_is_abandoned_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "chassis.kafka.consumer")
    consumer = unconnected()
    outcomes: list[Exception | None] = [StoreAway("1"), _Abandoned(), StoreAway("2"), None, None]

    async def work() -> None:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    with pytest.raises(_Abandoned):
        await consumer._until_done(work)
    assert "StoreAway: 1" in str(consumer.progress.hindrance)
    await consumer._until_done(work)
    await consumer._until_done(work)

    assert consumer.progress.hindrance is None
    assert [each.message for each in caplog.records] == ["readers waits: 1", "readers continues"]
