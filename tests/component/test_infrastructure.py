"""Test that what Kafka and the store acknowledged is kept when they are killed."""

from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from tests.infrastructure import KafkaServer, StoreServer

Ways = Callable[[KafkaServer | StoreServer], None]


def kill(server: KafkaServer | StoreServer) -> None:
    server.kill()


def stop(server: KafkaServer | StoreServer) -> None:
    server.stop()


async def create_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, numbers: range) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for number in numbers:
            await producer.send_and_wait(topic, str(number).encode(), key=b"engagement")
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str, count: int) -> list[int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [int((await consumer.getone()).value or b"") for _ in range(count)]
    finally:
        await consumer.stop()


@pytest.mark.fault
@pytest.mark.parametrize("end", [kill, stop])
async def test_kafka_keeps_what_it_acknowledged(
    fresh_kafka: Callable[..., KafkaServer], end: Ways
) -> None:
    kafka = fresh_kafka()
    await create_topic(kafka.bootstrap, "events")
    await produce(kafka.bootstrap, "events", range(50))

    end(kafka)
    kafka.start()

    await produce(kafka.bootstrap, "events", range(50, 60))
    assert await consume(kafka.bootstrap, "events", 60) == list(range(60))


@pytest.mark.fault
@pytest.mark.parametrize("end", [kill, stop])
async def test_the_store_keeps_what_it_acknowledged(
    fresh_store: Callable[[], StoreServer], end: Ways
) -> None:
    store = fresh_store()
    client: AsyncIOMotorClient[dict[str, int]] = AsyncIOMotorClient(store.url)
    commits = client["sales"]["commits"]
    await commits.insert_many([{"_id": number} for number in range(100)])
    for number in range(100, 120):
        await commits.insert_one({"_id": number})

    end(store)
    store.start()

    read = [document["_id"] async for document in commits.find().sort("_id")]
    assert read == list(range(120))
    await commits.insert_one({"_id": 120})
    client.close()


async def test_tests_share_one_kafka_and_one_store(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    await create_topic(kafka.bootstrap, isolation)
    await produce(kafka.bootstrap, isolation, range(3))
    assert await consume(kafka.bootstrap, isolation, 3) == [0, 1, 2]

    client: AsyncIOMotorClient[dict[str, str]] = AsyncIOMotorClient(store.url)
    await client[isolation]["words"].insert_one({"_id": "a"})
    assert await client[isolation]["words"].count_documents({}) == 1
    client.close()


@pytest.mark.fault
@pytest.mark.long
async def test_one_broker_of_three_may_die(fresh_kafka: Callable[..., KafkaServer]) -> None:
    from local.kafka import Kafka

    kafka = fresh_kafka(brokers=3)
    assert isinstance(kafka, Kafka)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("events", num_partitions=1, replication_factor=3)])
    await admin.close()
    await produce(kafka.bootstrap, "events", range(10))

    kafka.kill_node(1)

    await produce(kafka.bootstrap, "events", range(10, 20))
    assert await consume(kafka.bootstrap, "events", 20) == list(range(20))
