"""The gateway's reader: folds events in memory, judges, counts, and writes behind.

What was folded is visible at once and durable at the next checkpoint; offsets are committed after
it, so a crash loses nothing and a repeated event passes by.
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
from gateway.disconnects import judge
from gateway.fold import FOLDED, OVER, fold, pass_over
from gateway.keeping import Keeping
from gateway.portfolio import Figures, contribution, together
from gateway.rows import Row, Rows
from gateway.shelf import Held, Shelf, row_of
from gateway.timeline import in_order
from gateway.totals import Totals
from gateway.waiting import waits_for

_log = logging.getLogger(__name__)

HEARD = frozenset(CHANNELS[name] for name in FOLDED)
"""The channels the gateway listens to: all that say events of engagements."""

_PUT_TOGETHER = 200
_ALL_EVERY = 10.0
"""Seconds between two readings of all rows."""

TRACED = 8
"""Engagements of a batch whose folding shows in their own traces; a span costs more than a fold."""


class CannotBeJudged(ValueFreeError):
    """A rule failed. The text names the place alone: rules see what is confidential, too."""


@dataclass(frozen=True, slots=True)
class Change:
    """An engagement moved: for whoever watches live.

    `open_number` is its number for those who may not see what is confidential; None where nothing
    moved that they see.
    """

    engagement: str
    number: int
    row: Row
    open_number: int | None

    @classmethod
    def of(cls, held: Held, row: Row) -> "Change":
        """What changed since whoever watches was told last."""
        before, held.told = held.told, held.open_revision
        return cls(row.engagement, row.number, row, None if held.told == before else held.told)


@dataclass(frozen=True, slots=True)
class _Torn:
    """A view in which a fold broke off: how far it was folded before, and if it was to be written.

    What was folded before is folded again from what is written, as soon as the store answers.
    """

    held: Held
    before: Mapping[str, int]
    unwritten: bool


class Folding:
    """Everything folded on this worker's partitions, as far as it is held in memory.

    At most `held` engagements stay in memory (those not yet written always do).
    """

    def __init__(self, shelf: Shelf, today: Callable[[], date], held: int = 5_000) -> None:
        self._shelf = shelf
        self.today = today
        self._most = held
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._torn: dict[str, _Torn] = {}
        self._keeping = Keeping(shelf)
        self._partitions: frozenset[int] = frozenset()
        self._totals = Totals()
        self.rows = Rows()
        """Every engagement in a line, for lists; those of other workers as they were written."""
        self.others_read_at: datetime | None = None
        """When what other workers wrote was last read into the rows (UTC)."""
        self._moved = asyncio.Event()
        self._watchers: set[asyncio.Queue[Change]] = set()
        self._to_announce: dict[str, float] = {}
        self._judged_for: date | None = None

    # ---- what the listener asks ---------------------------------------------------------------

    async def take(self, batch: Batch) -> Mapping[str, Exception]:
        """Fold a batch; an engagement with a gap is left as it was. Raises StoreAway."""
        held = await self._hold(list(batch))
        errors: dict[str, Exception] = {}
        changed: list[Held] = []
        today = self.today()
        for engagement, events in batch.items():
            each = held[engagement]
            before = each.view.position()
            try:
                news = _news(before, each.view.latest_ids, each.passed_over, events)
            except (Gap, NotDecoded, NotTakenIn) as error:
                errors[engagement] = error
                continue
            if not news:
                continue
            try:
                with _in_its_trace(news[0], before=len(changed)):
                    for recorded in news:
                        fold(each.view, recorded)
                        each.unwritten.add(recorded)
                    self._judge_new(each, today)
            except Exception as error:  # noqa: BLE001 - a bug concerns this engagement alone
                errors[engagement] = error
                self._tear(each, before)
                continue
            self._keeping.put(each)
            changed.append(each)
        self._tell(changed)
        return errors

    async def settle(self, *, now: bool) -> bool:
        """Write what was folded: at once after a time of rest, else once a second or less often.

        Raises CannotBeKept, StoreAway.
        """
        await self._restore()
        try:
            return await self._keeping.settle(now=now)
        finally:
            self._evict()

    async def checkpoint(self) -> None:
        """Make durable all that was folded until now; raises CannotBeKept, StoreAway."""
        await self.settle(now=True)

    async def give_up(self, engagement: str) -> list[Recorded[Event]]:
        """Leave an engagement as it was last written, and return the events that were not kept.

        Whoever calls this keeps them: each channel's are in order, and what comes after them is
        refused as a gap until they were taken. Raises StoreAway.
        """
        written = (await self._shelf.take([engagement]))[engagement]
        held = self._held.pop(engagement, None)
        self._keeping.forget(engagement)
        kept = self._keeping.written.share(engagement)
        self._totals.count(written.partition, engagement, kept)
        self.rows.put_back(engagement, row_of(written) if written.view.freshness else None)
        position = written.view.position()
        return [
            recorded
            for recorded in in_order([] if held is None else held.unwritten.runs)
            if recorded.sequence > position.get(recorded.channel.name, 0)
        ]

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Do without missing events of an engagement, and show it; raises StoreAway."""
        each = (await self._hold([engagement]))[engagement]
        if each.view.position().get(passed.channel, 0) >= passed.last:
            return
        pass_over(each.view, passed.channel, passed.last)
        each.passed_over = (*each.passed_over, passed)
        each.turns += 1
        self._keeping.put(each)
        self._tell([each])

    async def waits(self, engagement: str, head: Head | None) -> None:
        """Show what an engagement waits for; judge it when it waits no longer."""
        each = (await self._hold([engagement]))[engagement]
        waits = waits_for(head)
        if each.waits == waits:
            return
        each.waits = waits
        each.turns += 1
        try:
            self._judge(each, self.today())
        except Exception:  # noqa: BLE001 - a bug in a rule concerns this engagement alone
            _log.exception("%s cannot be judged", engagement)
        self._keeping.put(each)
        self._tell([each])

    async def wait(self, heads: Mapping[str, Head]) -> None:
        """Show that these engagements wait, and no others on these partitions; raises StoreAway."""
        shown = [
            row.engagement
            for row in self.rows
            if row.summary.waits is not None and row.partition in self._partitions
        ]
        named = list({*heads, *shown})
        for start in range(0, len(named), _PUT_TOGETHER):
            page = named[start : start + _PUT_TOGETHER]
            await self._hold(page)  # in one reading
            for engagement in page:
                await self.waits(engagement, heads.get(engagement))

    async def given(self, partitions: frozenset[int]) -> Callable[[], Awaitable[None]] | None:
        """Take partitions over: what their engagements add is counted anew from what is written.

        Where a folding from the first events was asked for, what was folded is forgotten.
        """
        await self.withdrawn()
        again = await self._shelf.to_fold_again() & partitions
        if again:
            await self._shelf.forget(again)
            self.rows.forget(again)
        stored = await self._shelf.stored_totals(partitions)
        counted, written = Totals(partitions), Totals(partitions)
        found, unreadable = await self._shelf.rows(frozenset(range(PARTITIONS)))
        for each in found:
            self.rows.put(each.row)
            engagement, partition = each.row.engagement, each.row.partition
            counted.count(partition, engagement, each.share)
            written.count(partition, engagement, each.share)
            if each.unannounced and partition in partitions:
                self._to_announce[engagement] = time.monotonic()
        await self._shelf.correct_totals(stored, counted.by_partition)
        self._totals = counted
        self._keeping.begin(written)
        self._partitions = partitions
        await self._mend(unreadable)
        return (lambda: self._shelf.folding_again(again)) if again else None

    async def _mend(self, unreadable: Sequence[str]) -> None:
        """Write again what could not be read of own engagements; raises StoreAway."""
        today = self.today()
        for engagement in unreadable:
            if partition_of(engagement) in self._partitions:
                try:
                    each = (await self._hold([engagement]))[engagement]
                    self._judge(each, today)
                except StoreAway:
                    raise
                except Exception:  # noqa: BLE001 - the others must not wait
                    _log.exception("%s cannot be folded from its timeline", engagement)
                    continue
                self._keeping.put(each)
                self._tell([each])
        with suppress(CannotBeKept):  # whoever settles next is told again
            await self.checkpoint()

    async def withdrawn(self) -> None:
        """Forget all but the rows: another worker may have these partitions now.

        Lists go on showing what they did; what other workers write is read into them.
        """
        self._held.clear()
        self._torn.clear()
        self._totals = Totals()
        self._keeping.begin(Totals())
        self._to_announce.clear()
        self._judged_for = None
        self._partitions = frozenset()

    # ---- what those who read ask --------------------------------------------------------------

    async def look(self, engagement: str) -> Held | None:
        """An engagement as it is folded now, here or by another worker; None if never heard of."""
        held = self._held.get(engagement)
        if held is None:
            held = (await self._shelf.take([engagement]))[engagement]
        return held if held.view.freshness or held.waits is not None else None

    async def timeline(self, engagement: str) -> list[Recorded[Event]]:
        """Every event of an engagement by when it occurred; raises StoreAway."""
        runs = await self._shelf.runs(engagement)
        held = self._held.get(engagement)
        if held is not None:
            runs += held.unwritten.runs
        return sorted(
            in_order(runs), key=lambda each: (each.occurred_at, each.recorded_at, each.id)
        )

    async def totals(self) -> Figures:
        """The portfolio's figures: from memory for own partitions, as written for all others."""
        others = frozenset(range(PARTITIONS)) - self._partitions
        written = await self._shelf.stored_totals(others) if others else {}
        totals = [*self._totals.by_partition.values(), *written.values()]
        return together(each.figures for each in totals)

    async def moved(self, seconds: float) -> None:
        """Wait until anything is folded, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    async def must_fold_again(self) -> bool:
        """Return whether this worker's partitions are to be folded again from the first events."""
        return bool(await self._shelf.to_fold_again() & self._partitions)

    async def look_at_others(self) -> None:
        """Read the rows of other workers' engagements again; raises StoreAway.

        A worker without partitions (Kafka is away, say) does so less often: it reads all rows.
        """
        asked = datetime.now(UTC)
        others = frozenset(range(PARTITIONS)) - self._partitions
        if not self._partitions:
            read_at = self.others_read_at
            if read_at is not None and (asked - read_at).total_seconds() < _ALL_EVERY:
                return
            others -= await self._shelf.to_fold_again()  # their rows may be of older code
        if others:
            found, _ = await self._shelf.rows(others)
            for count, each in enumerate(found, 1):
                if each.row.partition not in self._partitions:  # it may be ours by now
                    self.rows.mirror(each.row)
                if count % _PUT_TOGETHER == 0:
                    await asyncio.sleep(0)
        self.others_read_at = asked

    async def changes(self, most: int = 1_000) -> AsyncGenerator[Change]:
        """Every change from now on; a watcher who falls `most` behind loses the oldest."""
        queue: asyncio.Queue[Change] = asyncio.Queue(most)
        self._watchers.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._watchers.discard(queue)

    # ---- judging ------------------------------------------------------------------------------

    def to_announce(self, quiet_for: float, most: int) -> list[str]:
        """Engagements whose findings may have changed and that rested for so many seconds.

        They are not named again until they change again.
        """
        rested = time.monotonic() - quiet_for
        found = [each for each, touched in self._to_announce.items() if touched <= rested]
        for engagement in found[:most]:
            del self._to_announce[engagement]
        return found[:most]

    def announce_later(self, engagements: Iterable[str], seconds: float = 0.0) -> None:
        """These could not be announced after all: name them again, after so many seconds more."""
        for engagement in engagements:
            self._to_announce.setdefault(engagement, time.monotonic() + seconds)

    def to_judge(self) -> list[str]:
        """On a new day, once: the engagements on this worker's partitions that are not over."""
        today = self.today()
        if self._judged_for == today or not self._partitions:
            return []
        self._judged_for = today
        return [
            row.engagement
            for row in self.rows
            if row.partition in self._partitions and row.summary.stage not in OVER
        ]

    def judge_later(self) -> None:
        """Name the engagements of this day once more: not all of them could be judged."""
        self._judged_for = None

    async def judge_again(self, engagements: Iterable[str]) -> None:
        """Judge engagements on a new day; raises StoreAway."""
        today = self.today()
        changed = []
        for each in (await self._hold(list(engagements))).values():
            if each.view.freshness and each.judged_on < today:
                try:
                    self._judge(each, today)
                except Exception:  # noqa: BLE001 - a bug in a rule concerns this engagement alone
                    _log.exception("%s cannot be judged", each.view.engagement)
                    continue
                self._keeping.put(each)
                changed.append(each)
        self._tell(changed)

    @property
    def partitions(self) -> frozenset[int]:
        """The partitions this worker has."""
        return self._partitions

    def _judge_new(self, each: Held, today: date) -> None:
        """Judge what was just folded; raises CannotBeJudged."""
        try:
            self._judge(each, today)
        except Exception as error:  # noqa: BLE001 - its place is kept, and its words are not
            raise CannotBeJudged(described(error)) from None

    def _judge(self, each: Held, today: date) -> None:
        view = each.view
        if each.complete:
            findings = judge(view, today)
            if findings.keys() != each.findings.keys() or findings != each.findings:
                each.findings = findings
            # What is over is judged no more, so that it folds to the same on any day.
            each.judged_on = date.min if view.over else today
            if each.unannounced:
                self._to_announce[view.engagement] = time.monotonic()
            else:
                self._to_announce.pop(view.engagement, None)
        waived = view.gateway.waived.keys() | view.gateway_confidential.waived.keys()
        each.figures = contribution(view, each.findings.values(), waived)
        self._totals.count(each.partition, view.engagement, each.share)

    # ---- in memory ----------------------------------------------------------------------------

    async def _hold(self, engagements: Sequence[str]) -> dict[str, Held]:
        await self._restore()
        # Again, since those that were there may have been evicted meanwhile.
        while absent := [each for each in engagements if each not in self._held]:
            for engagement, held in (await self._shelf.take(absent)).items():
                # Whoever else read it meanwhile may have folded on: that one is not put back.
                self._held.setdefault(engagement, held)
        for engagement in engagements:
            self._held.move_to_end(engagement)
        return {engagement: self._held[engagement] for engagement in engagements}

    def _evict(self) -> None:
        """Forget engagements that were not asked for lately; those not yet written stay."""
        for engagement in list(islice(self._held, max(0, len(self._held) - self._most))):
            if engagement not in self._keeping:
                del self._held[engagement]

    def _tear(self, each: Held, before: Mapping[str, int]) -> None:
        """Put away a view in which a fold broke off: nobody sees, folds or writes it any more."""
        engagement = each.view.engagement
        each.torn = True
        self._torn[engagement] = _Torn(each, before, engagement in self._keeping)
        self._held.pop(engagement, None)
        self._keeping.forget(engagement)

    async def _restore(self) -> None:
        """Fold again what was folded before a fold broke off; raises StoreAway."""
        for engagement in list(self._torn):
            written = (await self._shelf.take([engagement]))[engagement]
            torn = self._torn.pop(engagement, None)
            if torn is None:
                continue  # restored meanwhile, or forgotten with its partition
            position = written.view.position()
            for recorded in in_order(torn.held.unwritten.runs):
                channel = recorded.event.channel.name
                if position.get(channel, 0) < recorded.sequence <= torn.before.get(channel, 0):
                    fold(written.view, recorded)
                    written.unwritten.add(recorded)
            for passed in torn.held.passed_over:
                pass_over(written.view, passed.channel, passed.last)
            written.passed_over, written.turns = torn.held.passed_over, torn.held.turns
            written.waits = torn.held.waits
            self._held[engagement] = written
            if torn.unwritten:
                self._keeping.put(written)

    def _tell(self, changed: Sequence[Held]) -> None:
        if not changed:
            return
        self._moved.set()
        self._moved = asyncio.Event()
        for each in changed:
            row = row_of(each)
            self.rows.put(row)
            change = Change.of(each, row)
            for watcher in self._watchers:
                if watcher.full():
                    watcher.get_nowait()
                watcher.put_nowait(change)


def _in_its_trace(recorded: Recorded[Event], before: int) -> AbstractContextManager[object]:
    """A span in the trace of the first event; of a large batch only the first few have one."""
    if before >= TRACED:
        return nullcontext()
    return telemetry.step("fold", recorded.traceparent, engagement=recorded.subject)


def _news(
    position: Mapping[str, int],
    latest_ids: LatestIds,
    passed_over: Sequence[PassedOver],
    events: Sequence[Recorded[Event]],
) -> list[Recorded[Event]]:
    """Return the events not folded yet, in order; raises as `is_next` does."""
    last, ids = dict(position), dict(latest_ids)
    news: list[Recorded[Event]] = []
    for recorded in events:
        channel = recorded.event.channel.name
        seen = last.get(channel, 0)
        known = ids.get(channel, ())
        if is_next(recorded, seen, passed_over, known):
            ids[channel] = with_latest(known, seen, recorded)
            last[channel] = recorded.sequence
            news.append(recorded)
    return news
