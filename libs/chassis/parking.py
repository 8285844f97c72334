"""Parking: where an engagement waits whose facts cannot be taken in, so that all others flow.

The first record that cannot be handled parks its engagement for this reader; what comes later for
it waits behind. A record that names no engagement is set aside and holds nobody up. Both are kept
whole until a person, or a missing fact that arrives, ends it.
"""

import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import cast

from pydantic import ValidationError
from pydantic_core import from_json

from chassis.bus import Arrival, Trouble, TroubleCode
from chassis.decider import Gap
from chassis.store import Collection, Document, reaching
from contracts.channels import CHANNELS, Channel
from contracts.fact import written

SENTENCE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record that waits: where it stood, what it is, why it waits, and since when (UTC).

    `sequence` is None where the bytes do not tell it. `expected` is the sequence that a gap waits
    for. `order` counts arrivals. `skipped_by` and `skipped_why`: who decided to go on without it.
    """

    id: str
    engagement: str | None
    channel: Channel
    partition: int
    offset: int
    sequence: int | None
    code: TroubleCode
    sentence: str
    expected: int | None
    raw: bytes | None
    at: datetime
    order: int
    skipped_by: str | None = None
    skipped_why: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What an engagement is parked for, as far as a reader must know it for every record."""

    code: TroubleCode
    sentence: str
    channel: str
    sequence: int | None
    expected: int | None
    since: datetime
    partition: int

    def ends_with(self, arrivals: Iterable[Arrival]) -> bool:
        """Whether one of these is the fact that a gap waited for."""
        return self.code == "gap" and any(
            arrival.channel.name == self.channel
            and arrival.recorded is not None
            and arrival.recorded.sequence == self.expected
            for arrival in arrivals
        )


@dataclass(frozen=True, slots=True)
class ParkedEngagement:
    """An engagement that waits here, for whoever looks: why, since when, and how much waits."""

    engagement: str
    head: Head
    records: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked of a parked engagement: to be tried again, or to skip a record first."""

    id: str
    engagement: str
    record: str | None
    by: str
    why: str


def sequence_of(arrival: Arrival) -> int | None:
    """The sequence a record claims, even where it is otherwise unreadable."""
    if arrival.recorded is not None:
        return arrival.recorded.sequence
    try:
        claimed = from_json(arrival.raw or b"")["sequence"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return claimed if type(claimed) is int and claimed > 0 else None


def in_sequence(records: Sequence[ParkedRecord]) -> list[ParkedRecord]:
    """Records in the order in which to try them: as they came, but each channel by its sequence.

    A record whose sequence nobody can tell keeps its place, and none of its channel passes it.
    """
    came = sorted(records, key=lambda record: record.order)
    tried: list[ParkedRecord] = list(came)
    for name in {record.channel.name for record in came}:
        run: list[int] = []
        for place, record in [*enumerate(came), (len(came), None)]:
            if record is not None and record.channel.name != name:
                continue
            if record is None or record.sequence is None:
                ordered = sorted((came[at] for at in run), key=lambda r: (r.sequence or 0, r.order))
                for at, sorted_record in zip(run, ordered, strict=True):
                    tried[at] = sorted_record
                run = []
            else:
                run.append(place)
    return tried


def trouble_of(error: Exception, channel: Channel) -> tuple[Trouble, int | None]:
    """What an error means for a record of a channel, and what a gap waits for.

    Operators and logs are told it: of a confidential channel no more than where it went wrong.
    """
    if isinstance(error, Gap):
        return Trouble("gap", str(error)), error.expected
    sentence = f"{type(error).__name__}: {_words(error, channel)}"
    return Trouble("failed", sentence[:SENTENCE_LIMIT]), None


def _words(error: Exception, channel: Channel) -> str:
    words = str(error)
    if isinstance(error, ValidationError):  # whose own text repeats what was given
        found = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: "
            f"{each['type'] if channel.confidential else each['msg']}"
            for each in found
        )
        words = f"{error.title}: {wrong}"
    elif channel.confidential:
        words = "what it says is confidential"
    if channel.confidential and (frames := extract_tb(error.__traceback__)):
        words += f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    return words


class Parking:
    """What is parked in a department's store, and in memory no more than which engagements are.

    Everything that reads or writes the store raises StoreAway where it cannot be reached.
    """

    def __init__(self, documents: Collection) -> None:
        self._documents = documents
        self._heads: dict[str, Head] = {}
        self._last_order = 0

    @property
    def heads(self) -> Mapping[str, Head]:
        """What is parked on the partitions that were loaded."""
        return self._heads

    def __contains__(self, engagement: object) -> bool:
        return engagement in self._heads

    def oldest_age(self, now: datetime) -> float:
        """Seconds since the engagement that waits longest was parked; 0 where none waits."""
        since = min((head.since for head in self._heads.values()), default=now)
        return (now - since).total_seconds()

    async def prepare(self) -> None:
        """Make the index that reading needs."""
        with reaching():
            await self._documents.create_index([("state", 1), ("engagement", 1), ("order", 1)])

    async def load(self, partitions: Container[int]) -> None:
        """Learn what is parked on these partitions, and on no other."""
        await self.prepare()
        heads: dict[str, Head] = {}
        waiting: dict[str, Head] = {}
        for record in await self._found({"state": "parked"}, raw=False):
            if record.partition in partitions and record.engagement is not None:
                of = waiting if record.code == "waiting" else heads
                of.setdefault(record.engagement, _head(record))
        self._heads = {**waiting, **heads}

    def forget(self) -> None:
        """Know of nothing parked: other readers have the partitions now."""
        self._heads = {}

    async def park(
        self,
        arrival: Arrival,
        trouble: Trouble,
        expected: int | None = None,
    ) -> None:
        """Keep a record whose engagement must wait; a second time changes nothing.

        One that a person has skipped meanwhile stays skipped.
        """
        if arrival.key is None:
            raise ValueError(f"{arrival.id} names no engagement: set it aside")
        if await self._keep(arrival, "parked", trouble, expected):
            record = _record(self._document(arrival, trouble, expected))
            self._heads.setdefault(arrival.key, _head(record))

    async def set_aside(self, arrival: Arrival, trouble: Trouble) -> None:
        """Keep a record that names no engagement; a second time changes nothing."""
        await self._keep(arrival, "aside", trouble, None)

    async def engagements(self) -> list[ParkedEngagement]:
        """Everything parked in the store, also by other processes; the oldest first."""
        records: dict[str, list[ParkedRecord]] = {}
        for record in await self._found({"state": "parked"}, raw=False):
            records.setdefault(str(record.engagement), []).append(record)
        return [
            ParkedEngagement(
                name,
                _head(next((one for one in found if one.code != "waiting"), found[0])),
                len(found),
            )
            for name, found in records.items()
        ]

    async def look(self, engagement: str) -> list[ParkedRecord]:
        """All that waits for an engagement, in the order in which it will be tried."""
        return in_sequence(await self._found({"state": "parked", "engagement": engagement}))

    async def records_set_aside(self) -> list[ParkedRecord]:
        """Records that name no engagement, the oldest first."""
        return await self._found({"state": "aside"})

    async def skipped(self, engagement: str) -> list[ParkedRecord]:
        """What persons decided to go on without."""
        return await self._found({"state": "skipped", "engagement": engagement})

    async def find(self, record: str) -> ParkedRecord | None:
        """One record by its id, in whatever state."""
        with reaching():
            document = await self._documents.find_one({"_id": record})
        return None if document is None or "channel" not in document else _record(document)

    async def mark(
        self, record: ParkedRecord, trouble: Trouble, expected: int | None = None
    ) -> None:
        """Say what a record waits for now that it was tried again; its engagement stays parked."""
        changed = {"code": trouble.code, "sentence": trouble.sentence, "expected": expected}
        with reaching():
            await self._documents.update_one({"_id": record.id}, {"$set": changed})
        if record.engagement is not None:
            before = self._heads.get(record.engagement)
            since = before.since if before else record.at
            renewed = replace(
                record,
                code=trouble.code,
                sentence=trouble.sentence,
                expected=expected,
                at=since,
            )
            self._heads[record.engagement] = _head(renewed)

    async def release(self, records: Iterable[ParkedRecord]) -> None:
        """Forget records that were taken in."""
        with reaching():
            for record in records:
                await self._documents.delete_one({"_id": record.id})

    def unpark(self, engagement: str) -> None:
        """Let an engagement flow again, after all that waited was released."""
        self._heads.pop(engagement, None)

    async def skip(self, record: ParkedRecord, by: str, why: str) -> None:
        """Remember that a person decided to go on without a record, or without what it waits for.

        The record waits no longer; behind a gap it does, and what is remembered is a copy of it.
        """
        changed = {"state": "skipped", "skipped_by": by, "skipped_why": why}
        with reaching():
            if record.code != "gap":
                await self._documents.update_one({"_id": record.id}, {"$set": changed})
                return
            document = await self._documents.find_one({"_id": record.id})
            if document is not None:
                document |= {"_id": f"{record.id}/gap/{self._next_order()}", "raw": None, **changed}
                await self._documents.insert_one(document)

    async def ask(self, engagement: str, record: str | None, by: str, why: str) -> None:
        """Leave a request for the process that reads this engagement's partition."""
        order = self._next_order()
        with reaching():
            await self._documents.insert_one(
                {
                    "_id": f"asked/{engagement}/{order}",
                    "state": "asked",
                    "engagement": engagement,
                    "record": record,
                    "by": by,
                    "why": why,
                    "order": order,
                }
            )

    async def asked(self) -> list[Request]:
        """Requests that concern what is parked in this process, in the order they were made."""
        with reaching():
            found = self._documents.find({"state": "asked"}).sort("order", 1)
            documents = [each async for each in found if each["engagement"] in self._heads]
        return [
            Request(each["_id"], each["engagement"], each["record"], each["by"], each["why"])
            for each in documents
        ]

    async def answered(self, request: Request) -> None:
        """Forget a request that was served."""
        with reaching():
            await self._documents.delete_one({"_id": request.id})

    async def _found(self, condition: Document, *, raw: bool = True) -> list[ParkedRecord]:
        with reaching():
            cursor = self._documents.find(condition, None if raw else {"raw": 0})
            return [_record(document) async for document in cursor.sort("order", 1)]

    async def _keep(
        self,
        arrival: Arrival,
        state: str,
        trouble: Trouble,
        expected: int | None,
    ) -> bool:
        document = self._document(arrival, trouble, expected)
        with reaching():
            result = await self._documents.update_one(
                {"_id": arrival.id}, {"$setOnInsert": {**document, "state": state}}, upsert=True
            )
            if result.upserted_id is not None:
                return True
            kept = await self._documents.find_one({"_id": arrival.id}, {"state": 1})
        return kept is not None and kept["state"] == state

    def _document(
        self,
        arrival: Arrival,
        trouble: Trouble,
        expected: int | None,
    ) -> Document:
        return {
            "engagement": arrival.key,
            "channel": arrival.channel.name,
            "partition": arrival.partition,
            "offset": arrival.offset,
            "sequence": sequence_of(arrival),
            "code": trouble.code,
            "sentence": trouble.sentence[:SENTENCE_LIMIT],
            "expected": expected,
            "raw": arrival.raw,
            "at": written(datetime.now(UTC)),
            "order": self._next_order(),
        }

    def _next_order(self) -> int:
        # Later than all before it, also over a restart, as long as the clock is not set back.
        self._last_order = max(self._last_order + 1, time.time_ns())
        return self._last_order


def _record(document: Document) -> ParkedRecord:
    return ParkedRecord(
        id=document.get("_id", ""),
        engagement=document["engagement"],
        channel=CHANNELS[document["channel"]],
        partition=document["partition"],
        offset=document["offset"],
        sequence=document["sequence"],
        code=cast("TroubleCode", document["code"]),
        sentence=document["sentence"],
        expected=document["expected"],
        raw=None if document.get("raw") is None else bytes(document["raw"]),
        at=datetime.fromisoformat(document["at"]),
        order=document["order"],
        skipped_by=document.get("skipped_by"),
        skipped_why=document.get("skipped_why"),
    )


def _head(record: ParkedRecord) -> Head:
    return Head(
        record.code,
        record.sentence,
        record.channel.name,
        record.sequence,
        record.expected,
        record.at,
        record.partition,
    )
