"""Consumer lag, and the moment up to which all published events are processed."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.application.as_of import CaughtUp
from chassis.kafka.liveness import Liveness


class LagMeter:
    """Compares the processed offsets of one consumer with the ends of its topics.

    `is_handling` tells whether a batch is being handled, `is_prepared` whether the parked
    engagements of the assigned partitions are known.
    """

    def __init__(
        self,
        progress: Liveness,
        caught_up: CaughtUp,
        *,
        is_handling: Callable[[], bool],
        is_prepared: Callable[[], bool],
    ) -> None:
        self._progress = progress
        self._caught_up = caught_up
        self._is_handling = is_handling
        self._is_prepared = is_prepared
        self._processed: dict[TopicPartition, int] = {}
        """The offset behind the last processed record."""
        self._set_back: dict[TopicPartition, int] = {}

    def advance(self, place: TopicPartition, next_offset: int) -> None:
        """Record that all records of a partition before this offset are processed."""
        self._processed[place] = next_offset

    def clear(self) -> None:
        """Forget the processed offsets: partitions were revoked, or are read from their start."""
        self._processed.clear()

    async def measure(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Sequence[TopicPartition],
        is_current: Callable[[], bool],
    ) -> None:
        """Measure the lag of these partitions; change nothing once `is_current` returns False.

        Raises KafkaError.
        """
        new = [each for each in partitions if each not in self._processed]
        # Not the consumer's positions: they may be ahead of what was processed.
        committed = await asyncio.gather(*(consumer.committed(each) for each in new))
        begins = dict(zip(new, committed, strict=True))
        if never := [each for each, offset in begins.items() if offset is None]:
            # In one request: each would wait until the fetch before it is answered.
            begins |= await consumer.beginning_offsets(never)
        if is_current():
            self._processed = begins | self._processed
        asked = datetime.now(UTC)
        ends = await consumer.end_offsets(partitions)
        for each in partitions:
            if is_current() and ends[each] > self._processed[each]:
                await self._skip_control_records(consumer, each, is_current)
        if not is_current():
            return  # partitions are being revoked, or are read from their start again
        self._progress.lag = {
            each: max(0, end - self._processed[each]) for each, end in ends.items()
        }
        if not self._is_prepared():
            return  # the moment does not apply to parked engagements, which are not known yet
        for number in {each.partition for each in partitions}:
            of = [each for each in partitions if each.partition == number]
            self._caught_up.compare(
                number,
                asked,
                {each.topic: ends[each] for each in of},
                {each.topic: self._processed[each] for each in of},
            )

    async def _skip_control_records(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, is_current: Callable[[], bool]
    ) -> None:
        """Count offsets as processed that no consumer receives, like transaction markers.

        While no batch is handled, only two things can bring the consumer's position ahead of the
        processed offset: such offsets, or records that the client passed over. To tell them apart,
        the consumer is set back once.
        """
        at = await consumer.position(place)
        if not is_current() or self._is_handling() or at <= (processed := self._processed[place]):
            return
        if self._set_back.get(place) == processed:
            self._processed[place] = at
        else:
            self._set_back[place] = processed
            consumer.seek(place, processed)
