"""The intake: what happens to a batch of records once it is read, with no Kafka in sight.

Events are handed to the reader by stream; what it cannot take in parks its engagement, and is tried
again when a missing event arrives, when a person says so, or when a newer version starts. Every
record of a batch is accounted for.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from chassis.application.ports import CannotBeKept, EventHandler, StreamRouter
from chassis.base import telemetry
from chassis.base.failures import ValueFreeError, described
from chassis.base.partitioning import partition_of
from chassis.domain.stream import CameLate, NotTakenIn, PassedOver
from chassis.domain.trouble import Head, Trouble
from chassis.eventstore.mongo import StoreAway
from chassis.kafka.accounting import BatchAccount, Unaccounted, count_unaccounted
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked import ParkedRecordStore, Request
from chassis.kafka.parked_record import ParkedRecord, ends_gap, in_sequence, not_proven, trouble_of
from chassis.kafka.routing import WAITING, RoutedBatch, route_batch
from contracts.event import Event, Recorded, whole

log = logging.getLogger(__name__)

TRANSIENT: tuple[type[Exception], ...] = (StoreAway, KafkaError, OSError)
"""Faults that pass by themselves: they are waited out and park nothing."""


FAILURES_BEFORE_ISOLATION = 2
"""Times that a batch is tried again whole before the record that makes it fail is looked for."""


TOGETHER = 200
"""Records of an engagement that are tried together, before they are tried one by one."""

LOGGED = 20
"""Records set aside of one batch that are logged one by one."""


class NotInTrouble(ValueFreeError):
    """Nothing is parked under this name, or the record is not the one that holds it up."""


class NotProven(ValueFreeError):
    """Nothing but one record claims that events are missing, so they are not passed over."""


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What came of trying a parked engagement again.

    `taken` records were taken in and `waiting` still wait, for `head`. `asked` where another
    process reads this engagement and was told; it answers within seconds.
    """

    taken: int = 0
    waiting: int = 0
    head: Head | None = None
    asked: bool = False


@dataclass(slots=True)
class _HandedOver:
    """What became of events, by their identity: taken in, set aside, or failed.

    What follows one that failed, for the same engagement, was not handed over.
    """

    taken: set[int] = field(default_factory=set)
    aside: set[int] = field(default_factory=set)
    failed: dict[int, Exception] = field(default_factory=dict)


class BatchProcessor:
    """Takes batches in for one reader. Not for two tasks at once: its caller holds a lock."""

    def __init__(
        self, name: str, reader: EventHandler, parking: ParkedRecordStore, routes: StreamRouter
    ) -> None:
        self._name = name
        self._reader = reader
        self._parking = parking
        self._routes = routes
        self._failures = 0
        self.unaccounted = 0
        """Batches of which it was not known what became of each record."""

    async def account_for(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        """Take a batch in as `take_in` does; what became of each record is known, or this raises.

        An error that is no engagement's and that repeats is isolated, by halving the batch, to the
        record that brings it about, and that record is set aside.
        """
        try:
            account = await self._accounted(arrivals)
        except TRANSIENT:
            raise
        except Exception:
            self._failures += 1
            if self._failures <= FAILURES_BEFORE_ISOLATION:
                raise
            log.exception("%s: a batch of %d fails again and again", self._name, len(arrivals))
            account = await self._isolate(arrivals)
        self._failures = 0
        return account

    async def _accounted(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        account = await self.take_in(arrivals)
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

    async def take_in(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        """Take a batch in, park what must wait, set aside what is no event of an engagement.

        Return what became of each record. Raises one of TRANSIENT when something is away; the
        whole batch may be taken in again.
        """
        parents = (each.recorded.traceparent for each in arrivals if each.recorded is not None)
        with telemetry.batch(self._name, parents, len(arrivals)):
            return await self._take_in(arrivals)

    async def _take_in(self, arrivals: Sequence[Arrival]) -> BatchAccount:
        found = route_batch(arrivals, self._parking, self._routes)
        account = BatchAccount(len(arrivals), ignored=len(found.ignored))
        handed = await self._hand_over(found.groups)
        await self._set_aside(found.aside)
        aside = [arrival for arrival, _ in found.aside]
        aside += [each for each in found.all if id(each) in handed.aside]
        account.aside = len(aside)
        account.aside_open = sum(not each.channel.confidential for each in aside)
        parked: set[int] = set()
        if handed.failed or found.stopped:
            parked = await self._park(found, handed)
            account.parked = len(parked)
        account.taken = len(handed.taken - parked - handed.aside)
        return account

    async def _set_aside(self, records: Sequence[tuple[Arrival, Trouble]]) -> None:
        """Keep records out of the way of all others, and log it: of very many, only the first.

        What is read again is not logged again.
        """
        if not records:
            return
        there = await self._parking.set_aside(records)
        new = [each for each in records if each[0].id not in there]
        for arrival, trouble in new[:LOGGED]:
            log.error("%s: %s is set aside: %s", self._name, arrival.id, trouble.sentence)
        if len(new) > LOGGED:
            log.error("%s: %d records are set aside in all", self._name, len(new))

    async def _hand_over(self, groups: Mapping[str, list[Arrival]]) -> _HandedOver:
        """Give events to the reader, and set aside what it says is no repeat.

        A stream that fails as a whole is given its events one by one, so that what comes before the
        failing one, and other engagements in the same stream, get through.
        """
        handed = _HandedOver()
        errors = await self._ask(groups)
        for stream, group in groups.items():
            if stream not in errors:
                handed.taken.update(map(id, group))
        left = {stream: groups[stream] for stream in errors}
        while left:
            errors = await self._ask({stream: queue[:1] for stream, queue in left.items()})
            for stream, queue in list(left.items()):
                first, rest = queue[0], queue[1:]
                error = errors.get(stream)
                if isinstance(error, NotTakenIn):
                    # Before the next is taken in: only the ids of the last few are remembered.
                    await self._not_taken_in(first, error)
                    handed.aside.add(id(first))
                elif error is not None:
                    handed.failed[id(first)] = error
                    rest = [each for each in rest if each.key != first.key]
                else:
                    handed.taken.add(id(first))
                if rest:
                    left[stream] = rest
                else:
                    del left[stream]
        return handed

    async def _ask(self, groups: Mapping[str, Sequence[Arrival]]) -> Mapping[str, Exception]:
        batch = {
            stream: [arrival.recorded for arrival in group if arrival.recorded is not None]
            for stream, group in groups.items()
        }
        if not batch:
            return {}
        try:
            errors = await self._reader.take(batch)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a bug concerns the events that brought it out
            if len(batch) == 1:
                return dict.fromkeys(batch, error)
            apart = [await self._ask({stream: groups[stream]}) for stream in groups]
            return {stream: wrong for each in apart for stream, wrong in each.items()}
        _raise_transient(errors)
        return errors

    async def _not_taken_in(self, arrival: Arrival, error: NotTakenIn) -> None:
        """Set aside an event that is no repeat; one that came late, once wherever it stands."""
        if not (isinstance(error, CameLate) and await self._parking.is_repeat(arrival)):
            await self._set_aside([(arrival, trouble_of(error, arrival.channel)[0])])

    async def _park(self, found: RoutedBatch, handed: _HandedOver) -> set[int]:
        """Park what must wait; return which records do (or were set aside by a person before)."""
        stopped = {id(arrival): trouble for arrival, trouble in found.stopped}
        out = {id(arrival) for arrival, _ in found.aside} | handed.aside
        out |= {id(arrival) for arrival in found.ignored}
        behind: dict[str, list[Arrival]] = {}
        to_park: list[tuple[Arrival, Trouble, int | None]] = []
        for arrival in found.all:
            key = arrival.key
            if key is None or arrival.recorded is None or id(arrival) in out:
                continue
            trouble, expected = stopped.get(id(arrival)), None
            if key in behind:
                trouble = WAITING
            elif (error := handed.failed.get(id(arrival))) is not None:
                trouble, expected = trouble_of(error, arrival.channel)
                alarm(self._name, arrival, trouble, error)
            elif trouble not in {None, WAITING}:
                alarm(self._name, arrival, trouble)
            if trouble is not None:
                behind.setdefault(key, []).append(arrival)
                to_park.append((arrival, trouble, expected))
        if any(key not in self._parking for key in behind):
            # Who takes over puts all that comes again behind what is parked, also what precedes it.
            await self.settle(now=True)
        await self._parking.park(to_park)
        for key, arrivals in behind.items():
            head = self._parking.heads.get(key)
            if head is None:
                continue
            # "waiting" as the first: what it was behind had been set aside by a person before.
            ended = head.code == "waiting" or ends_gap(head, arrivals)
            await self._reader.waits(key, head)
            if ended or await self._decided(key, head):
                await self.try_again(key)
        return {id(arrival) for arrivals in behind.values() for arrival in arrivals}

    async def _decided(self, engagement: str, head: Head) -> bool:
        """Pass over a gap that a person had decided to pass over before all was read again."""
        if head.code != "gap":
            return False
        for passed in await self._parking.passed_over(engagement):
            found = passed.channel, passed.first, passed.last + 1
            if found == (head.channel, head.expected, head.sequence):
                await self._reader.pass_over(engagement, passed)
                return True
        return False

    async def settle(self, *, now: bool) -> bool:
        """Return whether all that was taken in is durable; park what cannot be made so."""
        given_up: set[str] = set()
        while True:
            try:
                return await self._reader.settle(now=now)
            except CannotBeKept as refused:
                for engagement, why in refused.why.items():
                    # Refused again, it has no room even for what it waits for.
                    await self._give_up(engagement, why, shown=engagement not in given_up)
                given_up |= refused.why.keys()

    async def _give_up(self, engagement: str, why: str, *, shown: bool) -> None:
        """Park an engagement whose events were taken in and cannot be written."""
        trouble = Trouble("failed", f"it cannot be written: {why}")
        to_park: list[tuple[Arrival, Trouble, int | None]] = []
        for event in await self._reader.give_up(engagement):
            channel = event.channel
            # Where the record stood is not known any more: its own number stands for it.
            place = f"not-written/{engagement}/{channel.name}"
            partition = partition_of(engagement)
            arrival = Arrival(
                place, partition, event.sequence, engagement, channel, whole(event), event
            )
            if trouble is not WAITING:
                alarm(self._name, arrival, trouble)
            to_park.append((arrival, trouble, None))
            trouble = WAITING
        await self._parking.park(to_park)
        if shown:
            await self._reader.waits(engagement, self._parking.heads.get(engagement))

    # ---- what a person, or a newer version, does about it --------------------------------------

    async def refuse(self, request: Request) -> PassedOver | ParkedRecord | None:
        """Raise NotInTrouble or NotProven where what was asked cannot be done.

        Otherwise return what it comes to: events to do without, a record to set aside, or None,
        which is to try again.
        """
        engagement = request.engagement
        parked = await self._parking.look(engagement)
        if request.action == "retry":
            aside = await self._parking.events_set_aside(engagement)
            # Another process may have released what this one knows to be parked.
            if not parked and not aside and engagement not in self._parking:
                raise NotInTrouble(f"nothing is parked for {engagement}")
            return None
        record = next((each for each in parked if each.id == request.record), None)
        if record is None or record.code == "waiting":
            raise NotInTrouble(f"the record is not what holds {engagement} up")
        if record.code != "gap" or request.action == "set-aside":
            return record
        by_people = await self._parking.set_aside_by_people(engagement)
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
            at=now.replace(microsecond=now.microsecond // 1000 * 1000),  # as the store keeps it
        )

    async def answer(self, request: Request) -> RetryResult:
        """Do what was asked of an engagement and try it again.

        Raises NotInTrouble, NotProven, and Superseded where another process reads it by now.
        """
        engagement = request.engagement
        decided = await self.refuse(request)
        await self._parking.sure(engagement)
        if isinstance(decided, PassedOver):
            await self._parking.remember(engagement, decided)
            await self._reader.pass_over(engagement, decided)
        elif decided is not None:
            await self._parking.put_aside(decided, request.by, request.why)
        attempt = await self.try_again(engagement, aside=request.action == "retry")
        log.info(
            "%s: %s: %s by %s: %s", self._name, engagement, request.action, request.by, attempt
        )
        return attempt

    async def to_take_up(self) -> list[str]:
        """Return the engagements that may be processed again now that partitions were taken over.

        This process may be a newer version. And the one before may have ended after a decision was
        stored and before what waited for it was tried.
        """
        decided = await self._parking.engagements_passed_over()
        return [
            engagement
            for engagement, head in self._parking.heads.items()
            if not head.is_parked
            or head.code == "waiting"
            or (head.code == "gap" and engagement in decided)
        ]

    async def take_up(self, engagement: str) -> None:
        """Carry out what was decided on an engagement, and try it again."""
        head = self._parking.heads.get(engagement)
        if head is not None:
            await self._decided(engagement, head)
        await self.try_again(engagement, aside=True)

    async def try_again(self, engagement: str, *, aside: bool = False) -> RetryResult:
        """Try what waits for an engagement, in order, until one event fails again.

        With `aside`, a record that an older version could not read at all, and set aside, is tried
        with it where it can be read now.
        """
        records = await self._parking.look(engagement)
        if aside:
            records = in_sequence([*records, *await self._parking.events_set_aside(engagement)])
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
                await self._parking.put_aside(record, "", "", trouble)
                log.error("%s: %s is set aside: %s", self._name, record.id, trouble.sentence)
                aside_now += 1
            elif error is not None:
                stopped = (record, *trouble_of(error, record.channel))
                break
            else:
                taken.append(record)
        if taken:
            try:
                if not await self._reader.settle(now=True):
                    raise TimeoutError("what was taken in could not be made durable yet")
            except CannotBeKept as refused:  # all that it does not name was written
                if (why := refused.why.get(engagement)) is not None:
                    await self._reader.give_up(engagement)  # all of it is parked already
                    trouble = Trouble("failed", f"it cannot be written: {why}")
                    stopped, taken = (taken[0], trouble, None), []
        await self._parking.sure(engagement)
        await self._parking.release(engagement, taken)
        if stopped is None:
            self._parking.unpark(engagement)
            log.info("%s: %s flows again", self._name, engagement)
        else:
            await self._parking.mark(*stopped)
        head_now = self._parking.heads.get(engagement)
        await self._reader.waits(engagement, head_now)
        return RetryResult(len(taken), len(records) - len(taken) - aside_now, head_now)

    async def _all_taken(self, records: Sequence[ParkedRecord]) -> bool:
        """Return whether the reader takes in all of these; if not, it may have taken some."""
        batch: dict[str, list[Recorded[Event]]] = {}
        try:
            for record in records:
                if (event := record.event()) is None:
                    return False
                for stream in self._routes(event):
                    batch.setdefault(stream, []).append(event)
            errors = await self._reader.take(batch)
        except TRANSIENT:
            raise
        except Exception:  # noqa: BLE001 - found again by the record that brings it about
            return False
        _raise_transient(errors)
        return not errors

    async def _try(self, record: ParkedRecord) -> Exception | None:
        event = record.event()
        if event is None:
            return ValueError("it is no event of this engagement")
        try:
            batch = {stream: [event] for stream in self._routes(event)}
            errors = await self._reader.take(batch)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: it stays parked
            return error
        _raise_transient(errors)
        return next(iter(errors.values()), None)


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


def _raise_transient(errors: Mapping[str, Exception]) -> None:
    for error in errors.values():
        if isinstance(error, TRANSIENT):
            raise error
