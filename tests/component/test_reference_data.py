"""Test that reference data are read whole and kept in the store: updated, erased, without Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from chassis.base.partitioning import partition_of
from chassis.eventstore.mongo import Store
from chassis.kafka.consumer_settings import Arrival, Codec
from chassis.kafka.reference_copy import Kept, ReferenceCopy
from chassis.kafka.reference_feed import ReferenceFeed
from chassis.kafka.topics import create_topics
from contracts.channels import DELIVERY_REFERENCE, FINANCE_REFERENCE, Channel
from contracts.event import Event, Recorded, encode
from contracts.money import Rate
from contracts.reference import PersonPublished, RateCardPublished
from contracts.values import RoleRate
from tests.component.consumer_harness import MOMENT, Topics, topics, until
from tests.component.sample_app import until as until_answered
from tests.infrastructure import KafkaServer, StoreServer

NOWHERE = "127.0.0.1:1"
"""An address where no Kafka answers."""

CHANNELS = (DELIVERY_REFERENCE, FINANCE_REFERENCE)


def published(subject: str, version: int, event: Event) -> Recorded[Event]:
    return Recorded(
        id=f"{subject}-{version}",
        subject=subject,
        sequence=version,
        event=event,
        actor="ann",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=datetime(2026, 1, version, tzinfo=UTC),
        heard={},
    )


def person(name: str, version: int = 1, called: str = "") -> Recorded[Event]:
    event = PersonPublished(person=name, name=called or name.title(), department="delivery")
    return published(name, version, event)


def rates(version: int, architect: int, start: date | None = None) -> Recorded[Event]:
    event = RateCardPublished(
        rate_card="standard",
        currency="EUR",
        rates=(RoleRate(role="architect", rate=Rate(amount=Decimal(architect), currency="EUR")),),
        effective_from=start,
    )
    return published("standard", version, event)


@pytest.fixture
async def spoken(kafka: KafkaServer, isolation: str) -> AsyncIterator[Topics]:
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    async with topics(kafka.bootstrap, isolation) as publisher:
        yield publisher


async def records_of(store: Store) -> dict[str, bytes | None]:
    """Return the values of the stored copy, by key; None for an erased record."""
    found = await store.reference.find({}).to_list(None)
    return {each["_id"]: each["value"] for each in found}


async def written(feed: ReferenceFeed, store: Store, keys: set[str]) -> None:
    """Wait until the copy contains exactly these records, and how far they were read."""

    async def is_so() -> bool:
        copied = {key for key, value in (await records_of(store)).items() if value is not None}
        return copied == keys and await store.reference_progress.count_documents({}) > 0

    await until_answered(is_so)
    await until(lambda: feed._writer.is_idle)


@pytest.fixture
async def copy(store: StoreServer, isolation: str) -> AsyncIterator[Store]:
    """Open the store of one service."""
    opened = Store(store.url, isolation)
    yield opened
    await opened.close()


async def test_all_that_was_published_is_there_once_ready(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    await spoken.say(*(person(f"p{number}") for number in range(300)))
    await spoken.say(person("p7", 2, called="Grace"), rates(1, 150))

    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)

        assert feed.not_ready() is None
        assert len(feed.records.all(PersonPublished)) == 300
        newest = feed.records.latest(PersonPublished, "p7")
        assert newest is not None
        assert (newest.sequence, newest.event.name) == (2, "Grace")
        assert feed.records.latest(RateCardPublished, "standard") is not None


async def test_later_records_arrive_and_erased_ones_are_removed_from_the_copy(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    await spoken.say(person("ann"), person("ann", 2, called="Anne"), person("bob"))
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        records = feed.records

        await spoken.say(person("eve"))
        await until(lambda: records.latest(PersonPublished, "eve"))

        await spoken.put(DELIVERY_REFERENCE, b"person:ann@1", None)
        await spoken.put(DELIVERY_REFERENCE, b"person:ann@2", None)
        await until(lambda: records.latest(PersonPublished, "ann") is None)
        assert [each.subject for each in records.all(PersonPublished)] == ["bob", "eve"]
        await written(feed, copy, {"person:bob@1", "person:eve@1"})


async def test_a_process_starts_from_the_copy_while_kafka_is_away(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    await spoken.say(person("ann"), person("bob"))
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        await written(feed, copy, {"person:ann@1", "person:bob@1"})
        read_at = feed.as_of

    # Published and erased while no process runs.
    await spoken.say(person("eve"))
    await spoken.put(DELIVERY_REFERENCE, b"person:ann@1", None)

    async with ReferenceFeed(NOWHERE, CHANNELS, copy, isolation) as feed:
        await feed.ready(10)
        assert [each.subject for each in feed.records.all(PersonPublished)] == ["ann", "bob"]
        assert feed.as_of is not None
        assert read_at is not None
        assert feed.as_of <= read_at
        await until(lambda: feed.behind is not None)

    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await until(lambda: feed.records.latest(PersonPublished, "eve"))
        await until(lambda: feed.records.latest(PersonPublished, "ann") is None)
        await written(feed, copy, {"person:bob@1", "person:eve@1"})


async def test_without_a_copy_and_without_kafka_it_reports_why_it_is_not_ready(
    isolation: str, copy: Store
) -> None:
    async with ReferenceFeed(NOWHERE, CHANNELS, copy, isolation) as feed:
        await until(lambda: feed.behind is not None)
        reason = feed.not_ready() or ""
        assert reason.startswith("reference data were never read")
        with pytest.raises(TimeoutError):
            await feed.ready(0.1)


async def test_a_topic_that_was_made_again_is_read_from_its_start(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    # A dozen on each partition, so that the new topic is shorter everywhere.
    await spoken.say(*(person(f"old{number}") for number in range(100)))
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        await written(feed, copy, {f"person:old{number}@1" for number in range(100)})

    await made_again(kafka, isolation, DELIVERY_REFERENCE)
    async with topics(kafka.bootstrap, isolation) as publisher:
        await publisher.say(person("ann"))

        async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
            await until(lambda: subjects(feed) == ["ann"])
            await written(feed, copy, {"person:ann@1"})


async def test_a_new_topic_that_is_longer_than_the_old_one_is_noticed_by_its_times(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    await spoken.say(person("old"))
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        await written(feed, copy, {"person:old@1"})

    await made_again(kafka, isolation, DELIVERY_REFERENCE)
    names = sorted(f"new{number}" for number in range(100))
    async with topics(kafka.bootstrap, isolation) as publisher:
        await publisher.say(*(person(name) for name in names))

        async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
            await until(lambda: subjects(feed) == names)
            await written(feed, copy, {f"person:{name}@1" for name in names})


async def test_two_replicas_write_the_same_copy(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store, store: StoreServer
) -> None:
    other = Store(store.url, isolation)
    await spoken.say(*(person(f"p{number}") for number in range(50)))
    async with (
        ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as one,
        ReferenceFeed(kafka.bootstrap, CHANNELS, other, isolation) as two,
    ):
        await one.ready(30)
        await two.ready(30)
        await spoken.put(DELIVERY_REFERENCE, b"person:p7@1", None)
        await spoken.say(person("eve"))
        keys = {f"person:p{number}@1" for number in range(50) if number != 7} | {"person:eve@1"}
        await written(one, copy, keys)
        await written(two, other, keys)
        # A late write of an erased record changes nothing.
        late = Kept("person:p7@1", (DELIVERY_REFERENCE.topic(isolation), 0), 0, 0, b"late")
        await ReferenceCopy(copy).put([late])
        assert (await records_of(copy))["person:p7@1"] is None
    await other.close()


async def test_a_copy_from_before_kafka_dropped_a_tombstone_is_read_again(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    await spoken.say(person("ann"), person("bob"))
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        await written(feed, copy, {"person:ann@1", "person:bob@1"})

    # As if the process had been down for a month: a record that no topic has any more.
    gone = person("gone")
    place = (DELIVERY_REFERENCE.topic(isolation), partition_of("person:gone@1"))
    await ReferenceCopy(copy).put([Kept("person:gone@1", place, 0, 0, encode(gone))])
    await copy.reference_progress.update_many(
        {}, {"$set": {"as_of": datetime.now(UTC) - timedelta(days=30), "next": 1}}
    )

    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        assert await until_value(lambda: feed.records.latest(PersonPublished, "gone"))
        await until(lambda: feed.records.latest(PersonPublished, "gone") is None)
        assert subjects(feed) == ["ann", "bob"]
        await written(feed, copy, {"person:ann@1", "person:bob@1"})


async def test_a_record_that_cannot_be_read_is_skipped(
    kafka: KafkaServer,
    isolation: str,
    spoken: Topics,
    copy: Store,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = await spoken.put(DELIVERY_REFERENCE, b"person:x@1", b"{oops")
    await spoken.put(DELIVERY_REFERENCE, b"\xff", b"{oops")
    newer = person("newer")
    bug = await spoken.put(DELIVERY_REFERENCE, b"person:newer@1", encode(newer))
    await spoken.say(person("ann"))
    read = Codec.read

    def raises(self: Codec, *of: Any) -> Arrival:
        if of[3] == b"person:newer@1":
            raise OverflowError("date value out of range")
        return read(self, *of)

    monkeypatch.setattr(Codec, "read", raises)
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)

        assert feed.unreadable == 3
        assert feed.records.latest(PersonPublished, "ann") is not None
        await written(feed, copy, {"person:ann@1"})
    assert place in caplog.text
    assert bug in caplog.text

    # Newer code reads what older code skipped.
    monkeypatch.setattr(Codec, "read", read)
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        # Partitions are read in any order.
        await until(lambda: subjects(feed) == ["ann", "newer"] and feed.unreadable == 2)


async def test_empty_topics_are_ready_and_missing_ones_are_not(
    kafka: KafkaServer, isolation: str, spoken: Topics, copy: Store
) -> None:
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        await feed.ready(30)
        assert feed.records.all(PersonPublished) == []

    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, f"{isolation}-no") as feed:
        await until(lambda: "is not there" in (feed.not_ready() or ""))


@pytest.mark.fault
@pytest.mark.long
async def test_it_continues_when_kafka_is_back(
    fresh_kafka: Callable[..., KafkaServer], isolation: str, copy: Store
) -> None:
    kafka = fresh_kafka()
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    async with ReferenceFeed(kafka.bootstrap, CHANNELS, copy, isolation) as feed:
        async with topics(kafka.bootstrap, isolation) as publisher:
            await publisher.say(person("ann"))
        await feed.ready(30)
        await until(lambda: feed.records.latest(PersonPublished, "ann"))

        kafka.kill()
        await until(lambda: feed.behind is not None, limit=40)
        assert feed.not_ready() is None
        assert feed.records.latest(PersonPublished, "ann") is not None
        kafka.start()

        async with topics(kafka.bootstrap, isolation) as publisher:
            await publisher.say(person("bob"))
        await until(lambda: feed.records.latest(PersonPublished, "bob"), limit=40)
        await until(lambda: feed.behind is None)


def subjects(feed: ReferenceFeed) -> list[str]:
    return sorted(each.subject for each in feed.records.all(PersonPublished))


async def until_value(read: Callable[[], Any]) -> Any:
    """Wait until something is there, and return it."""
    await until(read)
    return read() or True


async def made_again(kafka: KafkaServer, prefix: str, channel: Channel) -> None:
    """Delete a topic, and make it again, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([channel.topic(prefix)])
        while channel.topic(prefix) in await admin.list_topics():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    await create_topics(kafka.bootstrap, prefix, channels=(channel,))
