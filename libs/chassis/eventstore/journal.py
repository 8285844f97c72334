"""The journal: one document per commit, which is a department's truth, its outbox and its inbox.

A commit's `_id` is its cause, so that what comes twice is seen; (stream, number) is unique, so that
of two who decide on the same state one wins. Appends that arrive while one is under way travel
together in the next round trip, and each caller still learns its own outcome.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from opentelemetry import metrics

from chassis.domain.decider import NotRecordable, PassedOver, Refused
from chassis.domain.latest_ids import LatestIds, read_latest_ids, write_latest_ids
from chassis.eventstore.mongo import (
    INSERTED_BYTES,
    Document,
    Duplicate,
    Store,
    StoreAway,
    insert_each,
    reaching,
)
from chassis.eventstore.unreadable import UnreadableStream, field_of
from contracts.channels import CHANNELS, LARGEST_EVENT
from contracts.event import (
    Event,
    Recorded,
    Undecodable,
    decode,
    encode,
    read_position,
    write_position,
)
from contracts.reference import Reference

MOST_EVENTS = 500
"""Events that one commit may hold."""
MOST_BYTES = 8 * 1024 * 1024
"""Bytes that the events of one commit may have; a document of the store has 16 MiB at most."""
_PAGE = 200
_GROUP_COMMITS = 250

_meter = metrics.get_meter("concord.journal")
_commits = _meter.create_counter("concord.journal.commits", description="commits appended")
_conflicts = _meter.create_counter(
    "concord.journal.conflicts", description="commits that lost a race or were there already"
)
_group = _meter.create_histogram(
    "concord.journal.group", description="commits that travelled together in one round trip"
)


class Raced(Exception):
    """Another commit took this number of the stream first."""

    def __init__(self, stream: str, number: int) -> None:
        super().__init__(f"commit {number} of {stream} is taken")
        self.stream, self.number = stream, number


class AlreadyDone(Exception):
    """A commit with this cause stands in the journal."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"{cause} was committed before")
        self.cause = cause


class TooLarge(Refused):
    """What would be said, or kept, is more than a topic or the store takes.

    It is found before anything is written: an event that no topic takes would hold up all that its
    department says after it, for good.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__("too-large", sentence)


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as a commit keeps it: its JSON bytes, and where it goes if it was said here.

    `key` is the Kafka key: the event's subject, or ``kind:id@version`` for a reference record.
    """

    record: bytes
    said: bool
    channel: str
    key: str

    @classmethod
    def of(cls, recorded: Recorded[Event], *, said: bool, record: bytes | None = None) -> "Kept":
        """Keep an event; `record` are the bytes in which it was heard, if it was.

        Raises NotRecordable for a new one whose bytes cannot be read, or say something else.
        """
        kept = record or _readable(recorded)
        return cls(kept, said, recorded.channel.name, kafka_key(recorded))


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of one stream, numbered from 1 without a gap.

    `position` and `latest_ids` are the stream's after it (a commit of older code has no ids), `at`
    is when it was decided (UTC, to the millisecond).
    `command` and `fingerprint` say which command it took, and are empty where events were heard.
    `passed_over` are missing events that somebody decided to do without. `erases` are the
    (channel, key) of records that the erasure of a person takes off the topics.
    """

    cause: str
    stream: str
    number: int
    position: Mapping[str, int]
    actor: str
    at: datetime
    events: tuple[Kept, ...] = ()
    command: str = ""
    fingerprint: str = ""
    passed_over: PassedOver | None = None
    erases: tuple[tuple[str, str], ...] = ()
    latest_ids: LatestIds = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of its events."""
        return sum(len(kept.record) for kept in self.events)

    def recorded(self) -> Iterator[Recorded[Event]]:
        """Yield the events, heard and said, in the order they were taken in.

        Raises UnreadableStream.
        """
        return (self._decoded(kept) for kept in self.events)

    def said(self) -> Iterator[Recorded[Event]]:
        """Yield the events that it says to others, in order; raises UnreadableStream."""
        return (self._decoded(kept) for kept in self.events if kept.said)

    def _decoded(self, kept: Kept) -> Recorded[Event]:
        try:
            return decode(kept.record)
        except Undecodable as error:
            raise UnreadableStream(self.stream, self.number, str(error)) from None

    def document(self) -> Document:
        """The commit as the store has it."""
        return {
            "_id": self.cause,
            "stream": self.stream,
            "number": self.number,
            "position": write_position(self.position),
            "latest_ids": write_latest_ids(self.latest_ids),
            "actor": self.actor,
            "at": self.at.replace(microsecond=self.at.microsecond // 1000 * 1000),
            "command": self.command,
            "fingerprint": self.fingerprint,
            "passed_over": self.passed_over.document() if self.passed_over else None,
            "entries": [
                {"said": kept.said, "channel": kept.channel, "key": kept.key, "event": kept.record}
                for kept in self.events
            ],
            "erases": [{"channel": channel, "key": key} for channel, key in self.erases],
        }

    @classmethod
    def read(cls, document: Document) -> "Commit":
        """Do the reverse of `document`; raises UnreadableStream."""
        stream, number = place_of(document)
        try:
            return cls(
                cause=field_of(str, document, "_id"),
                stream=stream,
                number=number,
                position=read_position(field_of(str, document, "position")),
                actor=field_of(str, document, "actor"),
                at=field_of(datetime, document, "at"),
                events=tuple(_kept(entry) for entry in field_of(list, document, "entries")),
                command=field_of(str, document, "command"),
                fingerprint=field_of(str, document, "fingerprint"),
                passed_over=_passed_over(document.get("passed_over")),
                erases=tuple(
                    (_channel(each), field_of(str, each, "key"))
                    for each in field_of(list, document, "erases")
                ),
                latest_ids=_latest_ids(document.get("latest_ids", [])),
            )
        except ValueError as error:
            raise UnreadableStream(stream, number, str(error)) from None


def readable(document: Document) -> Commit | UnreadableStream:
    """Return the commit, or the error that says why its document cannot be read."""
    try:
        return Commit.read(document)
    except UnreadableStream as unreadable:
        return unreadable


def place_of(document: Document) -> tuple[str, int]:
    """Return the stream and the number of a commit's document; raises UnreadableStream."""
    stream, number, cause = document.get("stream"), document.get("number"), document.get("_id")
    if not isinstance(stream, str) or not stream:
        why = "stream: must be a text"
        raise UnreadableStream(f"an unknown stream (cause {cause})", 0, why, cause)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UnreadableStream(stream, 0, f"number: must be a whole number from 1 ({cause})", cause)
    return stream, number


def _latest_ids(documents: Any) -> LatestIds:
    try:
        return read_latest_ids(documents)
    except (KeyError, TypeError) as error:
        raise ValueError(f"latest_ids: {error}") from None


def _passed_over(document: object) -> PassedOver | None:
    try:
        return PassedOver.read(document) if isinstance(document, dict) else None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"passed_over: {type(error).__name__}") from None


def _kept(entry: object) -> Kept:
    record = field_of(bytes, entry, "event")
    return Kept(record, field_of(bool, entry, "said"), _channel(entry), field_of(str, entry, "key"))


def _channel(entry: object) -> str:
    name = field_of(str, entry, "channel")
    if name not in CHANNELS:
        raise ValueError(f"channel: {name!r} is none")
    return name


def _readable(recorded: Recorded[Event]) -> bytes:
    """The bytes of a new event, which were read back from them as it is; raises NotRecordable."""
    event, confidential = recorded.event.type, recorded.channel.confidential
    record = encode(recorded)
    try:
        read = decode(record)
    except Undecodable as error:
        field, _, why = str(error).partition(": ")
        raise NotRecordable(event, field, why, confidential=confidential) from error
    if read == recorded:
        return record
    wanted, found = _fields(recorded), _fields(read)
    field = next((name for name in wanted if wanted[name] != found.get(name)), "data")
    why = "it would be read back as something else"
    raise NotRecordable(event, field, why, confidential=confidential)


def _fields(recorded: Recorded[Event]) -> dict[str, object]:
    """What an event says and its envelope, by the path of each field in the event."""
    said = {f"data.{name}": value for name, value in recorded.event}
    envelope = {
        each.name: getattr(recorded, each.name) for each in fields(recorded) if each.compare
    }
    return said | envelope


def kafka_key(recorded: Recorded[Event]) -> str:
    """Under which key an event is published: topics of reference data are compacted by version."""
    if isinstance(recorded.event, Reference):
        return f"{recorded.event.kind}:{recorded.subject}@{recorded.sequence}"
    return recorded.subject


def refuse_too_large(commit: Commit) -> None:
    """Raise TooLarge for a commit that the store, or one event of which no topic, would take."""
    if len(commit.events) > MOST_EVENTS:
        raise TooLarge(f"a commit holds at most {MOST_EVENTS} events, not {len(commit.events)}")
    size = 0
    for kept in commit.events:
        size += len(kept.record)
        if kept.said and len(kept.record) > LARGEST_EVENT:
            raise TooLarge(
                f"what {kept.channel} would say of it has {len(kept.record):,} bytes, and one event"
                f" has {LARGEST_EVENT:,} at most: ask for less at once"
            )
    if size > MOST_BYTES:
        raise TooLarge(
            f"what follows from it has {size:,} bytes, and one commit has {MOST_BYTES:,} at most:"
            " ask for less at once"
        )


_Waiting = tuple[Document, "asyncio.Future[None]"]


class Journal:
    """One department's commits."""

    def __init__(self, store: Store, *, patience: float = 8.0) -> None:
        """`patience` is for how many seconds an append rides out a store that is away."""
        self._store = store
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def append(self, commit: Commit) -> None:
        """Append a commit; when this returns it is on disk on a majority.

        Raises TooLarge, Raced, AlreadyDone, and StoreAway: then the outcome is open, and whoever
        asks again with the same cause learns it.
        """
        refuse_too_large(commit)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((commit.document(), done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="journal")
        await done

    async def close(self) -> None:
        """Wait until what was given to `append` has its outcome."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> AsyncIterator[Commit]:
        """A stream's commits in order: those numbered above `after`, up to `until`.

        Raises StoreAway, and UnreadableStream where it comes to one that cannot be read.
        """
        with reaching():
            while until is None or after < until:
                last = after + _PAGE if until is None else min(after + _PAGE, until)
                asked = {"stream": stream, "number": {"$gt": after, "$lte": last}}
                page = await self._store.commits.find(asked).sort("number").to_list(None)
                for document in page:
                    yield Commit.read(document)
                if not page or page[-1]["number"] < last:
                    return
                after = page[-1]["number"]

    async def by_cause(self, cause: str) -> Commit | None:
        """The commit that a command's key or a heard event led to, or None.

        Raises StoreAway, UnreadableStream.
        """
        with reaching():
            document = await self._store.commits.find_one({"_id": cause})
        return None if document is None else Commit.read(document)

    async def everything(self) -> AsyncIterator[Commit | UnreadableStream]:
        """Yield all commits, stream by stream, each stream in order; raises StoreAway.

        In the place of a commit that cannot be read comes the error that says so.
        """
        with reaching():
            order = [("stream", 1), ("number", 1)]
            async for document in self._store.commits.find({}, sort=order, batch_size=500):
                yield readable(document)

    async def erase(self, stream: str, before: int) -> None:
        """Leave nothing in a stream's commits numbered below `before`; again is harmless.

        They stay, empty, for their numbers and causes: who remembers the stream as it was, or does
        not know it at all, must not commit in their place. Raises StoreAway.
        """
        empty: Document = {"entries": [], "passed_over": None, "fingerprint": ""}
        with reaching():
            numbers = {"$gt": 0, "$lt": before}
            await self._store.commits.update_many(
                {"stream": stream, "number": numbers}, {"$set": empty}
            )

    async def _write(self) -> None:
        while self._waiting:
            group = self._next_group()
            _group.record(len(group))
            try:
                outcomes: Iterable[Exception | None] = await self._insert([doc for doc, _ in group])
            except Exception as error:  # noqa: BLE001 - whoever waits must learn of it
                outcomes = [error] * len(group)
            for (_, done), outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, Raced | AlreadyDone):
                    _conflicts.add(1)
                elif outcome is None:
                    _commits.add(1)
                if done.done():
                    continue  # who asked no longer waits
                if outcome is None:
                    done.set_result(None)
                else:
                    done.set_exception(outcome)

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < _GROUP_COMMITS and size < INSERTED_BYTES:
            group.append(self._waiting.popleft())
            size += sum(len(entry["event"]) for entry in group[-1][0]["entries"])
        return group

    async def _insert(self, documents: list[Document]) -> list[Exception | None]:
        """Insert, and where the answer was lost insert again: the unique `_id` settles it."""
        ends = time.monotonic() + self._patience
        pause, again = 0.05, False
        while True:
            try:
                outcomes = await insert_each(self._store.commits, documents)
                stored = await self._stored(documents, outcomes) if again else {}
                break
            except StoreAway:
                if time.monotonic() + pause > ends:
                    raise
            again = True
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)
        return [
            _outcome(document, outcome, stored)
            for document, outcome in zip(documents, outcomes, strict=True)
        ]

    async def _stored(
        self, documents: list[Document], outcomes: list[Exception | None]
    ) -> dict[str, Document]:
        refused = [
            document["_id"]
            for document, outcome in zip(documents, outcomes, strict=True)
            if isinstance(outcome, Duplicate)
        ]
        with reaching():
            found = await self._store.commits.find({"_id": {"$in": refused}}).to_list(None)
        return {document["_id"]: document for document in found}


def _outcome(
    document: Document, outcome: Exception | None, stored: Mapping[str, Document]
) -> Exception | None:
    if not isinstance(outcome, Duplicate):
        return outcome
    if stored.get(document["_id"]) == document:
        return None  # our own, from the attempt whose answer was lost
    if outcome.key == ("_id",) or document["_id"] in stored:
        return AlreadyDone(document["_id"])
    return Raced(document["stream"], document["number"])
