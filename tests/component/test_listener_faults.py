"""Test consumption and readiness while Kafka or the store is down."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chassis.application.event_handler import stream_router
from chassis.kafka.consumer import Consumer
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.parked_retry import NotProven
from chassis.kafka.topics import create_topics
from contracts.channels import DELIVERY
from tests.component.consumer_harness import Topics, parked_in, topics, until
from tests.component.sample_department import DEALS, Deal, Process, assigned
from tests.component.sample_department import until as until_answered
from tests.infrastructure import KafkaServer, StoreServer

pytestmark = pytest.mark.long


def department(bootstrap: str, prefix: str, process: Process) -> Consumer:
    """Return the consumer of a small department that reacts to the first manager with an event."""
    return Consumer(
        bootstrap,
        group=f"{prefix}-sales",
        channels=(DELIVERY,),
        router=stream_router([DEALS]),
        event_handler=process.event_handler,
        parked_records=ParkedRecordStore(process.store.parked),
        prefix=prefix,
    )


@asynccontextmanager
async def speaking(kafka: KafkaServer, prefix: str) -> AsyncIterator[Topics]:
    await create_topics(kafka.bootstrap, prefix, channels=(DELIVERY,))
    async with topics(kafka.bootstrap, prefix) as publisher:
        yield publisher


async def heard(process: Process, engagement: str) -> tuple[str | None, tuple[int, ...]]:
    known = await process.repository.current(f"engagement:{engagement}")
    state: Deal = known.stream.state
    return state.manager, state.chances


async def everybody_heard(process: Process, engagements: list[str], manager: str) -> None:
    """Wait until engagements have this manager, and the reaction to the first exactly once."""

    async def all_have() -> bool:
        return {await heard(process, each) for each in engagements} == {(manager, (50,))}

    await until_answered(all_have)


ENGAGEMENTS = [f"E-{number}" for number in range(30)]


@pytest.mark.fault
async def test_kafka_goes_and_comes_back(
    fresh_kafka: Callable[..., KafkaServer], store: StoreServer, isolation: str
) -> None:
    kafka = fresh_kafka()
    async with (
        Process(store.url, isolation) as process,
        department(kafka.bootstrap, isolation, process) as consumer,
    ):
        assert consumer.not_ready() is not None
        async with speaking(kafka, isolation) as publisher:
            await publisher.say(*(assigned(each, 1, "max") for each in ENGAGEMENTS))
        await everybody_heard(process, ENGAGEMENTS, "max")
        await until(lambda: consumer.not_ready() is None)

        kafka.kill()
        await until(lambda: consumer.not_ready() is not None, limit=30)
        kafka.start()

        async with speaking(kafka, isolation) as publisher:
            await publisher.say(*(assigned(each, 2, "eva") for each in ENGAGEMENTS))
        await everybody_heard(process, ENGAGEMENTS, "eva")
        await until(lambda: consumer.not_ready() is None, limit=60)
        assert await parked_in(consumer.parked_records) == []


@pytest.mark.fault
async def test_the_store_goes_and_comes_back_and_nothing_is_parked(
    kafka: KafkaServer, fresh_store: Callable[[], StoreServer], isolation: str
) -> None:
    store = fresh_store()
    async with (
        Process(store.url, isolation, patience=0.5) as process,
        speaking(kafka, isolation) as publisher,
        department(kafka.bootstrap, isolation, process) as consumer,
    ):
        await publisher.say(*(assigned(each, 1, "max") for each in ENGAGEMENTS))
        await everybody_heard(process, ENGAGEMENTS, "max")

        store.kill()
        await publisher.say(*(assigned(each, 2, "eva") for each in ENGAGEMENTS))
        await until(lambda: "StoreAway" in (consumer.not_ready() or ""))
        store.start()

        await everybody_heard(process, ENGAGEMENTS, "eva")
        await until(lambda: consumer.not_ready() is None)
        assert await parked_in(consumer.parked_records) == []


@pytest.mark.fault
async def test_a_stop_does_not_wait_for_a_store_that_is_away(
    kafka: KafkaServer, fresh_store: Callable[[], StoreServer], isolation: str
) -> None:
    store = fresh_store()
    async with speaking(kafka, isolation) as publisher:
        async with Process(store.url, isolation, patience=0.5) as process:
            async with department(kafka.bootstrap, isolation, process) as consumer:
                await publisher.say(assigned("E-1", 1, "max"))
                await everybody_heard(process, ["E-1"], "max")
                store.kill()
                await publisher.say(assigned("E-1", 2, "eva"))
                await until(lambda: "StoreAway" in (consumer.not_ready() or ""))
            store.start()
        async with (
            Process(store.url, isolation) as process,
            department(kafka.bootstrap, isolation, process),
        ):
            await everybody_heard(process, ["E-1"], "eva")


@pytest.mark.fault
@pytest.mark.parametrize("takes_away", ["kill", "pause"])
async def test_a_stop_does_not_wait_for_kafka(
    fresh_kafka: Callable[..., KafkaServer], store: StoreServer, isolation: str, takes_away: str
) -> None:
    kafka = fresh_kafka()
    async with Process(store.url, isolation) as process, speaking(kafka, isolation) as publisher:
        consumer = department(kafka.bootstrap, isolation, process)
        async with consumer:
            await publisher.say(assigned("E-1", 1, "max"))
            await everybody_heard(process, ["E-1"], "max")
            getattr(kafka, takes_away)()
            began = time.monotonic()
        # Far less than the time limits of the Kafka client, for which it would otherwise wait.
        assert time.monotonic() - began < 12
        if takes_away == "pause":
            kafka.resume()
        else:
            kafka.start()


async def test_a_skipped_event_is_in_the_journal_with_who_and_why(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> None:
    async with (
        Process(store.url, isolation) as process,
        speaking(kafka, isolation) as publisher,
        department(kafka.bootstrap, isolation, process) as consumer,
    ):
        await publisher.say(assigned("E-1", 1, "max"), assigned("E-1", 3, "eva"))
        await until(lambda: "E-1" in consumer.parked_records)
        (parked,) = await consumer.parked_records.look("E-1")

        with pytest.raises(NotProven, match="nothing but delivery itself says"):
            await consumer.skip("E-1", parked.id, by="olga", why="lost in a fire")
        with pytest.raises(NotProven, match="has published 2 events"):
            await consumer.skip("E-1", parked.id, by="olga", why="lost", published=2)
        await consumer.skip("E-1", parked.id, by="olga", why="lost in a fire", published=3)

        assert await heard(process, "E-1") == ("eva", (50,))
        commits = [each async for each in process.journal.read("engagement:E-1")]
        (skipped,) = [each for each in commits if each.command == "pass-over"]
        assert skipped.passed_over is not None
        assert (skipped.actor, skipped.passed_over.why) == ("olga", "lost in a fire")
        assert skipped.position["delivery"] == 2
