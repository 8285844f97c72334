"""Subscriptions to the journal: one process at a time, from a token that is stored with the lease.

The process that has the lease of a subscription renews it by a conditional write; it lasts two
seconds. When another process has seen no renewal for as long, by its own monotonic clock (clocks
need not agree), it takes over. A process that continues after losing the lease can only process
commits again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from chassis.base.backoff import Backoff
from chassis.eventstore.mongo import Document, HistoryLost, Store, StoreAway, Token, reaching

_log = logging.getLogger(__name__)
_MANY = 100
# The local store answers after any write, also to other collections: without this pause, hundreds
# of empty answers can follow one another.
_PAUSE_WHEN_IDLE = 0.02

SubscriptionState = Literal["waiting", "replaying", "following", "away"]
"""``waiting``: for the lease. ``replaying``: processing the whole journal, or preparing.
``following``: processing new commits. ``away``: pausing after a fault."""


class LeaseLost(Exception):
    """Another process has taken the lease."""


class Lease:
    """The lease of a subscription, and the token up to which commits are processed."""

    def __init__(self, store: Store, name: str, *, seconds: float = 2.0) -> None:
        self.name = name
        self.seconds = seconds
        self.token: Token | None = None
        """None until the whole journal has been processed once."""
        self._store = store
        self._holder = uuid4().hex
        self._renewed = float("-inf")

    @property
    def held(self) -> bool:
        """True while no other process can have taken it."""
        return time.monotonic() - self._renewed < self.seconds

    async def take(self) -> None:
        """Wait until the lease is free or no longer renewed, and take it; raises StoreAway."""
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

    async def renew(self) -> None:
        """Renew the lease and store the token; raises LeaseLost, StoreAway."""
        if not await self._write({"holder": self._holder}, {"token": self.token}):
            self._renewed = float("-inf")
            raise LeaseLost(self.name)

    async def sure(self) -> None:
        """Wait until the lease is certainly held: after a stall of this process it may be lost."""
        while not self.held:  # noqa: ASYNC110 - `held` ends by time alone, without an event
            await asyncio.sleep(self.seconds / 20)

    async def release(self) -> None:
        """Release the lease, so that another process can take it at once; raises StoreAway."""
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
    """A subscription that gives every commit to `handle`, in order, at least once.

    Only one process at a time runs it: the one that has the lease.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        handle: Callable[[Sequence[Document]], Awaitable[None]],
        replay: Callable[[], Coroutine[Any, Any, None]],
        *,
        begin: Callable[[], Coroutine[Any, Any, None]] | None = None,
        fields: Sequence[str] = (),
        rest: float = 0.0,
    ) -> None:
        """Set up a subscription with its callbacks.

        `handle` gets up to some hundreds of commits and returns when their results are durable;
        with `fields`, the documents have only these. `replay` processes the whole journal when
        there is no token. `begin` is called first, each time the lease was taken. Unless there are
        many commits, the store is asked again only after `rest` seconds, so that the commits made
        in the meantime are processed together.
        """
        self.progress: SubscriptionState = "waiting"
        self.done_until: datetime | None = None
        """All commits made before this moment (UTC) are processed; None if this process does not
        run the subscription at present."""
        self._store = store
        self._handle = handle
        self._replay = replay
        self._begin = begin
        self._fields = fields
        self._rest = rest
        self._lease = Lease(store, name)
        self._oldest: datetime | None = None

    def backlog(self, now: datetime) -> float:
        """Return the age in seconds of the oldest commit in progress; 0 if there is none."""
        return 0.0 if self._oldest is None else max(0.0, (now - self._oldest).total_seconds())

    async def run(self) -> None:
        """Run until cancelled; retry after faults, and log each outage of the store once."""
        backoff = Backoff()
        try:
            while True:
                self.progress = "waiting"
                try:
                    await self._lease.take()
                    backoff.begin()
                    await _until_one_ends(self._follow(), self._renew())
                except LeaseLost:
                    _log.info("%s: another process has taken over", self._lease.name)
                except StoreAway as away:
                    if backoff.must_log():
                        _log.warning("%s: the store is not available: %s", self._lease.name, away)
                except Exception:  # noqa: BLE001 - a subscription must not end silently
                    _log.exception("%s: processing failed and will be retried", self._lease.name)
                await backoff.pause()
        finally:
            with suppress(StoreAway, TimeoutError):
                async with asyncio.timeout(2.0):
                    await self._lease.release()

    async def _follow(self) -> None:
        """Process commits until cancelled; raises StoreAway."""
        token = self._lease.token
        try:
            if token is None:
                self.progress = "replaying"
                _log.warning("%s: processing the whole journal from its start", self._lease.name)
                token = await self._store.now_token()
                await self._replay()
                self._lease.token = token
            elif self._begin is not None:
                self.progress = "replaying"
                await self._begin()
            self.progress = "following"
            await self._process(token)
        except HistoryLost as lost:
            _log.warning("%s: the store no longer has the token: %s", self._lease.name, lost)
            self._lease.token = None
            await self._lease.renew()
        finally:
            self.progress = "away"
            self._oldest = self.done_until = None

    async def _process(self, token: Token) -> None:
        asked = datetime.now(UTC)
        async for changes in self._store.inserts(token, *self._fields):
            commits = changes.documents
            if commits:
                at = commits[0].get("at")
                self._oldest = at if isinstance(at, datetime) else datetime.now(UTC)
                await self._lease.sure()
                await self._handle(commits)
                self._oldest = None
            self._lease.token = changes.token
            if len(commits) < _MANY:  # the store had no more when it was asked
                self.done_until = asked
                await asyncio.sleep(self._rest if commits else max(self._rest, _PAUSE_WHEN_IDLE))
            asked = datetime.now(UTC)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease.seconds / 3)
            await self._lease.renew()


async def _until_one_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first ends or fails, cancel the others, and raise its error."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        while running := [task for task in tasks if not task.done()]:
            for task in running:  # repeated, since the driver can swallow a cancellation
                task.cancel()
            await asyncio.wait(running, timeout=0.25)
        for task in tasks:
            _ = task.cancelled() or task.exception()  # retrieved, so that asyncio does not log it
        await asyncio.gather(*tasks, return_exceptions=True)  # only the first error is raised
    for task in done:
        task.result()
