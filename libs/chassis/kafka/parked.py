"""Store of parked records: events that cannot be processed wait here, by engagement.

The first event that cannot be processed parks its engagement for this service; later events of the
engagement wait behind it, and all other engagements continue. A record that is no event of an
engagement is set aside and blocks nothing. Both are kept whole until a person decides, the missing
event arrives, or a newer version can process them.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import cast
from uuid import uuid4

from chassis.base.partitioning import partition_of
from chassis.domain.stream import PassedOver
from chassis.domain.trouble import Head, Trouble, TroubleCode
from chassis.eventstore.mongo import Collection as StoredCollection
from chassis.eventstore.mongo import Document, put_absent, reaching
from chassis.kafka.consumer_settings import Arrival
from chassis.kafka.parked_record import ParkedRecord, in_sequence, sequence_of, storable
from chassis.kafka.parked_requests import ParkedRequestStore
from contracts.channels import CHANNELS
from contracts.event import written

_RELEASED_TOGETHER = 500


class Superseded(ConnectionError):
    """Another process has the partition now: only that one may change its parked records."""


@dataclass(frozen=True, slots=True)
class ParkedEngagement:
    """A waiting engagement as operators see it: why it waits, since when, and how many records.

    `order` is that of its first record.
    """

    engagement: str
    head: Head
    records: int
    order: int


class ParkedRecordStore:
    """Parked records in a department's store; in memory it keeps only which engagements wait.

    Every method that reads or writes the store raises StoreAway where it does not answer.
    """

    def __init__(self, documents: StoredCollection) -> None:
        self._documents = documents
        self._heads: dict[str, Head] = {}
        self._partitions: frozenset[int] = frozenset()
        self._last_order = 0
        self._owner = ""
        self.requests = ParkedRequestStore(documents, self._next_order)
        """Requests for the processes that have the engagements' partitions."""

    @property
    def heads(self) -> Mapping[str, Head]:
        """Why each engagement waits, for the partitions that were loaded."""
        return self._heads

    def __contains__(self, engagement: object) -> bool:
        return engagement in self._heads

    def oldest_age(self, now: datetime) -> float:
        """Return how many seconds ago the longest parked engagement was parked; 0 if none is."""
        parked = (head.since for head in self._heads.values() if head.is_parked)
        return (now - min(parked, default=now)).total_seconds()

    async def prepare(self) -> None:
        """Create the indexes that reading needs."""
        with reaching():
            await self._documents.create_index([("state", 1), ("engagement", 1), ("order", 1)])
            await self._documents.create_index([("state", 1), ("order", 1)])

    async def load(self, partitions: Collection[int]) -> None:
        """Load which engagements wait on these partitions, and forget all others.

        From now on no process that had these partitions before can release records of them.
        """
        await self.prepare()
        await self._take_over(partitions)
        heads: dict[str, Head] = {}
        waiting: dict[str, Head] = {}
        for record in await self._found({"state": "parked"}, raw=False):
            if record.partition in partitions and record.engagement is not None:
                of = waiting if record.code == "waiting" else heads
                of.setdefault(record.engagement, head_of(record))
        self._heads = {**waiting, **heads}
        self._partitions = frozenset(partitions)

    def forget(self) -> None:
        """Forget all parked engagements: the partitions were revoked."""
        self._heads = {}
        self._partitions = frozenset()
        self._owner = ""

    async def _take_over(self, partitions: Collection[int]) -> None:
        """Become the owner of these partitions, and finish releases that others had begun."""
        self._owner = uuid4().hex
        names = [_owner_id(partition) for partition in sorted(partitions)]
        await put_absent(self._documents, [{"_id": name, "state": "reader"} for name in names])
        condition = {"_id": {"$in": names}}
        with reaching():
            await self._documents.update_many(condition, {"$set": {"reader": self._owner}})
            found = await self._documents.find(condition).to_list(None)
        for releasing in (each["releasing"] for each in found if "releasing" in each):
            await self._delete(releasing)

    async def sure(self, engagement: str) -> None:
        """Raise Superseded where another process has the engagement's partition now."""
        with reaching():
            found = await self._documents.find_one(self._own(engagement), {"_id": 1})
        if found is None:
            raise _superseded(engagement)

    def _own(self, engagement: str) -> Document:
        return {"_id": _owner_id(partition_of(engagement)), "reader": self._owner}

    async def reset(self) -> None:
        """Delete the waiting records of the loaded partitions: all of them are read again.

        They would otherwise wait before the events that precede them. Records that were set aside,
        and decisions to skip missing events, stay.
        """
        condition = {"state": "parked", "partition": {"$in": sorted(self._partitions)}}
        with reaching():
            await self._documents.delete_many(condition)
        self._heads = {}

    async def park(self, records: Sequence[tuple[Arrival, Trouble, int | None]]) -> None:
        """Store events whose engagements must wait, with the number that a gap waits for.

        Repeating it changes nothing; an event that was set aside meanwhile stays set aside.
        """
        documents = [
            {"_id": each.id, **self._document(each, trouble, expected), "state": "parked"}
            for each, trouble, expected in records
        ]
        known = await put_absent(self._documents, documents)
        aside: set[str] = set()
        if known:
            condition = {"_id": {"$in": [each["_id"] for each in known]}, "state": "aside"}
            with reaching():
                found = await self._documents.find(condition, {"_id": 1}).to_list(None)
            aside = {each["_id"] for each in found}
        for document in documents:
            if document["_id"] not in aside:
                self._heads.setdefault(document["engagement"], head_of(_record(document)))

    async def set_aside(self, records: Iterable[tuple[Arrival, Trouble]]) -> frozenset[str]:
        """Store records that block nothing; return the ids of those that were stored before.

        The latter stay as they were.
        """
        documents = [
            {"_id": each.id, **self._document(each, trouble, None), "state": "aside"}
            for each, trouble in records
        ]
        known = await put_absent(self._documents, documents)
        return frozenset(each["_id"] for each in known)

    async def page_parked(
        self, after: int, limit: int, *, is_parked: bool
    ) -> list[ParkedEngagement]:
        """Return waiting engagements of all processes, the oldest first.

        With `is_parked` those in trouble, else those that wait for a newer version; only those
        whose first record has a higher order than `after`.
        """
        waiting: dict[str, ParkedEngagement] = {}
        with reaching():
            # One scan: a page by ranges takes eight times as long on the local store.
            cursor = self._documents.find({"state": "parked"}, {"raw": 0}).sort("order", 1)
            async for record in (_record(each) async for each in cursor if _is_known(each)):
                name = str(record.engagement)
                before = waiting.get(name)
                if before is None:
                    waiting[name] = ParkedEngagement(name, head_of(record), 1, record.order)
                    continue
                behind = before.head.code != "waiting" or record.code == "waiting"
                head = before.head if behind else head_of(record)
                waiting[name] = replace(before, head=head, records=before.records + 1)
        found = (
            each
            for each in waiting.values()
            if each.order > after and each.head.is_parked is is_parked
        )
        return list(islice(found, limit))

    async def look(self, engagement: str, *, raw: bool = True) -> list[ParkedRecord]:
        """Return the waiting records of an engagement, in the order in which they will be tried.

        Their bytes are left out where `raw` is false.
        """
        condition = {"state": "parked", "engagement": engagement}
        return in_sequence(await self._found(condition, raw=raw))

    async def record(self, id: str) -> ParkedRecord | None:
        """Return a record that waits or was set aside, with its bytes, or None."""
        found = await self._found({"_id": id, "state": {"$in": ["parked", "aside"]}})
        return found[0] if found else None

    async def page_set_aside(self, after: int, limit: int) -> list[ParkedRecord]:
        """Return the first records set aside with a higher order, without their bytes."""
        condition = {"state": "aside", "order": {"$gt": after}}
        with reaching():
            cursor = self._documents.find(condition, {"raw": 0}).sort("order", 1).limit(limit)
            return [_record(document) async for document in cursor]

    async def events_set_aside(self, engagement: str) -> list[ParkedRecord]:
        """Return records that no person set aside and that this version can read as events.

        Without those whose number belongs to another event: they would count as repeats later.
        """
        return await self._aside(
            engagement,
            lambda each: each.by is None and each.code != "other-event" and bool(each.event()),
        )

    async def set_aside_by_people(self, engagement: str) -> list[ParkedRecord]:
        """Return the records that people set aside."""
        return await self._aside(engagement, lambda each: bool(each.by))

    async def _aside(
        self, engagement: str, is_wanted: Callable[[ParkedRecord], bool]
    ) -> list[ParkedRecord]:
        """Return the wanted ones of the records set aside, without loading all of them at once."""
        condition = {"state": "aside", "engagement": engagement}
        with reaching():
            cursor = self._documents.find(condition).sort("order", 1)
            records = (_record(document) async for document in cursor if _is_known(document))
            return [each async for each in records if is_wanted(each)]

    async def is_repeat(self, arrival: Arrival) -> bool:
        """Return whether the same bytes were set aside already, from another offset."""
        condition = {"state": "aside", "engagement": arrival.key, "raw": arrival.raw}
        with reaching():
            found = await self._documents.find(condition, {"_id": 1}).limit(2).to_list(None)
        return any(document["_id"] != arrival.id for document in found)

    async def mark(
        self, record: ParkedRecord, trouble: Trouble, expected: int | None = None
    ) -> None:
        """Update why a record waits after it was tried again; its engagement stays parked."""
        changed = {
            "state": "parked",
            "code": trouble.code,
            "sentence": storable(trouble.sentence),
            "expected": expected,
        }
        with reaching():
            await self._documents.update_one({"_id": record.id}, {"$set": changed})
        if record.engagement is not None:
            before = self._heads.get(record.engagement)
            since = before.since if before else record.at
            renewed = replace(
                record, code=trouble.code, sentence=trouble.sentence, expected=expected, at=since
            )
            self._heads[record.engagement] = head_of(renewed)

    async def release(self, engagement: str, records: Sequence[ParkedRecord]) -> None:
        """Delete records of an engagement whose events are durable; may raise Superseded.

        The list of records to release is first written to the owner's document, on condition that
        this process still has the partition. So a process that takes over either finds the list
        and deletes them, or none of them is deleted.
        """
        for start in range(0, len(records), _RELEASED_TOGETHER):
            part = records[start : start + _RELEASED_TOGETHER]
            releasing = {"ids": [each.id for each in part], "orders": [each.order for each in part]}
            with reaching():
                written = await self._documents.update_one(
                    self._own(engagement), {"$set": {"releasing": releasing}}
                )
            if not written.matched_count:
                raise _superseded(engagement)
            await self._delete(releasing)

    async def _delete(self, releasing: Document) -> None:
        # Also by order: a record that was parked again since then has another one.
        ids, orders = releasing["ids"], releasing["orders"]
        with reaching():
            await self._documents.delete_many({"_id": {"$in": ids}, "order": {"$in": orders}})

    def unpark(self, engagement: str) -> None:
        """Mark an engagement as no longer waiting, after all its records were released."""
        self._heads.pop(engagement, None)

    async def put_aside(
        self, record: ParkedRecord, by: str, why: str, trouble: Trouble | None = None
    ) -> None:
        """Set aside a waiting record; `by` and `why` are empty where no person decided it."""
        changed: Document = {"state": "aside", "by": by, "why": why}
        if trouble is not None:
            changed |= {"code": trouble.code, "sentence": storable(trouble.sentence)}
        with reaching():
            await self._documents.update_one({"_id": record.id}, {"$set": changed})

    async def remember(self, engagement: str, passed: PassedOver) -> None:
        """Store a decision to skip missing events, for a rebuild or a process that takes over."""
        document = {**passed.document(), "state": "passed-over", "engagement": engagement}
        name = f"passed-over/{engagement}/{passed.channel}/{passed.first}"
        with reaching():
            await self._documents.replace_one({"_id": name}, document, upsert=True)

    async def passed_over(self, engagement: str) -> list[PassedOver]:
        """Return the stored decisions to skip missing events of an engagement."""
        names = PassedOver.__dataclass_fields__
        with reaching():
            found = await self._documents.find(
                {"state": "passed-over", "engagement": engagement}
            ).to_list(None)
        return [PassedOver.read({name: each[name] for name in names}) for each in found]

    async def engagements_passed_over(self) -> frozenset[str]:
        """Return the engagements for which a person decided to skip missing events."""
        with reaching():
            found = await self._documents.find({"state": "passed-over"}, {"engagement": 1}).to_list(
                None
            )
        return frozenset(each["engagement"] for each in found)

    async def _found(self, condition: Document, *, raw: bool = True) -> list[ParkedRecord]:
        with reaching():
            cursor = self._documents.find(condition, None if raw else {"raw": 0})
            found = cursor.sort("order", 1)
            return [_record(document) async for document in found if _is_known(document)]

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
            "sentence": storable(trouble.sentence),
            "expected": expected,
            "raw": arrival.raw,
            "at": written(datetime.now(UTC)),
            "order": self._next_order(),
        }

    def _next_order(self) -> int:
        # Higher than all before it, also after a restart, unless the clock is set back.
        self._last_order = max(self._last_order + 1, time.time_ns())
        return self._last_order


def _owner_id(partition: int) -> str:
    return f"reader/{partition}"


def _superseded(engagement: str) -> Superseded:
    return Superseded(f"another process has the partition of {engagement} now")


def _is_known(document: Document) -> bool:
    """Return whether this version has the record's channel; a newer one may have parked it."""
    return document["channel"] in CHANNELS


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
        by=document.get("by"),
        why=document.get("why"),
    )


def head_of(record: ParkedRecord) -> Head:
    """Return why an engagement waits whose first record this is."""
    return Head(
        record.code,
        record.sentence,
        record.channel.name,
        record.sequence,
        record.expected,
        record.at,
        record.partition,
    )
