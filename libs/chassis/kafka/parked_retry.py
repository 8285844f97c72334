"""Retry of parked engagements: on request of an operator, and after partitions were assigned.

An operator can try an engagement again, set a record aside, or skip missing events. The request is
carried out by the process that consumes the engagement's partition; other processes leave it in the
store for that one.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.application.ports import CannotBeKept, EventHandler, StreamRouter
from chassis.base.failures import ValueFreeError
from chassis.domain.stream import NotTakenIn, PassedOver
from chassis.domain.trouble import Head, Trouble
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.parked_record import ParkedRecord, in_sequence, not_proven, trouble_of
from chassis.kafka.parked_requests import Request
from chassis.kafka.transient import TRANSIENT, raise_transient
from contracts.event import Event, Recorded

log = logging.getLogger(__name__)

TOGETHER = 200
"""Records of an engagement that are tried together, before they are tried one by one."""


class NotInTrouble(ValueFreeError):
    """Nothing is parked for this engagement, or the record is not the one that blocks it."""


class NotProven(ValueFreeError):
    """Only one record claims that events are missing, so they are not skipped."""


@dataclass(frozen=True, slots=True)
class RetryResult:
    """The result of trying a parked engagement again.

    `taken` records were processed and `waiting` still wait, for `head`. `asked` is true where the
    request was left for the process that consumes this engagement; it answers within seconds.
    """

    taken: int = 0
    waiting: int = 0
    head: Head | None = None
    asked: bool = False


class ParkedRetry:
    """Tries the parked records of one consumer again.

    Not safe for two tasks at once: the caller holds a lock, the same as for its `BatchProcessor`.
    """

    def __init__(
        self,
        name: str,
        event_handler: EventHandler,
        parked_records: ParkedRecordStore,
        router: StreamRouter,
    ) -> None:
        self._name = name
        self._event_handler = event_handler
        self._parked_records = parked_records
        self._router = router
        self._queue: dict[str, bool] = {}
        """Engagements to be tried again, in turn, and whether that failed before."""

    # ---- requests of operators -----------------------------------------------------------------

    async def refuse(self, request: Request) -> PassedOver | ParkedRecord | None:
        """Raise NotInTrouble or NotProven where the request cannot be carried out.

        Otherwise return the decision: the events to skip, the record to set aside, or None, which
        means only to try again.
        """
        engagement = request.engagement
        parked = await self._parked_records.look(engagement)
        if request.action == "retry":
            aside = await self._parked_records.events_set_aside(engagement)
            # Another process may have released records that this process still knows as parked.
            if not parked and not aside and engagement not in self._parked_records:
                raise NotInTrouble(f"nothing is parked for {engagement}")
            return None
        record = next((each for each in parked if each.id == request.record), None)
        if record is None or record.code == "waiting":
            raise NotInTrouble(f"the record is not the one that blocks {engagement}")
        if record.code != "gap" or request.action == "set-aside":
            return record
        by_people = await self._parked_records.set_aside_by_people(engagement)
        refusal = not_proven(record, [*parked, *by_people], request.published)
        if refusal is not None:
            raise NotProven(refusal)
        now = datetime.now(UTC)
        return PassedOver(
            channel=record.channel.name,
            first=record.expected or 1,
            last=(record.sequence or 1) - 1,
            by=request.by,
            why=request.why,
            at=now.replace(microsecond=now.microsecond // 1000 * 1000),  # the store's precision
        )

    async def answer(self, request: Request) -> RetryResult:
        """Carry out a request and try its engagement again.

        Raises NotInTrouble, NotProven, and Superseded where another process has the partition now.
        """
        engagement = request.engagement
        decision = await self.refuse(request)
        await self._parked_records.sure(engagement)
        if isinstance(decision, PassedOver):
            await self._parked_records.remember(engagement, decision)
            await self._event_handler.pass_over(engagement, decision)
        elif decision is not None:
            await self._parked_records.put_aside(decision, request.by, request.why)
        result = await self.try_again(engagement, aside=request.action == "retry")
        log.info("%s: %s: %s by %s: %s", self._name, engagement, request.action, request.by, result)
        return result

    async def answer_stored(self, is_mine: Callable[[str], bool]) -> None:
        """Carry out the requests that other processes left for this one; raises TRANSIENT."""
        for request in await self._parked_records.requests.pending(is_mine):
            try:
                await self.answer(request)
            except TRANSIENT:
                raise  # the request stays in the store and is carried out later
            except (NotInTrouble, NotProven) as refusal:
                log.info("%s: %s: %s", self._name, request.engagement, refusal)
            except Exception:
                log.exception("%s: %s of %s fails", self._name, request.action, request.engagement)
            await self._parked_records.requests.remove(request)

    # ---- after partitions were assigned --------------------------------------------------------

    async def fill_queue(self) -> None:
        """Queue the engagements that may be processable now that partitions were assigned.

        This process may be a newer version. Also, the previous process may have ended after a
        decision was stored and before the records behind the gap were tried.
        """
        decided = await self._parked_records.engagements_passed_over()
        self._queue = {
            engagement: False
            for engagement, head in self._parked_records.heads.items()
            if not head.is_parked
            or head.code == "waiting"
            or (head.code == "gap" and engagement in decided)
        }

    def clear_queue(self) -> None:
        """Forget the queue: the partitions were revoked."""
        self._queue.clear()

    async def work_off_queue(self, seconds: float) -> None:
        """Try queued engagements for this long; one that fails goes to the end of the queue.

        Raises TRANSIENT.
        """
        ends = time.monotonic() + seconds
        for engagement, failed in list(self._queue.items()):
            if time.monotonic() >= ends:
                return
            del self._queue[engagement]
            self._queue[engagement] = failed
            try:
                await self.take_up(engagement)
            except TRANSIENT:
                raise
            except Exception:
                self._queue[engagement] = True
                if not failed:  # it is tried each second, and logged once
                    log.exception("%s: %s cannot be tried again", self._name, engagement)
            else:
                del self._queue[engagement]

    async def take_up(self, engagement: str) -> None:
        """Carry out a stored decision on an engagement, and try it again."""
        head = self._parked_records.heads.get(engagement)
        if head is not None:
            await self.apply_decision(engagement, head)
        await self.try_again(engagement, aside=True)

    async def apply_decision(self, engagement: str, head: Head) -> bool:
        """Skip a gap if a stored decision covers exactly that gap; return whether one does."""
        if head.code != "gap":
            return False
        for passed in await self._parked_records.passed_over(engagement):
            found = passed.channel, passed.first, passed.last + 1
            if found == (head.channel, head.expected, head.sequence):
                await self._event_handler.pass_over(engagement, passed)
                return True
        return False

    # ---- the retry -----------------------------------------------------------------------------

    async def try_again(self, engagement: str, *, aside: bool = False) -> RetryResult:
        """Try the parked records of an engagement, in order, until one fails again.

        With `aside`, records that an older version could not read and set aside are tried too,
        where this version can read them.
        """
        records = await self._parked_records.look(engagement)
        if aside:
            set_aside = await self._parked_records.events_set_aside(engagement)
            records = in_sequence([*records, *set_aside])
        taken: list[ParkedRecord] = []
        aside_now = 0
        stopped: tuple[ParkedRecord, Trouble, int | None] | None = None
        while len(taken) < len(records) and await self._all_taken(
            part := records[len(taken) : len(taken) + TOGETHER]
        ):
            taken += part
        for record in records[len(taken) :]:
            error = await self._try(record)
            if isinstance(error, NotTakenIn):
                trouble, _ = trouble_of(error, record.channel)
                await self._parked_records.put_aside(record, "", "", trouble)
                log.error("%s: %s is set aside: %s", self._name, record.id, trouble.sentence)
                aside_now += 1
            elif error is not None:
                stopped = (record, *trouble_of(error, record.channel))
                break
            else:
                taken.append(record)
        if taken:
            try:
                if not await self._event_handler.flush(now=True):
                    raise TimeoutError("the processed events could not be made durable yet")
            except CannotBeKept as refused:  # engagements that it does not name were written
                if (why := refused.why.get(engagement)) is not None:
                    await self._event_handler.give_up(engagement)  # its records are parked already
                    trouble = Trouble("failed", f"it cannot be written: {why}")
                    stopped, taken = (taken[0], trouble, None), []
        await self._parked_records.sure(engagement)
        await self._parked_records.release(engagement, taken)
        if stopped is None:
            self._parked_records.unpark(engagement)
            log.info("%s: %s is no longer parked", self._name, engagement)
        else:
            await self._parked_records.mark(*stopped)
        head_now = self._parked_records.heads.get(engagement)
        await self._event_handler.show_parked(engagement, head_now)
        return RetryResult(len(taken), len(records) - len(taken) - aside_now, head_now)

    async def _all_taken(self, records: Sequence[ParkedRecord]) -> bool:
        """Return whether all records were processed; where it is false, some may have been."""
        batch: dict[str, list[Recorded[Event]]] = {}
        try:
            for record in records:
                if (event := record.event()) is None:
                    return False
                if (stream := self._router(event)) is not None:
                    batch.setdefault(stream, []).append(event)
            errors = await self._event_handler.process(batch)
        except TRANSIENT:
            raise
        except Exception:  # noqa: BLE001 - the records are tried one by one next, which shows it
            return False
        raise_transient(errors)
        return not errors

    async def _try(self, record: ParkedRecord) -> Exception | None:
        event = record.event()
        if event is None:
            return ValueError("it is no event of this engagement")
        try:
            stream = self._router(event)
            errors = await self._event_handler.process({stream: [event]} if stream else {})
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: the record stays parked
            return error
        raise_transient(errors)
        return next(iter(errors.values()), None)
