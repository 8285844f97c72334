"""Writing behind the folding: what was folded in memory is made durable at checkpoints.

Totals are written after the views, and count what was written of them. So a process that ends in
between leaves totals that lag behind the views, and whoever takes over counts them anew.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from itertools import islice

from chassis.application.ports import CannotBeKept
from chassis.base.failures import described
from chassis.eventstore.mongo import each_written
from gateway.shelf import Held, Shelf
from gateway.totals import Totals

PACE = 1.0
"""Least seconds between two checkpoints: writing a view costs far more than folding an event."""

SHARE = 4
"""How many times as long as the last checkpoint took it is until the next: writing never takes more
than a fifth of the time, and what is behind catches up by writing each view less often."""

_LONGEST_PACE = 20.0
_WRITTEN_TOGETHER = 100
_log = logging.getLogger(__name__)


class Keeping:
    """Engagements that are not written yet, and the totals of those that are."""

    def __init__(self, shelf: Shelf) -> None:
        self.written = Totals()
        """What the written views of this worker's partitions add up to."""
        self._shelf = shelf
        self._dirty: dict[str, Held] = {}
        self._writing: dict[str, Held] = {}
        self._unsummed: set[int] = set()
        self._unkept: dict[str, str] = {}
        self._next = 0.0
        self._checkpoint = asyncio.Lock()

    def begin(self, written: Totals) -> None:
        """Start with what is written of this worker's partitions; forget all that was to do."""
        self.written = written
        self._dirty, self._unsummed, self._unkept = {}, set(), {}

    def put(self, each: Held) -> None:
        """Write this engagement at the next checkpoint."""
        self._dirty[each.view.engagement] = each

    def forget(self, engagement: str) -> None:
        """Write this engagement no more."""
        self._dirty.pop(engagement, None)
        self._unkept.pop(engagement, None)

    def __contains__(self, engagement: str) -> bool:
        return engagement in self._dirty or engagement in self._writing

    async def settle(self, *, now: bool) -> bool:
        """Write what there is to write, if it is time or wanted `now`; return whether it was done.

        Raises CannotBeKept, StoreAway.
        """
        if self._dirty and not now and time.monotonic() < self._next:
            return False
        await self.checkpoint()
        return True

    async def checkpoint(self) -> None:
        """Write all that was put until now; raises CannotBeKept, StoreAway."""
        async with self._checkpoint:
            if not self._dirty and not self._unsummed:
                return
            began = time.monotonic()
            written, unsummed = self.written, self._unsummed
            dirty, self._dirty = self._dirty, {}
            self._writing = dict(dirty)
            refused: dict[str, tuple[Held, str]] = {}
            try:
                while dirty and written is self.written:
                    page = self._page(dirty)
                    for each, error in await each_written(self._write, page):
                        refused[each.view.engagement] = each, described(error)
                    for each in page:
                        del dirty[each.view.engagement]
                await self._shelf.put_totals(
                    {each: written.by_partition[each] for each in unsummed}
                )
                unsummed.clear()
            finally:
                if written is self.written:  # else another worker may have these partitions now
                    back = {name: each for name, (each, _) in refused.items()}
                    self._dirty = dirty | back | self._dirty
                self._writing = {}
                now = time.monotonic()
                self._next = now + min(max(PACE, SHARE * (now - began)), _LONGEST_PACE)
            if written is self.written:
                self._report({name: why for name, (_, why) in refused.items()})

    def _page(self, dirty: Mapping[str, Held]) -> list[Held]:
        """Return what to write together; what could not be written before is tried alone."""
        sound = (each for name, each in dirty.items() if name not in self._unkept)
        return list(islice(sound, _WRITTEN_TOGETHER)) or list(islice(dirty.values(), 1))

    async def _write(self, page: Sequence[Held]) -> None:
        written, unsummed = self.written, self._unsummed
        shares = await self._shelf.put(page)
        for each in page:
            share = shares.get(each.view.engagement)
            if share is not None and each.partition in written.by_partition:
                written.count(each.partition, each.view.engagement, share)
                unsummed.add(each.partition)

    def _report(self, refused: dict[str, str]) -> None:
        for engagement in refused.keys() - self._unkept.keys():
            _log.error("%s cannot be kept: %s", engagement, refused[engagement])
        self._unkept = refused
        if refused:
            raise CannotBeKept(refused)
