"""Offset gaps: check that the records of a batch follow the last ones without missing offsets.

The client silently passes over a batch whose handler raised. So a gap may mean that records were
consumed and never handled: they are read again. If the gap is there again, it is Kafka's own and
nothing was lost: transaction markers and records removed by compaction have offsets, too. Records
are lost only if they were before the first offset that the topic still has: it was truncated.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.kafka.accounting import count_unaccounted
from chassis.kafka.consumer_settings import Arrival

READ_AGAIN = 3
"""Times that missing offsets are read again before the gap is taken for Kafka's own."""

_log = logging.getLogger(__name__)


class OffsetGaps:
    """The expected next offset by partition, for one consumer."""

    def __init__(self, group: str) -> None:
        self.lost = 0
        """Records that were deleted before they were read."""
        self._group = group
        self._next: dict[TopicPartition, int] = {}
        self._tries: dict[tuple[TopicPartition, int], int] = {}

    def begin(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Expect these offsets next, and no offset on other partitions."""
        self._next = dict(offsets)

    async def resume(self, consumer: AIOKafkaConsumer) -> None:
        """Expect the records behind the group's committed offsets; raises KafkaError."""
        places = sorted(consumer.assignment())
        first = await consumer.beginning_offsets(places) if places else {}
        committed = await asyncio.gather(*(consumer.committed(place) for place in places))
        self.begin(
            {
                place: first[place] if offset is None else max(offset, first[place])
                for place, offset in zip(places, committed, strict=True)
            }
        )

    def advance(self, arrivals: Iterable[Arrival]) -> None:
        """Expect the records behind these."""
        for arrival in arrivals:
            self._next[TopicPartition(arrival.topic, arrival.partition)] = arrival.offset + 1

    async def must_read_again(
        self, arrivals: Iterable[Arrival], consumer: AIOKafkaConsumer
    ) -> bool:
        """Return whether records before these never arrived; if so, set the consumer back.

        Each gap is read again READ_AGAIN times, all gaps of a batch together. Raises KafkaError.
        """
        expected = dict(self._next)
        gaps: dict[tuple[TopicPartition, int], int] = {}
        for arrival in arrivals:
            place = TopicPartition(arrival.topic, arrival.partition)
            at = expected.get(place)
            expected[place] = arrival.offset + 1
            if at is not None and arrival.offset > at and arrival.channel.kind != "reference":
                gaps[place, at] = arrival.offset
        if not gaps:
            return False
        first = await consumer.beginning_offsets([place for place, _ in gaps])
        again = [
            (place, at)
            for (place, at), offset in gaps.items()
            if offset > first[place] and self._tries.get((place, at), 0) < READ_AGAIN
        ]
        for place, at in again:
            self._tries[place, at] = self._tries.get((place, at), 0) + 1
            _log.warning(
                "%s: records of %s from %d on did not arrive: reading again", self._group, place, at
            )
        if again:
            for each, offset in self._next.items():
                consumer.seek(each, offset)
            return True
        for (place, at), offset in gaps.items():
            self._tries.pop((place, at), None)
            if (lost := min(offset, first[place]) - at) > 0:
                self.lost += lost
                count_unaccounted(self._group, lost)
                _log.error("%s: %d records of %s from %d on are lost", self._group, lost, place, at)
            else:
                _log.info("%s: %s has no records from %d to %d", self._group, place, at, offset)
        return False
