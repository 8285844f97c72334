"""Reference data, held in full by whoever needs it: every version of every record, in memory.

The copy is read from the topics with no group: each process has all of it, and a record that is
erased from its topic (a tombstone) is gone from here as well.
"""

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.bus import Arrival, Codec, let_go
from chassis.identity import Identity, arguments
from contracts.channels import PARTITIONS, Channel
from contracts.fact import Fact, Recorded, Undecoded
from contracts.reference import Reference

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Reference)


@dataclass(slots=True)
class _Versions:
    """The versions of one record, by number; and by day, the newest that is in force from it on."""

    by_number: dict[int, Recorded[Any]] = field(default_factory=dict)
    newest: int = 0
    days: list[date] = field(default_factory=list)
    in_force: list[int] = field(default_factory=list)
    arranged: bool = False

    def on(self, day: date) -> Recorded[Any] | None:
        """Return the version in force on a day; arranged when it is asked for, not at each put."""
        if not self.arranged:
            self._arrange()
        place = bisect_right(self.days, day)
        return self.by_number[self.in_force[place - 1]] if place else None

    def _arrange(self) -> None:
        """Work out what holds on which day: of all versions dated so far, the newest."""
        self.arranged = True
        self.days, self.in_force = [], []
        dated = sorted(
            (recorded.fact.effective_from or date.min, number)
            for number, recorded in self.by_number.items()
        )
        for day, number in dated:
            if self.days and self.days[-1] == day:
                self.in_force[-1] = max(self.in_force[-1], number)
            else:
                self.days.append(day)
                self.in_force.append(max([number, *self.in_force[-1:]]))


class Records:
    """Reference data as far as it was heard; answers in constant time, or by bisection."""

    def __init__(self, recorded: Iterable[Recorded[Fact]] = ()) -> None:
        self._kinds: dict[str, dict[str, _Versions]] = {}
        self.revision = 0
        """Changes whenever any record does."""
        for each in recorded:
            self.put(each)

    @classmethod
    def fixed(cls, *recorded: Recorded[Fact]) -> Self:
        """Records that are given, for tests."""
        return cls(recorded)

    def latest(self, kind: type[R], id: str) -> Recorded[R] | None:
        """The newest version of a record; its `sequence` is the version."""
        versions = self._kinds.get(kind.kind, {}).get(id)
        return None if versions is None else versions.by_number[versions.newest]

    def on(self, kind: type[R], id: str, day: date) -> Recorded[R] | None:
        """The version in force on a day: the newest whose effective_from is not after it."""
        versions = self._kinds.get(kind.kind, {}).get(id)
        return None if versions is None else versions.on(day)

    def all(self, kind: type[R]) -> Sequence[Recorded[R]]:
        """The newest version of every record of a kind, in the order of their ids."""
        records = self._kinds.get(kind.kind, {})
        return [records[name].by_number[records[name].newest] for name in sorted(records)]

    def put(self, recorded: Recorded[Fact]) -> None:
        """Take a version in; again is harmless. Raises TypeError for what is no reference data."""
        fact = recorded.fact
        if not isinstance(fact, Reference):
            raise TypeError(f"{fact.type} is no reference data")
        versions = self._kinds.setdefault(fact.kind, {}).setdefault(recorded.subject, _Versions())
        versions.by_number[recorded.sequence] = recorded
        versions.newest = max(versions.newest, recorded.sequence)
        versions.arranged = False
        self.revision += 1

    def remove(self, key: str) -> None:
        """Forget the version that a topic has under this key, ``<kind>:<id>@<version>``."""
        kind, _, rest = key.partition(":")
        name, _, number = rest.rpartition("@")
        records = self._kinds.get(kind, {})
        versions = records.get(name)
        if versions is None or not number.isdecimal():
            return
        versions.by_number.pop(int(number), None)
        self.revision += 1
        if versions.by_number:
            versions.newest = max(versions.by_number)
            versions.arranged = False
        else:
            del records[name]


class RecordsFeed:
    """Keeps `records` equal to the reference topics while it is entered (``async with``)."""

    def __init__(
        self,
        bootstrap: str,
        channels: Collection[Channel],
        prefix: str = "concord",
        *,
        identity: Identity = None,
    ) -> None:
        wrong = [channel.name for channel in channels if channel.kind != "reference"]
        if wrong:
            raise ValueError(f"no reference data is said on {', '.join(wrong)}")
        self.records = Records()
        self.unreadable = 0
        """Records that could not be read, and were passed over."""
        self._bootstrap = bootstrap
        self._identity = identity
        self._topics = sorted(channel.topic(prefix) for channel in channels)
        self._codec = Codec(tuple(channels), prefix)
        self._next: dict[TopicPartition, int] = {}
        self._wanted: dict[TopicPartition, int] | None = None
        self._complete = asyncio.Event()
        self._hindrance: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow(), name="reference data")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def ready(self, within: float = 30.0) -> None:
        """Wait until all is held that the topics had at the start; raises TimeoutError."""
        async with asyncio.timeout(within):
            await self._complete.wait()

    def not_ready(self) -> str | None:
        """Why this copy is not whole yet, or None; once whole, it serves for good."""
        if self._complete.is_set():
            return None
        return f"reference data: {self._hindrance or 'still reading'}"

    async def _follow(self) -> None:
        pause = 0.2
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=500,
                request_timeout_ms=15_000,
                **arguments(self._identity),
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, OSError) as error:
                if self._hindrance is None:
                    log.warning("reference data: Kafka is away: %s", error)
                self._hindrance = str(error) or type(error).__name__
            except Exception as error:
                log.exception("reference data cannot be read")
                self._hindrance = f"{type(error).__name__}: {error}"
            finally:
                await let_go(consumer.stop(), consumer, within=5.0)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        missing = set(self._topics) - await consumer.topics()
        if missing:
            raise ConnectionError(f"topic {min(missing)} is not there")
        partitions = [
            TopicPartition(topic, number) for topic in self._topics for number in range(PARTITIONS)
        ]
        consumer.assign(partitions)
        for partition in partitions:
            # Where reading broke off: from the start a tombstone might not be there any more.
            consumer.seek(partition, self._next.get(partition, 0))
        if self._wanted is None:
            self._wanted = await consumer.end_offsets(partitions)
        self._hindrance = None
        while True:
            batches = await consumer.getmany(timeout_ms=500)
            for partition, batch in batches.items():
                for record in batch:
                    self._take(record)
                self._next[partition] = batch[-1].offset + 1
            if not self._complete.is_set():
                await self._look_whether_complete(consumer, self._wanted)

    async def _look_whether_complete(
        self, consumer: AIOKafkaConsumer, wanted: dict[TopicPartition, int]
    ) -> None:
        for partition, end in wanted.items():
            # Not by the last record: compaction may have removed the last ones.
            if end > 0 and await consumer.position(partition) < end:
                return
        self._complete.set()

    def _take(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        arrival: Arrival = self._codec.read(
            record.topic, record.partition, record.offset, record.key, record.value
        )
        if arrival.trouble is not None:
            self.unreadable += 1
            log.error("reference data: %s passed over: %s", arrival.id, arrival.trouble.sentence)
        elif arrival.recorded is not None and isinstance(arrival.recorded.fact, Undecoded):
            self.unreadable += 1
            sentence = arrival.recorded.fact.sentence
            log.error("reference data: %s passed over: %s", arrival.id, sentence)
        elif arrival.recorded is not None:
            self.records.put(arrival.recorded)
        elif arrival.key is not None:
            self.records.remove(arrival.key)
