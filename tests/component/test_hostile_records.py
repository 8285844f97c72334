"""Test that invalid records on a real Kafka stop no other event.

Each kind is an example of what an attacker, a broken client or a newer version may publish.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from chassis.base.partitioning import partition_of
from chassis.domain.stream import PassedOver
from chassis.kafka import routing
from chassis.kafka.consumer import Consumer
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.parked_record import ParkedRecord
from chassis.kafka.parked_retry import NotInTrouble
from contracts import event as events
from contracts.channels import LEGAL, PARTITIONS, SALES
from contracts.event import EVENTS, Event, Recorded, encode
from tests import hostile_records
from tests.component.consumer_harness import (
    Scene,
    aside_in,
    open_scene,
    parked_in,
    said,
    until,
)
from tests.component.sample_app import until as until_it_is
from tests.infrastructure import KafkaServer, StoreServer


@pytest.fixture
async def scene(kafka: KafkaServer, store: StoreServer, isolation: str) -> AsyncIterator[Scene]:
    async with open_scene(kafka, store, isolation) as opened:
        yield opened


EVENT = orjson.loads(encode(said("E-1", 2)))
"""Sales' second event of E-1."""


def forged(sequence: object = 2, **attributes: object) -> bytes:
    """Return the event with some attributes replaced."""
    return hostile_records.written(EVENT, streamsequence=sequence, **attributes)


NO_EVENTS = hostile_records.no_events(EVENT, orjson.loads(encode(said("E-1", 1, LEGAL))))


async def test_records_that_are_no_events_are_set_aside_and_all_others_consumed(
    scene: Scene,
) -> None:
    """Move no position for them: the genuine event of a number that one claims is consumed."""
    await scene.topics.say(said("E-1", 1))
    places = {
        await scene.topics.put(SALES, b"E-1", value): name for name, value in NO_EVENTS.items()
    }
    await scene.topics.say(said("E-1", 2), said("E-1", 3), said("E-2", 1))

    async with scene.listener() as consumer:
        await until(lambda: len(scene.reader.heard["E-1"]) == 3 and scene.reader.heard["E-2"])
        await until(lambda: consumer.account.consumed == len(places) + 4)

        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]
        aside = await aside_in(consumer.parked_records)
        assert {places[each.id] for each in aside} == set(NO_EVENTS)
        assert {each.raw for each in aside} == set(NO_EVENTS.values())
        assert all(each.sentence for each in aside)
        assert await parked_in(consumer.parked_records) == []
        assert (consumer.account.taken, consumer.account.aside) == (4, len(places))
        assert consumer.account.unaccounted == 0
        await until(lambda: consumer.not_ready() is None)


@pytest.mark.parametrize("traceparent", [[], {}, 7, "00-" + "f" * 9_000, None])
async def test_no_traceparent_keeps_an_event_from_being_consumed(
    scene: Scene, traceparent: object
) -> None:
    await scene.topics.put(SALES, b"E-1", forged(1, traceparent=traceparent))
    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1"])
        assert consumer.account.aside == 0


@pytest.mark.parametrize("kind", hostile_records.unreadable_data(EVENT))
async def test_an_event_with_unreadable_data_parks_its_engagement(scene: Scene, kind: str) -> None:
    await scene.topics.say(said("E-1", 1))
    place = await scene.topics.put(SALES, b"E-1", hostile_records.unreadable_data(EVENT)[kind])
    await scene.topics.say(said("E-1", 3), said("E-2", 1))

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-2"] and "E-1" in consumer.parked_records)
        await until(lambda: consumer.account.consumed == 4)
        head = consumer.parked_records.heads["E-1"]
        assert (head.code, head.sequence) == ("unreadable", 2)
        assert head.sentence.startswith("data.")
        await until(lambda: scene.reader.waiting == {"E-1": "unreadable"})
        assert (consumer.account.taken, consumer.account.parked) == (2, 2)

        # The number may have been forged: then the genuine event of this number comes later.
        await consumer.set_aside("E-1", place, by="olga", why="sales has published another")
        await scene.topics.say(said("E-1", 2))
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"])
        await until(lambda: "E-1" not in consumer.parked_records)
        await until(lambda: scene.reader.waiting == {})


async def test_a_forged_number_moves_no_position(scene: Scene) -> None:
    """Publish a valid event as number 5,000: no genuine event is then taken for a repeat."""
    await scene.topics.say(said("E-1", 1))
    place = await scene.topics.put(SALES, b"E-1", encode(said("E-1", 5_000)))
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)
        await scene.topics.say(said("E-1", 2), said("E-1", 3))
        await until(lambda: len(scene.reader.heard["E-1"]) == 3)

        assert scene.reader.passed_over == []
        done = await consumer.set_aside("E-1", place, by="olga", why="sales has published three")
        assert (done.taken, done.waiting, done.head) == (0, 0, None)

        await scene.topics.say(said("E-1", 4))
        await until(lambda: scene.reader.heard["E-1"] == [f"sales-{n}" for n in (1, 2, 3, 4)])


async def test_another_event_of_a_number_is_set_aside_once_though_all_is_read_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.topics.say(said("E-1", 1))
    await scene.topics.put(SALES, b"E-1", forged(2, id="another"))
    place = await scene.topics.put(SALES, b"E-1", encode(said("E-1", 2)))
    await scene.topics.say(said("E-1", 3))
    with caplog.at_level(logging.ERROR, "chassis.kafka.batch_processor"):
        for _ in range(2):
            async with scene.listener() as consumer:
                await until(lambda: consumer.account.consumed == 4)
                assert (consumer.account.taken, consumer.account.aside) == (3, 1)
                assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]
                (aside,) = await aside_in(consumer.parked_records)
                assert (aside.id, aside.code, aside.sequence) == (place, "other-event", 2)
                assert not consumer.parked_records.heads
            scene.reader.reads_again = True
    logged = [each.getMessage() for each in caplog.records if "set aside" in each.getMessage()]
    assert len(logged) == 1
    assert f"{place} is set aside: another event, another, was taken in as sales 2" in logged[0]


async def test_another_event_of_a_number_is_set_aside_when_parked_records_are_retried(
    scene: Scene,
) -> None:
    """Let both wait for a missing event: a later retry does not take the second for a repeat."""
    await scene.topics.say(said("E-1", 3))
    place = await scene.topics.put(SALES, b"E-1", forged(3, id="another"))
    await scene.topics.say(said("E-1", 4), said("E-1", 2))
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)
        await scene.topics.say(said("E-1", 1), *(said("E-1", number) for number in range(5, 10)))
        await until(
            lambda: "sales-9" in scene.reader.heard["E-1"] and not consumer.parked_records.heads
        )
        assert scene.reader.heard["E-1"] == [f"sales-{number}" for number in range(1, 10)]
        with pytest.raises(NotInTrouble):
            await consumer.retry("E-1", by="olga")
        (aside,) = await aside_in(consumer.parked_records)
        assert (aside.id, aside.code) == (place, "other-event")


async def test_an_event_that_was_passed_over_and_comes_late_is_kept(scene: Scene) -> None:
    await scene.topics.say(said("E-1", 1), said("E-1", 3), said("E-1", 4))
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)
        first, *_ = await consumer.parked_records.look("E-1")
        await consumer.skip("E-1", first.id, by="olga", why="lost in a fire", published=4)

        await scene.topics.say(said("E-1", 2), said("E-1", 5))
        await until(lambda: "sales-5" in scene.reader.heard["E-1"])

        async def it_is_kept() -> bool:
            aside = await aside_in(consumer.parked_records)
            return [(each.code, each.sequence) for each in aside] == [("passed-over", 2)]

        await until_it_is(it_is_kept)


async def test_an_unknown_type_waits_for_a_newer_version_and_is_tried_by_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = encode(said("E-1", 2)).replace(b"opportunity-advanced", b"opportunity-sung")
    await scene.topics.say(said("E-1", 1))
    await scene.topics.put(SALES, b"E-1", newer)
    await scene.topics.say(said("E-1", 3), said("E-2", 1))

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-2"] and "E-1" in consumer.parked_records)
        head = consumer.parked_records.heads["E-1"]
        assert (head.code, head.is_parked) == ("newer-version", False)
        assert "concord.sales.opportunity-sung.v1" in head.sentence
        await until(lambda: scene.reader.waiting == {"E-1": "newer-version"})
        assert consumer.unaccounted() is None

    kind = EVENTS["concord.sales.opportunity-advanced.v1"]
    monkeypatch.setitem(events.EVENTS, "concord.sales.opportunity-sung.v1", kind)
    async with scene.listener() as consumer:
        await until(lambda: len(scene.reader.heard["E-1"]) == 3)
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"]
        await until(lambda: "E-1" not in consumer.parked_records)
        await until(lambda: scene.reader.waiting == {})


async def test_a_process_that_ended_after_a_decision_leaves_nothing_waiting(scene: Scene) -> None:
    """Store that a record is set aside and events are passed over, but do not retry the rest."""
    bad = await scene.topics.put(SALES, b"E-1", forged(1, data={}))
    await scene.topics.say(said("E-2", 3))
    async with scene.listener() as consumer:
        await until(lambda: consumer.parked_records.heads.keys() == {"E-1", "E-2"})
        await scene.topics.say(said("E-1", 1, LEGAL))
        await until(lambda: consumer.account.parked == 3)
        first, *_ = await consumer.parked_records.look("E-1")
    assert first.id == bad
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    passed = PassedOver(channel="sales", first=1, last=2, by="olga", why="lost in a fire", at=now)
    parking = ParkedRecordStore(scene.store.parked)
    await parking.put_aside(first, "olga", "it was never published")
    await parking.remember("E-2", passed)
    await scene.reader.pass_over("E-2", passed)

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-1"] == ["legal-1"])
        await until(lambda: scene.reader.heard["E-2"] == ["sales-3"])
        await until(lambda: not consumer.parked_records.heads)
        assert await parked_in(consumer.parked_records) == []


async def test_a_topic_refuses_a_record_that_only_compression_makes_small(scene: Scene) -> None:
    """Send 20 MiB of spaces in some kilobytes: a consumer would need memory for all of them."""
    huge = b"{" + b" " * (20 * 2**20)
    topic = SALES.topic(scene.prefix)
    async with AIOKafkaProducer(
        bootstrap_servers=scene.bootstrap, compression_type="gzip", max_request_size=2**26
    ) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, huge, b"E-1")
        await producer.send_and_wait(topic, encode(said("E-1", 1)), b"E-1")

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1"])
        assert consumer.account.consumed == 1


async def test_transaction_markers_do_not_count_as_lost_records(scene: Scene) -> None:
    """Leave offsets to markers, which no consumer gets; the last one is the end of the topic."""
    topic = SALES.topic(scene.prefix)
    async with AIOKafkaProducer(
        bootstrap_servers=scene.bootstrap, transactional_id=scene.prefix
    ) as producer:
        for sequence in (1, 2, 3):
            async with producer.transaction():
                await producer.send_and_wait(topic, encode(said("E-1", sequence)), b"E-1")

    async with scene.listener() as consumer:
        await until(lambda: scene.reader.heard["E-1"] == ["sales-1", "sales-2", "sales-3"])
        assert consumer.unaccounted() is None
        await until(
            lambda: consumer.progress.lag and not any(consumer.progress.lag.values()), limit=20
        )
        await until(lambda: len(consumer.caught_up.seen) == PARTITIONS, limit=20)


async def test_a_header_whose_name_is_no_text_stops_no_consumer(scene: Scene) -> None:
    """Consume a record at which the client would raise each time; no producer can write one."""
    await scene.topics.say(said("E-1", 1))
    place = TopicPartition(SALES.topic(scene.prefix), partition_of("E-1"))
    batch = _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=100_000,
    )
    batch.append(0, 1, b"E-1", encode(said("E-1", 2)), headers=[("??", b"x")])
    at = batch._buffer.index(b"??")
    batch._buffer[at : at + 2] = b"\xff\xfe"
    async with AIOKafkaProducer(bootstrap_servers=scene.bootstrap) as producer:
        await producer.partitions_for(place.topic)
        node = producer.client.cluster.leader_for_partition(place)
        written = [(place.topic, [(place.partition, bytes(batch.build()))])]
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=10_000, topics=written
        )
        answer = await producer.client.send(node, request)
        assert answer.topics[0][1][0][1] == 0
    await scene.topics.say(said("E-1", 3))

    async with scene.listener() as consumer:
        await until(lambda: len(scene.reader.heard["E-1"]) == 3)
        assert consumer.account.taken == 3


async def test_invalid_records_of_one_key_do_not_slow_its_engagement(scene: Scene) -> None:
    """Do not read all records that were set aside with every event that waits."""
    for _ in range(200):
        await scene.topics.put(SALES, b"E-1", b"{oops")
    await scene.topics.say(said("E-1", 3), said("E-1", 2), said("E-1", 1))
    read: list[str] = []
    event = ParkedRecord.event

    def counted(record: ParkedRecord) -> Recorded[Event] | None:
        read.append(record.id)
        return event(record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ParkedRecord, "event", counted)
        async with scene.listener() as consumer:
            await until(lambda: len(scene.reader.heard["E-1"]) == 3)
            await until(lambda: not consumer.parked_records.heads)
    assert len(read) < 20


async def test_records_that_wait_are_retried_together(scene: Scene) -> None:
    """Retry in batches: one by one, thousands would delay other engagements for too long."""
    bad = await scene.topics.put(SALES, b"E-1", forged(1, data={}))
    await scene.topics.say(*(said("E-1", number) for number in range(2, 301)), said("E-1", 1))
    async with scene.listener() as consumer:
        await until(lambda: consumer.account.parked == 301)
        before = len(scene.reader.batches)
        done = await consumer.set_aside("E-1", bad, by="olga", why="it was never published")
        assert (done.taken, done.waiting) == (300, 0)
        assert scene.reader.heard["E-1"] == [f"sales-{number}" for number in range(1, 301)]
        assert len(scene.reader.batches) - before <= 3
        assert await parked_in(consumer.parked_records) == []


async def test_parked_records_are_kept_when_everything_is_read_again(scene: Scene) -> None:
    """Park the engagement again where it was parked, with the same events consumed before."""
    await scene.topics.say(said("E-1", 1))
    bad = await scene.topics.put(SALES, b"E-1", forged(2, data={}))
    async with scene.listener() as consumer:
        await until(lambda: "E-1" in consumer.parked_records)
        await scene.topics.say(said("E-1", 1, LEGAL))
        await until(lambda: consumer.account.parked == 2)
    assert scene.reader.heard["E-1"] == ["sales-1"]
    scene.reader.reads_again = True

    async with scene.listener() as consumer:
        await until(lambda: not scene.reader.reads_again)
        await until(
            lambda: "sales-1" in scene.reader.heard["E-1"] and "E-1" in consumer.parked_records
        )
        first, *_ = await consumer.parked_records.look("E-1")
        assert (first.id, first.code) == (bad, "unreadable")
        await consumer.set_aside("E-1", bad, by="olga", why="it was never published")
        await until(lambda: sorted(scene.reader.heard["E-1"]) == ["legal-1", "sales-1"])
        await until(lambda: not consumer.parked_records.heads)


async def test_a_retry_consumes_what_an_older_version_could_not_read(scene: Scene) -> None:
    await scene.topics.say(said("E-1", 1))
    await scene.topics.put(SALES, b"E-1", forged(2, specversion="1.1"))
    async with scene.listener() as consumer:
        await until(lambda: consumer.account.aside == 1)
        # A newer version can read it; here the stored record is repaired instead.
        await scene.store.parked.update_one({"state": "aside"}, {"$set": {"raw": forged(2)}})
        done = await consumer.retry("E-1", by="olga")
        assert done.taken == 1
        assert scene.reader.heard["E-1"] == ["sales-1", "sales-2"]
        assert await aside_in(consumer.parked_records) == []


async def test_an_event_on_a_wrong_partition_is_not_taken_in_by_a_later_retry(
    scene: Scene,
) -> None:
    """Set aside a valid event with the next number, because its partition is wrong."""
    await scene.topics.say(said("E-1", 1))
    beside = (partition_of("E-1") + 1) % PARTITIONS
    place = await scene.topics.put(SALES, b"E-1", forged(2), partition=beside)
    async with scene.listener() as consumer:
        await until(lambda: consumer.account.consumed == 2)
        with pytest.raises(NotInTrouble):
            await consumer.retry("E-1", by="olga")
        assert scene.reader.heard["E-1"] == ["sales-1"]
        assert [(each.id, each.code) for each in await aside_in(consumer.parked_records)] == [
            (place, "wrong-partition")
        ]


async def test_an_error_outside_of_any_engagement_is_isolated_to_its_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set one record aside for an exception, of any kind, that no event handler catches."""
    sort_out = routing.route_batch

    def breaks(arrivals, parked, routes):
        if any(each.key == "E-17" for each in arrivals):
            raise OverflowError("date value out of range")
        return sort_out(arrivals, parked, routes)

    monkeypatch.setattr("chassis.kafka.batch_processor.route_batch", breaks)
    await scene.topics.say(*(said(f"E-{number}", 1) for number in range(60)))
    async with scene.listener() as consumer:
        await until(lambda: len(scene.reader.heard) == 59)
        await until(lambda: consumer.account.consumed == 60)
        (aside,) = await aside_in(consumer.parked_records)
        assert (aside.engagement, aside.code) == ("E-17", "not-handled")
        assert "E-17" not in scene.reader.heard


async def test_records_that_did_not_arrive_are_read_again(scene: Scene) -> None:
    """Lose one batch, as the client does when an exception leaves the handler."""
    swallowed: list[int] = []

    class Swallows(Consumer):
        async def _handle(self, arrivals: list[Arrival]) -> None:
            if not swallowed:
                swallowed.append(len(arrivals))
                raise OverflowError("date value out of range")
            await super()._handle(arrivals)

    async with scene.listener(batch=5, kind=Swallows) as consumer:
        await until(lambda: consumer.progress.joined)
        for sequence in (1, 2, 3):
            await scene.topics.say(*(said(f"E-{number}", sequence) for number in range(20)))
            await asyncio.sleep(0.05)
        await until(lambda: sum(scene.reader.times.values()) == 60)
        assert swallowed
        for number in range(20):
            assert scene.reader.heard[f"E-{number}"] == ["sales-1", "sales-2", "sales-3"]
        assert consumer.parked_records.heads == {}
        assert consumer.unaccounted() is None
