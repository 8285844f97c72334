"""The relay: what the journal says goes to Kafka, in order, at least once.

It follows the journal and publishes with a producer of its own, which it replaces when it breaks or
hangs. A batch is sent again whole until all of it is acknowledged, so whatever is repeated on a
topic is repeated in order and without a gap; readers pass over what they have seen.

A stream of which a commit cannot be read is left there, and all others go on. It is tried again
from that commit on with its next one, now and then, and at the next start: nothing is passed over.
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

from chassis.base.failures import ValueFreeError
from chassis.eventstore.journal import Commit, Journal, readable
from chassis.eventstore.mongo import Document, Store, reaching
from chassis.eventstore.skipped import SkippedStream, SkippedStreams
from chassis.eventstore.subscription import Subscription
from chassis.eventstore.unreadable import UnreadableStream, log_once
from chassis.kafka.credentials import Identity, arguments
from contracts.channels import CHANNELS, SEGMENT_MS
from contracts.event import CONTENT_TYPE, Undecodable, read

RELAY = "relay"
"""The name under which the store keeps the relay's lease and token."""

_log = logging.getLogger(__name__)
_HEADERS = [("content-type", CONTENT_TYPE.encode())]
_REPLAYED_TOGETHER = 500
# A producer gives up a batch of which it knows no leader after its request timeout, and goes on
# with the next: a gap. We give up the producer long before.
_REQUEST_TIMEOUT_MS = 60_000
_PATIENCE = 15.0
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 2.0
_REST = 0.005
_UNTIL_CLOSED = 1.5 * SEGMENT_MS / 1000

_TRIED_AGAIN_AFTER, _TRIED_AGAIN_FOR = 10.0, 0.5

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
"""Topic, key and value; no value is a tombstone."""


class NotTaken(ValueFreeError):
    """Kafka refuses a record and will refuse it again: nothing behind it can be published."""


def records_of(commit: Commit, prefix: str) -> list[Record]:
    """What a commit has to say on Kafka, in order: its events, or the tombstones of an erasure."""
    return [
        (CHANNELS[kept.channel].topic(prefix), kept.key.encode(), kept.record)
        for kept in commit.events
        if kept.own
    ] + [(CHANNELS[channel].topic(prefix), key.encode(), None) for channel, key in commit.erases]


def publishable(commit: Commit) -> Commit | UnreadableStream:
    """Return the commit, or the error that says which of the events it says is none.

    An event of a type that only newer contracts have can be published: its bytes are passed on.
    """
    for kept in commit.events:
        if kept.own:
            try:
                read(kept.record, CHANNELS[kept.channel])
            except Undecodable as error:
                return UnreadableStream(commit.stream, commit.number, str(error))
    return commit


class Relay:
    """Publishes one department's journal; one process at a time does, the others wait."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        bootstrap: str,
        prefix: str = "concord",
        identity: Identity = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._journal = journal
        self._left = SkippedStreams(store, RELAY)
        self._try_again_at = 0.0
        self._turn: deque[str] = deque()
        self._placeless: str | None = None
        self._not_taken: str | None = None
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._identity = identity
        self._now = now
        self._producer: AIOKafkaProducer | None = None
        self.subscription = Subscription(
            store, RELAY, self._relay, self._republish, begin=self._begin, rest=_REST
        )
        """Its `progress` and `backlog` say how the relay does."""
        _meter.create_observable_gauge(
            "concord.relay.left",
            callbacks=[lambda _: [Observation(len(self._left.streams))]],
            description="streams of which nothing more is published: a commit cannot be read",
        )
        _meter.create_observable_gauge(
            "concord.relay.backlog",
            callbacks=[self._observe],
            unit="s",
            description="age of the oldest commit read and not yet published",
        )

    @property
    def refused(self) -> str | None:
        """What is not published and why, where waiting will not change it; None if there is none.

        A record that Kafka refuses, or a commit that cannot be read.
        """
        left = [
            f"commit {behind.number} of {stream} cannot be read, and nothing behind it is"
            f" published: {behind.why}"
            for stream, behind in self._left.streams.items()
        ]
        more = [f"and {len(left) - 1} streams more"] if len(left) > 1 else []
        return self._not_taken or self._placeless or "; ".join([*left[:1], *more]) or None

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            await self.subscription.run()
        finally:
            await self._discard_producer()

    def backlog(self) -> float:
        """Age in seconds of the oldest commit read and not yet published."""
        return self.subscription.backlog(self._now())

    async def _begin(self) -> None:
        await self._left.load()
        await self._try_again([*self._left.streams])

    async def _relay(self, documents: Sequence[Document]) -> None:
        await self._publish_commits([readable(document) for document in documents])
        if time.monotonic() >= self._try_again_at:
            await self._try_again_in_turn()
            self._try_again_at = time.monotonic() + _TRIED_AGAIN_AFTER

    async def _republish(self) -> None:
        await self._left.clear()
        commits: list[Commit | UnreadableStream] = []
        async for commit in self._journal.everything():
            commits.append(commit)
            if len(commits) >= _REPLAYED_TOGETHER:
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
            if commit.stream in self._left.streams:
                again[commit.stream] = None
            elif isinstance(commit, UnreadableStream):
                log_once(commit)
                await self._left.put(commit.stream, commit.number, commit.why)
            else:
                sound.append(commit)
        await self._publish_in_order(sound)
        await self._try_again(again)

    async def _placed(self, commit: Commit | UnreadableStream) -> Commit | UnreadableStream:
        """Wait for an operator where a commit's document does not name its stream and number.

        Nobody can tell then which stream is to be left behind.
        """
        while isinstance(commit, UnreadableStream) and commit.number == 0:
            log_once(commit)
            self._placeless = f"nothing more is published: {commit}"
            await asyncio.sleep(_LAST_PAUSE)
            with reaching():
                document = await self._store.commits.find_one({"_id": commit.document})
            if document is not None:
                commit = readable(document)
        self._placeless = None
        return commit

    async def _try_again_in_turn(self) -> None:
        """Try streams again for a while, those first of which it is longest ago."""
        ends = time.monotonic() + _TRIED_AGAIN_FOR
        if not self._turn:
            self._turn = deque(self._left.streams)
        while self._turn and time.monotonic() < ends:
            stream = self._turn.popleft()
            if stream in self._left.streams:
                await self._try_again([stream])

    async def _try_again(self, streams: Iterable[str]) -> None:
        """Publish what can be read now of streams that were left behind."""
        for stream in streams:
            expected = self._left.streams[stream].number
            found: list[Commit] = []
            behind: SkippedStream | None = SkippedStream(expected, "the journal lacks it")
            try:
                async for commit in self._journal.read(stream, after=expected - 1):
                    if commit.number != expected:
                        behind = SkippedStream(expected, "the journal lacks it")
                        break
                    if isinstance(unsaid := publishable(commit), UnreadableStream):
                        raise unsaid
                    found.append(commit)
                    expected, behind = expected + 1, None
                    if len(found) >= _REPLAYED_TOGETHER:
                        await self._publish_in_order(found)
                        found = []
            except UnreadableStream as unreadable:
                behind = SkippedStream(unreadable.number, unreadable.why)
            await self._publish_in_order(found)
            if behind is None:
                await self._left.drop(stream)
            elif behind != self._left.streams[stream]:
                await self._left.move(stream, behind)

    async def _publish_in_order(self, commits: Sequence[Commit]) -> None:
        records: list[Record] = []
        for commit in commits:
            if commit.erases:
                # Whoever began this may have died before the end of it.
                await self._journal.erase(commit.stream, commit.number)
            records.extend(records_of(commit, self._prefix))
        if records:
            await self._publish(records)
        if tombstones := [record for record in records if record[2] is None]:
            # Said again, they close the file that holds them: until then Kafka compacts nothing.
            await asyncio.sleep(_UNTIL_CLOSED)
            await self._publish(tombstones)

    async def _publish(self, records: Sequence[Record]) -> None:
        pause, said = _FIRST_PAUSE, False
        while True:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._send(records)
            except NotTaken as refused:
                # What a broken producer was refused a new one may not be: said from the second on.
                if pause > _FIRST_PAUSE:
                    self._not_taken = str(refused)
                    _refused.add(1)
                    _log.error("relay: nothing more is published: %s", refused)
            except (KafkaError, OSError, TimeoutError) as error:
                if not said:
                    _log.warning("relay: Kafka does not take what is said: %r", error)
                    said = True
            else:
                self._not_taken = None
                _published.add(len(records))
                if said:
                    _log.info("relay: Kafka is back")
                return
            await self._discard_producer()
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)

    async def _send(self, records: Sequence[Record]) -> None:
        producer = await self._ready_producer()
        sent: list[asyncio.Future[object]] = []
        for topic, key, value in records:
            sent.append(await producer.send(topic, value, key=key, headers=_HEADERS))
            sent[-1].add_done_callback(_look_at)
        await asyncio.wait(sent)
        for future, (topic, key, value) in zip(sent, records, strict=True):
            error = future.exception()
            if isinstance(error, _FOR_GOOD):
                raise NotTaken(
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
                await _end(producer)
                raise
            self._producer = producer
        return self._producer

    async def _discard_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end(producer)

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(self.backlog())]


def _look_at(future: "asyncio.Future[object]") -> None:
    """See an error even where nobody waits for it any more."""
    if not future.cancelled():
        future.exception()


async def _end(producer: AIOKafkaProducer) -> None:
    """End a producer that may be broken: in order if it can, else without its consent."""
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await producer.stop()
            return
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await producer.client.close()
            await producer._sender.close()  # noqa: SLF001 - its own stop waits for it for ever
