"""Consumer liveness: is it assigned, polling and committing? A broker ping alone is no evidence."""

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
"""Seconds without a sign of life after which a consumer is not ready."""


@dataclass(slots=True)
class Liveness:
    """The last signs of life of a consumer; moments are seconds of the monotonic clock.

    `joined`: partitions are assigned. `answered`: when the group's coordinator last answered.
    `advanced`: when a batch last ended, or no lag was left. `busy_since`: when the current batch
    began. `hindrance`: the fault that the consumer waits out.
    """

    joined: bool = False
    answered: float = 0.0
    advanced: float = 0.0
    busy_since: float | None = None
    hindrance: str | None = None
    lag: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Records by partition that Kafka has and this consumer has not processed."""

    def not_ready(self, topics: frozenset[str], consumer: "AIOKafkaConsumer | None") -> str | None:
        """Return why the consumer is not ready, or None."""
        now = time.monotonic()
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
            return f"one batch has been processed for {now - self.busy_since:.0f} s"
        if now - self.advanced > PATIENCE:
            return "events are waiting and none is processed"
        return self._not_fetched(consumer)

    def _not_fetched(self, consumer: "AIOKafkaConsumer") -> str | None:
        now = time.time()
        for partition in consumer.assignment():
            polled = consumer.last_poll_timestamp(partition)
            if self.lag.get(partition, 0):
                continue  # fetched records are still being processed
            if polled is None or now - polled / 1000 > PATIENCE:
                return f"{partition.topic}/{partition.partition} is not fetched"
        return None

    def stalled(self, since: float, limit: float) -> bool:
        """Return whether a run begun at `since` had no sign of life for `limit` seconds."""
        return time.monotonic() - max(min(self.answered, self.advanced), since) > limit


def observe(group: str, progress: Liveness, parked_records: "ParkedRecordStore") -> None:
    """Create the gauges of a consumer: lag by partition, parked engagements, age of the oldest.

    Confidential topics have no lag here: their number of records is confidential. The age of
    answers (``concord.as_of.age``) shows how late they are.
    """
    attributes = {"group": group}

    def lag(_: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(count, {**attributes, "topic": place.topic, "partition": place.partition})
            for place, count in progress.lag.items()
            if not is_confidential(place.topic)
        ]

    def parked(_: CallbackOptions) -> Iterable[Observation]:
        count = sum(head.is_parked for head in parked_records.heads.values())
        return [Observation(count, attributes)]

    def waiting(_: CallbackOptions) -> Iterable[Observation]:
        count = sum(not head.is_parked for head in parked_records.heads.values())
        return [Observation(count, attributes)]

    def oldest(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(parked_records.oldest_age(datetime.now(UTC)), attributes)]

    meter = metrics.get_meter("concord.listener")
    meter.create_observable_gauge("concord.listener.lag", [lag])
    meter.create_observable_gauge("concord.parked.engagements", [parked])
    meter.create_observable_gauge("concord.waiting.engagements", [waiting])
    meter.create_observable_gauge("concord.parked.oldest", [oldest], unit="s")
