"""Keeps reference data in memory equal to the reference topics, and a copy of them in the store.

The topics are read with no group: each process has all of the data. A process starts from the copy
and goes on where the copy ends, so it needs no Kafka to start once the copy is whole. A record that
is erased from its topic (a tombstone) is erased from memory and from the copy.

A partition is read again from its start where the copy cannot be continued: its topic was made
again, the records after the copy's end are gone, the copy is so old that Kafka may have dropped a
tombstone since, or records were passed over that newer code may be able to read.
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

from chassis.base.failures import described
from chassis.domain.stream import refuse_undecoded
from chassis.eventstore.mongo import Store, StoreAway
from chassis.kafka.consumer_settings import Codec, let_go
from chassis.kafka.credentials import Identity, arguments
from chassis.kafka.lenient_headers import read_odd_headers
from chassis.kafka.reference_copy import CopyProgress, Kept, Place, ReferenceCopy
from chassis.kafka.reference_data import ReferenceDataCache
from contracts.channels import PARTITIONS, TOMBSTONE_MS, Channel

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

log = logging.getLogger(__name__)

_OLDEST_COPY = timedelta(milliseconds=TOMBSTONE_MS / 2)
"""Age from which a copy is not continued: a tombstone may have been dropped since."""
_LOOK_EVERY = 5.0
"""Seconds between two comparisons with the ends of the topics."""
_LOOK_SOON = 0.1
"""The same until everything was read once."""
_ANSWER_WITHIN = 10.0
_FIRST_PAUSE, _LAST_PAUSE = 0.2, 5.0
_STORE_PAUSE = 2.0
_LATEST = 2**53
"""Milliseconds since 1970. After a record with such a timestamp, or a later one, no timestamps are
compared: it would be found each time, and its partition read again each time."""
_WRITTEN_TOGETHER = 1_000
_WRITE_MOMENT_EVERY = timedelta(minutes=1)
"""A moment alone is written to the copy no more often than this."""

_meter = metrics.get_meter("concord.reference")
_unreadable = _meter.create_counter(
    "concord.reference.unreadable", description="reference records that were passed over"
)


class _TopicMissing(Exception):
    """A topic does not exist, or may not be read."""


class ReferenceFeed:
    """Reads the topics of `channels` into `records` while it is entered (``async with``)."""

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
            raise ValueError(f"these channels hold no reference data: {', '.join(wrong)}")
        self.records = ReferenceDataCache()
        self.behind: str | None = "the copy was not read yet"
        """Why the topics are not followed at present, or None; what was read stays usable."""
        self.not_written: str | None = None
        """Why the copy in the store is not kept up to date, or None."""
        self._copy = ReferenceCopy(store)
        self._bootstrap = bootstrap
        self._identity = identity
        self._topics = sorted(channel.topic(prefix) for channel in channels)
        self._codec = Codec(tuple(channels), prefix)
        self._places: list[Place] = [
            (topic, number) for topic in self._topics for number in range(PARTITIONS)
        ]
        self._progress: dict[Place, CopyProgress] = {}
        self._unwritten: dict[str, Kept] = {}
        self._changed: set[Place] = set()
        self._write_after = 0.0
        self._moments: dict[Place, datetime] = {}
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
        """Wait until all data were read once, from the copy or from Kafka; raises TimeoutError."""
        async with asyncio.timeout(within):
            await self._complete.wait()

    def not_ready(self) -> str | None:
        """Return why the data were never read whole, or None; once whole they stay usable."""
        if self._complete.is_set():
            return None
        return f"reference data were never read: {self.behind or 'still reading'}"

    @property
    def as_of(self) -> datetime | None:
        """The moment (UTC) up to which all topics are known to be read, or None."""
        moments = [progress.as_of for progress in self._progress.values()]
        known = [moment for moment in moments if moment is not None]
        return min(known) if len(known) == len(self._places) else None

    @property
    def unreadable(self) -> int:
        """How many records of the topics were passed over because they cannot be read."""
        return sum(progress.unreadable for progress in self._progress.values())

    @property
    def _every(self) -> float:
        return _LOOK_EVERY if self._complete.is_set() else _LOOK_SOON

    # ---- the copy -----------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._load()
        await self._follow()

    async def _load(self) -> None:
        """Read the copy into memory; while the store is away, wait."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._copy.prepare()
                # Before the records: a replica may write both meanwhile, the records first.
                stored = await self._copy.progress(self._places)
                self._progress = {
                    place: stored.get(place, CopyProgress()) for place in self._places
                }
                async for batch in self._copy.records(self._places):
                    for kept in batch:
                        self._remember(kept)
                    await asyncio.sleep(0)
            except StoreAway as away:
                self.behind = f"the store does not answer: {away}"[:200]
            except Exception as error:
                log.exception("the copy of reference data cannot be read")
                self.behind = f"the copy cannot be read: {type(error).__name__}"
            else:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)
        self.behind = None
        self._looked_at = dict(self._progress)
        self._moments = {
            place: progress.as_of for place, progress in self._progress.items() if progress.as_of
        }
        if self.as_of is not None:
            self._complete.set()

    async def _write(self) -> None:
        """Write to the copy what was read; while the store is away, keep it for later."""
        loop = asyncio.get_running_loop()
        if not (self._unwritten or self._changed) or loop.time() < self._write_after:
            return
        try:
            await self._copy.put(list(self._unwritten.values()))
            self._unwritten.clear()
            await self._copy.put_progress(
                [(place, self._progress[place]) for place in sorted(self._changed)]
            )
            self._changed.clear()
        except StoreAway:
            self.not_written = "the store does not answer"
        except Exception as error:
            log.exception("the copy of reference data cannot be written")
            self.not_written = f"the copy cannot be written: {type(error).__name__}"
        else:
            self.not_written = None
            return
        self._write_after = loop.time() + _STORE_PAUSE

    def _remember(self, kept: Kept) -> None:
        """Take one record into memory; raises nothing."""
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
        self._pass_over(kept.place, where, trouble)

    # ---- the topics ---------------------------------------------------------------------------

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
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
            began = loop.time()
            try:
                await consumer.start()
                await self._read(consumer)
            except _TopicMissing as missing:
                self.behind = str(missing)
            except (KafkaError, OSError, TimeoutError) as error:
                if self.behind is None:
                    log.warning("reference data: Kafka is away: %r", error)
                self.behind = f"Kafka does not answer ({type(error).__name__})"
            except StoreAway:
                self.behind = "the store does not answer"
            except Exception as error:
                log.exception("reference data cannot be read")
                self.behind = f"{type(error).__name__}, see the log"
            finally:
                await let_go(consumer.stop(), consumer, within=5.0)
            if loop.time() - began > _LAST_PAUSE:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        missing = set(self._topics) - await consumer.topics()
        if missing:
            raise _TopicMissing(f"topic {min(missing)} is not there")
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
            if loop.time() - looked >= self._every:
                await self._look(consumer)
                looked = loop.time()
                self.behind = None
            batches = await consumer.getmany(timeout_ms=500 if self._complete.is_set() else 50)
            for partition, batch in batches.items():
                place = (partition.topic, partition.partition)
                if batch[0].offset < self._progress[place].next:
                    # Offsets start over, and the client has gone to the first by itself.
                    await self._begin_again(consumer, place)
                else:
                    self._take(place, batch)
            if self._complete.is_set() or len(self._unwritten) >= _WRITTEN_TOGETHER:
                await self._write()

    def _must_begin_again(self, known: CopyProgress) -> bool:
        """Tell whether what was read so far, by this process or an earlier one, is not enough."""
        if known.next == 0:
            return False
        if self._continues_copy and (known.as_of is None or known.unreadable > 0):
            return True
        return known.as_of is not None and datetime.now(UTC) - known.as_of > _OLDEST_COPY

    async def _begin_again(self, consumer: AIOKafkaConsumer, place: Place) -> None:
        """Read a partition from its start; what it has no more is forgotten at its end."""
        log.info("reference data: reads %s/%d again from its start", *place)
        self._progress[place] = await self._copy.begin_again(place, self._progress[place])
        self._looked_at[place] = self._progress[place]
        consumer.seek(TopicPartition(*place), 0)

    def _take(self, place: Place, batch: "Sequence[ConsumerRecord[bytes, bytes]]") -> None:
        progress = self._progress[place]
        for record in batch:
            self._take_one(place, progress, record)
        self._progress[place] = replace(
            progress,
            next=batch[-1].offset + 1,
            newest=max(progress.newest, *(record.timestamp for record in batch)),
            unreadable=self._progress[place].unreadable,
        )
        self._changed.add(place)

    def _take_one(
        self, place: Place, progress: CopyProgress, record: "ConsumerRecord[bytes, bytes]"
    ) -> None:
        """Take a record into memory and towards the copy; raises nothing."""
        where = f"{record.topic}/{record.partition}/{record.offset}"
        try:
            arrival = self._codec.read(
                record.topic, record.partition, record.offset, record.key, record.value
            )
            if arrival.trouble is not None or arrival.key is None:
                sentence = "" if arrival.trouble is None else arrival.trouble.sentence
                self._pass_over(place, where, sentence)
                return
            if arrival.recorded is not None:
                refuse_undecoded(arrival.recorded)
                self.records.put(arrival.recorded)
            else:
                self.records.remove(arrival.key)
        except Exception as error:  # noqa: BLE001 - one record must not stop the others
            self._pass_over(place, where, described(error))
            return
        number = progress.number(record.offset)
        self._numbers[arrival.key] = (place, number)
        self._unwritten[arrival.key] = Kept(arrival.key, place, record.offset, number, arrival.raw)

    def _pass_over(self, place: Place, where: str, why: str) -> None:
        progress = self._progress[place]
        self._progress[place] = replace(progress, unreadable=progress.unreadable + 1)
        _unreadable.add(1)
        log.error("reference data: %s passed over: %s", where, why)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Compare with the ends of the topics: what is read whole, and what was made again."""
        asked = datetime.now(UTC)
        async with asyncio.timeout(_ANSWER_WITHIN):
            partitions = {TopicPartition(*place): place for place in self._places}
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(list(partitions))
            broken = await self._not_continued(consumer, partitions, ends)
            for place in broken:
                await self._begin_again(consumer, place)
            for partition, place in partitions.items():
                # Not by the last record: compaction may have removed the last ones.
                at = await consumer.position(partition)
                if place not in broken and max(at, self._progress[place].next) >= ends[partition]:
                    await self._read_whole(place, at, asked)
        self._looked_at = dict(self._progress)
        if self.as_of is not None:
            self._complete.set()

    async def _not_continued(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Mapping[TopicPartition, Place],
        ends: Mapping[TopicPartition, int],
    ) -> set[Place]:
        """Find partitions that are not those that were read so far, or no longer have what follows.

        A topic that was made again may have grown beyond the place that was read at the last look:
        then records before that place are newer than all that were read until then.
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

    async def _read_whole(self, place: Place, position: int, asked: datetime) -> None:
        """Note that a partition was read to its end, and forget what it has no more."""
        progress = self._progress[place]
        if self._swept.get(place, 0) != progress.generation and not self._unwritten:
            for key, (of, number) in list(self._numbers.items()):
                if of == place and number < progress.first_number:
                    self.records.remove(key)
                    del self._numbers[key]
            with suppress(StoreAway):  # it is tried again at the next look
                await self._copy.sweep(place, progress.first_number)
                self._swept[place] = progress.generation
        moved = progress.next < position
        self._progress[place] = replace(progress, next=max(progress.next, position), as_of=asked)
        written = self._moments.get(place)
        if moved or written is None or asked - written >= _WRITE_MOMENT_EVERY:
            self._moments[place] = asked
            self._changed.add(place)
