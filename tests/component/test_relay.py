"""Test that the journal's events are published in order, even if processes are killed."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.kafka.outbox_relay import RELAY, Relay
from contracts.channels import DELIVERY_REFERENCE, SALES
from contracts.event import CONTENT_TYPE, decode
from tests.component.sample_department import PEOPLE, Advance, Open, Process, Publish, until
from tests.infrastructure import KafkaServer, StoreServer

Record = tuple[str, bytes | None]


async def create_topics(bootstrap: str, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 3, 1) for name in topics])
    finally:
        await admin.close()


async def on_topic(bootstrap: str, topic: str, partitions: int = 3) -> list[Record]:
    """Return all records of a topic, each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    records: list[Record] = []
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                for record in batch:
                    assert dict(record.headers)["content-type"] == CONTENT_TYPE.encode()
                    records.append((record.key.decode(), record.value))
    finally:
        await consumer.stop()
    return records


def by_key(records: list[Record]) -> dict[str, list[int]]:
    sequences: defaultdict[str, list[int]] = defaultdict(list)
    for key, value in records:
        assert value is not None
        sequences[key].append(decode(value).sequence)
    return dict(sequences)


def first_seen(sequences: list[int]) -> list[int]:
    """Return the sequences that a consumer takes in: it ignores repeats, and fails at a gap."""
    taken = 0
    for sequence in sequences:
        assert sequence <= taken + 1, f"a gap before {sequence} in {sequences}"
        taken = max(taken, sequence)
    return list(range(1, taken + 1))


@asynccontextmanager
async def relaying(
    process: Process,
    kafka: KafkaServer,
    prefix: str,
    *,
    retry_skipped_every: float = 10.0,
    look_again_every: float = 2.0,
) -> AsyncIterator[Relay]:
    relay = Relay(
        process.store,
        process.journal,
        bootstrap=kafka.bootstrap,
        prefix=prefix,
        retry_skipped_every=retry_skipped_every,
        look_again_every=look_again_every,
    )
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def grow(process: Process, deals: int, steps: int, start: int = 0) -> None:
    async def one(name: str) -> None:
        if start == 0:
            await process.engine.command(
                "engagement", name, Open(title=name), actor="ann", key=f"{name}/open"
            )
        for step in range(start + 1, start + steps):
            await process.engine.command(
                "engagement", name, Advance(probability=step), actor="ann", key=f"{name}/{step}"
            )

    await asyncio.gather(*(one(f"E-{number}") for number in range(deals)))


def more_than(reached: dict[str, int], count: int) -> bool:
    return sum(reached.values()) > count


def doing(relay: Relay) -> str:
    return relay.subscription.progress


async def has(kafka: KafkaServer, topic: str, count: int) -> bool:
    return len(set(await on_topic(kafka.bootstrap, topic))) >= count


async def test_every_event_is_published_once_and_in_order(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with Process(store.url, isolation) as process:
        await grow(process, deals=10, steps=5)
        async with relaying(process, kafka, isolation) as relay:
            await until(lambda: has(kafka, topic, 50))
            await grow(process, deals=10, steps=5, start=5)
            await until(lambda: has(kafka, topic, 90))
            # A consumer can see a record before the relay receives its acknowledgement.
            await until(lambda: relay.backlog() == 0.0)
            assert doing(relay) == "following"
        async with relaying(process, kafka, isolation):
            await grow(process, deals=10, steps=3, start=10)
            await until(lambda: has(kafka, topic, 110))
    sequences = by_key(await on_topic(kafka.bootstrap, topic))
    assert sequences == {f"E-{number}": list(range(1, 12)) for number in range(10)}


async def test_a_second_relay_takes_over_from_one_that_vanished(
    kafka: KafkaServer, store: StoreServer, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with (
        Process(store.url, isolation) as one,
        Process(store.url, isolation) as two,
    ):
        async with relaying(one, kafka, isolation) as first:
            await until(lambda: first.subscription.progress == "following")
            waiting = relaying(two, kafka, isolation)
            second = await waiting.__aenter__()
            await grow(one, deals=5, steps=20)
            await until(lambda: has(kafka, topic, 40))
            assert doing(second) == "waiting"
            # Like a killed process, it does not release its lease.
            monkeypatch.setattr(first.subscription._lease, "release", asyncio.Event().wait)
        await grow(two, deals=5, steps=20, start=20)
        await until(lambda: has(kafka, topic, 195))
        assert doing(second) == "following"
        await waiting.__aexit__(None, None, None)
    sequences = by_key(await on_topic(kafka.bootstrap, topic))
    assert {key: first_seen(numbers) for key, numbers in sequences.items()} == {
        f"E-{number}": list(range(1, 40)) for number in range(5)
    }


async def test_a_lost_token_has_the_journal_published_again(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with Process(store.url, isolation) as process:
        await grow(process, deals=3, steps=4)
        await process.store.leases.update_one({"_id": RELAY}, {"$set": {"token": {"_data": "00"}}})
        async with relaying(process, kafka, isolation):
            await until(lambda: has(kafka, topic, 12))
            await grow(process, deals=3, steps=2, start=4)
            await until(lambda: has(kafka, topic, 15))
    sequences = by_key(await on_topic(kafka.bootstrap, topic))
    assert {key: first_seen(numbers) for key, numbers in sequences.items()} == {
        f"E-{number}": list(range(1, 6)) for number in range(3)
    }


async def test_commits_from_before_the_relay_are_published(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    """Publish a journal without a token, such as a restored one, from its start."""
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with Process(store.url, isolation) as process:
        await grow(process, deals=3, steps=4)
        await process.store.leases.delete_many({})
    async with Process(store.url, isolation) as process, relaying(process, kafka, isolation):
        await until(lambda: has(kafka, topic, 12))


async def test_erasing_a_person_puts_tombstones_on_the_topic(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    topic = DELIVERY_REFERENCE.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    async with (
        Process(store.url, isolation, deciders=(PEOPLE,)) as process,
        relaying(process, kafka, isolation),
    ):
        for name in ("Bob", "Rob"):
            await process.engine.command(
                "person", "bob", Publish(name=name), actor="hr", key=f"k/{name}"
            )
        await process.engine.erase("person", "bob", actor="hr", key="erase")
        await until(lambda: has(kafka, topic, 4))
    compacted = dict(await on_topic(kafka.bootstrap, topic))
    assert compacted == {"person:bob@1": None, "person:bob@2": None}


@pytest.mark.fault
@pytest.mark.long
async def test_store_and_kafka_die_under_load_and_nothing_is_missing(
    fresh_kafka: Callable[..., KafkaServer],
    fresh_store: Callable[[], StoreServer],
    isolation: str,
) -> None:
    kafka, store = fresh_kafka(), fresh_store()
    topic = SALES.topic(isolation)
    await create_topics(kafka.bootstrap, topic)
    done = asyncio.Event()
    reached: dict[str, int] = {}

    async def load(process: Process, client: int) -> None:
        for number in itertools.count():
            name = f"E-{client}-{number}"
            for step in range(10):
                await process.engine.command(
                    "engagement",
                    name,
                    Advance(probability=step) if step else Open(title=name),
                    actor="ann",
                    key=f"{name}/{step}",
                )
                reached[name] = step + 1
            if done.is_set():
                return

    async with (
        Process(store.url, isolation, patience=30.0) as process,
        relaying(process, kafka, isolation),
    ):
        loads = [asyncio.create_task(load(process, client)) for client in range(4)]
        for server in (store, kafka, store):
            await until(partial(more_than, reached, sum(reached.values()) + 60))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        done.set()
        await asyncio.gather(*loads)
        await until(lambda: has(kafka, topic, sum(reached.values())), limit=60.0)
    sequences = by_key(await on_topic(kafka.bootstrap, topic))
    assert {key: len(first_seen(numbers)) for key, numbers in sequences.items()} == reached


async def test_a_record_that_kafka_refuses_is_reported_until_it_is_accepted(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    topic = SALES.topic(isolation)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 3, 1, topic_configs={"max.message.bytes": "9"})])
        async with Process(store.url, isolation) as process:
            await grow(process, deals=1, steps=1)
            async with relaying(process, kafka, isolation) as relay:
                await until(lambda: relay.refused is not None)
                assert f"{topic} refuses" in (relay.refused or "")
                assert "of E-0: MessageSizeTooLargeError" in (relay.refused or "")
                bound = {"max.message.bytes": "1048576"}
                await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, bound)])
                await until(lambda: has(kafka, topic, 1))
                await until(lambda: relay.refused is None)
    finally:
        await admin.close()
