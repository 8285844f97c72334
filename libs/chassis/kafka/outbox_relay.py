"""Outbox relay: publish the journal's events to Kafka, in order, at least once.

It subscribes to the journal and publishes with a producer of its own, which it replaces when the
producer breaks or hangs. A batch is sent again whole until all of it is acknowledged, so repeats on
a topic are in order and without a gap; consumers ignore events that they have processed.

If a commit cannot be read, nothing more of its stream is published, and all other streams continue.
The stream is tried again from that commit on with its next commit, every ten seconds while there
are commits, and at the next start. No commit is skipped.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from chassis.base.backoff import Backoff
from chassis.base.failures import ValueFreeError
from chassis.eventstore.journal import Commit, Journal, readable
from chassis.eventstore.mongo import Document, Store, reaching
from chassis.eventstore.skipped import SkippedStream, SkippedStreams
from chassis.eventstore.subscription import Subscription
from chassis.eventstore.unreadable import UnreadableStream, log_once
from chassis.kafka.credentials import Identity, arguments
from contracts.channels import CHANNELS, SEGMENT_MS
from contracts.counting import counted
from contracts.event import CONTENT_TYPE, Undecodable, read

RELAY = "relay"
"""The id of the relay's lease and resume token in the store."""

_log = logging.getLogger(__name__)
_HEADERS = [("content-type", CONTENT_TYPE.encode())]
# A producer drops a batch whose leader is unknown after its request timeout, and continues with the
# next: a gap. The relay replaces the producer long before.
_REQUEST_TIMEOUT_MS = 60_000
_PATIENCE = 15.0
_REST = 0.005
UNTIL_CLOSED = 1.5 * SEGMENT_MS / 1000
"""Seconds after which tombstones are published again, which closes their segment."""
_TRIED_AGAIN_FOR = 0.5

_FOR_GOOD = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
_meter = metrics.get_meter("concord.relay")
_published = _meter.create_counter("concord.relay.published", description="records acknowledged")
_refused = _meter.create_counter(
    "concord.relay.refused", description="attempts that Kafka refused and will refuse again"
)

Record = tuple[str, bytes, bytes | None]
"""Topic, key and value; None as the value is a tombstone."""


class NotPublishable(ValueFreeError):
    """Kafka refuses a record permanently: nothing behind it can be published."""


def records_of(commit: Commit, prefix: str) -> list[Record]:
    """Return a commit's records in order: its own events, or the tombstones of an erasure."""
    return [
        (CHANNELS[kept.channel].topic(prefix), kept.key.encode(), kept.record)
        for kept in commit.events
        if kept.own
    ] + [(CHANNELS[channel].topic(prefix), key.encode(), None) for channel, key in commit.erases]


def publishable(commit: Commit) -> Commit | UnreadableStream:
    """Return the commit, or an error if one of the events it publishes cannot be read.

    An event whose type only newer contracts have can be published: its bytes are copied.
    """
    for kept in commit.events:
        if kept.own:
            try:
                read(kept.record, CHANNELS[kept.channel])
            except Undecodable as error:
                return UnreadableStream(commit.stream, commit.number, str(error))
    return commit


class Relay:
    """Publishes one department's journal, in one process at a time: the one that has the lease."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        bootstrap: str,
        prefix: str = "concord",
        identity: Identity = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        until_closed: float = UNTIL_CLOSED,
        retry_skipped_every: float = 10.0,
        look_again_every: float = 2.0,
        replayed_together: int = 500,
    ) -> None:
        """Set up the relay; all times are in seconds.

        `until_closed` is the time between the two publications of a tombstone. Skipped streams are
        tried again every `retry_skipped_every`, and a commit that names no stream is read again
        every `look_again_every`. `replayed_together` is the number of commits of a replay, or of a
        stream that was skipped, that are published together.
        """
        self._until_closed = until_closed
        self._retry_skipped_every = retry_skipped_every
        self._look_again_every = look_again_every
        self._replayed_together = replayed_together
        self._store = store
        self._journal = journal
        self._skipped = SkippedStreams(store, RELAY)
        self._try_again_at = 0.0
        self._in_turn: deque[str] = deque()
        self._unidentified: str | None = None
        self._refusal: str | None = None
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._identity = identity
        self._now = now
        self._producer: AIOKafkaProducer | None = None
        self.subscription = Subscription(
            store, RELAY, self._relay, self._republish, begin=self._begin, rest=_REST
        )
        """The subscription; its `progress` and `backlog` are those of the relay."""
        _meter.create_observable_gauge(
            "concord.relay.left",
            callbacks=[lambda _: [Observation(len(self._skipped.streams))]],
            description="streams of which nothing more is published, since a commit cannot be read",
        )
        _meter.create_observable_gauge(
            "concord.relay.backlog",
            callbacks=[self._observe],
            unit="s",
            description="age of the oldest commit read and not yet published",
        )

    @property
    def refused(self) -> str | None:
        """The record that Kafka refuses, or the commit that cannot be read, and why; or None.

        Waiting does not change either.
        """
        left = [
            f"commit {behind.number} of {stream} cannot be read, and nothing behind it is"
            f" published: {behind.why}"
            for stream, behind in self._skipped.streams.items()
        ]
        more = [f"and {counted(len(left) - 1, 'more stream')}"] if len(left) > 1 else []
        return self._refusal or self._unidentified or "; ".join([*left[:1], *more]) or None

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            await self.subscription.run()
        finally:
            await self._discard_producer()

    def backlog(self) -> float:
        """Return the age in seconds of the oldest commit that is read and not yet published."""
        return self.subscription.backlog(self._now())

    async def _begin(self) -> None:
        await self._skipped.load()
        await self._try_again([*self._skipped.streams])

    async def _relay(self, documents: Sequence[Document]) -> None:
        await self._publish_commits([readable(document) for document in documents])
        if time.monotonic() >= self._try_again_at:
            await self._try_again_in_turn()
            self._try_again_at = time.monotonic() + self._retry_skipped_every

    async def _republish(self) -> None:
        await self._skipped.clear()
        commits: list[Commit | UnreadableStream] = []
        async for commit in self._journal.everything():
            commits.append(commit)
            if len(commits) >= self._replayed_together:
                await self._publish_commits(commits)
                commits = []
        await self._publish_commits(commits)

    async def _publish_commits(self, commits: Iterable[Commit | UnreadableStream]) -> None:
        sound: list[Commit] = []
        again: dict[str, None] = {}
        for each in commits:
            commit = await self._placed(each)
            if isinstance(commit, Commit):
                commit = publishable(commit)
            if commit.stream in self._skipped.streams:
                again[commit.stream] = None
            elif isinstance(commit, UnreadableStream):
                log_once(commit)
                await self._skipped.put(commit.stream, commit.number, commit.why)
            else:
                sound.append(commit)
        await self._publish_in_order(sound)
        await self._try_again(again)

    async def _placed(self, commit: Commit | UnreadableStream) -> Commit | UnreadableStream:
        """Wait for an operator where a commit's document does not name its stream and number.

        It is then unknown which stream must not be published.
        """
        while isinstance(commit, UnreadableStream) and commit.number == 0:
            log_once(commit)
            self._unidentified = f"nothing more is published: {commit}"
            await asyncio.sleep(self._look_again_every)
            with reaching():
                document = await self._store.commits.find_one({"_id": commit.document})
            if document is not None:
                commit = readable(document)
        self._unidentified = None
        return commit

    async def _try_again_in_turn(self) -> None:
        """Try skipped streams again for half a second, in turn."""
        ends = time.monotonic() + _TRIED_AGAIN_FOR
        if not self._in_turn:
            self._in_turn = deque(self._skipped.streams)
        while self._in_turn and time.monotonic() < ends:
            stream = self._in_turn.popleft()
            if stream in self._skipped.streams:
                await self._try_again([stream])

    async def _try_again(self, streams: Iterable[str]) -> None:
        """Publish the commits of skipped streams that can be read now."""
        for stream in streams:
            expected = self._skipped.streams[stream].number
            found: list[Commit] = []
            behind: SkippedStream | None = SkippedStream(expected, "it is missing in the journal")
            try:
                async for commit in self._journal.read(stream, after=expected - 1):
                    if commit.number != expected:
                        behind = SkippedStream(expected, "it is missing in the journal")
                        break
                    if isinstance(wrong := publishable(commit), UnreadableStream):
                        raise wrong
                    found.append(commit)
                    expected, behind = expected + 1, None
                    if len(found) >= self._replayed_together:
                        await self._publish_in_order(found)
                        found = []
            except UnreadableStream as unreadable:
                behind = SkippedStream(unreadable.number, unreadable.why)
            await self._publish_in_order(found)
            if behind is None:
                await self._skipped.drop(stream)
            elif behind != self._skipped.streams[stream]:
                await self._skipped.move(stream, behind)

    async def _publish_in_order(self, commits: Sequence[Commit]) -> None:
        records: list[Record] = []
        for commit in commits:
            if commit.erases:
                # The process that began the erasure may have died before its end.
                await self._journal.erase(commit.stream, commit.number)
            records.extend(records_of(commit, self._prefix))
        if records:
            await self._publish(records)
        if tombstones := [record for record in records if record[2] is None]:
            # Publishing them again closes their segment: Kafka compacts only closed segments.
            await asyncio.sleep(self._until_closed)
            await self._publish(tombstones)

    async def _publish(self, records: Sequence[Record]) -> None:
        backoff = Backoff()
        while True:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._send(records)
            except NotPublishable as refused:
                # A new producer may succeed where a broken one did not: report the second refusal.
                if backoff.pauses:
                    self._refusal = str(refused)
                    _refused.add(1)
                    _log.error("relay: nothing more is published: %s", refused)
            except (KafkaError, OSError, TimeoutError) as error:
                if backoff.must_log():
                    _log.warning("relay: events cannot be published: %r", error)
            else:
                self._refusal = None
                _published.add(len(records))
                if backoff.reset():
                    _log.info("relay: events are published again")
                return
            await self._discard_producer()
            await backoff.pause()

    async def _send(self, records: Sequence[Record]) -> None:
        producer = await self._ready_producer()
        sent: list[asyncio.Future[object]] = []
        for topic, key, value in records:
            sent.append(await producer.send(topic, value, key=key, headers=_HEADERS))
            sent[-1].add_done_callback(_retrieve)
        await asyncio.wait(sent)
        for future, (topic, key, value) in zip(sent, records, strict=True):
            error = future.exception()
            if isinstance(error, _FOR_GOOD):
                raise NotPublishable(
                    f"{topic} refuses {len(value or b'')} bytes of {key.decode()}: {error!r}"
                ) from error
            if error is not None:
                raise error

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
                max_batch_size=131_072,
                max_request_size=4_194_304,
                **arguments(self._identity),
            )
            try:
                await producer.start()
            except BaseException:
                await _stop(producer)
                raise
            self._producer = producer
        return self._producer

    async def _discard_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(self.backlog())]


def _retrieve(future: "asyncio.Future[object]") -> None:
    """Retrieve an error even where no task awaits the future any more."""
    if not future.cancelled():
        future.exception()


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop a producer that may be broken; if it does not stop, close its connections."""
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await producer.stop()
            return
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await producer.client.close()
            await producer._sender.close()  # noqa: SLF001 - its own stop may wait for it for ever
