"""The repository of a department's streams: reads them from cache and journal, and appends commits.

Cached states may be older than the journal, since other processes append to it. That is harmless
for appends: the journal refuses a commit that was decided on an old state, by its number.

Events that change no state only advance a stream's position. These positions are deferred in memory
and written with the stream's next commit, or after one second for all such streams together. The
consumer commits no offset after such an event before its position is written, so that the event is
consumed again if the process ends
(docs/adr/0011-buffer-positions-of-events-that-change-no-state.md).
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from chassis.base.telemetry import spanning
from chassis.documents.store import Content, DocumentStore
from chassis.domain.context import Context, ReferenceData
from chassis.domain.documents import CANONICAL_JSON
from chassis.domain.latest_ids import LatestIds
from chassis.domain.stream import Stream
from chassis.eventstore.journal import AlreadyDone, Commit, Journal, Raced, TooLarge
from chassis.eventstore.snapshots import (
    AnyDecider,
    Known,
    Snapshots,
    advanced,
    grown,
    measured,
    nothing_known,
)
from contracts.event import LOCAL_SCHEMAS, write_position
from contracts.roles import Role
from contracts.values import DocumentPurpose

LARGEST_STATE = 4 * 1024 * 1024
"""Size of a state as JSON in bytes from which commands that add to it are refused. On two slow
cores, a state of this size takes 30 ms to serialise, 70 ms to store, and 400 ms to load, once in a
process; a document of the store has at most twice this size."""
LARGEST_CONSUMED = 7 * 1024 * 1024
"""The same limit for consumed events: higher, near the limit of the store, since their authors
cannot know the size of the state. A refused event parks its engagement."""
_POLL_SHARE = 0.1
"""The next read of the store waits for this share of the time that a request has waited."""


class Unknown(Exception):
    """The stream does not exist, and the command is not one that may begin it.

    `begins` says how streams of its kind begin, or is empty.
    """

    def __init__(self, stream: str, begins: str = "") -> None:
        kind, _, subject = stream.partition(":")
        known = f"no {kind.replace('-', ' ')} {subject} is known to this department"
        super().__init__(f"{known}{': ' if begins else ''}{begins}")
        self.stream = stream


@dataclass(frozen=True, slots=True)
class ContextFactory:
    """The source of contexts for decisions: reference data, the clock and new ids."""

    reference_data: ReferenceData
    now: Callable[[], datetime]
    """Returns the present moment (UTC)."""
    new_event_id: Callable[[], str]
    schemas_url: str = LOCAL_SCHEMAS
    """Address under which the installation serves the schemas of events."""

    def context(
        self,
        *,
        actor: str,
        occurred_at: datetime | None,
        cause: str,
        traceparent: str | None,
        on_behalf_of: str | None = None,
        roles: frozenset[Role] = frozenset(),
        documents: frozenset[str] = frozenset(),
    ) -> Context:
        """Return the context of one decision or reaction; `occurred_at` None means now."""
        now = self.now()
        return Context(
            actor=actor,
            occurred_at=occurred_at or now,
            recorded_at=now,
            cause=cause,
            reference_data=self.reference_data,
            new_event_id=self.new_event_id,
            traceparent=traceparent,
            on_behalf_of=on_behalf_of,
            roles=roles,
            documents=documents,
        )


@dataclass(frozen=True, slots=True)
class _Deferred:
    """The position of a stream and the ids of its last events, not written yet."""

    position: Mapping[str, int]
    latest_ids: LatestIds


class Repository:
    """The streams of one department, cached in this process."""

    def __init__(
        self,
        deciders: Iterable[AnyDecider],
        journal: Journal,
        snapshots: Snapshots,
        *,
        now: Callable[[], datetime],
        keep: int = 5_000,
        deferred_for: float = 1.0,
        poll: float = 0.1,
        largest_state: int = LARGEST_STATE,
        largest_consumed: int = LARGEST_CONSUMED,
        documents: DocumentStore | None = None,
    ) -> None:
        """Set up an empty cache of at most `keep` streams; `now` returns UTC moments.

        Deferred positions are written after `deferred_for` seconds. A request that waits for a
        stream reads the store every `poll` seconds at first. The limits of a state are in bytes.
        """
        self._documents = documents
        self.deciders = {decider.kind: decider for decider in deciders}
        self.journal = journal
        self.snapshots = snapshots
        self.stopping = asyncio.Event()
        """Set when the service stops: requests do not wait any longer."""
        self.asking: asyncio.Queue[str] = asyncio.Queue()
        """The streams with pending requests after a commit of this process, in order."""
        self._now = now
        self._keep = keep
        self._deferred_for = deferred_for
        self._poll = poll
        self._largest_state = largest_state
        self._largest_consumed = largest_consumed
        self._cache: OrderedDict[str, Known] = OrderedDict()
        self._deferred: dict[str, _Deferred] = {}
        self._deferred_since = 0.0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watchers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def decider(self, stream: str) -> AnyDecider:
        """Return the decider of a stream, by the stream's id."""
        return self.deciders[stream.partition(":")[0]]

    def lock(self, stream: str) -> asyncio.Lock:
        """Return the lock under which this process commits to a stream."""
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock

    # ---- reading ------------------------------------------------------------------------------

    def cached(self, stream: str) -> Known | None:
        """Return the cached stream, or None; it may be older than the journal."""
        written = self._cache.get(stream)
        return None if written is None else self._with_deferred(written)

    async def current(self, stream: str) -> Known:
        """Return the current stream: the cached one, or a snapshot, and the commits after it.

        Raises UnreadableStream, StoreAway.
        """
        return self._with_deferred(await self._read(stream))

    async def written(self, stream: str, number: int) -> Known:
        """Return the stream after its commit of this number, or a later one, as in the journal.

        Deferred positions are left out. Raises UnreadableStream, StoreAway.
        """
        known = self._cache.get(stream)
        if known is None or known.stream.number < number:
            known = await self._read(stream)
        return known

    async def at(self, stream: str, number: int) -> Stream[Any]:
        """Return the stream as it was after its commit of this number.

        Raises Unknown, UnreadableStream, StoreAway.
        """
        decider = self.decider(stream)
        known = self._cache.get(stream)
        if known is None or known.stream.number > number:
            known = nothing_known(decider, stream)
        async for commit in self.journal.read(stream, after=known.stream.number, until=number):
            known = advanced(decider, known, commit)
        if known.stream.number != number:
            raise Unknown(stream)
        return known.stream

    async def preload(self, streams: Sequence[str]) -> None:
        """Cache the snapshots of streams that are not cached; raises StoreAway.

        Most snapshots are up to date; if one is not, an append on it is refused.
        """
        absent = [stream for stream in streams if stream not in self._cache]
        for known in await self.snapshots.load_all(absent):
            self.cache(known)

    def cache(self, known: Known) -> Known:
        """Cache a stream, and wake waiting requests, unless a newer one is cached; return that."""
        stream = known.stream.id
        cached = self._cache.get(stream)
        if cached is None or cached.stream.number < known.stream.number:
            self._wake(stream)
        else:
            known = cached
        self._cache[stream] = known
        self._cache.move_to_end(stream)
        if len(self._cache) > self._keep:
            self._cache.popitem(last=False)
        return known

    async def wait_for_change(
        self, before: Stream[Any], ends: float, also: Callable[[], bool]
    ) -> bool:
        """Wait until a stream has changed or `also` returns true; return False after `ends`.

        `ends` is a time of the running loop. Returns False as soon as the service stops. Raises
        UnreadableStream, StoreAway.
        """
        loop = asyncio.get_running_loop()
        began = asked = loop.time()
        while (left := ends - loop.time()) > 0 and not self.stopping.is_set():
            woken = await self._wait_for_wake(before.id, min(left, self._poll))
            at = loop.time()
            # Another process may have appended to the stream, which only the store can show. It is
            # read less and less often: each time after another tenth of the time waited so far.
            if woken or at >= ends or at - asked >= (at - began) * _POLL_SHARE:
                asked = at
                now = (await self.current(before.id)).stream
                if (now.number, now.position) != (before.number, before.position):
                    return True
            if also():
                return True
        return False

    async def _read(self, stream: str) -> Known:
        decider = self.decider(stream)
        known = self._cache.get(stream) or await self.snapshots.load(stream)
        async for commit in self.journal.read(stream, after=known.stream.number):
            known = advanced(decider, known, commit)
        return self.cache(known)

    def _with_deferred(self, written: Known) -> Known:
        deferred = self._deferred.get(written.stream.id)
        if deferred is None:
            return written
        position = written.stream.position
        further = {
            channel: ids
            for channel, ids in deferred.latest_ids.items()
            if deferred.position[channel] > position.get(channel, 0)
        }
        stream = replace(
            written.stream,
            position=_furthest(position, deferred.position),
            latest_ids={**written.stream.latest_ids, **further},
        )
        return Known(stream, open=True)

    async def _wait_for_wake(self, stream: str, within: float) -> bool:
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers[stream].add(watcher)
        try:
            return bool((await asyncio.wait([watcher], timeout=within))[0])
        finally:
            self._watchers[stream].discard(watcher)
            if not self._watchers[stream]:
                del self._watchers[stream]

    def _wake(self, stream: str) -> None:
        for watcher in self._watchers.pop(stream, ()):
            if not watcher.done():
                watcher.set_result(None)

    async def kept_documents(
        self,
        stream: str,
        purposes: Mapping[str, DocumentPurpose | None],
        *,
        by: Collection[str],
    ) -> frozenset[str]:
        """Return those of the hashes whose documents are in the store; raises StoreAway.

        They count where they were stored for the purpose that each hash has, and for a purpose only
        where one of the people `by` stored them.
        """
        if not purposes or self._documents is None:
            return frozenset()
        absent = await self._documents.missing(stream.partition(":")[2], purposes, by=by)
        return frozenset(purposes) - frozenset(absent)

    # ---- appending ----------------------------------------------------------------------------

    async def append(
        self,
        after: Stream[Any],
        commit: Commit,
        *,
        contents: Sequence[bytes] = (),
        opens: bool = True,
    ) -> None:
        """Append a commit, and cache `after`, the stream after it.

        `contents` are those of the documents that it names; they are kept before it. With `opens`
        the stream is open now. Raises TooLarge, Raced, AlreadyDone, StoreAway.
        """
        after = self._bounded(after, commit)
        with spanning("append"):
            if contents and self._documents is not None:
                kept = [Content(data, CANONICAL_JSON) for data in contents]
                subject = after.id.partition(":")[2]
                await self._documents.put(subject, kept, by=commit.actor, at=commit.at)
            await self.journal.append(commit)
        self._drop_if_written(after.id, commit.position)
        self.cache(Known(after, open=opens))
        if after.requests:
            self.asking.put_nowait(after.id)

    def _bounded(self, after: Stream[Any], commit: Commit) -> Stream[Any]:
        """Return `after` with the size of the commit added; raises TooLarge above the limit.

        The state itself is measured only when the events since the last measurement exceed a
        quarter of the limit. So the cost of a command does not depend on the size of the state, and
        the limit is exact to within that quarter.
        """
        size = commit.size
        after = grown(after, size)
        most = self._largest_state if commit.command else self._largest_consumed
        if not size or after.measured + after.since <= most:
            return after
        if after.since > self._largest_state // 4:
            after = measured(after)
            if after.measured <= most:
                return after
            self._cache_measured(after)
        raise TooLarge(
            f"{after.id} would have about {after.measured + after.since:,} bytes with this, and the"
            f" limit is {most:,}: continue in another one"
        )

    def _cache_measured(self, refused: Stream[Any]) -> None:
        """Measure the cached stream without the refused commit, so that the next need not."""
        known = self._cache.get(refused.id)
        if known is not None and known.stream.number == refused.number - 1:
            self._cache[refused.id] = replace(known, stream=measured(known.stream))

    def defer_position(self, after: Stream[Any]) -> None:
        """Defer writing the position of a stream that did not change otherwise."""
        if not self._deferred:
            self._deferred_since = time.monotonic()
        self._deferred[after.id] = _Deferred(after.position, after.latest_ids)
        self._wake(after.id)

    async def flush_positions(self, *, now: bool) -> bool:
        """Write the deferred positions if they are due or `now` is set; return if none is left.

        Raises UnreadableStream, StoreAway.
        """
        if self._deferred and (now or time.monotonic() - self._deferred_since > self._deferred_for):
            outcomes = await asyncio.gather(
                *(self._write_position(stream) for stream in [*self._deferred]),
                return_exceptions=True,
            )
            for outcome in outcomes:
                if outcome is not None:
                    raise outcome
            self._deferred_since = time.monotonic()
        return not self._deferred

    def discard_deferred(self) -> None:
        """Discard the deferred positions: their events are consumed again, here or elsewhere."""
        self._deferred.clear()

    async def _write_position(self, stream: str) -> None:
        async with self.lock(stream):
            while (deferred := self._deferred.get(stream)) is not None:
                written = self._cache.get(stream) or await self._read(stream)
                before = self._with_deferred(written).stream
                after = before.numbered_after(())
                commit = Commit(
                    cause=f"{stream}/heard/{write_position(deferred.position)}",
                    stream=stream,
                    number=after.number,
                    position=after.position,
                    latest_ids=after.latest_ids,
                    actor=self.decider(stream).department,
                    at=self._now(),
                )
                try:
                    await self.append(after, commit)
                except (Raced, AlreadyDone):
                    self._drop_if_written(stream, (await self._read(stream)).stream.position)

    def _drop_if_written(self, stream: str, position: Mapping[str, int]) -> None:
        """Drop the deferred position of a stream if `position`, which is written, includes it."""
        deferred = self._deferred.get(stream)
        if deferred is not None and _furthest(position, deferred.position) == position:
            del self._deferred[stream]


def _furthest(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    """Return the higher sequence of each channel."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
