"""Test the consumer with valid, invalid and missing events, on a real Kafka and a real store."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.kafka.parked_retry import NotInTrouble
from contracts.channels import LEGAL, SALES
from contracts.event import encode
from tests.component.consumer_harness import (
    Counting,
    Scene,
    aside_in,
    open_scene,
    parked_in,
    said,
    sound,
    until,
)
from tests.component.sample_app import until as until_it_is
from tests.infrastructure import KafkaServer, StoreServer


@pytest.fixture
async def scene(kafka: KafkaServer, store: StoreServer, isolation: str) -> AsyncIterator[Scene]:
    async with open_scene(kafka, store, isolation) as opened:
        yield opened


async def test_events_of_many_engagements_arrive_in_order_and_in_batches(scene: Scene) -> None:
    engagements = [f"E-{number}" for number in range(100)]
    for sequence in (1, 2, 3):
        await scene.topics.say(*(said(each, sequence) for each in engagements))
        await scene.topics.say(*(said(each, sequence, LEGAL) for each in engagements))

    async with scene.listener() as consumer:
        await until(
            lambda: len(scene.reader.times) == 6 and sum(scene.reader.times.values()) == 600
        )
        await until(lambda: consumer.not_ready() is None)
        await until(lambda: sum(consumer.progress.lag.values()) == 0)

    for each in engagements:
        assert [name for name in scene.reader.heard[each] if "sales" in name] == [
            "sales-1",
            "sales-2",
            "sales-3",
        ]
    assert len(scene.reader.batches) < 60


async def test_a_restart_continues_where_it_was(scene: Scene) -> None:
    reader = Counting(dedupe=False)
    await scene.topics.say(*(said(f"E-{number}", 1) for number in range(50)))
    async with scene.listener(reader):
        await until(lambda: len(reader.heard) == 50)
    await scene.topics.say(*(said(f"E-{number}", 2) for number in range(50)))
    async with scene.listener(reader):
        await until(lambda: sum(reader.times.values()) == 100)

    assert all(ids == ["sales-1", "sales-2"] for ids in reader.heard.values())


async def test_a_record_without_engagement_is_set_aside_and_delays_no_other(scene: Scene) -> None:
    no_key = await scene.topics.put(SALES, None, b"who am I")
    no_text = await scene.topics.put(SALES, b"\xff\xfe", encode(said("E-1", 1)))
    await scene.topics.put(SALES, b"E-1", encode(said("E-1", 1)), [("x", b"\xff\xfe")])
    await scene.topics.say(said("E-2", 1))

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-1"] and scene.reader.heard["E-2"])

        async def both_are_aside() -> bool:
            aside = await aside_in(consumer.parked_records)
            return {each.id for each in aside} == {no_key, no_text}

        await until_it_is(both_are_aside)
        assert await parked_in(consumer.parked_records) == []


async def test_a_field_that_is_new_does_no_harm_and_is_kept(scene: Scene) -> None:
    newer = encode(said("E-1", 1)).replace(b'"data":{', b'"data":{"mood":"good",')
    await scene.topics.put(SALES, b"E-1", newer)

    async with scene.listener():
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1"])

    assert scene.reader.whole == [newer]


async def test_a_missing_event_parks_its_engagement_until_it_arrives(scene: Scene) -> None:
    async with scene.listener() as consumer:
        await scene.topics.say(said("E-1", 1), said("E-1", 3), said("E-1", 4))
        await until(lambda: "E-1" in consumer.parked_records)
        await scene.topics.say(said("E-1", 1, LEGAL), said("E-2", 1))
        await until(lambda: scene.reader.heard["E-2"])
        head = consumer.parked_records.heads["E-1"]
        assert (head.code, head.channel, head.expected) == ("gap", "sales", 2)
        assert scene.reader.heard["E-1"][:1] == ["sales-1"]
        assert "sales-3" not in scene.reader.heard["E-1"]

        await scene.topics.say(said("E-1", 2))

        await until(lambda: len(scene.reader.heard["E-1"]) == 5)
        assert [name for name in scene.reader.heard["E-1"] if "sales" in name] == [
            "sales-1",
            "sales-2",
            "sales-3",
            "sales-4",
        ]
        await until(lambda: "E-1" not in consumer.parked_records)
        assert await parked_in(consumer.parked_records) == []


async def test_a_bug_parks_the_events_behind_it_and_a_retry_after_the_repair_takes_them(
    scene: Scene,
) -> None:
    def stumbles(recorded: object) -> Exception | None:
        return ZeroDivisionError("rate") if "E-1-sales-2" in repr(recorded) else None

    scene.reader.stumbles = stumbles
    await scene.topics.say(*(said("E-1", number) for number in (1, 2, 3)), said("E-2", 1))

    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records and scene.reader.heard["E-2"])
        assert scene.reader.heard["E-1"] == ["sales-1"]
        assert consumer.parked_records.heads["E-1"].sentence.startswith("ZeroDivisionError (")

        in_vain = await consumer.retry("E-1", by="olga")
        assert (in_vain.taken, in_vain.waiting) == (0, 2)

        scene.reader.stumbles = sound
        done = await consumer.retry("E-1", by="olga")
        assert (done.taken, done.waiting, done.head) == (2, 0, None)
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]

        with pytest.raises(NotInTrouble):
            await consumer.retry("E-1", by="olga")


async def test_parked_records_stay_parked_over_a_restart_and_can_be_skipped(scene: Scene) -> None:
    bad = encode(said("E-1", 2)).replace(b'"probability":"50"', b'"probability":"x"')
    await scene.topics.say(said("E-1", 1))
    place = await scene.topics.put(SALES, b"E-1", bad)
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)

    async with scene.listener() as consumer:
        await scene.topics.say(said("E-1", 3), said("E-2", 1))
        await until(lambda: scene.reader.heard["E-2"] and "E-1" in consumer.parked_records)
        async with asyncio.timeout(20):
            while len(parked := await consumer.parked_records.look("E-1")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert scene.reader.heard["E-1"] == ["sales-1"]

        _, waiting = parked
        with pytest.raises(NotInTrouble):
            await consumer.skip("E-1", waiting.id, by="olga", why="no")
        done = await consumer.skip("E-1", place, by="olga", why="sung by mistake")

        assert done.head is not None
        assert (done.head.code, done.head.expected) == ("gap", 2), "a bad record moves no position"
        (aside,) = await aside_in(consumer.parked_records)
        assert (aside.id, aside.by, aside.why) == (place, "olga", "sung by mistake")

        done = await consumer.skip("E-1", waiting.id, by="olga", why="it is not needed")
        assert (done.taken, done.waiting) == (1, 0)
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-3"]


async def test_a_missing_event_that_never_comes_can_be_passed_over(scene: Scene) -> None:
    await scene.topics.say(said("E-1", 1), said("E-1", 4), said("E-1", 5))
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)
        first, *_ = await consumer.parked_records.look("E-1")

        done = await consumer.skip("E-1", first.id, by="olga", why="lost in a fire", published=5)

        assert (done.taken, done.waiting) == (2, 0)
        ((_, passed),) = scene.reader.passed_over
        assert (passed.channel, passed.first, passed.last) == ("sales", 2, 3)
        assert (passed.by, passed.why) == ("olga", "lost in a fire")
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-4", "sales-5"]
        assert await consumer.parked_records.passed_over("E-1") == [passed]


async def test_two_consumers_under_load_take_every_event_once(scene: Scene) -> None:
    """Rely on the lock alone, without deduplication: no event comes twice in a rebalance."""
    readers = Counting(dedupe=False), Counting(dedupe=False)
    for reader in readers:
        reader.pause = 0.05
    engagements = [f"E-{number}" for number in range(60)]
    done = asyncio.Event()
    sequence = 0

    async def publish() -> None:
        nonlocal sequence
        while not done.is_set():
            sequence += 1
            await scene.topics.say(*(said(each, sequence) for each in engagements))
            await asyncio.sleep(0.02)  # the consumers run on this event loop, too

    def taken(reader: Counting) -> int:
        return sum(map(len, reader.heard.values()))

    async with asyncio.TaskGroup() as tasks, scene.listener(readers[0], batch=200):
        tasks.create_task(publish())
        await until(lambda: taken(readers[0]) > 1_000, limit=60)
        async with scene.listener(readers[1], batch=200):
            await until(lambda: taken(readers[1]) > 1_000, limit=60)
        before = taken(readers[0])
        await until(lambda: taken(readers[0]) > before + 1_000, limit=60)
        done.set()
        await until(lambda: sum(map(taken, readers)) >= 60 * sequence, limit=180)

    for each in engagements:
        both = readers[0].heard[each] + readers[1].heard[each]
        assert sorted(both, key=lambda name: int(name.split("-")[1])) == [
            f"sales-{number}" for number in range(1, sequence + 1)
        ]


async def test_a_request_reaches_the_process_that_reads_the_engagement(scene: Scene) -> None:
    """Send a request to the process of a department that does not have the partition."""
    readers = Counting(), Counting()
    repaired = False

    def stumbles(recorded: object) -> Exception | None:
        return None if repaired else ZeroDivisionError("rate")

    for reader in readers:
        reader.stumbles = stumbles
    async with scene.listener(readers[0]) as first, scene.listener(readers[1]) as second:
        both = first, second
        await until(lambda: all(each.not_ready() is None for each in both), limit=40)
        await scene.topics.say(said("E-1", 1), said("E-1", 2))
        await until(lambda: any("E-1" in each.parked_records for each in both))
        owner, other = both if "E-1" in first.parked_records else (second, first)
        await until(lambda: sum(owner.progress.lag.values()) == 0)

        repaired = True
        attempt = await other.retry("E-1", by="olga")

        assert attempt.asked
        await until(lambda: "E-1" not in owner.parked_records)
        consumed = readers[0].heard["E-1"] + readers[1].heard["E-1"]
        assert consumed == ["sales-1", "sales-2"]
