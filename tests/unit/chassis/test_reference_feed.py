"""Reference feed: a topic that was created again is recognised by timestamps."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from chassis.eventstore.mongo import Store
from chassis.kafka.reference_copy import CopyProgress
from chassis.kafka.reference_feed import ReferenceFeed
from contracts.channels import SALES, SALES_REFERENCE

PLACE = (SALES_REFERENCE.topic(), 0)
PARTITION = TopicPartition(*PLACE)
READ = 3


class Consumer:
    """A client's consumer of one partition whose records have these timestamps."""

    def __init__(self, *timestamps: int) -> None:
        self._timestamps = timestamps

    async def beginning_offsets(self, places: Iterable[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, 0)

    async def offsets_for_times(
        self, asked: Mapping[Any, int]
    ) -> dict[Any, OffsetAndTimestamp | None]:
        return {
            place: next(
                (
                    OffsetAndTimestamp(offset, each)
                    for offset, each in enumerate(self._timestamps)
                    if each >= at
                ),
                None,
            )
            for place, at in asked.items()
        }


@pytest.mark.parametrize(
    ("newest", "timestamps", "created_again"),
    [
        (30, (10, 20, 30), False),
        (30, (10, 20, 30, 40), False),
        (30, (40, 50, 60, 70), True),
        (2**60, (10, 2**60, 30), False),
        (2**63 - 1, (10, 2**63 - 1, 30), False),
    ],
)
async def test_a_topic_was_created_again_if_newer_records_are_at_offsets_read_before(
    newest: int, timestamps: tuple[int, ...], created_again: bool
) -> None:
    store = cast("Any", SimpleNamespace(reference=None, reference_progress=None))
    feed = ReferenceFeed("127.0.0.1:9", [SALES_REFERENCE], store)
    feed._looked_at = {PLACE: CopyProgress(next=READ, newest=newest)}
    consumer = cast("Any", Consumer(*timestamps))

    found = await feed._not_continued(consumer, {PARTITION: PLACE}, {PARTITION: len(timestamps)})

    assert found == ({PLACE} if created_again else set())


async def test_a_channel_without_reference_data_is_refused() -> None:
    store = Store("mongodb://127.0.0.1:1", "none")
    with pytest.raises(ValueError, match="sales"):
        ReferenceFeed("127.0.0.1:1", (SALES,), store)
    await store.close()
