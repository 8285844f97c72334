"""The gateway's event handler: applies events to views in memory, evaluates rules, adds up figures.

A change is visible at once and durable after the next checkpoint. Offsets are committed after that,
so a crash loses nothing; an event that is consumed again is skipped.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice

from chassis.application.ports import Batch, CannotBeKept
from chassis.base import telemetry
from chassis.base.failures import ValueFreeError, described
from chassis.base.partitioning import partition_of
from chassis.domain.latest_ids import LatestIds, with_latest
from chassis.domain.stream import Gap, NotDecoded, NotTakenIn, PassedOver, is_next
from chassis.domain.trouble import Head
from chassis.eventstore.mongo import StoreAway
from contracts.channels import CHANNELS, PARTITIONS
from contracts.event import Event, Recorded
from gateway.portfolio.figures import Figures, contribution, sum_figures
from gateway.portfolio.list_index import EngagementRow, ListIndex
from gateway.portfolio.totals import Totals
from gateway.projection.checkpoints import CheckpointWriter
from gateway.projection.timeline import in_order
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import CachedView, ViewStore, row_of
from gateway.rules import judge_confidential, judge_open
from gateway.view.engagement_view import OVER, PROJECTED_CHANNELS, apply_event, pass_over
from gateway.view.waiting import waits_for

_log = logging.getLogger(__name__)

CONSUMED_CHANNELS = frozenset(CHANNELS[name] for name in PROJECTED_CHANNELS)
"""The channels that the gateway consumes: all with events of engagements."""

_PAGE = 200
"""Engagements that are loaded, or rows that are replaced, without a pause."""

_READ_ALL_EVERY = 10.0
"""Seconds between two reads of all rows."""

TRACED = 8
"""Engagements of a batch that get a span; a span costs more than applying an event."""


class CannotBeJudged(ValueFreeError):
    """A rule failed. The text names only the place in the code: rules read confidential data."""


@dataclass(frozen=True, slots=True)
class ViewChange:
    """A change of an engagement's view, for live streams.

    `open_number` is the number for readers who may not see confidential data, None where nothing
    changed that they may see.
    """

    engagement: str
    number: int
    row: EngagementRow
    open_number: int | None

    @classmethod
    def of(cls, cached: CachedView, row: EngagementRow) -> "ViewChange":
        """Return the change since the last one that was sent."""
        before, now = cached.sent_revision, cached.open_revision
        cached.sent_revision = now
        return cls(row.engagement, row.number, row, None if now == before else now)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A view in which applying an event failed: its position before, and whether it was unwritten.

    It is loaded again, and its earlier events are applied again, as soon as the store answers.
    """

    cached: CachedView
    before: Mapping[str, int]
    unwritten: bool


class Projector:
    """The views of this worker's partitions: an event handler with a write-behind cache.

    At most `cached` engagements stay in memory, and all that are not yet written.
    """

    def __init__(
        self,
        store: ViewStore,
        today: Callable[[], date],
        tolerances: CompanyTolerances,
        cached: int = 5_000,
    ) -> None:
        self._store = store
        self._tolerances = tolerances
        self.today = today
        self._most = cached
        self._cached: OrderedDict[str, CachedView] = OrderedDict()
        self._broken: dict[str, _Broken] = {}
        self._checkpoints = CheckpointWriter(store)
        self._partitions: frozenset[int] = frozenset()
        self._totals = Totals()
        self.rows = ListIndex()
        """A row per engagement, for lists; those of other workers as they were written."""
        self.other_rows_read_at: datetime | None = None
        """When the rows of other workers were last read (UTC)."""
        self._changed = asyncio.Event()
        self._watchers: set[asyncio.Queue[ViewChange]] = set()
        self._to_publish: dict[str, float] = {}
        self._judged_for: tuple[date, int] | None = None

    # ---- event handler: called by the consumer -------------------------------------------------

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        """Apply a batch; an engagement with a gap is not changed. Raises StoreAway.

        Return an error by engagement where its events could not be applied.
        """
        cached = await self._load(list(batch))
        errors: dict[str, Exception] = {}
        changed: list[CachedView] = []
        today = self.today()
        for engagement, events in batch.items():
            each = cached[engagement]
            before = each.view.position()
            try:
                new = _new_events(before, each.view.latest_ids, each.passed_over, events)
            except (Gap, NotDecoded, NotTakenIn) as error:
                errors[engagement] = error
                continue
            if not new:
                continue
            try:
                with _in_its_trace(new[0], before=len(changed)):
                    for recorded in new:
                        apply_event(each.view, recorded)
                        each.unwritten.add(recorded)
                    self._judge_new(each, today)
            except Exception as error:  # noqa: BLE001 - a bug concerns this engagement alone
                errors[engagement] = error
                self._set_aside(each, before)
                continue
            self._checkpoints.put(each)
            changed.append(each)
        self._notify(changed)
        return errors

    async def flush(self, *, now: bool) -> bool:
        """Write changed views if a checkpoint is due or wanted `now`; return whether it was made.

        Raises CannotBeKept, StoreAway.
        """
        await self._restore()
        try:
            return await self._checkpoints.flush(now=now)
        finally:
            self._evict()

    async def checkpoint(self) -> None:
        """Write all changes until now; raises CannotBeKept, StoreAway."""
        await self.flush(now=True)

    async def give_up(self, engagement: str) -> list[Recorded[Event]]:
        """Reset an engagement to what was last written, and return the events that were not.

        The caller keeps them, in order by channel: until they are applied, later events are refused
        as a gap. Raises StoreAway.
        """
        written = (await self._store.cached_views([engagement]))[engagement]
        cached = self._cached.pop(engagement, None)
        self._checkpoints.forget(engagement)
        share = self._checkpoints.written.share(engagement)
        self._totals.count(written.partition, engagement, share)
        self.rows.put_back(engagement, row_of(written) if written.view.freshness else None)
        position = written.view.position()
        return [
            recorded
            for recorded in in_order([] if cached is None else cached.unwritten.runs)
            if recorded.sequence > position.get(recorded.channel.name, 0)
        ]

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Skip missing events of an engagement, and record it; raises StoreAway."""
        each = (await self._load([engagement]))[engagement]
        if each.view.position().get(passed.channel, 0) >= passed.last:
            return
        pass_over(each.view, passed.channel, passed.last)
        each.passed_over = (*each.passed_over, passed)
        each.transitions += 1
        self._checkpoints.put(each)
        self._notify([each])

    async def show_parked(self, engagement: str, head: Head | None) -> None:
        """Record what an engagement waits for; evaluate its rules when it no longer waits."""
        each = (await self._load([engagement]))[engagement]
        waits = waits_for(head)
        if each.waits == waits:
            return
        each.waits = waits
        each.transitions += 1
        try:
            self._judge(each, self.today())
        except Exception:  # noqa: BLE001 - a bug in a rule concerns this engagement alone
            _log.exception("rules of %s cannot be evaluated", engagement)
        self._checkpoints.put(each)
        self._notify([each])

    async def show_only_parked(self, heads: Mapping[str, Head]) -> None:
        """Record that exactly these engagements of these partitions wait; raises StoreAway."""
        shown = [
            row.engagement
            for row in self.rows
            if row.summary.waits is not None and row.partition in self._partitions
        ]
        named = list({*heads, *shown})
        for start in range(0, len(named), _PAGE):
            page = named[start : start + _PAGE]
            await self._load(page)  # in one read
            for engagement in page:
                await self.show_parked(engagement, heads.get(engagement))

    async def assigned(self, partitions: frozenset[int]) -> Callable[[], Awaitable[None]] | None:
        """Take over partitions: add up their totals again from the written views.

        Where a rebuild by this version was requested, their documents are deleted; the callback
        that is returned records that the rebuild has started. Raises StoreAway.
        """
        await self.revoked()
        again = await self._store.partitions_to_rebuild_here() & partitions
        if again:
            await self._store.forget(again)
            self.rows.forget(again)
        stored = await self._store.stored_totals(partitions)
        counted, written = Totals(partitions), Totals(partitions)
        found, unreadable = await self._store.rows(frozenset(range(PARTITIONS)))
        for each in found:
            self.rows.put(each.row)
            engagement, partition = each.row.engagement, each.row.partition
            counted.count(partition, engagement, each.share)
            written.count(partition, engagement, each.share)
            if each.unpublished and partition in partitions:
                self._to_publish[engagement] = time.monotonic()
        await self._store.correct_totals(stored, counted.by_partition)
        self._totals = counted
        self._checkpoints.begin(written)
        self._partitions = partitions
        await self._repair(unreadable)
        return (lambda: self._store.rebuild_started(again)) if again else None

    async def _repair(self, unreadable: Sequence[str]) -> None:
        """Rewrite unreadable views of own partitions from their timelines; raises StoreAway."""
        today = self.today()
        for engagement in unreadable:
            if partition_of(engagement) in self._partitions:
                try:
                    each = (await self._load([engagement]))[engagement]
                    self._judge(each, today)
                except StoreAway:
                    raise
                except Exception:  # noqa: BLE001 - the others must not wait
                    _log.exception("%s cannot be computed from its timeline", engagement)
                    continue
                self._checkpoints.put(each)
                self._notify([each])
        with suppress(CannotBeKept):  # the next checkpoint raises it again
            await self.checkpoint()

    async def revoked(self) -> None:
        """Forget all but the rows: another worker may have these partitions now.

        Lists keep their rows until those that other workers write are read.
        """
        self._cached.clear()
        self._broken.clear()
        self._totals = Totals()
        self._checkpoints.begin(Totals())
        self._to_publish.clear()
        self._judged_for = None
        self._partitions = frozenset()

    # ---- for queries ---------------------------------------------------------------------------

    async def look(self, engagement: str) -> CachedView | None:
        """Return an engagement as it is now, from memory or as written; raises StoreAway.

        Return None where no event of it is known.
        """
        cached = self._cached.get(engagement)
        if cached is None:
            cached = (await self._store.cached_views([engagement]))[engagement]
        return cached if cached.view.freshness or cached.waits is not None else None

    async def timeline(self, engagement: str) -> list[Recorded[Event]]:
        """Return every event of an engagement by when it occurred; raises StoreAway."""
        runs = await self._store.runs(engagement)
        cached = self._cached.get(engagement)
        if cached is not None:
            runs += cached.unwritten.runs
        return sorted(
            in_order(runs), key=lambda each: (each.occurred_at, each.recorded_at, each.id)
        )

    async def totals(self) -> Figures:
        """Return the portfolio's figures: own partitions from memory, others as written.

        Raises StoreAway.
        """
        others = frozenset(range(PARTITIONS)) - self._partitions
        written = await self._store.stored_totals(others) if others else {}
        totals = [*self._totals.by_partition.values(), *written.values()]
        return sum_figures(each.figures for each in totals)

    async def changed(self, seconds: float) -> None:
        """Wait until any view changes, at most for this many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def must_rebuild(self) -> bool:
        """Return whether this worker must rebuild partitions that it has; raises StoreAway."""
        return bool(await self._store.partitions_to_rebuild_here() & self._partitions)

    async def refresh_other_rows(self) -> None:
        """Read the rows of other workers' engagements again; raises StoreAway.

        A worker without partitions, such as while Kafka is away, reads all rows and less often.
        """
        started = datetime.now(UTC)
        others = frozenset(range(PARTITIONS)) - self._partitions
        if not self._partitions:
            read_at = self.other_rows_read_at
            if read_at is not None and (started - read_at).total_seconds() < _READ_ALL_EVERY:
                return
            others -= await self._store.partitions_to_rebuild()  # older code may have written these
        if others:
            found, _ = await self._store.rows(others)
            for count, each in enumerate(found, 1):
                if each.row.partition not in self._partitions:  # assigned meanwhile
                    self.rows.mirror(each.row)
                if count % _PAGE == 0:
                    await asyncio.sleep(0)
        self.other_rows_read_at = started

    async def changes(self, most: int = 1_000) -> AsyncGenerator[ViewChange]:
        """Yield every change from now on; a reader more than `most` behind loses the oldest."""
        queue: asyncio.Queue[ViewChange] = asyncio.Queue(most)
        self._watchers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    # ---- rules ---------------------------------------------------------------------------------

    def to_publish(self, quiet_for: float, most: int) -> list[str]:
        """Return engagements whose disconnects changed and then did not for `quiet_for` seconds.

        At most `most` are returned. They are not returned again until they change again.
        """
        quiet_since = time.monotonic() - quiet_for
        found = [each for each, changed in self._to_publish.items() if changed <= quiet_since]
        for engagement in found[:most]:
            del self._to_publish[engagement]
        return found[:most]

    def publish_later(self, engagements: Iterable[str], seconds: float = 0.0) -> None:
        """Return these from `to_publish` again, this many seconds later."""
        for engagement in engagements:
            self._to_publish.setdefault(engagement, time.monotonic() + seconds)

    def to_judge(self) -> list[str]:
        """Return the engagements of own partitions to evaluate.

        They are those that have not ended, and those with a waiver, which may have run out. They
        are returned once per day, and again when tolerances were published.
        """
        now = self.today(), self._tolerances.revision
        if self._judged_for == now or not self._partitions:
            return []
        self._judged_for = now
        return [
            row.engagement
            for row in self.rows
            if row.partition in self._partitions and (row.summary.stage not in OVER or row.waived)
        ]

    def judge_later(self) -> None:
        """Return the engagements from `to_judge` again: not all of them could be judged."""
        self._judged_for = None

    async def judge_again(self, engagements: Iterable[str]) -> None:
        """Evaluate the rules of engagements on a new day or by new tolerances; raises StoreAway."""
        today = self.today()
        changed = []
        for each in (await self._load(list(engagements))).values():
            others = each.tolerances != self._tolerances.on(each.view, today)
            if each.view.freshness and (each.judged_on < today or others):
                if each.judged_on == today:
                    each.transitions += 1
                try:
                    self._judge(each, today)
                except Exception:  # noqa: BLE001 - a bug in a rule concerns this engagement alone
                    _log.exception("rules of %s cannot be evaluated", each.view.engagement)
                    continue
                self._checkpoints.put(each)
                changed.append(each)
        self._notify(changed)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions that are assigned to this worker."""
        return self._partitions

    def _judge_new(self, each: CachedView, today: date) -> None:
        """Evaluate the rules after new events; raises CannotBeJudged."""
        try:
            self._judge(each, today)
        except Exception as error:  # noqa: BLE001 - its text may contain confidential data
            raise CannotBeJudged(described(error)) from None

    def _judge(self, each: CachedView, today: date) -> None:
        view = each.view
        if each.open_part_complete:
            # Confidential disconnects are those of the last moment at which all was complete.
            each.tolerances = self._tolerances.on(view, today)
            found = judge_open(view, today, each.tolerances) | (
                judge_confidential(view, today, each.tolerances)
                if each.complete
                else {name: old for name, old in each.disconnects.items() if old.confidential}
            )
            if found.keys() != each.disconnects.keys() or found != each.disconnects:
                each.disconnects = found
            # Rules find the same in an ended engagement on any day (`Rule.after_end`), but a waiver
            # runs out.
            each.judged_on = date.min if view.over and not view.gateway.waived else today
            if each.unpublished:
                self._to_publish[view.engagement] = time.monotonic()
            else:
                self._to_publish.pop(view.engagement, None)
        each.figures = contribution(view, each.disconnects.values(), each.waived)
        self._totals.count(each.partition, view.engagement, each.share)

    # ---- cache ---------------------------------------------------------------------------------

    async def _load(self, engagements: Sequence[str]) -> dict[str, CachedView]:
        await self._restore()
        # In a loop: others may have been evicted while these were read.
        while absent := [each for each in engagements if each not in self._cached]:
            for engagement, cached in (await self._store.cached_views(absent)).items():
                # A view that was loaded and changed meanwhile must not be replaced.
                self._cached.setdefault(engagement, cached)
        for engagement in engagements:
            self._cached.move_to_end(engagement)
        return {engagement: self._cached[engagement] for engagement in engagements}

    def _evict(self) -> None:
        """Remove the least recently used engagements that are written from memory."""
        for engagement in list(islice(self._cached, max(0, len(self._cached) - self._most))):
            if engagement not in self._checkpoints:
                del self._cached[engagement]

    def _set_aside(self, each: CachedView, before: Mapping[str, int]) -> None:
        """Stop using a view in which applying an event failed: it is half changed."""
        engagement = each.view.engagement
        each.is_broken = True
        self._broken[engagement] = _Broken(each, before, engagement in self._checkpoints)
        self._cached.pop(engagement, None)
        self._checkpoints.forget(engagement)

    async def _restore(self) -> None:
        """Load broken views again, with the events before the one that failed; raises StoreAway."""
        for engagement in list(self._broken):
            written = (await self._store.cached_views([engagement]))[engagement]
            broken = self._broken.pop(engagement, None)
            if broken is None:
                continue  # restored meanwhile, or forgotten with its partition
            position = written.view.position()
            for recorded in in_order(broken.cached.unwritten.runs):
                channel = recorded.event.channel.name
                if position.get(channel, 0) < recorded.sequence <= broken.before.get(channel, 0):
                    apply_event(written.view, recorded)
                    written.unwritten.add(recorded)
            for passed in broken.cached.passed_over:
                pass_over(written.view, passed.channel, passed.last)
            written.passed_over = broken.cached.passed_over
            written.transitions = broken.cached.transitions
            written.waits = broken.cached.waits
            self._cached[engagement] = written
            if broken.unwritten:
                self._checkpoints.put(written)

    def _notify(self, changed: Sequence[CachedView]) -> None:
        """Update the rows, and send the changes to live streams and waiting queries."""
        if not changed:
            return
        self._changed.set()
        self._changed = asyncio.Event()
        for each in changed:
            row = row_of(each)
            self.rows.put(row)
            change = ViewChange.of(each, row)
            for watcher in self._watchers:
                if watcher.full():
                    watcher.get_nowait()
                watcher.put_nowait(change)


def _in_its_trace(recorded: Recorded[Event], before: int) -> AbstractContextManager[object]:
    """Return a span in the trace of the first event; only the first of a batch have one."""
    if before >= TRACED:
        return nullcontext()
    return telemetry.step("fold", recorded.traceparent, engagement=recorded.subject)


def _new_events(
    position: Mapping[str, int],
    latest_ids: LatestIds,
    passed_over: Sequence[PassedOver],
    events: Sequence[Recorded[Event]],
) -> list[Recorded[Event]]:
    """Return the events that are not applied yet, in order; raises what `is_next` raises."""
    last, ids = dict(position), dict(latest_ids)
    new: list[Recorded[Event]] = []
    for recorded in events:
        channel = recorded.event.channel.name
        seen = last.get(channel, 0)
        known = ids.get(channel, ())
        if is_next(recorded, seen, passed_over, known):
            ids[channel] = with_latest(known, seen, recorded)
            last[channel] = recorded.sequence
            new.append(recorded)
    return new
