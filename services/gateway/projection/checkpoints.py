"""Write-behind: views that changed in memory become durable at checkpoints.

Totals are written after the views, and add up the views as written. A process that ends in between
leaves totals that are behind the views; the worker that takes over adds them up again.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from itertools import islice

from chassis.application.ports import CannotBeKept
from chassis.base.failures import described
from chassis.eventstore.mongo import each_written
from gateway.portfolio.totals import Totals
from gateway.projection.view_store import CachedView, ViewStore

MIN_INTERVAL = 1.0
"""Seconds between two checkpoints at least: writing a view costs far more than an event does."""

PAUSE_PER_DURATION = 4
"""The pause until the next checkpoint, in durations of the last one.

So writing takes a fifth of the time at most; a worker that is behind writes each view less often.
"""

_MAX_INTERVAL = 20.0
"""Seconds between two checkpoints at most."""

_PAGE = 100
"""Views that are written together."""

_log = logging.getLogger(__name__)


class CheckpointWriter:
    """Views that are not written yet, and the totals of those that are."""

    def __init__(self, store: ViewStore) -> None:
        self.written = Totals()
        """The totals of the written views of this worker's partitions."""
        self._store = store
        self._dirty: dict[str, CachedView] = {}
        self._writing: dict[str, CachedView] = {}
        self._changed_totals: set[int] = set()
        self._failed: dict[str, str] = {}
        self._next = 0.0
        self._checkpoint = asyncio.Lock()

    def begin(self, written: Totals) -> None:
        """Start with these totals of the written views; forget all views that are to be written."""
        self.written = written
        self._dirty, self._changed_totals, self._failed = {}, set(), {}

    def put(self, each: CachedView) -> None:
        """Write this view at the next checkpoint."""
        self._dirty[each.view.engagement] = each

    def forget(self, engagement: str) -> None:
        """Do not write this engagement any more."""
        self._dirty.pop(engagement, None)
        self._failed.pop(engagement, None)

    def __contains__(self, engagement: str) -> bool:
        return engagement in self._dirty or engagement in self._writing

    async def flush(self, *, now: bool) -> bool:
        """Make a checkpoint if it is due or wanted `now`; return whether it was made.

        Raises CannotBeKept, StoreAway.
        """
        if self._dirty and not now and time.monotonic() < self._next:
            return False
        await self.checkpoint()
        return True

    async def checkpoint(self) -> None:
        """Write all views that were put until now; raises CannotBeKept, StoreAway."""
        async with self._checkpoint:
            if not self._dirty and not self._changed_totals:
                return
            started = time.monotonic()
            written, changed = self.written, self._changed_totals
            dirty, self._dirty = self._dirty, {}
            self._writing = dict(dirty)
            failed: dict[str, tuple[CachedView, str]] = {}
            try:
                while dirty and written is self.written:
                    page = self._page(dirty)
                    for each, error in await each_written(self._write, page):
                        failed[each.view.engagement] = each, described(error)
                    for each in page:
                        del dirty[each.view.engagement]
                await self._store.put_totals({each: written.by_partition[each] for each in changed})
                changed.clear()
            finally:
                if written is self.written:  # else another worker may have these partitions now
                    retried = {name: each for name, (each, _) in failed.items()}
                    self._dirty = dirty | retried | self._dirty
                self._writing = {}
                now = time.monotonic()
                pause = PAUSE_PER_DURATION * (now - started)
                self._next = now + min(max(MIN_INTERVAL, pause), _MAX_INTERVAL)
            if written is self.written:
                self._report({name: why for name, (_, why) in failed.items()})

    def _page(self, dirty: Mapping[str, CachedView]) -> list[CachedView]:
        """Return the next views to write together; one that failed before is written alone."""
        sound = (each for name, each in dirty.items() if name not in self._failed)
        return list(islice(sound, _PAGE)) or list(islice(dirty.values(), 1))

    async def _write(self, page: Sequence[CachedView]) -> None:
        written, changed = self.written, self._changed_totals
        shares = await self._store.put(page)
        for each in page:
            share = shares.get(each.view.engagement)
            if share is not None and each.partition in written.by_partition:
                written.count(each.partition, each.view.engagement, share)
                changed.add(each.partition)

    def _report(self, failed: dict[str, str]) -> None:
        """Log engagements that failed for the first time; raises CannotBeKept where any failed."""
        for engagement in failed.keys() - self._failed.keys():
            _log.error("view of %s cannot be written: %s", engagement, failed[engagement])
        self._failed = failed
        if failed:
            raise CannotBeKept(failed)
