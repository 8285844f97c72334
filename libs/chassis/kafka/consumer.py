"""Consumer: process the events of other departments, at least once and in order per engagement.

A batch is polled, routed to the streams of this service that process it, and written as one commit
per stream. Only then are its offsets committed. An event that cannot be processed parks its
engagement; a fault that passes by itself is waited out. Departments and the gateway differ only in
their `EventHandler`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry import metrics

from chassis.application.as_of import CaughtUp
from chassis.application.ports import EventHandler, StreamRouter
from chassis.base.backoff import Backoff
from chassis.base.partitioning import partition_of
from chassis.kafka import consumer_settings
from chassis.kafka.accounting import BatchAccount
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.credentials import Identity
from chassis.kafka.lag import LagMeter
from chassis.kafka.liveness import Liveness, observe
from chassis.kafka.offset_gaps import OffsetGaps
from chassis.kafka.parked import ParkedRecordStore, Superseded
from chassis.kafka.parked_requests import Request
from chassis.kafka.parked_retry import RetryResult
from chassis.kafka.transient import TRANSIENT
from contracts.channels import Channel
from contracts.counting import counted, of_number

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0
"""Seconds between two attempts while Kafka or the store does not answer."""

ANSWER_WITHIN = 5.0
"""Seconds after which a request to Kafka, or a wait for the batch being handled, is given up."""

ANSWER_WITHIN_STOP = 1.5
"""The same once the service is stopping."""

COMMIT_EVERY = 1.0
"""Seconds between two commits of offsets. After a crash the records of this period are consumed
again, and recognised as repeats."""

REST_PER_RECORD = 0.005
"""Seconds of rest for each record of a batch that was not full, before the next is polled.

Kafka and the client spend some milliseconds on each fetch, of any size. With this rest a
single event is processed soon, and the more events there are, the more share one fetch."""

SHORTEST_REST, LONGEST_REST = 0.01, 0.05
"""Seconds. Fetched records that are not polled within a tenth of a second wait for the fetch after
the next one (see `consumer_settings.subscribe`): a batch and its rest should be shorter than that.
"""

RETRY_FOR = 0.5
"""Seconds in a row that are spent on the queue of parked engagements."""

RESTART_AFTER = 45.0
"""Seconds without an answer of the group's coordinator after which the consumer is replaced."""

_meter = metrics.get_meter("concord.listener")
_batches = _meter.create_histogram("concord.listener.batch", unit="s", description="time per batch")


class _Abandoned(Exception):
    """The partitions are being revoked, or the service stops: the batch is not committed."""


class Consumer:
    """A consumer that runs while it is entered (``async with``), and reconnects by itself."""

    def __init__(
        self,
        bootstrap: str,
        *,
        group: str,
        channels: Collection[Channel],
        router: StreamRouter,
        event_handler: EventHandler,
        parked_records: ParkedRecordStore,
        prefix: str = "concord",
        identity: Identity = None,
        batch: int = 500,
        fetch_wait_ms: int = 500,
        rest_per_record: float = REST_PER_RECORD,
    ) -> None:
        self.parked_records = parked_records
        self.progress = Liveness()
        self.caught_up = CaughtUp()
        """The moment up to which all published events are processed, by partition."""
        self.topics = frozenset(channel.topic(prefix) for channel in channels)
        self._confidential = {each.topic(prefix) for each in channels if each.confidential}
        self.broker = consumer_settings.broker(bootstrap, client=group, identity=identity)
        self._group = group
        self._batch = batch
        self._rest_per_record = rest_per_record
        self._event_handler = event_handler
        self._batch_processor = BatchProcessor(group, event_handler, parked_records, router)
        self._retries = self._batch_processor.retries
        self._subscriber = consumer_settings.subscribe(
            self.broker,
            self._handle,
            group=group,
            channels=sorted(channels, key=lambda channel: channel.name),
            prefix=prefix,
            rebalance=self,
            batch=batch,
            fetch_wait_ms=fetch_wait_ms,
        )
        self._lock = asyncio.Lock()
        """Held while a batch is processed and committed, so that no rebalance comes between."""
        self._abandon = asyncio.Event()
        self._stopping = False
        self._epoch = 0
        """Counts revocations and rebuilds: a batch of an earlier epoch is not processed."""
        self._partitions: frozenset[int] = frozenset()
        self._prepared = False
        self._is_handling = False
        self.account = BatchAccount()
        """The outcome of all records that this process consumed."""
        self._offset_gaps = OffsetGaps(group)
        self._lag = LagMeter(
            self.progress,
            self.caught_up,
            is_handling=lambda: self._is_handling,
            is_prepared=lambda: self._prepared,
        )
        self._uncommitted: dict[TopicPartition, int] = {}
        """Offsets behind records that are processed and perhaps not durable."""
        self._durable: dict[TopicPartition, int] = {}
        """Offsets behind durable records, to be committed."""
        self._committed = 0.0
        self._committing: asyncio.Timeout | None = None
        self._watch: asyncio.Task[None] | None = None
        observe(group, self.progress, parked_records)

    async def __aenter__(self) -> Self:
        await self.broker.connect()
        self._watch = asyncio.create_task(self._supervise(), name=f"watch over {self._group}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._abandon.set()
        if self._committing is not None:
            with suppress(RuntimeError):  # the commit has ended
                now = asyncio.get_running_loop().time()
                self._committing.reschedule(now + ANSWER_WITHIN_STOP)
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        async with self._lock:
            self._epoch += 1
            await self._release_partitions()
        await self._stop_client()
        await self.broker.stop()

    async def _stop_client(self) -> None:
        await consumer_settings.stop_consumer(
            self._subscriber.stop(), self.consumer, self._patience
        )

    def unaccounted(self) -> str | None:
        """Return which records are not accounted for although events are processed, or None."""
        if self._offset_gaps.lost:
            return (
                f"{counted(self._offset_gaps.lost, 'record')} that Kafka had numbered"
                f" {of_number(self._offset_gaps.lost, 'is', 'are')} not there"
            )
        if self._batch_processor.unaccounted:
            batches = counted(self._batch_processor.unaccounted, "batch", "batches")
            return f"{batches} could not be accounted for"
        return None

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The client's consumer; another one after each reconnection."""
        return self._subscriber.consumer

    @property
    def _patience(self) -> float:
        return ANSWER_WITHIN_STOP if self._stopping else ANSWER_WITHIN

    def not_ready(self) -> str | None:
        """Return why this consumer makes no progress, or None."""
        return self.progress.not_ready(self.topics, self.consumer)

    def details(self) -> dict[str, str | int | float | bool | None]:
        """Return how many partitions are assigned, the lag in records, and the batch's age in s.

        Records of confidential channels are not counted: their number is confidential.
        """
        lag = [
            count
            for place, count in self.progress.lag.items()
            if place.topic not in self._confidential
        ]
        return {
            "partitions": len(self._partitions),
            "lag": sum(lag),
            "busy_seconds": None
            if self.progress.busy_since is None
            else round(monotonic() - self.progress.busy_since, 1),
        }

    async def retry(self, engagement: str, by: str) -> RetryResult:
        """Try a parked engagement again; raises NotInTrouble, and StoreAway or TimeoutError."""
        return await self._serve(Request(engagement, "retry", by))

    async def skip(
        self, engagement: str, record: str, by: str, why: str, published: int | None = None
    ) -> RetryResult:
        """Continue without the record or the events that block an engagement.

        Where events are missing before the record, exactly these are skipped; `published` is how
        many events the author has published, as a person looked it up. Any other record is set
        aside, and moves no position. Raises NotInTrouble, NotProven, and StoreAway or TimeoutError.
        """
        return await self._serve(Request(engagement, "skip", by, record, why, published))

    async def set_aside(self, engagement: str, record: str, by: str, why: str) -> RetryResult:
        """Set aside the record that blocks an engagement, also one behind a gap; try the rest.

        Raises NotInTrouble, and StoreAway or TimeoutError.
        """
        return await self._serve(Request(engagement, "set-aside", by, record, why))

    def prepare_again(self) -> None:
        """Give the event handler its partitions once more: it may want to rebuild from them."""
        self._prepared = False
        self.caught_up.begins_again(self._partitions, datetime.now(UTC))

    # ---- rebalancing ---------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002
        """Let the current batch end and commit it before another process has its partitions."""
        self._epoch += 1
        self._abandon.set()
        async with self._lock:
            await self._release_partitions()
            if not self._stopping:
                self._abandon.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin on new partitions; their parked records are loaded before the first batch."""
        self._partitions = frozenset(each.partition for each in assigned)
        for topic in self.topics:
            of_topic = {each.partition for each in assigned if each.topic == topic}
            if of_topic != self._partitions:
                log.error("%s: %s has other partitions than the other topics", self._group, topic)
        self._prepared = False
        self.progress.joined = True
        self.progress.answered = self.progress.advanced = monotonic()

    async def _release_partitions(self) -> None:
        if self._prepared:
            await self._commit(now=True)  # records that stay uncommitted are consumed again
        with suppress(*TRANSIENT):
            await self._event_handler.revoked()
        self.caught_up.withdrawn(self.parked_records.heads)
        self.parked_records.forget()
        self._prepared = False
        self._uncommitted.clear()
        self._durable.clear()
        self._lag.clear()
        self._offset_gaps.begin({})
        self._retries.clear_queue()
        self._partitions = frozenset()
        self.progress.joined = False
        self.progress.lag = {}

    async def _prepare(self) -> None:
        """Load the parked records of new partitions, and rebuild where the event handler asks."""
        if not self._prepared:
            await self.parked_records.load(self._partitions)
            begin_rebuild = await self._event_handler.assigned(self._partitions)
            if begin_rebuild is not None:
                await self._go_back()
                await self.parked_records.reset()
                await begin_rebuild()
            elif self.consumer is not None:
                await self._offset_gaps.resume(self.consumer)
            await self._event_handler.show_only_parked(self.parked_records.heads)
            await self._retries.fill_queue()
            self._prepared = True

    async def _go_back(self) -> None:
        """Commit and seek to the first offsets, so that all is read again, also after a crash."""
        consumer = self.consumer
        if consumer is None:
            raise ConnectionError("no consumer is there to go back")
        first = await consumer.beginning_offsets(list(consumer.assignment()))
        await consumer.commit(first)
        for place, offset in first.items():
            consumer.seek(place, offset)
        self._offset_gaps.begin(first)
        self._epoch += 1  # the current batch is consumed again, behind the records before it
        self.caught_up.begins_again(self._partitions, datetime.now(UTC))
        self._uncommitted.clear()
        self._durable.clear()  # these offsets are beyond the records to be read again
        self._lag.clear()
        log.info("%s: reads everything again from the first records", self._group)

    # ---- a batch -------------------------------------------------------------------------------

    async def _handle(self, arrivals: list[Arrival]) -> None:
        # Nothing was awaited since the records left the consumer.
        self._is_handling = True
        try:
            await self._process(arrivals, self._epoch)
        finally:
            self._is_handling = False
        if len(arrivals) < self._batch:
            rest = self._rest_per_record * len(arrivals)
            await asyncio.sleep(min(max(rest, SHORTEST_REST), LONGEST_REST))

    async def _process(self, arrivals: list[Arrival], epoch: int) -> None:
        async with self._lock:
            if epoch != self._epoch or self._stopping:
                return  # partitions were revoked meanwhile; their new consumer gets the records
            self.progress.busy_since = began = monotonic()
            try:
                await self._until_done(lambda: self._process_once(arrivals))
                _batches.record(monotonic() - began, {"group": self._group})
                await self._commit()
            except _Abandoned:
                log.info("%s: a batch of %d records is abandoned", self._group, len(arrivals))
            finally:
                self.progress.busy_since = None
                self.progress.advanced = monotonic()

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Repeat work with increasing pauses until it succeeds; raises _Abandoned."""
        backoff = Backoff(longest=_LONGEST_PAUSE)
        while True:
            try:
                await work()
            except _Abandoned:
                raise
            except Exception as error:
                # An outage can outlast this batch, which another process may get meanwhile.
                if self.progress.hindrance is None:
                    is_bug = not isinstance(error, TRANSIENT)
                    log.warning("%s waits: %s", self._group, error, exc_info=is_bug)
                self.progress.hindrance = f"{type(error).__name__}: {error}"
            else:
                if self.progress.hindrance is not None:
                    log.info("%s continues", self._group)
                    self.progress.hindrance = None
                return
            await backoff.pause(self._abandon)
            if self._abandon.is_set():
                self.progress.hindrance = None
                raise _Abandoned

    async def _process_once(self, arrivals: list[Arrival]) -> None:
        if not self.progress.joined:
            raise ConnectionError("no partitions are assigned")
        epoch = self._epoch
        await self._prepare()
        if epoch != self._epoch:
            raise _Abandoned
        consumer = self.consumer
        if consumer is not None and await self._offset_gaps.must_read_again(arrivals, consumer):
            raise _Abandoned
        account = await self._batch_processor.account_for(arrivals)
        account.measure(self._group)
        self.account += account
        self._offset_gaps.advance(arrivals)
        last = {(arrival.topic, arrival.partition): arrival.offset for arrival in arrivals}
        for place, offset in last.items():
            self._uncommitted[TopicPartition(*place)] = offset + 1
            self._lag.advance(TopicPartition(*place), offset + 1)

    async def _commit(self, *, now: bool = False) -> None:
        """Commit the offsets of durable records: every COMMIT_EVERY seconds, or `now`."""
        consumer = self.consumer
        try:
            if self._uncommitted and await self._batch_processor.flush(now=now):
                self._durable |= self._uncommitted
                self._uncommitted.clear()
            if not self._uncommitted:
                self.caught_up.settled(datetime.now(UTC))
            early = not now and monotonic() - self._committed < COMMIT_EVERY
            if not self._durable or consumer is None or early:
                return
            async with asyncio.timeout(self._patience) as self._committing:
                await consumer.commit(dict(self._durable))
        except (CommitFailedError, IllegalStateError) as error:
            log.info("%s: offsets not committed, the group is changing: %s", self._group, error)
        except Exception as error:
            is_bug = not isinstance(error, TRANSIENT)
            log.warning("%s: offsets not committed yet: %r", self._group, error, exc_info=is_bug)
        else:
            self._durable.clear()
            self._committed = monotonic()

    # ---- requests about parked engagements -----------------------------------------------------

    async def _serve(self, request: Request) -> RetryResult:
        """Carry out a request, or leave it for the process that has the partition."""
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._lock.acquire()
        try:
            if self._prepared and self._is_mine(request.engagement):
                with suppress(Superseded):  # it is left for the process that took over
                    return await self._retries.answer(request)
            await self._retries.refuse(request)
            await self.parked_records.requests.add(request)
            return RetryResult(asked=True)
        finally:
            self._lock.release()

    def _is_mine(self, engagement: str) -> bool:
        return engagement in self.parked_records or partition_of(engagement) in self._partitions

    # ---- supervision ---------------------------------------------------------------------------

    async def _supervise(self) -> None:
        """Start the client's consumer, check it each second, and replace it when it stalls."""
        while not self._stopping:
            since = monotonic()
            try:
                await self._subscriber.start()
                self.progress.hindrance = None
                while not self.progress.stalled(since, RESTART_AFTER):
                    await asyncio.sleep(1)
                    await self._check()
                log.error("%s: the group's coordinator is lost, reconnecting", self._group)
            except Exception as error:
                if self.progress.hindrance is None:
                    is_bug = not isinstance(error, TRANSIENT)
                    log.warning("%s: Kafka is away: %r", self._group, error, exc_info=is_bug)
                self.progress.hindrance = f"Kafka is away: {error!r}"
            self._abandon.set()
            async with self._lock:
                self._epoch += 1
                await self._release_partitions()
            await self._stop_client()
            self._abandon.clear()
            await asyncio.sleep(1)

    async def _check(self) -> None:
        consumer = self.consumer
        partitions = sorted(consumer.assignment()) if consumer is not None else []
        if consumer is None or not partitions:
            return
        epoch = self._epoch
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await consumer.committed(partitions[0])
                self.progress.answered = monotonic()
        except (KafkaError, OSError, IllegalStateError):
            return
        with suppress(KafkaError, OSError, IllegalStateError):
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._lag.measure(consumer, partitions, lambda: epoch == self._epoch)
        if self.progress.busy_since is not None or not any(self.progress.lag.values()):
            self.progress.advanced = monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._lock.acquire()
            try:
                await self._maintain()
            except Exception as error:
                is_bug = not isinstance(error, TRANSIENT)
                log.warning("%s: will try again: %r", self._group, error, exc_info=is_bug)
            finally:
                self._lock.release()

    async def _maintain(self) -> None:
        """Prepare new partitions, commit, and retry parked engagements, also without a batch."""
        if not self.progress.joined:
            return
        await self._prepare()
        await self._commit()
        await self._retries.work_off_queue(RETRY_FOR)
        await self._retries.answer_stored(self._is_mine)
