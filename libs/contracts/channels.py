"""Channels: the ordered voices of the departments, and the Kafka topic each is heard on.

A channel counts its events per stream without a gap, has one topic, and one access list. What not
everybody may know is said on a confidential channel, and no event stands on two of them.
"""

from dataclasses import dataclass
from typing import Literal

Department = Literal["sales", "legal", "delivery", "finance", "gateway"]
ChannelKind = Literal["events", "reference", "register"]

DEPARTMENTS: tuple[Department, ...] = ("sales", "legal", "delivery", "finance", "gateway")

PARTITIONS = 12
"""Partitions of every topic. Equal everywhere and never changed: an engagement's events of all
departments then meet in one reader under the range assignment."""

LARGEST_EVENT = 1024 * 1024
"""Bytes that an event may have as it is published: a larger one is not said. Topics take twice as
much, so that no event a journal holds is ever too large for its topic."""

SEGMENT_MS = 1_000
"""Age (milliseconds) from which the file that a reference topic's partition writes to is closed by
the next record: Kafka compacts closed files only."""

ERASED_WITHIN_MS = 3_600_000
"""Time (milliseconds) after which Kafka compacts what was closed, however little it is."""

TOMBSTONE_MS = 7 * 24 * 3_600_000
"""Time (milliseconds) that a tombstone stays once its record is gone: a reader that was away for no
longer hears of the erasure."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One department's ordered voice.

    ``events``: what happened to engagements, kept for ever, numbered per engagement without a gap.
    ``reference``: whole records by id and version, compacted. ``register``: what a register inside
    a department says to engagements; numbered per register, so one engagement sees gaps.
    """

    name: str
    department: Department
    kind: ChannelKind = "events"
    confidential: bool = False

    def topic(self, prefix: str = "concord") -> str:
        """Name of the Kafka topic; the prefix sets installations on one cluster apart."""
        return f"{prefix}.{self.name}.v1"

    def settings(self, replication: int) -> dict[str, str]:
        """Topic settings in Kafka's own words, for a cluster of at least `replication` brokers."""
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
            # The bound on a record holds for what it is, and not for what it is compressed to: a
            # reader that decompresses hundreds of megabytes would run out of memory.
            "compression.type": "uncompressed",
            "max.message.bytes": str(2 * LARGEST_EVENT),
        }


SALES = Channel("sales", "sales")
LEGAL = Channel("legal", "legal")
DELIVERY = Channel("delivery", "delivery")
FINANCE = Channel("finance", "finance")
FINANCE_CONFIDENTIAL = Channel("finance.confidential", "finance", confidential=True)
FINANCE_REGISTER = Channel("finance.register", "finance", kind="register")
GATEWAY = Channel("gateway", "gateway")
GATEWAY_CONFIDENTIAL = Channel("gateway.confidential", "gateway", confidential=True)
SALES_REFERENCE = Channel("sales.reference", "sales", kind="reference")
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
        FINANCE_REGISTER,
        GATEWAY,
        GATEWAY_CONFIDENTIAL,
        SALES_REFERENCE,
        DELIVERY_REFERENCE,
        FINANCE_REFERENCE,
        FINANCE_CONFIDENTIAL_REFERENCE,
    )
}


def is_confidential(topic: str) -> bool:
    """Tell whether a topic, whatever its prefix, is that of a confidential channel."""
    return any(
        topic.endswith(f".{channel.topic('')[1:]}")
        for channel in CHANNELS.values()
        if channel.confidential
    )
