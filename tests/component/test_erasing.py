"""Test that an erased person is removed from a real topic, not only covered by a tombstone."""

from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.kafka.topics import create_topics
from contracts.channels import DELIVERY_REFERENCE, PARTITIONS
from local.kafka import Kafka
from tests.component.sample_department import PEOPLE, Process, Publish, until
from tests.component.test_relay import relaying
from tests.infrastructure import StoreServer

PEOPLE_NAMED = ("ann", "bob", "cleo")


async def readable(bootstrap: str, topic: str) -> bytes:
    """Return the values, joined, of all records that a consumer gets from the first offset on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    values = b""
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                values += b"".join(record.value or b"" for record in batch)
    finally:
        await consumer.stop()
    return values


async def test_an_erased_person_leaves_the_topic(
    store: StoreServer, isolation: str, tmp_path: Path
) -> None:
    topic = DELIVERY_REFERENCE.topic(isolation)
    # A broker checks four times a minute what it may compact; this one, five times a second.
    with Kafka(tmp_path, settings={"log.cleaner.backoff.ms": "200"}) as kafka:
        await create_topics(kafka.bootstrap, isolation, channels=(DELIVERY_REFERENCE,))
        async with (
            Process(store.url, isolation, deciders=(PEOPLE,)) as process,
            relaying(process, kafka, isolation),
        ):

            async def names_on_topic() -> set[str]:
                values = (await readable(kafka.bootstrap, topic)).decode()
                return {name for name in PEOPLE_NAMED if f"{name}'s name" in values}

            async def has_names(*names: str) -> bool:
                return await names_on_topic() == set(names)

            for name in PEOPLE_NAMED:
                publish = Publish(name=f"{name}'s name")
                await process.engine.command("person", name, publish, actor="hr", key=name)
            await until(lambda: has_names(*PEOPLE_NAMED))

            for name in ("bob", "cleo"):
                await process.engine.erase("person", name, actor="hr", key=f"erase {name}")

            await until(lambda: has_names("ann"), limit=15)
