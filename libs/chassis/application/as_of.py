"""As-of moments: everything that other departments published before them has been processed.

They are kept by partition, since one consumer reads an engagement's partition of all topics. A
moment is known when the consumer has processed all records that the topics contained at that
moment. The replica that reads a partition writes its moment to the store every 5 seconds, after
the results of processing are written; the other replicas read it from there. All moments are UTC.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chassis.base.partitioning import partition_of
from chassis.eventstore.mongo import Collection as Documents
from chassis.eventstore.mongo import Document, StoreAway, reaching, replace_older
from contracts.channels import PARTITIONS

HEADER = "Concord-As-Of"
OLD_AFTER = 30.0
"""Age in seconds from which data are reported as old."""

_VIEWS = "views"
_CHECK_EVERY = 1.0
_STORE_EVERY = 5.0
_MOST_PARKED = 1_000
_log = logging.getLogger(__name__)

Ends = Mapping[str, int]
"""The offset after the last record, by topic, for one partition number of all topics."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment `at` of a partition: all events published before it were written by `written`.

    `at` is None while the partition is being processed again from its first records.
    """

    at: datetime | None
    written: datetime
    parked: frozenset[str] = frozenset()
    """Engagements that are parked: the moment does not apply to them."""


@dataclass(slots=True)
class CaughtUp:
    """The moments of the partitions that one consumer reads."""

    seen: dict[int, datetime] = field(default_factory=dict)
    """The moment before which all events are processed; only this process may see the results."""
    written: dict[int, Mark] = field(default_factory=dict)
    """The moment before which the results are written to the store."""
    _asked: dict[int, tuple[datetime, Ends]] = field(default_factory=dict)

    def compare(self, partition: int, asked: datetime, ends: Ends, taken: Ends) -> None:
        """Compare the processed offsets of a partition with its ends at the moment `asked`.

        Under a steady load the consumer reaches these ends only later. They are kept until then;
        the moment that is known then is the one at which they were fetched.
        """
        since = self._asked.setdefault(partition, (asked, ends))
        if _reached(taken, since[1]):
            self.seen[partition] = asked if _reached(taken, ends) else since[0]
            del self._asked[partition]

    def settled(self, now: datetime) -> None:
        """Record that the results of all processed events are written."""
        for partition, at in self.seen.items():
            before = self.written.get(partition)
            if before is None or before.at != at:
                self.written[partition] = Mark(at, now)

    def withdrawn(self, parked: Collection[str]) -> None:
        """Discard the moments in `seen`: the partitions may be assigned to another replica now.

        This process no longer learns what is parked on them, so the engagements `parked` now stay
        with the written moments.
        """
        for partition, engagements in _by_partition(parked, self.seen).items():
            if (mark := self.written.get(partition)) is not None:
                self.written[partition] = replace(mark, parked=engagements)
        self.seen.clear()
        self._asked.clear()

    def begins_again(self, partitions: Collection[int], now: datetime) -> None:
        """Reset the moments: these partitions are processed again from their first records."""
        self.withdrawn(())
        self.written |= {partition: Mark(None, now) for partition in partitions}


def _by_partition(
    parked: Collection[str], partitions: Collection[int]
) -> dict[int, frozenset[str]]:
    """Return the parked engagements of each of these partitions, at most 1,000 of each."""
    found: dict[int, list[str]] = {partition: [] for partition in partitions}
    for engagement in sorted(parked):
        engagements = found.get(partition_of(engagement))
        if engagements is not None and len(engagements) < _MOST_PARKED:
            engagements.append(engagement)
    return {partition: frozenset(engagements) for partition, engagements in found.items()}


def _reached(taken: Ends, ends: Ends) -> bool:
    return all(taken.get(topic, -1) >= end for topic, end in ends.items())


class AsOf:
    """The moments of all partitions, including those that other replicas read."""

    def __init__(
        self,
        documents: Documents,
        caught_up: CaughtUp | None,
        *,
        listed: Callable[[], datetime | None],
        parked: Callable[[], Collection[str]],
        lists_in_memory: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Combine own and stored moments; `caught_up` is None for a service without a consumer.

        `listed` returns the moment up to which written results are also in the lists, or None if
        only another replica knows it. With `lists_in_memory`, the lists contain results of this
        process as soon as they are processed. `now` returns UTC moments.
        """
        self._documents = documents
        self._caught_up = caught_up
        self._listed = listed
        self._parked = parked
        self._lists_in_memory = lists_in_memory
        self._now = now
        self._stored: dict[int, Mark] = {}
        self._stored_listed: datetime | None = None
        self._sent: dict[int, Mark] = {}
        self._waiting: dict[int, Mark] = {}
        self._in_lists: dict[int, datetime | None] = {}

    # ---- queries ------------------------------------------------------------------------------

    def of_engagement(self, engagement: str) -> datetime | None:
        """Return the moment for an engagement; None if it is unknown or the engagement parked."""
        if self._caught_up is None:
            return self._now()
        partition = partition_of(engagement)
        mark = self._mark(partition)
        if engagement in self._parked() or (mark is not None and engagement in mark.parked):
            return None
        return self._of(partition)

    def of_all(self) -> datetime | None:
        """Return the moment for figures over all engagements; None if it is unknown."""
        if self._caught_up is None:
            return self._now()
        return _earliest([self._of(partition) for partition in range(PARTITIONS)])

    def of_lists(self) -> datetime | None:
        """Return the moment for lists, which are updated later; None if it is unknown."""
        if self._caught_up is None:
            return self._listed() or self._stored_listed
        return _earliest([self._of_list(partition) for partition in range(PARTITIONS)])

    @property
    def unknown(self) -> list[int]:
        """The partitions whose moment is unknown."""
        if self._caught_up is None:
            return []
        return [partition for partition in range(PARTITIONS) if self._of(partition) is None]

    def _mark(self, partition: int) -> Mark | None:
        own = None if self._caught_up is None else self._caught_up.written.get(partition)
        stored = self._stored.get(partition)
        if own is None or stored is None:
            return own or stored
        return max(own, stored, key=lambda mark: mark.written)

    def _of(self, partition: int) -> datetime | None:
        mark = self._mark(partition)
        written = None if mark is None else mark.at
        seen = None if self._caught_up is None else self._caught_up.seen.get(partition)
        return max((each for each in (written, seen) if each is not None), default=None)

    def _of_list(self, partition: int) -> datetime | None:
        reads = self._caught_up is not None and partition in self._caught_up.seen
        if self._lists_in_memory and reads:
            return self._of(partition)
        return self._in_lists.get(partition)

    # ---- updates ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Update the moments until cancelled; while the store is unavailable they do not change."""
        loop = asyncio.get_running_loop()
        stored = float("-inf")
        while True:
            if loop.time() - stored >= _STORE_EVERY:
                try:
                    await self.exchange()
                except StoreAway as away:
                    _log.info("as of: the store is not available: %s", away)
                except Exception:  # noqa: BLE001 - the task must not end silently
                    _log.exception("as of: an update failed and will be retried")
                stored = loop.time()
            self.look_at_lists()
            await asyncio.sleep(_CHECK_EVERY)

    async def exchange(self) -> None:
        """Write the moments of own partitions and read those of all others; raises StoreAway."""
        new: dict[int, Mark] = {}
        if self._caught_up is not None:
            parked = _by_partition(self._parked(), self._caught_up.seen)
            for partition, mark in self._caught_up.written.items():
                full = replace(mark, parked=parked.get(partition, mark.parked))
                if self._sent.get(partition) != full:
                    new[partition] = full
        documents = [_document(partition, mark) for partition, mark in new.items()]
        listed = self._listed()
        if listed is not None and not self._lists_in_memory:
            documents.append({"_id": _VIEWS, "number": _milliseconds(listed), "at": listed})
        await replace_older(self._documents, documents)
        self._sent |= new
        with reaching():
            found = await self._documents.find({}).to_list(None)
        self._stored = {each["_id"]: _mark(each) for each in found if each["_id"] != _VIEWS}
        self._stored_listed = next((each["at"] for each in found if each["_id"] == _VIEWS), None)

    def look_at_lists(self) -> None:
        """Update the moments that apply to the lists."""
        listed = self._listed() or self._stored_listed
        for partition in range(PARTITIONS):
            mark = self._mark(partition)
            if mark is None or mark.at is None:
                self._in_lists[partition] = None
                self._waiting.pop(partition, None)
                continue
            waiting = self._waiting.setdefault(partition, mark)
            if listed is not None and listed >= waiting.written:
                latest = mark if listed >= mark.written else waiting
                self._in_lists[partition] = latest.at
                del self._waiting[partition]


def header(moment: datetime | None) -> dict[str, str]:
    """Return the header with the as-of moment of an answer (UTC); no header if it is unknown."""
    if moment is None:
        return {}
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return {HEADER: text.replace("+00:00", "Z")}


def _earliest(moments: list[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(moments) else None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _document(partition: int, mark: Mark) -> Document:
    return {
        "_id": partition,
        "number": _milliseconds(mark.written),
        "at": mark.at,
        "written": mark.written,
        "parked": sorted(mark.parked),
    }


def _mark(document: Document) -> Mark:
    return Mark(document["at"], document["written"], frozenset(document["parked"]))
