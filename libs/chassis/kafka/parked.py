"""Parking: where an engagement waits whose events cannot be taken in, so that all others flow.

The first event that cannot be handled parks its engagement for this reader; what comes later for
it waits behind. A record that is no event of an engagement is set aside and holds nothing up. Both
are kept whole until a person, a missing event that arrives, or a newer version ends it.
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
from contracts.channels import CHANNELS
from contracts.event import written

_RELEASED_TOGETHER = 500


class Superseded(ConnectionError):
    """Another process reads the partition now: what waits on it is that one's affair."""


@dataclass(frozen=True, slots=True)
class ParkedEngagement:
    """An engagement that waits here, for whoever looks: why, since when, and how much waits.

    `order` is that of its first record.
    """

    engagement: str
    head: Head
    records: int
    order: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked of an engagement: to try it again, after `action` on a record.

    `action` is ``retry``, ``skip`` or ``set-aside``; `published` is how many events the author has
    published, as the person looked it up.
    """

    engagement: str
    action: str
    by: str
    record: str = ""
    why: str = ""
    published: int | None = None
    id: str = ""


class ParkedRecordStore:
    """What is parked in a department's store, and in memory no more than which engagements are.

    Everything that reads or writes the store raises StoreAway where it cannot be reached.
    """

    def __init__(self, documents: StoredCollection) -> None:
        self._documents = documents
        self._heads: dict[str, Head] = {}
        self._partitions: frozenset[int] = frozenset()
        self._last_order = 0
        self._reader = ""

    @property
    def heads(self) -> Mapping[str, Head]:
        """What waits on the partitions that were loaded."""
        return self._heads

    def __contains__(self, engagement: object) -> bool:
        return engagement in self._heads

    def oldest_age(self, now: datetime) -> float:
        """Return for how many seconds the engagement waits that was parked first; 0 if none is."""
        parked = (head.since for head in self._heads.values() if head.is_parked)
        return (now - min(parked, default=now)).total_seconds()

    async def prepare(self) -> None:
        """Make the index that reading needs."""
        with reaching():
            await self._documents.create_index([("state", 1), ("engagement", 1), ("order", 1)])
            await self._documents.create_index([("state", 1), ("order", 1)])

    async def load(self, partitions: Collection[int]) -> None:
        """Learn what waits on these partitions, and on no other.

        No process that read them before releases anything of them from now on.
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
        """Know of nothing parked: other readers have the partitions now."""
        self._heads = {}
        self._partitions = frozenset()
        self._reader = ""

    async def _take_over(self, partitions: Collection[int]) -> None:
        """Become the reader of these partitions, and carry out what others had begun to release."""
        self._reader = uuid4().hex
        names = [_reader_of(partition) for partition in sorted(partitions)]
        await put_absent(self._documents, [{"_id": name, "state": "reader"} for name in names])
        condition = {"_id": {"$in": names}}
        with reaching():
            await self._documents.update_many(condition, {"$set": {"reader": self._reader}})
            found = await self._documents.find(condition).to_list(None)
        for releasing in (each["releasing"] for each in found if "releasing" in each):
            await self._delete(releasing)

    async def sure(self, engagement: str) -> None:
        """Raise Superseded where another process has the engagement's partition by now."""
        with reaching():
            found = await self._documents.find_one(self._own(engagement), {"_id": 1})
        if found is None:
            raise _superseded(engagement)

    def _own(self, engagement: str) -> Document:
        return {"_id": _reader_of(partition_of(engagement)), "reader": self._reader}

    async def reset(self) -> None:
        """Forget what waits on the partitions that were loaded: all of it is being read again.

        It would wait in front of what precedes it. What was set aside, or passed over, stays so.
        """
        condition = {"state": "parked", "partition": {"$in": sorted(self._partitions)}}
        with reaching():
            await self._documents.delete_many(condition)
        self._heads = {}

    async def park(self, records: Sequence[tuple[Arrival, Trouble, int | None]]) -> None:
        """Keep events whose engagements must wait, with the number that a gap waits for.

        A second time changes nothing, and one that was set aside meanwhile stays so.
        """
        documents = [
            {"_id": each.id, **self._document(each, trouble, expected), "state": "parked"}
            for each, trouble, expected in records
        ]
        there = await put_absent(self._documents, documents)
        aside: set[str] = set()
        if there:
            condition = {"_id": {"$in": [each["_id"] for each in there]}, "state": "aside"}
            with reaching():
                found = await self._documents.find(condition, {"_id": 1}).to_list(None)
            aside = {each["_id"] for each in found}
        for document in documents:
            if document["_id"] not in aside:
                self._heads.setdefault(document["engagement"], head_of(_record(document)))

    async def set_aside(self, records: Iterable[tuple[Arrival, Trouble]]) -> frozenset[str]:
        """Keep records out of the way; return the ids of those that were kept before, as they were.

        A record that is read a second time changes nothing.
        """
        documents = [
            {"_id": each.id, **self._document(each, trouble, None), "state": "aside"}
            for each, trouble in records
        ]
        there = await put_absent(self._documents, documents)
        return frozenset(each["_id"] for each in there)

    async def page_parked(
        self, after: int, limit: int, *, is_parked: bool
    ) -> list[ParkedEngagement]:
        """Return engagements that wait, also for other processes, the oldest first.

        These are in trouble, or wait for a newer version; the first record of the first came
        after one of the order `after`.
        """
        waiting: dict[str, ParkedEngagement] = {}
        with reaching():
            # All of it, once: the local store takes eight times as long for a page by ranges.
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
        """Return all that waits for an engagement, in the order in which it will be tried.

        Their bytes are left out where `raw` is false.
        """
        condition = {"state": "parked", "engagement": engagement}
        return in_sequence(await self._found(condition, raw=raw))

    async def record(self, id: str) -> ParkedRecord | None:
        """Return a record that waits or was set aside, with its bytes; None where there is none."""
        found = await self._found({"_id": id, "state": {"$in": ["parked", "aside"]}})
        return found[0] if found else None

    async def page_set_aside(self, after: int, limit: int) -> list[ParkedRecord]:
        """Return the first records set aside after one of this order, without their bytes."""
        condition = {"state": "aside", "order": {"$gt": after}}
        with reaching():
            cursor = self._documents.find(condition, {"raw": 0}).sort("order", 1).limit(limit)
            return [_record(document) async for document in cursor]

    async def events_set_aside(self, engagement: str) -> list[ParkedRecord]:
        """Return the records set aside without a person that this version reads as events.

        One whose number another event took is left out: it would pass by as seen later on.
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
        """Return some of what was set aside; all others, of any number, are not held in memory."""
        condition = {"state": "aside", "engagement": engagement}
        with reaching():
            cursor = self._documents.find(condition).sort("order", 1)
            records = (_record(document) async for document in cursor if _is_known(document))
            return [each async for each in records if is_wanted(each)]

    async def is_repeat(self, arrival: Arrival) -> bool:
        """Return whether the same bytes are set aside already, from another place on the topic."""
        condition = {"state": "aside", "engagement": arrival.key, "raw": arrival.raw}
        with reaching():
            found = await self._documents.find(condition, {"_id": 1}).limit(2).to_list(None)
        return any(document["_id"] != arrival.id for document in found)

    async def mark(
        self, record: ParkedRecord, trouble: Trouble, expected: int | None = None
    ) -> None:
        """Say what a record waits for now that it was tried again; its engagement stays parked."""
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
        """Forget records of an engagement that were taken in, durably; may raise Superseded.

        That they are to be released is written with the condition that this process still reads
        the partition. So whoever takes it over knows: it deletes them, or no one else does.
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
        # The order as well: a record that was parked anew since has another.
        ids, orders = releasing["ids"], releasing["orders"]
        with reaching():
            await self._documents.delete_many({"_id": {"$in": ids}, "order": {"$in": orders}})

    def unpark(self, engagement: str) -> None:
        """Let an engagement flow again, after all that waited was released."""
        self._heads.pop(engagement, None)

    async def put_aside(
        self, record: ParkedRecord, by: str, why: str, trouble: Trouble | None = None
    ) -> None:
        """Set aside a record that waits; `by` and `why` say whose decision it was."""
        changed: Document = {"state": "aside", "by": by, "why": why}
        if trouble is not None:
            changed |= {"code": trouble.code, "sentence": storable(trouble.sentence)}
        with reaching():
            await self._documents.update_one({"_id": record.id}, {"$set": changed})

    async def remember(self, engagement: str, passed: PassedOver) -> None:
        """Keep a decision to do without missing events, for a reader that reads all again."""
        document = {**passed.document(), "state": "passed-over", "engagement": engagement}
        name = f"passed-over/{engagement}/{passed.channel}/{passed.first}"
        with reaching():
            await self._documents.replace_one({"_id": name}, document, upsert=True)

    async def passed_over(self, engagement: str) -> list[PassedOver]:
        """Return the decisions that were taken to do without missing events of an engagement."""
        names = PassedOver.__dataclass_fields__
        with reaching():
            found = await self._documents.find(
                {"state": "passed-over", "engagement": engagement}
            ).to_list(None)
        return [PassedOver.read({name: each[name] for name in names}) for each in found]

    async def engagements_passed_over(self) -> frozenset[str]:
        """Return the engagements of which a person decided to do without missing events."""
        with reaching():
            found = await self._documents.find({"state": "passed-over"}, {"engagement": 1}).to_list(
                None
            )
        return frozenset(each["engagement"] for each in found)

    async def ask(self, request: Request) -> None:
        """Leave a request for the process that reads this engagement's partition."""
        order = self._next_order()
        document = {
            "_id": f"asked/{request.engagement}/{order}",
            "state": "asked",
            "engagement": request.engagement,
            "action": request.action,
            "record": request.record,
            "by": request.by,
            "why": request.why,
            "published": request.published,
            "order": order,
        }
        with reaching():
            await self._documents.insert_one(document)

    async def asked(self, is_mine: Callable[[str], bool]) -> list[Request]:
        """Return requests for engagements of this process, in the order they were made."""
        with reaching():
            found = self._documents.find({"state": "asked"}).sort("order", 1)
            documents = [each async for each in found if is_mine(each["engagement"])]
        return [
            Request(
                engagement=each["engagement"],
                action=each["action"],
                by=each["by"],
                record=each["record"],
                why=each["why"],
                published=each["published"],
                id=each["_id"],
            )
            for each in documents
        ]

    async def answered(self, request: Request) -> None:
        """Forget a request that was served."""
        with reaching():
            await self._documents.delete_one({"_id": request.id})

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
        # Later than all before it, also over a restart, as long as the clock is not set back.
        self._last_order = max(self._last_order + 1, time.time_ns())
        return self._last_order


def _reader_of(partition: int) -> str:
    return f"reader/{partition}"


def _superseded(engagement: str) -> Superseded:
    return Superseded(f"another process reads the partition of {engagement} now")


def _is_known(document: Document) -> bool:
    """Return whether this version knows the record's channel; a newer one may have parked it."""
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
    """Return what an engagement waits for whose first record this is."""
    return Head(
        record.code,
        record.sentence,
        record.channel.name,
        record.sequence,
        record.expected,
        record.at,
        record.partition,
    )
