"""Following the journal: one process at a time, from a token that is kept with the lease.

Whoever works in a follower's name holds its lease: two seconds, renewed by a write with a
condition. Another process takes over when it has watched the lease stand still for as long, by its
own clock, so that clocks need not agree. Who wakes up after losing it can only repeat itself.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from chassis.eventstore.mongo import Document, HistoryLost, Store, StoreAway, Token, reaching

_log = logging.getLogger(__name__)
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 2.0
_MUCH = 100
# The local store answers whenever anything is written: a view, say, and then hundreds at once.
_AFTER_NOTHING = 0.02

SubscriptionState = Literal["waiting", "replaying", "following", "away"]


class LeaseLost(Exception):
    """Another process works in this name now."""


class Lease:
    """The right to work in a name, and the token up to which the work is done."""

    def __init__(self, store: Store, name: str, *, seconds: float = 2.0) -> None:
        self.name = name
        self.seconds = seconds
        self.token: Token | None = None
        self._store = store
        self._holder = uuid4().hex
        self._renewed = float("-inf")

    @property
    def held(self) -> bool:
        """Whether nobody else can have taken it."""
        return time.monotonic() - self._renewed < self.seconds

    async def take(self) -> None:
        """Wait until the lease is free or stands still, and take it; raises StoreAway."""
        seen, since = None, 0.0
        while True:
            asked = time.monotonic()
            with reaching():
                lease = await self._store.leases.find_one({"_id": self.name})
            if lease is None:
                raise RuntimeError(f"the store was not prepared for {self.name}")
            mark = {"holder": lease["holder"], "beat": lease["beat"]}
            if mark != seen:
                seen, since = mark, asked
            free = lease["holder"] in {None, self._holder} or asked - since >= self.seconds
            if free and await self._write(mark, {"holder": self._holder}):
                self.token = lease["token"]
                return
            await asyncio.sleep(self.seconds / 8)

    async def renew(self, token: Token | None) -> None:
        """Keep it, and keep the token with it; raises LeaseLost, StoreAway."""
        if not await self._write({"holder": self._holder}, {"token": token}):
            self._renewed = float("-inf")
            raise LeaseLost(self.name)
        self.token = token

    async def sure(self) -> None:
        """Wait until it is certain that the lease is held: after a stall it may be lost."""
        while not self.held:  # noqa: ASYNC110 - time alone makes it untrue
            await asyncio.sleep(self.seconds / 20)

    async def release(self) -> None:
        """Let another process have it at once; raises StoreAway."""
        if self.held:
            await self._write({"holder": self._holder}, {"token": self.token, "holder": None})
        self._renewed = float("-inf")

    async def _write(self, condition: Document, change: Document) -> bool:
        asked = time.monotonic()
        with reaching():
            written = await self._store.leases.update_one(
                {"_id": self.name, **condition}, {"$set": change, "$inc": {"beat": 1}}
            )
        if written.matched_count == 1:
            self._renewed = asked
        return written.matched_count == 1


class Subscription:
    """Gives every commit of the journal to `take`, in order, at least once, across processes."""

    def __init__(
        self,
        store: Store,
        name: str,
        take: Callable[[Sequence[Document]], Awaitable[None]],
        replay: Callable[[], Coroutine[Any, Any, None]],
        *,
        begin: Callable[[], Coroutine[Any, Any, None]] | None = None,
        fields: Sequence[str] = (),
        rest: float = 0.0,
    ) -> None:
        """`take` gets commits, up to some hundreds, and ends when they are done with for good.

        With `fields` it gets these alone. `replay` does the whole journal, where the token is lost.
        `begin` comes first, each time that the lease was taken. Unless there is much to do it asks
        the store again after `rest` seconds only: what is committed meanwhile goes together.
        """
        self.progress: SubscriptionState = "waiting"
        self.done_until: datetime | None = None
        """All commits made before this moment (UTC) are done with; None if this process follows
        nothing at present."""
        self._store = store
        self._take = take
        self._replay = replay
        self._begin = begin
        self._fields = fields
        self._rest = rest
        self._lease = Lease(store, name)
        self._oldest: datetime | None = None
        self._done: Token | None = None

    def backlog(self, now: datetime) -> float:
        """Age in seconds of the oldest commit that was read and is not done with; 0 if none."""
        return 0.0 if self._oldest is None else max(0.0, (now - self._oldest).total_seconds())

    async def run(self) -> None:
        """Follow until cancelled; faults are waited out, and said once for each outage."""
        pause, outage = _FIRST_PAUSE, False
        try:
            while True:
                self.progress = "waiting"
                begun = float("inf")
                try:
                    await self._lease.take()
                    begun = time.monotonic()
                    await self._follow()
                except LeaseLost:
                    _log.info("%s: another process has taken over", self._lease.name)
                except StoreAway as away:
                    if not outage:
                        _log.warning("%s: the store is away: %s", self._lease.name, away)
                    outage = True
                except Exception:  # noqa: BLE001 - a follower never dies silently
                    _log.exception("%s: cannot go on, and tries again", self._lease.name)
                if time.monotonic() - begun > _LAST_PAUSE:
                    pause, outage = _FIRST_PAUSE, False  # it worked for a while: a new outage
                self.progress = "away"
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE)
        finally:
            with suppress(StoreAway, TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._lease.release()

    async def _follow(self) -> None:
        token = self._done = self._lease.token
        if token is None:
            self.progress = "replaying"
            _log.warning("%s: takes the whole journal from its start", self._lease.name)
            token = await self._store.now_token()
            await _until_one_ends(self._replay(), self._renew())
            self._done = token
        elif self._begin is not None:
            self.progress = "replaying"
            await _until_one_ends(self._begin(), self._renew())
        self.progress = "following"
        try:
            await _until_one_ends(self._work(token), self._renew())
        except HistoryLost as lost:
            _log.warning("%s: the store forgot where we were: %s", self._lease.name, lost)
            await self._lease.renew(None)
        finally:
            if self._lease.held and self._lease.token is not None:
                self._lease.token = self._done  # released with it
            self._oldest = self.done_until = None

    async def _work(self, token: Token) -> None:
        asked = datetime.now(UTC)
        async for changes in self._store.inserts(token, *self._fields):
            commits = changes.documents
            if commits:
                at = commits[0].get("at")
                self._oldest = at if isinstance(at, datetime) else datetime.now(UTC)
                await self._lease.sure()
                await self._take(commits)
                self._oldest = None
            self._done = changes.token
            if len(commits) < _MUCH:  # the store had no more when it was asked
                self.done_until = asked
                await asyncio.sleep(self._rest if commits else max(self._rest, _AFTER_NOTHING))
            asked = datetime.now(UTC)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease.seconds / 3)
            await self._lease.renew(self._done)


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run several at once until the first ends or fails, end the others, and raise its error."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        while running := [task for task in tasks if not task.done()]:
            for task in running:  # again and again: the driver can swallow a cancellation
                task.cancel()
            await asyncio.wait(running, timeout=0.25)
        for task in tasks:
            _ = task.cancelled() or task.exception()  # looked at, so that nobody complains
        await asyncio.gather(*tasks, return_exceptions=True)  # the first error is enough
    for task in done:
        task.result()
