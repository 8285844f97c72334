"""A service's own copy of the reference data it reads, kept in its store.

With it a service starts while Kafka is away. One document holds one record version, or marks it as
erased; another collection holds how far each partition of the topics was read into the copy.

Several replicas write the same documents. Each document has a `number` that grows with the
record's place in its topic, and a write never replaces a higher one, so the order of writes does
not matter: a late write cannot bring back what a tombstone has removed. Where a partition is read
again from its start, the number's upper part, the generation, is raised first.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from chassis.eventstore.mongo import Document, Store, put_new, reaching, replace_older

_OFFSET_BITS = 46
"""Bits of a number that hold the offset; the generation is above them. 64 bits hold both."""
_BATCH = 500

Place: TypeAlias = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """How far one partition was read: `next` is the offset of the first record not read yet.

    `newest` is the latest timestamp of all records read (milliseconds since 1970, -1 if none).
    `as_of` is when the partition was last known to be read to its end; None if it never was.
    `unreadable` counts records that were passed over.
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
    """A record version as the copy has it; `value` is None where it was erased."""

    key: str
    place: Place
    offset: int
    number: int
    value: bytes | None


class ReferenceCopy:
    """The documents of the copy; everything raises StoreAway where the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._records = store.reference
        self._progress = store.reference_progress

    async def prepare(self) -> None:
        """Make the index by which old generations are found."""
        with reaching():
            await self._records.create_index([("place", 1), ("number", 1)])

    async def progress(self, places: Iterable[Place]) -> dict[Place, CopyProgress]:
        """Return how far each of these partitions was read; nothing for one that never was."""
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
        """Read every record of these partitions in one scan, some hundreds at a time."""
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
        """Write records; writing them again, or late, is harmless."""
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
        """Write how far partitions were read, once the records read from them are written."""
        await replace_older(self._progress, [_document(place, each) for place, each in progress])

    async def begin_again(self, place: Place, known: CopyProgress) -> CopyProgress:
        """Raise the generation of a partition that is to be read again from its start.

        Return the progress to go on from. Of several replicas one raises it, and the others, which
        know the generation before, take that one over.
        """
        stored = (await self.progress([place])).get(place, CopyProgress())
        if stored.generation > known.generation:
            return replace(known, generation=stored.generation, next=0, newest=-1, unreadable=0)
        begun = replace(known, generation=known.generation + 1, next=0, newest=-1, unreadable=0)
        await replace_older(self._progress, [_document(place, begun)])
        return begun

    async def sweep(self, place: Place, below: int) -> None:
        """Delete the records of a partition whose number is lower: its topic has them no more."""
        with reaching():
            await self._records.delete_many(
                {"place": _id(place), "number": {"$gte": 0, "$lt": below}}
            )


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
