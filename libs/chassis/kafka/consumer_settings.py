"""Consumer settings: create FastStream's broker and subscriber so that no event can be lost.

By default FastStream acknowledges early, begins at the newest record, assigns the partitions of
topics independently, creates missing topics, and swallows an exception that leaves a handler. Here
the settings are fixed, and a record that cannot be read arrives as a value with the reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.message import encode_message

from chassis.base.partitioning import partition_of
from chassis.domain.trouble import Trouble
from chassis.eventstore.journal import kafka_key
from chassis.kafka.credentials import Identity
from chassis.kafka.lenient_headers import read_odd_headers
from contracts.channels import LARGEST_EVENT, Channel
from contracts.event import Event, Recorded, Undecodable, Undecoded, read

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord
    from fast_depends.library.serializer import SerializerProto
    from faststream._internal.basic_types import SendableMessage
    from faststream.kafka.subscriber.usecase import BatchSubscriber
    from faststream.message import StreamMessage

LARGEST_RECORD = 2 * LARGEST_EVENT
"""Bytes of the largest record that is read. Of a larger one, which Kafka accepts if the settings of
the topic were changed, only the beginning is kept."""

KEY_LIMIT = 200
"""Characters of the longest Kafka key that is accepted as the id of an engagement or record."""


@dataclass(slots=True, eq=False)  # not frozen: that costs time for every record
class Arrival:
    """A record from Kafka: its offset, its bytes, and the event or the trouble.

    `key` is the engagement (or the reference record's id and version), None where it cannot be
    read. `channel` is that of the topic. A record with `trouble` is to be set aside. A record with
    neither event nor trouble is a tombstone of a reference record.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    channel: Channel
    raw: bytes | None
    recorded: Recorded[Event] | None = None
    trouble: Trouble | None = None

    @property
    def id(self) -> str:
        """The unique place of the record: topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Codec:
    """A codec that reads records of the given channels' topics into a value each, without raising.

    FastStream also requires it to encode, which services do not use: the relay publishes.
    """

    def __init__(self, channels: Sequence[Channel], prefix: str) -> None:
        self._channels = {channel.topic(prefix): channel for channel in channels}

    def read(
        self, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None
    ) -> Arrival:
        """Return one record, with its event or with the reason why it is none; raise nothing."""
        channel = self._channels[topic]
        name = _name(key)
        trouble: Trouble | None = None
        if value is not None and len(value) > LARGEST_RECORD:
            trouble = Trouble("no-event", f"it has {len(value)} bytes, more than any event")
            value = value[:LARGEST_RECORD]
        if name is None:
            trouble = Trouble("no-key", "the record's key does not name an engagement")
        if name is None or trouble is not None:
            return Arrival(topic, partition, offset, name, channel, value, trouble=trouble)
        if value is None and channel.kind == "reference" and partition_of(name) == partition:
            return Arrival(topic, partition, offset, name, channel, value)
        event = judge(channel, partition, name, value)
        if isinstance(event, Trouble):
            return Arrival(topic, partition, offset, name, channel, value, trouble=event)
        return Arrival(topic, partition, offset, name, channel, value, event)

    async def decode_batch(
        self, msg: "StreamMessage[Sequence[ConsumerRecord[Any, Any]]]"
    ) -> "list[Any]":
        """Return every record of a batch, in order."""
        return [
            self.read(record.topic, record.partition, record.offset, record.key, record.value)
            for record in msg.raw_message
        ]

    async def decode(self, msg: "StreamMessage[ConsumerRecord[Any, Any]]") -> Arrival:
        """Return a single record."""
        record = msg.raw_message
        return self.read(record.topic, record.partition, record.offset, record.key, record.value)

    async def encode(
        self, msg: "SendableMessage", serializer: "SerializerProto | None" = None
    ) -> tuple[bytes, str | None]:
        """Encode a message as FastStream does."""
        return encode_message(msg, serializer)

    async def encode_batch(
        self, msgs: "Sequence[SendableMessage]", serializer: "SerializerProto | None" = None
    ) -> list[tuple[bytes, str | None]]:
        """Encode messages as FastStream does."""
        return [encode_message(msg, serializer) for msg in msgs]


def judge(
    channel: Channel, partition: int, key: str, value: bytes | None
) -> Recorded[Event] | Trouble:
    """Return the event in a record's value, or why it is no event of this partition and key.

    Its data may be `Undecoded`. Raise nothing, for any bytes.
    """
    if partition_of(key) != partition:
        # Two processes may consume the two partitions, and both would process the engagement.
        return Trouble("wrong-partition", f"its key belongs on {partition_of(key)}")
    if value is None:
        return Trouble("no-event", "the record is empty")
    try:
        recorded = read(value, channel)
    except Undecodable as error:
        return Trouble("no-event", str(error))
    if recorded.channel is not channel:
        return Trouble(
            "wrong-channel",
            f"{recorded.event.type} is published on {recorded.channel.name}, not here",
        )
    expected = kafka_key(recorded)
    if isinstance(recorded.event, Undecoded) and channel.kind == "reference":
        expected = f"{key.partition(':')[0]}:{recorded.subject}@{recorded.sequence}"
    if expected != key:
        return Trouble("wrong-key", f"its key is not {expected!r}, as its content requires")
    return recorded


def _name(key: bytes | None) -> str | None:
    if not key or len(key) > KEY_LIMIT:
        return None
    try:
        name = key.decode()
    except UnicodeDecodeError:
        return None
    return name if name.isprintable() else None


async def _whole_batch(message: "tuple[ConsumerRecord[Any, Any], ...]") -> KafkaMessage:
    """Return a batch in FastStream's form without reading headers: one may not be text."""
    first, last = message[0], message[-1]
    batch = KafkaMessage(
        body=b"",
        raw_message=message,
        message_id=f"{first.offset}-{last.offset}-{first.timestamp}",
        consumer=_NeverAcknowledges(),
    )
    batch.committed = None
    return batch


class _NeverAcknowledges:
    """A stub that keeps FastStream from committing: only `Consumer` knows what was processed."""

    async def commit(self) -> None:
        raise RuntimeError("only chassis.kafka.consumer commits offsets")

    def seek(self, partition: object, offset: int) -> None:
        raise RuntimeError(f"only chassis.kafka.consumer moves positions: {partition} to {offset}")


class Rebalance(Protocol):
    """A consumer that follows each new assignment of its group's partitions to processes."""

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish the work on partitions before another process has them."""

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin on the partitions that this process has now."""


class _RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]  # ships no types
    """The client's listener: its base has no types, so the consumer does not derive from it."""

    def __init__(self, rebalance: Rebalance) -> None:
        self._rebalance = rebalance

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._rebalance.on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        await self._rebalance.on_partitions_assigned(assigned)


class UnsafeConsumer(ValueError):
    """A setting under which events could be lost or applied out of order."""


def broker(bootstrap: str, *, client: str = "concord", identity: Identity = None) -> KafkaBroker:
    """Return a FastStream broker that only consumes; it connects when started.

    `bootstrap` has one or several addresses, separated by commas.
    """
    read_odd_headers()
    return KafkaBroker(
        bootstrap.split(","),  # FastStream would read the text as one address
        client_id=client,
        security=identity,
        consumer_only=True,
        allow_auto_create_topics=False,
        ack_policy=AckPolicy.MANUAL,
        apply_types=False,
        graceful_timeout=15.0,
        metadata_max_age_ms=60_000,
        request_timeout_ms=15_000,
        logger=None,
    )


def subscribe(
    kafka_broker: KafkaBroker,
    handle: Callable[[list[Arrival]], Awaitable[None]],
    *,
    group: str,
    channels: Sequence[Channel],
    prefix: str,
    rebalance: Rebalance,
    batch: int = 500,
    fetch_wait_ms: int = 500,
) -> "BatchSubscriber":
    """Subscribe a handler of whole batches to the channels' topics; it starts with the broker.

    A fetch waits at Kafka for at most `fetch_wait_ms`. A partition whose records were not polled
    within a tenth of a second may wait as long until it is fetched again, if few records arrive.
    Raises UnsafeConsumer.
    """
    names = [channel.topic(prefix) for channel in channels]
    if not names or len(set(names)) != len(names):
        raise UnsafeConsumer("a consumer needs channels, each of them once")
    if not group:
        raise UnsafeConsumer("a consumer needs a group, or its offsets are not kept")
    subscriber: BatchSubscriber = kafka_broker.subscriber(  # type: ignore[call-overload]  # of two booleans
        *names,
        batch=True,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        partition_assignment_strategy=(RangePartitionAssignor,),
        batch_timeout_ms=10,
        max_records=batch,
        fetch_max_wait_ms=fetch_wait_ms,
        rebalance_timeout_ms=60_000,
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
        listener=_RebalanceListener(rebalance),
        parser=_whole_batch,
        codec=Codec(channels, prefix),
        no_reply=True,
    )
    subscriber(handle)
    refuse_unsafe(kafka_broker, subscriber)
    return subscriber


def refuse_unsafe(kafka_broker: KafkaBroker, subscriber: "BatchSubscriber") -> None:
    """Raise UnsafeConsumer where the settings could lose an event or acknowledge it too early."""
    settings = subscriber._connection_args  # noqa: SLF001 - they are not public
    config = kafka_broker.config
    wrong = [
        requirement
        for requirement, is_wrong in {
            "auto_offset_reset must be earliest": settings.get("auto_offset_reset") != "earliest",
            "ack_policy must be MANUAL": subscriber.ack_policy is not AckPolicy.MANUAL,
            "enable_auto_commit must be off": settings.get("enable_auto_commit") is not False,
            "allow_auto_create_topics must be off": config.broker_config.allow_auto_create_topics,
            "the range assignor, and no other, must be used": tuple(
                settings.get("partition_assignment_strategy", ())
            )
            != (RangePartitionAssignor,),
            "a group is needed": not subscriber.group_id,
        }.items()
        if is_wrong
    ]
    if wrong:
        raise UnsafeConsumer("; ".join(wrong))


async def stop_consumer(
    stop: Coroutine[Any, Any, None], consumer: AIOKafkaConsumer | None, within: float
) -> None:
    """Stop a consumer within `within` seconds and one more, in any state of Kafka.

    Where a fetch waits for a broker that does not answer, aiokafka's own stop raises
    CancelledError, which would end the calling task, and leaves the connections open.
    """
    stopping = asyncio.create_task(stop, name="stopping a consumer")
    await asyncio.wait({stopping}, timeout=within)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait({stopping}, timeout=1)
    failed = stopping.cancelled() or not stopping.done() or stopping.exception() is not None
    if failed and consumer is not None:
        with suppress(Exception):
            await consumer._client.close()  # noqa: SLF001 - its stop did not get to it
