"""Reference feed: keep reference data in memory and their copy in the store equal to the topics.

The topics are read without a consumer group: each process has all of the data. A process starts
from the copy and continues at its end, so it needs no Kafka to start once the copy is complete. A
record that is erased from its topic (a tombstone) is erased from memory and from the copy.

A partition is read again from its start where the copy cannot be continued: its topic was created
again, the records behind the copy's end are deleted, the copy is so old that Kafka may have dropped
a tombstone since then, or records were skipped that newer code may be able to read.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from opentelemetry import metrics

from chassis.base.backoff import Backoff
from chassis.base.failures import described
from chassis.domain.stream import refuse_undecoded
from chassis.eventstore.mongo import Store, StoreAway
from chassis.kafka.consumer_settings import Codec, stop_consumer
from chassis.kafka.credentials import Identity, arguments
from chassis.kafka.lenient_headers import read_odd_headers
from chassis.kafka.reference_copy import CopyProgress, CopyWriter, Kept, Place, ReferenceCopy
from chassis.kafka.reference_data import ReferenceDataCache
from contracts.channels import PARTITIONS, TOMBSTONE_MS, Channel

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

log = logging.getLogger(__name__)

_OLDEST_COPY = timedelta(milliseconds=TOMBSTONE_MS / 2)
"""Age from which a copy is not continued: a tombstone may have been dropped since then."""
_LOOK_EVERY = 5.0
"""Seconds between two comparisons with the ends of the topics."""
_LOOK_SOON = 0.1
"""The same until all data were read once."""
_ANSWER_WITHIN = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_LATEST = 2**53
"""Milliseconds since 1970. After a record with this timestamp or a later one, no timestamps are
compared: the record would be found each time, and its partition read again each time."""
_WRITTEN_TOGETHER = 1_000
_WRITE_AS_OF_EVERY = timedelta(minutes=1)
"""Time between two writes of a partition to the copy if only its `as_of` has changed."""

_meter = metrics.get_meter("concord.reference")
_unreadable = _meter.create_counter(
    "concord.reference.unreadable", description="reference records that cannot be read"
)


class _MissingTopic(Exception):
    """A topic does not exist, or this account has no right to read it."""


class ReferenceFeed:
    """A feed that reads the topics of `channels` into `records` while it is entered.

    Raises ValueError for a channel that is not of reference data.
    """

    def __init__(
        self,
        bootstrap: str,
        channels: Collection[Channel],
        store: Store,
        prefix: str = "concord",
        *,
        identity: Identity = None,
    ) -> None:
        wrong = [channel.name for channel in channels if channel.kind != "reference"]
        if wrong:
            raise ValueError(f"these channels have no reference data: {', '.join(wrong)}")
        self.records = ReferenceDataCache()
        self.behind: str | None = "the copy was not read yet"
        """Why the topics are not read at present, or None; the data stay usable."""
        self._copy = ReferenceCopy(store)
        self._writer = CopyWriter(self._copy)
        self._bootstrap = bootstrap
        self._identity = identity
        self._topics = sorted(channel.topic(prefix) for channel in channels)
        self._codec = Codec(tuple(channels), prefix)
        self._places: list[Place] = [
            (topic, number) for topic in self._topics for number in range(PARTITIONS)
        ]
        self._progress: dict[Place, CopyProgress] = {}
        self._written_as_of: dict[Place, datetime] = {}
        self._numbers: dict[str, tuple[Place, int]] = {}
        self._looked_at: dict[Place, CopyProgress] = {}
        self._swept: dict[Place, int] = {}
        self._continues_copy = True
        self._complete = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        read_odd_headers()
        self._task = asyncio.create_task(self._run(), name="reference data")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def ready(self, within: float | None = None) -> None:
        """Wait until all data were read once, from the copy or from Kafka.

        Raises TimeoutError after `within` seconds.
        """
        async with asyncio.timeout(within):
            await self._complete.wait()

    def not_ready(self) -> str | None:
        """Return why the data were never read completely, or None."""
        if self._complete.is_set():
            return None
        return f"reference data were never read: {self.behind or 'still reading'}"

    @property
    def as_of(self) -> datetime | None:
        """The time (UTC) up to which all topics are known to be read, or None."""
        moments = [progress.as_of for progress in self._progress.values()]
        known = [moment for moment in moments if moment is not None]
        return min(known) if len(known) == len(self._places) else None

    @property
    def unreadable(self) -> int:
        """The number of records that were skipped because they cannot be read."""
        return sum(progress.unreadable for progress in self._progress.values())

    @property
    def not_written(self) -> str | None:
        """Why the copy in the store is not kept up to date, or None."""
        return self._writer.problem

    @property
    def _look_every(self) -> float:
        return _LOOK_EVERY if self._complete.is_set() else _LOOK_SOON

    # ---- the copy -----------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._load()
        await self._follow()

    async def _load(self) -> None:
        """Read the copy into memory; while the store does not answer, wait."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            try:
                await self._copy.prepare()
                # Before the records: another replica may write meanwhile, records first.
                stored = await self._copy.progress(self._places)
                self._progress = {
                    place: stored.get(place, CopyProgress()) for place in self._places
                }
                async for batch in self._copy.records(self._places):
                    for kept in batch:
                        self._load_record(kept)
                    await asyncio.sleep(0)
            except StoreAway as away:
                self.behind = f"the store does not answer: {away}"[:200]
            except Exception as error:
                log.exception("the copy of reference data cannot be read")
                self.behind = f"the copy cannot be read: {type(error).__name__}"
            else:
                break
            await backoff.pause()
        self.behind = None
        self._looked_at = dict(self._progress)
        self._written_as_of = {
            place: progress.as_of for place, progress in self._progress.items() if progress.as_of
        }
        if self.as_of is not None:
            self._complete.set()

    def _load_record(self, kept: Kept) -> None:
        """Put one record of the copy into memory; raise nothing."""
        topic, partition = kept.place
        self._numbers[kept.key] = (kept.place, kept.number)
        if kept.value is None:
            self.records.remove(kept.key)
            return
        where = f"{topic}/{partition}/{kept.offset}"
        try:
            arrival = self._codec.read(topic, partition, kept.offset, kept.key.encode(), kept.value)
            if arrival.recorded is not None:
                refuse_undecoded(arrival.recorded)
                self.records.put(arrival.recorded)
                return
            trouble = "it is no record" if arrival.trouble is None else arrival.trouble.sentence
        except Exception as error:  # noqa: BLE001 - one record must not stop the others
            trouble = described(error)
        self._skip(kept.place, where, trouble)

    # ---- the topics ---------------------------------------------------------------------------

    async def _follow(self) -> None:
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=500,
                request_timeout_ms=15_000,
                **arguments(self._identity),
            )
            try:
                await consumer.start()
                backoff.begin()
                await self._read(consumer)
            except _MissingTopic as missing:
                self.behind = str(missing)
            except (KafkaError, OSError, TimeoutError) as error:
                if backoff.must_log():
                    log.warning("reference data: Kafka is away: %r", error)
                self.behind = f"Kafka does not answer ({type(error).__name__})"
            except StoreAway:
                self.behind = "the store does not answer"
            except Exception as error:
                log.exception("reference data cannot be read")
                self.behind = f"{type(error).__name__}, see the log"
            finally:
                await stop_consumer(consumer.stop(), consumer, within=5.0)
            await backoff.pause()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        missing = set(self._topics) - await consumer.topics()
        if missing:
            raise _MissingTopic(f"topic {min(missing)} is not there")
        consumer.assign([TopicPartition(*place) for place in self._places])
        for place in self._places:
            if self._must_begin_again(self._progress[place]):
                await self._begin_again(consumer, place)
            else:
                consumer.seek(TopicPartition(*place), self._progress[place].next)
        self._continues_copy = False
        loop = asyncio.get_running_loop()
        looked = float("-inf")
        while True:
            if loop.time() - looked >= self._look_every:
                await self._look(consumer)
                looked = loop.time()
                self.behind = None
            batches = await consumer.getmany(timeout_ms=500 if self._complete.is_set() else 50)
            for partition, batch in batches.items():
                place = (partition.topic, partition.partition)
                if batch[0].offset < self._progress[place].next:
                    # The topic was created again, and the client began at its first offset.
                    await self._begin_again(consumer, place)
                else:
                    self._apply(place, batch)
            if self._complete.is_set() or self._writer.records >= _WRITTEN_TOGETHER:
                await self._writer.write(self._progress)

    def _must_begin_again(self, known: CopyProgress) -> bool:
        """Return whether a partition must be read again from its start."""
        if known.next == 0:
            return False
        if self._continues_copy and (known.as_of is None or known.unreadable > 0):
            return True
        return known.as_of is not None and datetime.now(UTC) - known.as_of > _OLDEST_COPY

    async def _begin_again(self, consumer: AIOKafkaConsumer, place: Place) -> None:
        """Read a partition from its start; records that it no longer has are removed at its end."""
        log.info("reference data: reads %s/%d again from its start", *place)
        self._progress[place] = await self._copy.begin_again(place, self._progress[place])
        self._looked_at[place] = self._progress[place]
        consumer.seek(TopicPartition(*place), 0)

    def _apply(self, place: Place, batch: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        progress = self._progress[place]
        for record in batch:
            self._apply_one(place, progress, record)
        self._progress[place] = replace(
            progress,
            next=batch[-1].offset + 1,
            newest=max(progress.newest, *(record.timestamp for record in batch)),
            unreadable=self._progress[place].unreadable,
        )
        self._writer.mark(place)

    def _apply_one(
        self, place: Place, progress: CopyProgress, record: "ConsumerRecord[bytes, bytes]"
    ) -> None:
        """Put a record into memory, and pass it to the writer of the copy; raise nothing."""
        where = f"{record.topic}/{record.partition}/{record.offset}"
        try:
            arrival = self._codec.read(
                record.topic, record.partition, record.offset, record.key, record.value
            )
            if arrival.trouble is not None or arrival.key is None:
                sentence = "" if arrival.trouble is None else arrival.trouble.sentence
                self._skip(place, where, sentence)
                return
            if arrival.recorded is not None:
                refuse_undecoded(arrival.recorded)
                self.records.put(arrival.recorded)
            else:
                self.records.remove(arrival.key)
        except Exception as error:  # noqa: BLE001 - one record must not stop the others
            self._skip(place, where, described(error))
            return
        number = progress.number(record.offset)
        self._numbers[arrival.key] = (place, number)
        self._writer.put(Kept(arrival.key, place, record.offset, number, arrival.raw))

    def _skip(self, place: Place, where: str, why: str) -> None:
        progress = self._progress[place]
        self._progress[place] = replace(progress, unreadable=progress.unreadable + 1)
        _unreadable.add(1)
        log.error("reference data: record %s cannot be read and is skipped: %s", where, why)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Compare with the ends of the topics: which partitions are read to their end, or new."""
        asked = datetime.now(UTC)
        async with asyncio.timeout(_ANSWER_WITHIN):
            partitions = {TopicPartition(*place): place for place in self._places}
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(list(partitions))
            broken = await self._not_continued(consumer, partitions, ends)
            for place in broken:
                await self._begin_again(consumer, place)
            for partition, place in partitions.items():
                # Not the offset of the last record: compaction may have removed the last ones.
                at = await consumer.position(partition)
                if place not in broken and max(at, self._progress[place].next) >= ends[partition]:
                    await self._finish_partition(place, at, asked)
        self._looked_at = dict(self._progress)
        if self.as_of is not None:
            self._complete.set()

    async def _not_continued(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Mapping[TopicPartition, Place],
        ends: Mapping[TopicPartition, int],
    ) -> set[Place]:
        """Return partitions that were created again, or no longer have the next records.

        A topic that was created again may have grown beyond the offset of the last look: then it
        has records before that offset that are newer than all that were read until then.
        """
        read = {
            partition: self._looked_at[place]
            for partition, place in partitions.items()
            if self._looked_at[place].next > 0
        }
        if not read:
            return set()
        first = await consumer.beginning_offsets(list(read))
        newer = await consumer.offsets_for_times(
            {
                partition: known.newest + 1
                for partition, known in read.items()
                if known.newest < _LATEST
            }
        )
        return {
            partitions[partition]
            for partition, known in read.items()
            if known.next > ends[partition]
            or known.next < first[partition]
            or ((found := newer.get(partition)) is not None and found.offset < known.next)
        }

    async def _finish_partition(self, place: Place, position: int, asked: datetime) -> None:
        """Record that a partition was read to its end, and remove records that it no longer has."""
        progress = self._progress[place]
        if self._swept.get(place, 0) != progress.generation and not self._writer.records:
            for key, (of, number) in list(self._numbers.items()):
                if of == place and number < progress.first_number:
                    self.records.remove(key)
                    del self._numbers[key]
            with suppress(StoreAway):  # it is tried again at the next look
                await self._copy.sweep(place, progress.first_number)
                self._swept[place] = progress.generation
        moved = progress.next < position
        self._progress[place] = replace(progress, next=max(progress.next, position), as_of=asked)
        written = self._written_as_of.get(place)
        if moved or written is None or asked - written >= _WRITE_AS_OF_EVERY:
            self._written_as_of[place] = asked
            self._writer.mark(place)
