"""Helpers for tests of the consumer: events, a publisher, and an event handler that counts."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis.application.ports import Batch
from chassis.base.partitioning import partition_of
from chassis.domain.latest_ids import with_latest
from chassis.domain.stream import Gap, NotDecoded, NotTakenIn, PassedOver, is_next
from chassis.domain.trouble import Head
from chassis.eventstore.journal import kafka_key
from chassis.eventstore.mongo import Store
from chassis.kafka.consumer import Consumer
from chassis.kafka.parked import ParkedEngagement, ParkedRecordStore
from chassis.kafka.parked_record import ParkedRecord
from chassis.kafka.topics import create_topics
from contracts.channels import DELIVERY, LEGAL, SALES, Channel
from contracts.delivery import EngagementResumed
from contracts.event import Event, Recorded, encode, whole
from contracts.legal import FileOpened
from contracts.sales import OpportunityAdvanced
from tests.infrastructure import KafkaServer, StoreServer

CHANNELS = (SALES, LEGAL, DELIVERY)
MOMENT = datetime(2026, 3, 2, 9, tzinfo=UTC)

EVENTS: Mapping[Channel, Event] = {
    SALES: OpportunityAdvanced(pipeline_stage="proposing", probability=Decimal(50)),
    LEGAL: FileOpened(account="A-1", title="Migration"),
    DELIVERY: EngagementResumed(resumed_on=date(2026, 3, 2)),
}


def said(
    engagement: str, sequence: int, channel: Channel = SALES, event: Event | None = None
) -> Recorded[Event]:
    """Return a recorded event of an engagement."""
    return Recorded(
        id=f"{engagement}-{channel.name}-{sequence}",
        subject=engagement,
        sequence=sequence,
        event=event or EVENTS[channel],
        actor="ann",
        cause="test",
        occurred_at=MOMENT,
        recorded_at=MOMENT,
        heard={},
    )


class Topics:
    """Publishes valid and invalid records on the topics of one prefix."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def say(self, *events: Recorded[Event]) -> None:
        sent = [
            await self._producer.send(
                each.channel.topic(self._prefix), encode(each), kafka_key(each).encode()
            )
            for each in events
        ]
        await asyncio.gather(*sent)

    async def put(
        self,
        channel: Channel,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> str:
        """Publish any bytes; return the record's id, as in the list of parked records."""
        topic = channel.topic(self._prefix)
        sent = await self._producer.send_and_wait(
            topic, value, key, partition, headers=list(headers)
        )
        return f"{topic}/{sent.partition}/{sent.offset}"


@asynccontextmanager
async def topics(bootstrap: str, prefix: str) -> AsyncIterator[Topics]:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=2
    )
    await producer.start()
    try:
        yield Topics(producer, prefix)
    finally:
        await producer.stop()


IsBehind = Callable[[Sequence[Recorded[Event]]], Awaitable[bool]]


@asynccontextmanager
async def offsets(bootstrap: str, prefix: str, group: str) -> AsyncIterator[IsBehind]:
    """Ask Kafka whether a group's offsets are right behind these first events of the topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def is_behind(events: Sequence[Recorded[Event]]) -> bool:
        try:
            found = await admin.list_consumer_group_offsets(group)
        except KafkaError:  # the group has no coordinator yet
            return False
        committed = {(at.topic, at.partition): offset.offset for at, offset in found.items()}
        ends = Counter((each.channel.topic(prefix), partition_of(each.subject)) for each in events)
        return {place: offset for place, offset in committed.items() if offset} == ends

    await admin.start()
    try:
        yield is_behind
    finally:
        await admin.close()


def sound(recorded: Recorded[Event]) -> Exception | None:
    """Return no error for any event."""
    return None


class Counting:
    """An event handler that records what it processed, by engagement and in order.

    It checks sequences as streams do. `stumbles` returns the error with which an event fails.
    Without `dedupe` it processes repeated events again.
    """

    def __init__(self, *, dedupe: bool = True) -> None:
        self.heard: defaultdict[str, list[str]] = defaultdict(list)
        self.position: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.latest_ids: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        self.passed_over: list[tuple[str, PassedOver]] = []
        self.waiting: dict[str, str] = {}
        self.stumbles: Callable[[Recorded[Event]], Exception | None] = sound
        self.batches: list[int] = []
        self.whole: list[bytes] = []
        self.pause = 0.0
        self.reads_again = False
        """True if `given` is to ask for a rebuild from the first record."""
        self._dedupe = dedupe

    @property
    def times(self) -> Counter[str]:
        return Counter(name for names in self.heard.values() for name in names)

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        self.batches.append(sum(map(len, batch.values())))
        errors: dict[str, Exception] = {}
        await asyncio.sleep(self.pause)
        for stream, events in batch.items():
            for recorded in events:
                try:
                    error = self.stumbles(recorded)
                    if error is not None:
                        raise error
                    if self._dedupe and not self._is_next(stream, recorded):
                        continue
                except (Gap, NotDecoded, NotTakenIn, ArithmeticError, RuntimeError) as wrong:
                    errors[stream] = wrong
                    break
                channel = recorded.channel.name
                ids, last = self.latest_ids[stream], self.position[stream].get(channel, 0)
                ids[channel] = with_latest(ids.get(channel, ()), last, recorded)
                self.heard[recorded.subject].append(f"{recorded.channel.name}-{recorded.sequence}")
                self.position[stream][channel] = recorded.sequence
                self.whole.append(whole(recorded))
        return errors

    def _is_next(self, stream: str, recorded: Recorded[Event]) -> bool:
        last = self.position[stream].get(recorded.channel.name, 0)
        passed_over = [each for name, each in self.passed_over if name == recorded.subject]
        ids = self.latest_ids[stream].get(recorded.channel.name, ())
        return is_next(recorded, last, passed_over, ids)

    async def flush(self, *, now: bool) -> bool:
        return True

    async def give_up(self, engagement: str) -> Sequence[Recorded[Event]]:
        raise AssertionError(engagement)

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        self.passed_over.append((engagement, passed))
        self.position[f"engagement:{engagement}"][passed.channel] = passed.last
        self.latest_ids[f"engagement:{engagement}"].pop(passed.channel, None)

    async def show_parked(self, engagement: str, head: Head | None) -> None:
        if head is None:
            self.waiting.pop(engagement, None)
        else:
            self.waiting[engagement] = head.code

    async def show_only_parked(self, heads: Mapping[str, Head]) -> None:
        self.waiting = {name: head.code for name, head in heads.items()}

    async def assigned(self, partitions: frozenset[int]) -> Callable[[], Awaitable[None]] | None:
        if not self.reads_again:
            return None
        self.heard.clear()
        self.position.clear()
        self.latest_ids.clear()

        async def once_back() -> None:
            self.reads_again = False

        return once_back

    async def revoked(self) -> None: ...


def listener(
    bootstrap: str,
    prefix: str,
    reader: Counting,
    store: Store,
    batch: int = 500,
    kind: type[Consumer] = Consumer,
) -> Consumer:
    return kind(
        bootstrap,
        group=f"{prefix}-readers",
        channels=CHANNELS,
        router=lambda recorded: f"engagement:{recorded.subject}",
        event_handler=reader,
        parked_records=ParkedRecordStore(store.parked),
        prefix=prefix,
        batch=batch,
    )


@dataclass
class Scene:
    """Topics of one prefix and one database, with their publisher and event handler."""

    bootstrap: str
    prefix: str
    store: Store
    topics: Topics
    reader: Counting

    def listener(
        self,
        reader: Counting | None = None,
        batch: int = 500,
        kind: type[Consumer] = Consumer,
    ) -> Consumer:
        reader = reader or self.reader
        return listener(self.bootstrap, self.prefix, reader, self.store, batch, kind)


@asynccontextmanager
async def open_scene(
    kafka: KafkaServer, store: StoreServer, isolation: str
) -> AsyncIterator[Scene]:
    await create_topics(kafka.bootstrap, isolation, channels=CHANNELS)
    documents = Store(store.url, isolation)
    async with topics(kafka.bootstrap, isolation) as spoken:
        yield Scene(kafka.bootstrap, isolation, documents, spoken, Counting())
    await documents.close()


async def parked_in(parking: ParkedRecordStore) -> list[ParkedEngagement]:
    """Return all parked engagements of a store."""
    found: list[ParkedEngagement] = []
    for is_parked in (True, False):
        after = 0
        while page := await parking.page_parked(after, 200, is_parked=is_parked):
            found += page
            after = page[-1].order
    return found


async def aside_in(parking: ParkedRecordStore) -> list[ParkedRecord]:
    """Return all records set aside in a store, with their bytes."""
    found: list[ParkedRecord] = []
    while page := await parking.page_set_aside(found[-1].order if found else 0, 200):
        found += [record for each in page if (record := await parking.record(each.id))]
    return found


async def until(is_so: Callable[[], object], limit: float = 60.0) -> None:
    """Wait until `is_so` returns true; raises AssertionError after `limit` seconds."""
    ends = time.monotonic() + limit
    while not is_so():
        assert time.monotonic() < ends, f"condition not met within {limit:g} s"
        await asyncio.sleep(0.02)
