"""Batch processor: process a batch of consumed records, without any access to Kafka.

Events are given to the event handler by stream. An event that cannot be processed parks its
engagement; a record that is no event of an engagement is set aside. Every record of a batch is
accounted for.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chassis.application.ports import CannotBeKept, EventHandler, StreamRouter
from chassis.base import telemetry
from chassis.base.failures import described
from chassis.base.partitioning import partition_of
from chassis.domain.stream import CameLate, NotTakenIn
from chassis.domain.trouble import Trouble
from chassis.kafka.accounting import BatchAccount, Unaccounted, count_unaccounted
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedRecordStore
from chassis.kafka.parked_record import ends_gap, trouble_of
from chassis.kafka.parked_retry import ParkedRetry
from chassis.kafka.routing import WAITING, RoutedBatch, route_batch
from chassis.kafka.transient import TRANSIENT, raise_transient
from contracts.event import whole

log = logging.getLogger(__name__)

FAILURES_BEFORE_ISOLATION = 2
"""Times that a whole batch is tried again before the record that makes it fail is isolated."""

LOGGED = 20
"""Records set aside in one batch that are logged one by one."""


@dataclass(slots=True)
class _Handled:
    """The outcome of events, by the `id()` of their arrivals: processed, set aside, or failed.

    Events of the same engagement behind a failed one were not given to the event handler.
    """

    taken: set[int] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)
    failed: dict[int, Exception] = field(default_factory=dict)


class BatchProcessor:
    """Processes batches for one event handler.

    Not safe for two tasks at once: the caller holds a lock.
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
        self._failures = 0
        self.retries = ParkedRetry(name, event_handler, parked_records, router)
        """Tries what this processor has parked again."""
        self.unaccounted = 0
        """Batches for which the outcome of some record was unknown."""

    async def account_for(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        """Process a batch like `process`, and raise unless the outcome of each record is known.

        An error that belongs to no engagement and repeats is traced to one record by halving the
        batch, and that record is set aside.
        """
        try:
            account = await self._accounted(arrivals)
        except TRANSIENT:
            raise
        except Exception:
            self._failures += 1
            if self._failures <= FAILURES_BEFORE_ISOLATION:
                raise
            log.exception("%s: a batch of %d records fails repeatedly", self._name, len(arrivals))
            account = await self._isolate(arrivals)
        self._failures = 0
        return account

    async def _accounted(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        account = await self.process(arrivals)
        try:
            account.refuse_difference(len(arrivals))
        except Unaccounted:
            self.unaccounted += 1
            count_unaccounted(self._name, len(arrivals))
            raise
        return account

    async def _isolate(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        account = BatchAccount()
        half = (len(arrivals) + 1) // 2
        for part in (arrivals[:half], arrivals[half:]):
            try:
                account += await self._accounted(part)
            except TRANSIENT:
                raise
            except Exception as error:  # noqa: BLE001 - logged with the batch
                if len(part) > 1:
                    account += await self._isolate(part)
                    continue
                trouble = Trouble("not-handled", f"handling it failed: {described(error)}")
                await self._set_aside([(part[0], trouble)])
                account += BatchAccount(
                    1, aside=1, aside_open=int(not part[0].channel.confidential)
                )
        return account

    async def process(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        """Process a batch: park events that must wait, set aside records that are no events.

        Return the outcome of each record. Raises one of TRANSIENT when Kafka, the store or the
        network does not answer; processing the whole batch again is then safe.
        """
        parents = (each.recorded.traceparent for each in arrivals if each.recorded is not None)
        with telemetry.batch(self._name, parents, len(arrivals)):
            return await self._process(arrivals)

    async def _process(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        routed = route_batch(arrivals, self._parked_records, self._router)
        account = BatchAccount(len(arrivals), ignored=len(routed.ignored))
        handled = await self._handle(routed.groups)
        await self._set_aside(routed.aside)
        aside = [arrival for arrival, _ in routed.aside]
        aside += [each for each in routed.all if id(each) in handled.aside]
        account.aside = len(aside)
        account.aside_open = sum(not each.channel.confidential for each in aside)
        parked: set[int] = set()
        if handled.failed or routed.stopped:
            parked = await self._park(routed, handled)
            account.parked = len(parked)
        account.taken = len(handled.taken - parked - handled.aside)
        return account

    async def _set_aside(self, records: Sequence[tuple[Arrival, Trouble]]) -> None:
        """Set records aside and log them; of many, only the first LOGGED one by one.

        A record that was set aside before is not logged again.
        """
        if not records:
            return
        there = await self._parked_records.set_aside(records)
        new = [each for each in records if each[0].id not in there]
        for arrival, trouble in new[:LOGGED]:
            log.error("%s: %s is set aside: %s", self._name, arrival.id, trouble.sentence)
        if len(new) > LOGGED:
            log.error("%s: %d records are set aside in all", self._name, len(new))

    async def _handle(self, groups: Mapping[str, list[Arrival]]) -> _Handled:
        """Give events to the event handler, and set aside those that it refuses with NotTakenIn.

        A stream that fails as a whole is given its events one by one, so that events before the
        failing one are processed.
        """
        handled = _Handled()
        errors = await self._ask(groups)
        for stream, group in groups.items():
            if stream not in errors:
                handled.taken.update(map(id, group))
        left = {stream: groups[stream] for stream in errors}
        while left:
            errors = await self._ask({stream: queue[:1] for stream, queue in left.items()})
            for stream, queue in list(left.items()):
                first, rest = queue[0], queue[1:]
                error = errors.get(stream)
                if isinstance(error, NotTakenIn):
                    # Before the next event is processed: a stream keeps the ids of its last few
                    # events only.
                    await self._not_taken_in(first, error)
                    handled.aside.add(id(first))
                elif error is not None:
                    handled.failed[id(first)] = error
                    rest = []
                else:
                    handled.taken.add(id(first))
                if rest:
                    left[stream] = rest
                else:
                    del left[stream]
        return handled

    async def _ask(self, groups: Mapping[str, Sequence[Arrival]]) -> Mapping[str, Exception]:
        """Give events to the event handler; return errors by stream, raise one of TRANSIENT."""
        batch = {
            stream: [arrival.recorded for arrival in group if arrival.recorded is not None]
            for stream, group in groups.items()
        }
        if not batch:
            return {}
        try:
            errors = await self._event_handler.process(batch)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: find the streams that it affects
            if len(batch) == 1:
                return dict.fromkeys(batch, error)
            apart = [await self._ask({stream: groups[stream]}) for stream in groups]
            return {stream: wrong for each in apart for stream, wrong in each.items()}
        raise_transient(errors)
        return errors

    async def _not_taken_in(self, arrival: Arrival, error: NotTakenIn) -> None:
        """Set aside an event that is no repeat; a late one only once, also from several offsets."""
        if not (isinstance(error, CameLate) and await self._parked_records.is_repeat(arrival)):
            await self._set_aside([(arrival, trouble_of(error, arrival.channel)[0])])

    async def _park(self, routed: RoutedBatch, handled: _Handled) -> set[int]:
        """Park events that must wait; return their `id()`s, also of those set aside by people."""
        stopped = {id(arrival): trouble for arrival, trouble in routed.stopped}
        out = {id(arrival) for arrival, _ in routed.aside} | handled.aside
        out |= {id(arrival) for arrival in routed.ignored}
        behind: dict[str, list[Arrival]] = {}
        to_park: list[tuple[Arrival, Trouble, int | None]] = []
        for arrival in routed.all:
            key = arrival.key
            if key is None or arrival.recorded is None or id(arrival) in out:
                continue
            trouble, expected = stopped.get(id(arrival)), None
            if key in behind:
                trouble = WAITING
            elif (error := handled.failed.get(id(arrival))) is not None:
                trouble, expected = trouble_of(error, arrival.channel)
                alarm(self._name, arrival, trouble, error)
            elif trouble not in {None, WAITING}:
                alarm(self._name, arrival, trouble)
            if trouble is not None:
                behind.setdefault(key, []).append(arrival)
                to_park.append((arrival, trouble, expected))
        if any(key not in self._parked_records for key in behind):
            # Earlier events must be durable first. A process that takes over queues all uncommitted
            # records behind the parked ones, also those that precede them.
            await self.flush(now=True)
        await self._parked_records.park(to_park)
        for key, arrivals in behind.items():
            head = self._parked_records.heads.get(key)
            if head is None:
                continue
            # "waiting" as the first: a person had set aside the record that it was behind.
            ended = head.code == "waiting" or ends_gap(head, arrivals)
            await self._event_handler.show_parked(key, head)
            # A rebuild parks a gap again that a person had decided to skip.
            if ended or await self.retries.apply_decision(key, head):
                await self.retries.try_again(key)
        return {id(arrival) for arrivals in behind.values() for arrival in arrivals}

    async def flush(self, *, now: bool) -> bool:
        """Return whether all processed events are durable; park those that cannot be written."""
        given_up: set[str] = set()
        while True:
            try:
                return await self._event_handler.flush(now=now)
            except CannotBeKept as refused:
                for engagement, why in refused.why.items():
                    # If it is refused again, even the reason why it waits does not fit into it.
                    await self._give_up(engagement, why, shown=engagement not in given_up)
                given_up |= refused.why.keys()

    async def _give_up(self, engagement: str, why: str, *, shown: bool) -> None:
        """Park an engagement whose events were processed in memory and cannot be written."""
        trouble = Trouble("failed", f"it cannot be written: {why}")
        to_park: list[tuple[Arrival, Trouble, int | None]] = []
        for event in await self._event_handler.give_up(engagement):
            channel = event.channel
            # The record's offset is no longer known: the event's own number takes its place.
            place = f"not-written/{engagement}/{channel.name}"
            partition = partition_of(engagement)
            arrival = Arrival(
                place, partition, event.sequence, engagement, channel, whole(event), event
            )
            if trouble is not WAITING:
                alarm(self._name, arrival, trouble)
            to_park.append((arrival, trouble, None))
            trouble = WAITING
        await self._parked_records.park(to_park)
        if shown:
            await self._event_handler.show_parked(
                engagement, self._parked_records.heads.get(engagement)
            )


def alarm(
    name: str, arrival: Arrival, trouble: Trouble | None, error: Exception | None = None
) -> None:
    """Log that a record parks its engagement, with the traceback of a bug."""
    if trouble is None:
        return
    if trouble.code == "newer-version":
        log.warning("%s: %s waits for a newer version: %s", name, arrival.key, trouble.sentence)
        return
    log.error(
        "%s: %s parks %s (%s): %s",
        name,
        arrival.id,
        arrival.key,
        trouble.code,
        trouble.sentence,
        exc_info=error if trouble.code == "failed" else None,
    )
