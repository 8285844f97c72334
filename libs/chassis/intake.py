"""The intake: what happens to a batch of records once it is read, with no Kafka in sight.

Facts are handed to the reader by stream; what it cannot take in parks its engagement, and is tried
again when a missing fact arrives or a person says so.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from opentelemetry import metrics

from chassis import bus, telemetry
from chassis.bus import Arrival, Trouble
from chassis.parking import Head, ParkedRecord, Parking, trouble_of
from chassis.reader import Reader
from chassis.sorting import WAITING, Routes, Sorted, sort_out
from chassis.store import StoreAway

log = logging.getLogger(__name__)

TRANSIENT: tuple[type[Exception], ...] = (StoreAway, KafkaError, OSError)
"""Faults that pass by themselves: they are waited out and park nothing."""

_meter = metrics.get_meter("concord.listener")
_set_aside = _meter.create_counter("concord.listener.set_aside", description="records set aside")


class NotInTrouble(Exception):
    """Nothing is parked under this name, or the record is not the one that holds it up."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of trying a parked engagement again.

    `taken` records were taken in and `waiting` still wait, for `head`. `asked` where another
    process reads this engagement and was told; it answers within seconds.
    """

    taken: int = 0
    waiting: int = 0
    head: Head | None = None
    asked: bool = False


class Intake:
    """Takes batches in for one reader. Not for two tasks at once: its caller holds a lock."""

    def __init__(self, name: str, reader: Reader, parking: Parking, routes: Routes) -> None:
        self._name = name
        self._reader = reader
        self._parking = parking
        self._routes = routes

    async def take_in(self, arrivals: Sequence[Arrival]) -> None:
        """Take a batch in, park what must wait, set aside what names no engagement.

        Raises one of TRANSIENT when something is away; the whole batch may be taken in again.
        """
        parents = (each.recorded.traceparent for each in arrivals if each.recorded is not None)
        with telemetry.batch(self._name, parents, len(arrivals)):
            await self._take_in(arrivals)

    async def _take_in(self, arrivals: Sequence[Arrival]) -> None:
        found = sort_out(arrivals, self._parking, self._routes)
        failed = await self._hand_over(found.groups)
        for arrival, trouble in found.aside:
            log.error("%s: %s is set aside: %s", self._name, arrival.id, trouble.sentence)
            await self._parking.set_aside(arrival, trouble)
            _set_aside.add(1, {"group": self._name})
        if failed or found.stopped:
            await self._park(found, failed)

    async def _hand_over(
        self, groups: Mapping[str, list[Arrival]]
    ) -> dict[str, tuple[Arrival, Exception]]:
        """Give facts to the reader; by engagement, the first that failed.

        A stream that fails as a whole is given its facts one by one, so that what comes before the
        failing one, and other engagements in the same stream, get through.
        """
        errors = await self._ask(groups)
        left = {stream: groups[stream] for stream in errors}
        failed: dict[str, tuple[Arrival, Exception]] = {}
        while left:
            errors = await self._ask({stream: queue[:1] for stream, queue in left.items()})
            for stream, queue in list(left.items()):
                first, rest = queue[0], queue[1:]
                error = errors.get(stream)
                if error is not None:
                    failed.setdefault(first.key or "", (first, error))
                    rest = [each for each in rest if each.key != first.key]
                if rest:
                    left[stream] = rest
                else:
                    del left[stream]
        return failed

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
        except Exception as error:  # noqa: BLE001 - a bug concerns the facts that brought it out
            if len(batch) == 1:
                return dict.fromkeys(batch, error)
            apart = [await self._ask({stream: groups[stream]}) for stream in groups]
            return {stream: wrong for each in apart for stream, wrong in each.items()}
        _raise_transient(errors)
        return errors

    async def _park(self, found: Sorted, failed: Mapping[str, tuple[Arrival, Exception]]) -> None:
        stopped = {id(arrival): trouble for arrival, trouble in found.stopped}
        behind: set[str] = set()
        waiting: dict[str, list[Arrival]] = {}
        for arrival in found.all:
            key = arrival.key
            if key is None:
                continue
            trouble, expected = stopped.get(id(arrival)), None
            if key in behind:
                trouble = WAITING
            elif key in failed and failed[key][0] is arrival:
                trouble, expected = trouble_of(failed[key][1], arrival.channel)
                alarm(self._name, arrival, trouble, failed[key][1])
            elif trouble not in {None, WAITING}:
                alarm(self._name, arrival, trouble)
            if trouble is not None:
                behind.add(key)
                await self._parking.park(arrival, trouble, expected)
                waiting.setdefault(key, []).append(arrival)
        for key, arrivals in waiting.items():
            head = self._parking.heads.get(key)
            if head is not None and head.ends_with(arrivals):
                await self.try_again(key)

    async def skip(self, engagement: str, record: str, by: str, why: str) -> None:
        """Go on without the record that holds an engagement up, or without what it waits for.

        Raises NotInTrouble where the record is not the one.
        """
        parked = {each.id: each for each in await self._parking.look(engagement)}.get(record)
        if parked is None or parked.code == "waiting":
            raise NotInTrouble(f"{record} is not what holds {engagement} up")
        last = parked.sequence
        if parked.code == "gap" and last is not None:
            last -= 1
        if last is not None and parked.channel.kind == "facts":
            await self._reader.pass_over(engagement, parked.channel, last, by, why)
        await self._parking.skip(parked, by, why)

    async def try_again(self, engagement: str) -> Attempt:
        """Try what waits for an engagement, in order, until one record fails again."""
        records = await self._parking.look(engagement)
        taken: list[ParkedRecord] = []
        stopped: tuple[ParkedRecord, Trouble, int | None] | None = None
        for record in records:
            wrong = await self._try(record)
            if wrong is not None:
                stopped = (record, *wrong)
                break
            taken.append(record)
        if taken and not await self._reader.settle(now=True):
            raise TimeoutError("what was taken in could not be made durable yet")
        await self._parking.release(taken)
        if stopped is None:
            self._parking.unpark(engagement)
            log.info("%s: %s flows again", self._name, engagement)
        else:
            await self._parking.mark(*stopped)
        head = self._parking.heads.get(engagement)
        return Attempt(len(taken), len(records) - len(taken), head)

    async def _try(self, record: ParkedRecord) -> tuple[Trouble, int | None] | None:
        if record.raw is None and record.channel.kind == "reference":
            return None
        fact = bus.judge(record.channel, record.engagement or "", record.raw)
        if isinstance(fact, Trouble):
            return fact, None
        try:
            batch = {stream: [fact] for stream in self._routes(fact)}
            errors = await self._reader.take(batch)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - a bug: it stays parked
            return trouble_of(error, record.channel)
        _raise_transient(errors)
        return next((trouble_of(each, record.channel) for each in errors.values()), None)


def alarm(
    name: str, arrival: Arrival, trouble: Trouble | None, error: Exception | None = None
) -> None:
    """Log that a record parks its engagement, with the traceback of a bug that may be shown."""
    if trouble is None:
        return
    shown = trouble.code == "failed" and not arrival.channel.confidential
    log.error(
        "%s: %s parks %s (%s): %s",
        name,
        arrival.id,
        arrival.key,
        trouble.code,
        trouble.sentence,
        exc_info=error if shown else None,
    )


def _raise_transient(errors: Mapping[str, Exception]) -> None:
    for error in errors.values():
        if isinstance(error, TRANSIENT):
            raise error
