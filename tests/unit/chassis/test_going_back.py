"""What a consumer group remembers of a listener that reads everything again."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition

from chassis.kafka.consumer import Consumer
from chassis.kafka.parked import ParkedRecordStore
from contracts.channels import SALES
from tests.component.consumer_harness import Counting

PLACE = TopicPartition(SALES.topic(), 3)


class ReadConsumer:
    """Kafka's side: one log, and the offsets that were committed."""

    def __init__(self) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self.at: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def beginning_offsets(
        self, places: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed |= offsets

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at[place] = offset


async def test_what_was_not_committed_yet_is_not_committed_once_all_is_read_again() -> None:
    """Who takes over would go on behind events of which nothing is kept any more."""
    consumer = ReadConsumer()
    listener = Consumer(
        "127.0.0.1:9",
        group="readers",
        channels=[SALES],
        routes=lambda recorded: (recorded.subject,),
        reader=Counting(),
        parking=ParkedRecordStore(cast("Any", None)),
    )
    listener._subscriber = cast("Any", SimpleNamespace(consumer=consumer))
    listener._durable = {PLACE: 70}

    await listener._go_back()
    await listener._commit(now=True)

    assert (consumer.committed, consumer.at) == ({PLACE: 0}, {PLACE: 0})
