"""Copy of the reference data in the service's own store.

With it a service can start while Kafka does not answer. One document has one record version, or
marks it as erased; another collection has how far each partition was read into the copy.

Several replicas write the same documents. Each document has a `number` that grows with the record's
offset, and a write never replaces a higher number. So the order of writes does not matter: a late
write cannot restore a record that a tombstone has removed. Before a partition is read again from
its start, the upper part of the number, the generation, is raised.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from chassis.eventstore.mongo import Document, Store, StoreAway, put_new, reaching, replace_older

_OFFSET_BITS = 46
"""Lower bits of a number for the offset; the generation is above them, 64 bits in all."""
_BATCH = 500
_STORE_PAUSE = 2.0

log = logging.getLogger(__name__)

Place: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """The progress of one partition: `next` is the offset of the first record not read yet.

    `newest` is the latest timestamp of all records read (milliseconds since 1970, -1 if none).
    `as_of` is when the partition was last known to be read to its end (UTC); None if it never was.
    `unreadable` counts the records that could not be read and were skipped.
    """

    generation: int = 0
    next: int = 0
    newest: int = -1
    as_of: datetime | None = None
    unreadable: int = 0

    @property
    def first_number(self) -> int:
        """The lowest number of this generation."""
        return self.generation << _OFFSET_BITS

    def number(self, offset: int) -> int:
        """Return the number of a record at an offset, in this generation."""
        return self.first_number + offset


@dataclass(frozen=True, slots=True)
class Kept:
    """A record version in the copy; `value` is None where it was erased."""

    key: str
    place: Place
    offset: int
    number: int
    value: bytes | None


class ReferenceCopy:
    """The documents of the copy; every method raises StoreAway where the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._records = store.reference
        self._progress = store.reference_progress

    async def prepare(self) -> None:
        """Create the index that finds records of earlier generations."""
        with reaching():
            await self._records.create_index([("place", 1), ("number", 1)])

    async def progress(self, places: Iterable[Place]) -> dict[Place, CopyProgress]:
        """Return how far these partitions were read, without those that never were."""
        by_id = {_id(place): place for place in places}
        with reaching():
            found = await self._progress.find({"_id": {"$in": sorted(by_id)}}).to_list(None)
        return {
            by_id[each["_id"]]: CopyProgress(
                generation=each["generation"],
                next=each["next"],
                newest=each["newest"],
                as_of=each["as_of"],
                unreadable=each["unreadable"],
            )
            for each in found
        }

    async def records(self, places: Collection[Place]) -> AsyncIterator[list[Kept]]:
        """Yield every record of these partitions in one scan, some hundreds at a time."""
        by_id = {_id(place): place for place in places}
        batch: list[Kept] = []
        with reaching():
            async for each in self._records.find(
                {"place": {"$in": sorted(by_id)}}, batch_size=_BATCH
            ):
                value = each["value"]
                batch.append(
                    Kept(
                        each["_id"],
                        by_id[each["place"]],
                        each["offset"],
                        each["number"],
                        None if value is None else bytes(value),
                    )
                )
                if len(batch) >= _BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def put(self, records: Sequence[Kept]) -> None:
        """Write records; repeated and late writes are harmless."""
        await put_new(
            self._records,
            [
                {
                    "_id": each.key,
                    "number": each.number,
                    "place": _id(each.place),
                    "offset": each.offset,
                    "value": each.value,
                }
                for each in records
            ],
        )

    async def put_progress(self, progress: Iterable[tuple[Place, CopyProgress]]) -> None:
        """Write how far partitions were read; to be called after their records were written."""
        await replace_older(self._progress, [_document(place, each) for place, each in progress])

    async def begin_again(self, place: Place, known: CopyProgress) -> CopyProgress:
        """Raise the generation of a partition that is to be read again from its start.

        Return the progress to continue from. If another replica has raised the generation already,
        adopt that one.
        """
        stored = (await self.progress([place])).get(place, CopyProgress())
        if stored.generation > known.generation:
            return replace(known, generation=stored.generation, next=0, newest=-1, unreadable=0)
        begun = replace(known, generation=known.generation + 1, next=0, newest=-1, unreadable=0)
        await replace_older(self._progress, [_document(place, begun)])
        return begun

    async def sweep(self, place: Place, below: int) -> None:
        """Delete the records of a partition with a lower number: its topic no longer has them."""
        with reaching():
            await self._records.delete_many(
                {"place": _id(place), "number": {"$gte": 0, "$lt": below}}
            )


class CopyWriter:
    """A writer that keeps records and progress until the store has them.

    While the store does not answer, it is tried again every two seconds.
    """

    def __init__(self, copy: ReferenceCopy) -> None:
        self.problem: str | None = None
        """Why the copy is not kept up to date, or None."""
        self._copy = copy
        self._unwritten: dict[str, Kept] = {}
        self._changed: set[Place] = set()
        self._write_after = 0.0

    @property
    def records(self) -> int:
        """The number of records that are not written yet."""
        return len(self._unwritten)

    @property
    def is_idle(self) -> bool:
        """True if everything is written."""
        return not (self._unwritten or self._changed)

    def put(self, kept: Kept) -> None:
        """Keep a record to be written, in place of an earlier one with its key."""
        self._unwritten[kept.key] = kept

    def mark(self, place: Place) -> None:
        """Have the progress of a partition written as well."""
        self._changed.add(place)

    async def write(self, progress: Mapping[Place, CopyProgress]) -> None:
        """Write the records, then the progress of the marked partitions; raise nothing."""
        loop = asyncio.get_running_loop()
        if self.is_idle or loop.time() < self._write_after:
            return
        try:
            await self._copy.put(list(self._unwritten.values()))
            self._unwritten.clear()
            await self._copy.put_progress(
                [(place, progress[place]) for place in sorted(self._changed)]
            )
            self._changed.clear()
        except StoreAway:
            self.problem = "the store does not answer"
        except Exception as error:
            log.exception("the copy of reference data cannot be written")
            self.problem = f"the copy cannot be written: {type(error).__name__}"
        else:
            self.problem = None
            return
        self._write_after = loop.time() + _STORE_PAUSE


def _id(place: Place) -> str:
    return f"{place[0]}/{place[1]}"


def _document(place: Place, progress: CopyProgress) -> Document:
    return {
        "_id": _id(place),
        "number": progress.number(progress.next),
        "generation": progress.generation,
        "next": progress.next,
        "newest": progress.newest,
        "as_of": progress.as_of,
        "unreadable": progress.unreadable,
    }
