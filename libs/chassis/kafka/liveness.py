"""Progress: whether a listener truly listens. A broker that answers a ping proves nothing."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from contracts.channels import is_confidential

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from chassis.kafka.parked import ParkedRecordStore

PATIENCE = 10.0
"""Seconds without a sign of life after which a listener is not ready."""

MonotonicClock = time.monotonic


@dataclass(slots=True)
class Liveness:
    """What a listener last saw of Kafka and did with it; moments are of a monotonic clock.

    `joined` since partitions were given to it; `answered` is when the group's coordinator last
    answered; `advanced` is when a batch last ended, or nothing was left to take in; `busy_since` is
    when the batch in hand came; `hindrance` is what it waits for.
    """

    joined: bool = False
    answered: float = 0.0
    advanced: float = 0.0
    busy_since: float | None = None
    hindrance: str | None = None
    lag: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Records by partition that Kafka has and this listener has not taken in."""

    def not_ready(self, topics: frozenset[str], consumer: "AIOKafkaConsumer | None") -> str | None:
        """Why the listener is not ready, or None."""
        now = MonotonicClock()
        if consumer is None:
            return self.hindrance or "not connected to Kafka"
        for topic in sorted(topics):
            if not consumer.partitions_for_topic(topic):
                return f"topic {topic} is not there"
        if not self.joined:
            return "no partitions are assigned"
        if now - self.answered > PATIENCE:
            return "the group's coordinator does not answer"
        if self.hindrance is not None:
            return self.hindrance
        if self.busy_since is not None and now - self.busy_since > PATIENCE:
            return f"one batch is in hand since {now - self.busy_since:.0f} s"
        if now - self.advanced > PATIENCE:
            return "events are waiting and none is taken in"
        return self._not_fetched(consumer)

    def _not_fetched(self, consumer: "AIOKafkaConsumer") -> str | None:
        now = time.time()
        for partition in consumer.assignment():
            polled = consumer.last_poll_timestamp(partition)
            if self.lag.get(partition, 0):
                continue  # what was fetched is still being worked on
            if polled is None or now - polled / 1000 > PATIENCE:
                return f"{partition.topic}/{partition.partition} is not fetched"
        return None

    def stalled(self, since: float, limit: float) -> bool:
        """Whether there was no sign of life for `limit` seconds of a run begun at `since`."""
        return MonotonicClock() - max(min(self.answered, self.advanced), since) > limit


def observe(group: str, progress: Liveness, parking: "ParkedRecordStore") -> None:
    """Gauges of a listener: lag by partition, engagements parked, and the age of the oldest.

    Confidential topics have no lag here: how many records they have is confidential. How late they
    are shows in how old answers are (``concord.as_of.age``).
    """
    attributes = {"group": group}

    def lag(_: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(count, {**attributes, "topic": place.topic, "partition": place.partition})
            for place, count in progress.lag.items()
            if not is_confidential(place.topic)
        ]

    def parked(_: CallbackOptions) -> Iterable[Observation]:
        count = sum(head.is_parked for head in parking.heads.values())
        return [Observation(count, attributes)]

    def waiting(_: CallbackOptions) -> Iterable[Observation]:
        count = sum(not head.is_parked for head in parking.heads.values())
        return [Observation(count, attributes)]

    def oldest(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(parking.oldest_age(datetime.now(UTC)), attributes)]

    meter = metrics.get_meter("concord.listener")
    meter.create_observable_gauge("concord.listener.lag", [lag])
    meter.create_observable_gauge("concord.parked.engagements", [parked])
    meter.create_observable_gauge("concord.waiting.engagements", [waiting])
    meter.create_observable_gauge("concord.parked.oldest", [oldest], unit="s")
