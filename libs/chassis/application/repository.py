"""What a process knows of its department's streams: remembered, read afresh, and waited for.

States are kept in the process and may lag behind another process. That is harmless for what is
accepted, since the journal's unique numbers refuse a commit decided on an old state.

A heard event that matters to nobody here only moves a stream's position. That is noted in memory
and travels with the stream's next commit, or after a second, for all such streams together, with a
commit of its own; until then the listener commits no offset behind it, so that a process that dies
hears it again.
"""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from chassis.base.telemetry import spanning
from chassis.domain.decider import Context, ReferenceData, Stream
from chassis.domain.latest_ids import LatestIds
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
from contracts.event import write_position

NOTED_FOR = 1.0
"""Seconds for which a moved position may stand in memory alone."""
LARGEST_STATE = 4 * 1024 * 1024
"""Bytes of a state as JSON beyond which no command adds to it. On two slow cores one of this size
takes 30 ms to write as JSON, 70 ms in the store, and 400 ms to read back, which happens once in a
process; a document of the store has twice as many bytes at most."""
LARGEST_HEARD = 7 * 1024 * 1024
"""The same for events that are heard: they are refused, and wait, only where the store's limit is
near, since it is not their author who let the state grow."""
_POLL = 0.1
_PATIENCE = 0.1
"""Share of the time it has waited that a request waits before it asks the store again."""


class Unknown(Exception):
    """There is no such stream, and the command is not one that begins it."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"{stream} is not known here")
        self.stream = stream


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decisions take from the process they are made in: reference data, moments and ids."""

    records: ReferenceData
    now: Callable[[], datetime]
    """Gives UTC moments."""
    new_event_id: Callable[[], str]

    def context(
        self, *, actor: str, occurred_at: datetime | None, cause: str, traceparent: str | None
    ) -> Context:
        """The context of one decision or reaction."""
        now = self.now()
        return Context(
            actor=actor,
            occurred_at=occurred_at or now,
            recorded_at=now,
            cause=cause,
            records=self.records,
            new_event_id=self.new_event_id,
            traceparent=traceparent,
        )


@dataclass(frozen=True, slots=True)
class _Noted:
    """How far a stream has heard, where that stands in memory alone."""

    position: Mapping[str, int]
    latest_ids: LatestIds


class Repository:
    """One department's streams, as this process knows them."""

    def __init__(
        self,
        deciders: Iterable[AnyDecider],
        journal: Journal,
        snapshots: Snapshots,
        *,
        now: Callable[[], datetime],
        keep: int = 5_000,
    ) -> None:
        """`now` gives UTC moments; `keep` bounds how many streams are kept in memory."""
        self.deciders = {decider.kind: decider for decider in deciders}
        self.journal = journal
        self.snapshots = snapshots
        self.stopping = asyncio.Event()
        """Set when the service is told to stop: nobody is made to wait any longer."""
        self._now = now
        self._keep = keep
        self._cache: OrderedDict[str, Known] = OrderedDict()
        self._noted: dict[str, _Noted] = {}
        self._noted_since = 0.0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watchers: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def decider(self, stream: str) -> AnyDecider:
        """Who decides for a stream, by its id."""
        return self.deciders[stream.partition(":")[0]]

    def lock(self, stream: str) -> asyncio.Lock:
        """The lock under which this process works on a stream."""
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock

    # ---- what is known ------------------------------------------------------------------------

    def cached(self, stream: str) -> Known | None:
        """What this process remembers of a stream; it may lag behind another process."""
        written = self._cache.get(stream)
        return None if written is None else self._as_heard(written)

    async def current(self, stream: str) -> Known:
        """What is known of a stream now: one bounded read.

        Raises UnreadableStream, StoreAway.
        """
        return self._as_heard(await self._read(stream))

    async def written(self, stream: str, number: int) -> Known:
        """What the journal says of a stream, up to its commit of this number or a later one.

        Raises UnreadableStream, StoreAway.
        """
        known = self._cache.get(stream)
        if known is None or known.stream.number < number:
            known = await self._read(stream)
        return known

    async def at(self, stream: str, number: int) -> Stream[Any]:
        """The stream as it was after its commit of this number.

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

    async def recall(self, streams: Sequence[str]) -> None:
        """Remember snapshots of streams of which nothing is known: mostly they are up to date.

        Where they are not, the append says so. Raises StoreAway.
        """
        forgotten = [stream for stream in streams if stream not in self._cache]
        for known in await self.snapshots.load_all(forgotten):
            self.remember(known)

    def remember(self, known: Known) -> Known:
        """Keep what the journal says, unless more is known already; wake who waits for more."""
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

    async def moved(self, before: Stream[Any], ends: float, also: Callable[[], bool]) -> bool:
        """Wait until a stream is no longer where it was, or `also` is so; false when time is up.

        `ends` is by the running loop's clock, and earlier if the service stops. Raises StoreAway.
        """
        loop = asyncio.get_running_loop()
        began = asked = loop.time()
        while (left := ends - loop.time()) > 0 and not self.stopping.is_set():
            woken = await self._woken(before.id, min(left, _POLL))
            at = loop.time()
            # Another process may have moved it, which the store alone can tell: it is asked ever
            # more rarely, after as much again as a tenth of what was waited for.
            if woken or at >= ends or at - asked >= (at - began) * _PATIENCE:
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
        return self.remember(known)

    def _as_heard(self, written: Known) -> Known:
        noted = self._noted.get(written.stream.id)
        if noted is None:
            return written
        position = written.stream.position
        further = {
            channel: ids
            for channel, ids in noted.latest_ids.items()
            if noted.position[channel] > position.get(channel, 0)
        }
        stream = replace(
            written.stream,
            position=_furthest(position, noted.position),
            latest_ids={**written.stream.latest_ids, **further},
        )
        return Known(stream, open=True)

    async def _woken(self, stream: str, within: float) -> bool:
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

    # ---- what is added ------------------------------------------------------------------------

    async def append(self, after: Stream[Any], commit: Commit) -> None:
        """Append a commit that leads to `after`.

        Raises TooLarge, Raced, AlreadyDone, StoreAway.
        """
        after = self._bounded(after, commit)
        with spanning("append"):
            await self.journal.append(commit)
        self._settle(after.id, commit.position)
        self.remember(Known(after, open=True))

    def _bounded(self, after: Stream[Any], commit: Commit) -> Stream[Any]:
        """Return `after` with what it has grown by; raises TooLarge where that is too much.

        Its state is measured only after events of a quarter of the bound, whatever its size: so
        a command costs the same on a large state, and the bound is met to within that quarter.
        """
        size = commit.size
        after = grown(after, size)
        most = LARGEST_STATE if commit.command else LARGEST_HEARD
        if not size or after.measured + after.since <= most:
            return after
        if after.since > LARGEST_STATE // 4:
            after = measured(after)
            if after.measured <= most:
                return after
            self._remember_measured(after)
        raise TooLarge(
            f"{after.id} would hold about {after.measured + after.since:,} bytes with this, and"
            f" {most:,} is the most that one holds: go on in another one"
        )

    def _remember_measured(self, refused: Stream[Any]) -> None:
        """Measure what the stream holds without what was refused, so that the next need not."""
        known = self._cache.get(refused.id)
        if known is not None and known.stream.number == refused.number - 1:
            self._cache[refused.id] = replace(known, stream=measured(known.stream))

    def note(self, after: Stream[Any]) -> None:
        """Remember how far a stream has heard, where that is all that there is to say."""
        if not self._noted:
            self._noted_since = time.monotonic()
        self._noted[after.id] = _Noted(after.position, after.latest_ids)
        self._wake(after.id)

    async def write_noted(self, *, now: bool) -> bool:
        """Commit the positions that stand in memory alone, if that is due or wanted `now`.

        Whether none is left. Raises StoreAway.
        """
        if self._noted and (now or time.monotonic() - self._noted_since > NOTED_FOR):
            outcomes = await asyncio.gather(
                *(self._write_position(stream) for stream in [*self._noted]),
                return_exceptions=True,
            )
            for outcome in outcomes:
                if outcome is not None:
                    raise outcome
            self._noted_since = time.monotonic()
        return not self._noted

    def forget_noted(self) -> None:
        """What stands in memory alone is heard again, here or by another process."""
        self._noted.clear()

    async def _write_position(self, stream: str) -> None:
        async with self.lock(stream):
            while (noted := self._noted.get(stream)) is not None:
                written = self._cache.get(stream) or await self._read(stream)
                before = self._as_heard(written).stream
                after = replace(before, number=before.number + 1)
                commit = Commit(
                    cause=f"{stream}/heard/{write_position(noted.position)}",
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
                    self._settle(stream, (await self._read(stream)).stream.position)

    def _settle(self, stream: str, position: Mapping[str, int]) -> None:
        """Nothing is noted any more that is written."""
        noted = self._noted.get(stream)
        if noted is not None and _furthest(position, noted.position) == position:
            del self._noted[stream]


def _furthest(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    """How far was heard by either."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
