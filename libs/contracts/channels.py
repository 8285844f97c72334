"""Define the channels on which departments publish events, and the Kafka topic of each.

A channel numbers its events per stream without a gap and has one topic and one access list. Every
event type belongs to exactly one channel; confidential event types have channels of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

Department = Literal["sales", "legal", "delivery", "finance", "gateway"]
ChannelKind = Literal["events", "reference"]

DEPARTMENTS: tuple[Department, ...] = ("sales", "legal", "delivery", "finance", "gateway")

PARTITIONS = 12
"""Partitions of every topic.

The number is the same for all topics and never changed, so that the range assignment gives all
events of an engagement to one consumer.
"""

LARGEST_EVENT = 1024 * 1024
"""Maximum size of an encoded event in bytes; a larger one is not recorded.

Topics accept twice as much, so that no event in a journal is too large for its topic.
"""

SEGMENT_MS = 1_000
"""Age in milliseconds after which the next record closes the active segment of a reference topic.

Kafka compacts only closed segments.
"""

ERASED_WITHIN_MS = 3_600_000
"""Maximum time in milliseconds until Kafka compacts a closed segment of a reference topic."""

TOMBSTONE_MS = 7 * 24 * 3_600_000
"""Time in milliseconds for which Kafka keeps a tombstone after compaction.

A consumer that was offline for less still receives the erasure.
"""


@dataclass(frozen=True, slots=True)
class Channel:
    """Events of one department, in order, published on one topic.

    Kinds: ``events`` are the events of engagements, kept for ever and numbered per engagement
    without a gap. ``reference`` are whole records by id and version, compacted.
    """

    name: str
    department: Department
    kind: ChannelKind = "events"
    confidential: bool = False

    def topic(self, prefix: str = "concord") -> str:
        """Return the name of the Kafka topic; the prefix separates installations on one cluster."""
        return f"{prefix}.{self.name}.v1"

    def settings(self, replication: int) -> dict[str, str]:
        """Return the topic's Kafka settings for a replication factor.

        One replica less must be in sync for a write to succeed, and at least one.
        """
        kept: dict[str, str] = (
            {
                "cleanup.policy": "compact",
                "min.cleanable.dirty.ratio": "0.1",
                "segment.ms": str(SEGMENT_MS),
                "max.compaction.lag.ms": str(ERASED_WITHIN_MS),
                "delete.retention.ms": str(TOMBSTONE_MS),
            }
            if self.kind == "reference"
            else {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
        )
        return kept | {
            "min.insync.replicas": str(max(1, replication - 1)),
            "message.timestamp.type": "CreateTime",
            # The maximum size must hold for the uncompressed record: a consumer that decompresses
            # hundreds of megabytes would run out of memory.
            "compression.type": "uncompressed",
            "max.message.bytes": str(2 * LARGEST_EVENT),
        }


SALES = Channel("sales", "sales")
LEGAL = Channel("legal", "legal")
DELIVERY = Channel("delivery", "delivery")
FINANCE = Channel("finance", "finance")
FINANCE_CONFIDENTIAL = Channel("finance.confidential", "finance", confidential=True)
GATEWAY = Channel("gateway", "gateway")
GATEWAY_CONFIDENTIAL = Channel("gateway.confidential", "gateway", confidential=True)
SALES_REFERENCE = Channel("sales.reference", "sales", kind="reference")
LEGAL_REFERENCE = Channel("legal.reference", "legal", kind="reference")
DELIVERY_REFERENCE = Channel("delivery.reference", "delivery", kind="reference")
FINANCE_REFERENCE = Channel("finance.reference", "finance", kind="reference")
FINANCE_CONFIDENTIAL_REFERENCE = Channel(
    "finance.confidential.reference", "finance", kind="reference", confidential=True
)

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        SALES,
        LEGAL,
        DELIVERY,
        FINANCE,
        FINANCE_CONFIDENTIAL,
        GATEWAY,
        GATEWAY_CONFIDENTIAL,
        SALES_REFERENCE,
        LEGAL_REFERENCE,
        DELIVERY_REFERENCE,
        FINANCE_REFERENCE,
        FINANCE_CONFIDENTIAL_REFERENCE,
    )
}


def named_in_heard(channel: Channel, other: str) -> bool:
    """Return whether events of a channel may name another in `heard`.

    Events of an open channel name open channels only: how much was published in confidence is
    confidential. A channel that these contracts do not know might be confidential.
    """
    known = CHANNELS.get(other)
    return known is not None and (channel.confidential or not known.confidential)


def is_open(channel: str) -> bool:
    """Return whether every reader may see a channel; an unknown channel is confidential."""
    known = CHANNELS.get(channel)
    return known is not None and not known.confidential


def open_channels(by_channel: Mapping[str, T]) -> dict[str, T]:
    """Return a mapping by channel without confidential channels."""
    return {channel: value for channel, value in by_channel.items() if is_open(channel)}


def seen(position: Mapping[str, int], *, confidential: bool) -> dict[str, int]:
    """Return a position as a reader with the role `confidential`, or without it, may see it."""
    return dict(position) if confidential else open_channels(position)


def is_confidential(topic: str) -> bool:
    """Tell whether a topic, with any prefix, is that of a confidential channel."""
    return any(
        topic.endswith(f".{channel.topic('')[1:]}")
        for channel in CHANNELS.values()
        if channel.confidential
    )
