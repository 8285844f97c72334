"""Consumer settings: records become events or a reason, and unsafe settings are refused."""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from hypothesis import given
from hypothesis import strategies as st

from chassis.base.partitioning import partition_of
from chassis.kafka.consumer_settings import (
    LARGEST_RECORD,
    Arrival,
    Codec,
    UnsafeConsumer,
    broker,
    refuse_unsafe,
    subscribe,
)
from contracts.channels import CHANNELS, DELIVERY_REFERENCE, PARTITIONS, SALES
from contracts.event import Recorded, encode
from contracts.reference import PersonPublished
from contracts.sales import OpportunityAdvanced

MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CODEC = Codec(tuple(CHANNELS.values()), "concord")
ADVANCED = Recorded(
    id="E-1-1",
    subject="E-1",
    sequence=1,
    event=OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50)),
    actor="ann",
    cause="test",
    occurred_at=MOMENT,
    recorded_at=MOMENT,
    heard={},
)


def test_a_record_on_another_partition_than_its_key_is_set_aside() -> None:
    elsewhere = (partition_of("E-1") + 1) % PARTITIONS
    read = CODEC.read(SALES.topic(), elsewhere, 0, b"E-1", encode(ADVANCED))

    assert read.trouble is not None
    assert read.trouble.code == "wrong-partition"
    assert read.key == "E-1"


def test_only_the_beginning_of_a_too_large_record_is_kept() -> None:
    """Compressed records may have any size, and the store would refuse a large document."""
    huge = b"{" + b" " * (20 * 2**20)
    read = CODEC.read(SALES.topic(), partition_of("E-1"), 0, b"E-1", huge)

    assert read.trouble is not None
    assert read.trouble.sentence == f"it has {len(huge)} bytes, more than any event"
    assert read.raw == huge[:LARGEST_RECORD]


@given(value=st.binary(max_size=200), key=st.none() | st.binary(max_size=20))
def test_any_bytes_are_read_as_an_event_or_a_reason(value: bytes, key: bytes | None) -> None:
    read = CODEC.read(SALES.topic(), 0, 0, key, value)

    assert (read.recorded is None) != (read.trouble is None)


def test_the_key_of_reference_data_has_kind_id_and_version() -> None:
    event = PersonPublished(person="ann", name="Ann", department="sales")
    record = Recorded("1", "ann", 3, event, "ann", "test", MOMENT, MOMENT, {})
    topic = DELIVERY_REFERENCE.topic()

    def read(key: str) -> Arrival:
        return CODEC.read(topic, partition_of(key), 0, key.encode(), encode(record))

    assert read("person:ann@3").trouble is None
    wrong = read("person:ann@2").trouble
    assert wrong is not None
    assert wrong.code == "wrong-key"


class Rebalances:
    """The revocations and assignments of a group, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Collection[TopicPartition]]] = []

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self.seen.append(("revoked", revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self.seen.append(("assigned", assigned))


async def ignore(arrivals: list[Arrival]) -> None:
    return None


def test_a_subscription_without_group_or_channels_is_refused() -> None:
    kafka_broker = broker("127.0.0.1:1")
    with pytest.raises(UnsafeConsumer, match="group"):
        subscribe(
            kafka_broker, ignore, group="", channels=(SALES,), prefix="p", rebalance=Rebalances()
        )
    with pytest.raises(UnsafeConsumer, match="channels"):
        subscribe(kafka_broker, ignore, group="g", channels=(), prefix="p", rebalance=Rebalances())


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("auto_offset_reset", "latest", "auto_offset_reset"),
        ("enable_auto_commit", True, "enable_auto_commit"),
        ("partition_assignment_strategy", (), "range assignor"),
    ],
)
def test_every_unsafe_setting_is_named(setting: str, value: object, complaint: str) -> None:
    kafka_broker = broker("127.0.0.1:1")
    subscriber = subscribe(
        kafka_broker, ignore, group="g", channels=(SALES,), prefix="p", rebalance=Rebalances()
    )
    subscriber._connection_args[setting] = value

    with pytest.raises(UnsafeConsumer, match=complaint):
        refuse_unsafe(kafka_broker, subscriber)


async def test_a_rebalance_of_the_group_reaches_the_consumer() -> None:
    rebalances, partitions = Rebalances(), {TopicPartition(SALES.topic("p"), 3)}
    subscriber = subscribe(
        broker("127.0.0.1:1"),
        ignore,
        group="g",
        channels=(SALES,),
        prefix="p",
        rebalance=rebalances,
    )
    listener = subscriber._listener
    assert isinstance(listener, ConsumerRebalanceListener)

    await listener.on_partitions_revoked(partitions)
    await listener.on_partitions_assigned(partitions)

    assert rebalances.seen == [("revoked", partitions), ("assigned", partitions)]


def test_a_broker_that_creates_topics_is_refused() -> None:
    kafka_broker = broker("127.0.0.1:1")
    subscriber = subscribe(
        kafka_broker, ignore, group="g", channels=(SALES,), prefix="p", rebalance=Rebalances()
    )
    kafka_broker.config.broker_config.allow_auto_create_topics = True

    with pytest.raises(UnsafeConsumer, match="allow_auto_create_topics"):
        refuse_unsafe(kafka_broker, subscriber)
