"""The listener: takes events in from other departments, a batch at a time, and loses none.

A batch is read, routed to the streams that hear it, and handed over as one commit per stream. Then,
and not before, its offsets are committed. What cannot be taken in parks its engagement; what cannot
be done just now is waited out. Departments and the gateway differ in their Reader alone.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry import metrics

from chassis.application.as_of import CaughtUp
from chassis.application.ports import EventHandler, StreamRouter
from chassis.base.partitioning import partition_of
from chassis.kafka import consumer_settings
from chassis.kafka.accounting import BatchAccount
from chassis.kafka.batch_processor import (
    TRANSIENT,
    BatchProcessor,
    NotInTrouble,
    NotProven,
    RetryResult,
)
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.credentials import Identity
from chassis.kafka.liveness import Liveness, MonotonicClock, observe
from chassis.kafka.offset_gaps import OffsetGaps
from chassis.kafka.parked import ParkedRecordStore, Request, Superseded
from contracts.channels import Channel

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
"""Seconds between two tries while something is away."""

ANSWER_WITHIN = 5.0
"""Seconds that Kafka is given for an answer before the listener turns to something else."""

ANSWER_WITHIN_STOP = 1.5
"""The same, once the service is to stop."""

COMMIT_EVERY = 1.0
"""Seconds between two commits of offsets: after a crash, that much comes again and passes by."""

REST_PER_RECORD = 0.005
"""Seconds of rest for each record of a batch that was not full, before the next is asked for.

Kafka and the client spend some milliseconds on each fetch, whatever it holds. So what comes alone
is taken in soon, and the more comes, the more of it comes together."""

SHORTEST_REST, LONGEST_REST = 0.01, 0.05
"""Seconds. What was fetched, and is not asked for within a tenth of a second, waits for the fetch
after the next one (see `bus.subscribe`): a batch and its rest should be shorter than that."""

LOOK_FOR = 0.5
"""Seconds for which engagements that may be processed again are tried in one go."""

RESTART_AFTER = 45.0
"""Seconds without a word from the group's coordinator after which a new consumer is made."""

_meter = metrics.get_meter("concord.listener")
_batches = _meter.create_histogram("concord.listener.batch", unit="s", description="time per batch")


class _LeftAlone(Exception):
    """The partitions are going or the service stops: the batch is given up, uncommitted."""


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # ships no types
    """Listens while it is entered (``async with``); connects, and comes back, by itself."""

    def __init__(
        self,
        bootstrap: str,
        *,
        group: str,
        channels: Collection[Channel],
        routes: StreamRouter,
        reader: EventHandler,
        parking: ParkedRecordStore,
        prefix: str = "concord",
        identity: Identity = None,
        batch: int = 500,
        fetch_wait_ms: int = 500,
        rest_per_record: float = REST_PER_RECORD,
    ) -> None:
        self.parking = parking
        self.progress = Liveness()
        self.caught_up = CaughtUp()
        """Up to which moment all that was published is processed, by partition."""
        self.topics = frozenset(channel.topic(prefix) for channel in channels)
        self._confidential = {each.topic(prefix) for each in channels if each.confidential}
        self.broker = consumer_settings.broker(bootstrap, client=group, identity=identity)
        self._group = group
        self._batch = batch
        self._rest_per_record = rest_per_record
        self._reader = reader
        self._intake = BatchProcessor(group, reader, parking, routes)
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
        self._leave = asyncio.Event()
        self._stopping = False
        self._epoch = 0
        self._partitions: frozenset[int] = frozenset()
        self._prepared = False
        self._in_hand = False
        self.account = BatchAccount()
        """What became of all records that this process consumed."""
        self._continuity = OffsetGaps(group)
        self._to_try: dict[str, bool] = {}
        """Engagements that may be processed again, in turn, and whether that failed before."""
        self._taken: dict[TopicPartition, int] = {}
        self._set_back: dict[TopicPartition, int] = {}
        self._uncommitted: dict[TopicPartition, int] = {}
        self._durable: dict[TopicPartition, int] = {}
        self._committed = 0.0
        self._committing: asyncio.Timeout | None = None
        self._watch: asyncio.Task[None] | None = None
        observe(group, self.progress, parking)

    async def __aenter__(self) -> Self:
        await self.broker.connect()
        self._watch = asyncio.create_task(self._keep_watch(), name=f"watch over {self._group}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._leave.set()
        if self._committing is not None:
            with suppress(RuntimeError):  # it is over
                now = asyncio.get_running_loop().time()
                self._committing.reschedule(now + ANSWER_WITHIN_STOP)
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        async with self._lock:
            self._epoch += 1
            await self._close_accounts()
        await consumer_settings.let_go(self._subscriber.stop(), self.consumer, self._patience)
        await self.broker.stop()

    def unaccounted(self) -> str | None:
        """Return which records are not accounted for although events flow, or None."""
        if self._continuity.lost:
            return f"{self._continuity.lost} records that Kafka had numbered are not there"
        if self._intake.unaccounted:
            return f"{self._intake.unaccounted} batches could not be accounted for"
        return None

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer of the moment."""
        return self._subscriber.consumer

    @property
    def _patience(self) -> float:
        return ANSWER_WITHIN_STOP if self._stopping else ANSWER_WITHIN

    def not_ready(self) -> str | None:
        """Why this listener does not get on, or None."""
        return self.progress.not_ready(self.topics, self.consumer)

    def details(self) -> dict[str, str | int | float | bool | None]:
        """Return what this listener reads at present and how far it is behind.

        Records of confidential channels are not counted: how many there are is confidential.
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
            else round(MonotonicClock() - self.progress.busy_since, 1),
        }

    async def retry(self, engagement: str, by: str) -> RetryResult:
        """Try a parked engagement again; raises NotInTrouble, and StoreAway or TimeoutError."""
        return await self._serve(Request(engagement, "retry", by))

    async def skip(
        self, engagement: str, record: str, by: str, why: str, published: int | None = None
    ) -> RetryResult:
        """Go on without what holds an engagement up, and try the rest.

        Where events are missing before the record, exactly these are passed over; `published` is
        how many the author has published, as a person looked it up. Any other record is set aside,
        and moves no position. Raises NotInTrouble, NotProven, and StoreAway or TimeoutError.
        """
        return await self._serve(Request(engagement, "skip", by, record, why, published))

    async def set_aside(self, engagement: str, record: str, by: str, why: str) -> RetryResult:
        """Set aside the record that holds an engagement up, also before a gap; try the rest.

        Raises NotInTrouble, and StoreAway or TimeoutError.
        """
        return await self._serve(Request(engagement, "set-aside", by, record, why))

    def prepare_again(self) -> None:
        """Give the reader its partitions once more: it may want to read them again."""
        self._prepared = False
        self.caught_up.begins_again(self._partitions, datetime.now(UTC))

    # ---- partitions come and go ----------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002
        """Let the batch in hand end and commit it before anybody else has its partitions."""
        self._epoch += 1
        self._leave.set()
        async with self._lock:
            await self._close_accounts()
            if not self._stopping:
                self._leave.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin on new partitions; what is parked on them is loaded before the first batch."""
        self._partitions = frozenset(each.partition for each in assigned)
        for topic in self.topics:
            of_topic = {each.partition for each in assigned if each.topic == topic}
            if of_topic != self._partitions:
                log.error("%s: partitions of %s are read apart", self._group, topic)
        self._prepared = False
        self.progress.joined = True
        self.progress.answered = self.progress.advanced = MonotonicClock()

    async def _close_accounts(self) -> None:
        if self._prepared:
            await self._commit(now=True)  # what could not be committed comes again, and passes by
        with suppress(*TRANSIENT):
            await self._reader.withdrawn()
        self.caught_up.withdrawn(self.parking.heads)
        self.parking.forget()
        self._prepared = False
        self._uncommitted.clear()
        self._durable.clear()
        self._taken.clear()
        self._continuity.begin({})
        self._to_try.clear()
        self._partitions = frozenset()
        self.progress.joined = False
        self.progress.lag = {}

    async def _prepare(self) -> None:
        if not self._prepared:
            await self.parking.load(self._partitions)
            once_back = await self._reader.given(self._partitions)
            if once_back is not None:
                await self._go_back()
                await self.parking.reset()
                await once_back()
            elif self.consumer is not None:
                await self._continuity.resume(self.consumer)
            await self._reader.wait(self.parking.heads)
            self._to_try = dict.fromkeys(await self._intake.to_take_up(), False)
            self._prepared = True

    async def _go_back(self) -> None:
        """Read everything again from the first records, also if this process ends now."""
        consumer = self.consumer
        if consumer is None:
            raise ConnectionError("no consumer is there to go back")
        first = await consumer.beginning_offsets(list(consumer.assignment()))
        await consumer.commit(first)
        for place, offset in first.items():
            consumer.seek(place, offset)
        self._continuity.begin(first)
        self._epoch += 1  # what is in hand comes again, after what precedes it
        self.caught_up.begins_again(self._partitions, datetime.now(UTC))
        self._uncommitted.clear()
        self._durable.clear()  # these offsets are beyond what is to be read again
        self._taken.clear()
        log.info("%s: reads everything again from the first records", self._group)

    # ---- a batch -------------------------------------------------------------------------------

    async def _handle(self, arrivals: list[Arrival]) -> None:
        # Nothing was awaited since the records left the consumer.
        self._in_hand = True
        try:
            await self._process(arrivals, self._epoch)
        finally:
            self._in_hand = False
        if len(arrivals) < self._batch:
            rest = self._rest_per_record * len(arrivals)
            await asyncio.sleep(min(max(rest, SHORTEST_REST), LONGEST_REST))

    async def _process(self, arrivals: list[Arrival], epoch: int) -> None:
        async with self._lock:
            if epoch != self._epoch or self._stopping:
                return  # their partitions went meanwhile; who has them now gets them again
            self.progress.busy_since = began = MonotonicClock()
            try:
                await self._patiently(lambda: self._take_in(arrivals))
                _batches.record(MonotonicClock() - began, {"group": self._group})
                await self._commit()
            except _LeftAlone:
                log.info("%s: a batch of %d is left to others", self._group, len(arrivals))
            finally:
                self.progress.busy_since = None
                self.progress.advanced = MonotonicClock()

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        pause = 0.1
        while True:
            try:
                await work()
            except _LeftAlone:
                raise
            except Exception as error:
                if self.progress.hindrance is None:
                    is_bug = not isinstance(error, TRANSIENT)
                    log.warning("%s waits: %s", self._group, error, exc_info=is_bug)
                self.progress.hindrance = f"{type(error).__name__}: {error}"
            else:
                if self.progress.hindrance is not None:
                    log.info("%s goes on", self._group)
                    self.progress.hindrance = None
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), pause * random.uniform(0.8, 1.2))
            if self._leave.is_set():
                self.progress.hindrance = None
                raise _LeftAlone
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _take_in(self, arrivals: list[Arrival]) -> None:
        if not self.progress.joined:
            raise ConnectionError("no partitions are assigned")
        epoch = self._epoch
        await self._prepare()
        if epoch != self._epoch:
            raise _LeftAlone
        consumer = self.consumer
        if consumer is not None and await self._continuity.must_read_again(arrivals, consumer):
            raise _LeftAlone
        account = await self._intake.account_for(arrivals)
        account.measure(self._group)
        self.account += account
        self._continuity.advance(arrivals)
        last = {(arrival.topic, arrival.partition): arrival.offset for arrival in arrivals}
        for place, offset in last.items():
            self._uncommitted[TopicPartition(*place)] = offset + 1
            self._taken[TopicPartition(*place)] = offset + 1

    async def _commit(self, *, now: bool = False) -> None:
        """Commit what the reader has made durable: ten times a second at most, unless `now`."""
        consumer = self.consumer
        try:
            if self._uncommitted and await self._intake.settle(now=now):
                self._durable |= self._uncommitted
                self._uncommitted.clear()
            if not self._uncommitted:
                self.caught_up.settled(datetime.now(UTC))
            early = not now and MonotonicClock() - self._committed < COMMIT_EVERY
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
            self._committed = MonotonicClock()

    # ---- parked engagements --------------------------------------------------------------------

    async def _serve(self, request: Request) -> RetryResult:
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._lock.acquire()
        try:
            if self._prepared and self._is_mine(request.engagement):
                with suppress(Superseded):  # whoever reads it now is asked
                    return await self._intake.answer(request)
            await self._intake.refuse(request)
            await self.parking.ask(request)
            return RetryResult(asked=True)
        finally:
            self._lock.release()

    def _is_mine(self, engagement: str) -> bool:
        return engagement in self.parking or partition_of(engagement) in self._partitions

    # ---- watch ---------------------------------------------------------------------------------

    async def _keep_watch(self) -> None:
        """Start the consumer, look after it each second, and make another when it is lost."""
        while not self._stopping:
            since = MonotonicClock()
            try:
                await self._subscriber.start()
                self.progress.hindrance = None
                while not self.progress.stalled(since, RESTART_AFTER):
                    await asyncio.sleep(1)
                    await self._look_round()
                log.error("%s: the group's coordinator is lost, reconnecting", self._group)
            except Exception as error:
                if self.progress.hindrance is None:
                    is_bug = not isinstance(error, TRANSIENT)
                    log.warning("%s: Kafka is away: %r", self._group, error, exc_info=is_bug)
                self.progress.hindrance = f"Kafka is away: {error!r}"
            self._leave.set()
            async with self._lock:
                self._epoch += 1
                await self._close_accounts()
            await consumer_settings.let_go(self._subscriber.stop(), self.consumer, self._patience)
            self._leave.clear()
            await asyncio.sleep(1)

    async def _look_round(self) -> None:
        consumer = self.consumer
        partitions = sorted(consumer.assignment()) if consumer is not None else []
        if consumer is None or not partitions:
            return
        epoch = self._epoch
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await consumer.committed(partitions[0])
                self.progress.answered = MonotonicClock()
        except (KafkaError, OSError, IllegalStateError):
            return
        with suppress(KafkaError, OSError, IllegalStateError):
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._look_at_lag(consumer, partitions, epoch)
        if self.progress.busy_since is not None or not any(self.progress.lag.values()):
            self.progress.advanced = MonotonicClock()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._lock.acquire()
            try:
                await self._look_after()
            except Exception as error:
                is_bug = not isinstance(error, TRANSIENT)
                log.warning("%s: will look again: %r", self._group, error, exc_info=is_bug)
            finally:
                self._lock.release()

    async def _look_at_lag(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], epoch: int
    ) -> None:
        new = [each for each in partitions if each not in self._taken]
        # Not the consumer's positions: they may be ahead of what was processed.
        committed = await asyncio.gather(*(consumer.committed(each) for each in new))
        begins = dict(zip(new, committed, strict=True))
        if never := [each for each, offset in begins.items() if offset is None]:
            # In one request: each would wait until the fetch before it is answered.
            begins |= await consumer.beginning_offsets(never)
        if epoch == self._epoch:
            self._taken = begins | self._taken
        asked = datetime.now(UTC)
        ends = await consumer.end_offsets(partitions)
        for each in partitions:
            if epoch == self._epoch and ends[each] > self._taken[each]:
                await self._look_past(consumer, each, epoch)
        if epoch != self._epoch:
            return  # the partitions are going, or are read from their start again
        self.progress.lag = {each: max(0, end - self._taken[each]) for each, end in ends.items()}
        if not self._prepared:
            return  # which engagements wait, to which no moment applies, is not known yet
        for number in {each.partition for each in partitions}:
            of = [each for each in partitions if each.partition == number]
            self.caught_up.compare(
                number,
                asked,
                {each.topic: ends[each] for each in of},
                {each.topic: self._taken[each] for each in of},
            )

    async def _look_past(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, epoch: int
    ) -> None:
        """Count offsets as processed that Kafka hands to nobody, like the marks of transactions.

        With no batch in hand, nothing else brings the consumer ahead of what was processed, unless
        the client passed over records: so it is set back once.
        """
        at = await consumer.position(place)
        if epoch != self._epoch or self._in_hand or at <= (taken := self._taken[place]):
            return
        if self._set_back.get(place) == taken:
            self._taken[place] = at
        else:
            self._set_back[place] = taken
            consumer.seek(place, taken)

    async def _look_after(self) -> None:
        if not self.progress.joined:
            return
        await self._prepare()
        await self._commit()
        await self._take_up()
        for request in await self.parking.asked(self._is_mine):
            try:
                await self._intake.answer(request)
            except TRANSIENT:
                raise  # it is answered when what is away is back
            except (NotInTrouble, NotProven) as refusal:
                log.info("%s: %s: %s", self._group, request.engagement, refusal)
            except Exception:
                log.exception("%s: %s of %s fails", self._group, request.action, request.engagement)
            await self.parking.answered(request)

    async def _take_up(self) -> None:
        """Try engagements that may be processed again; one that fails comes behind all others."""
        ends = MonotonicClock() + LOOK_FOR
        for engagement, failed in list(self._to_try.items()):
            if MonotonicClock() >= ends:
                return
            del self._to_try[engagement]
            self._to_try[engagement] = failed
            try:
                await self._intake.take_up(engagement)
            except TRANSIENT:
                raise
            except Exception:
                self._to_try[engagement] = True
                if not failed:  # it is tried again each second
                    log.exception("%s: %s cannot be tried again", self._group, engagement)
            else:
                del self._to_try[engagement]
