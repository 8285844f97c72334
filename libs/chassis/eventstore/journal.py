"""The journal: one document per commit, at once a department's event store, outbox and inbox.

A commit's `_id` is its cause, so a repeated command or event is detected. (stream, number) is
unique, so of two commits decided on the same state only one is accepted. Appends that arrive while
an insert is in progress are inserted together in the next one; each caller gets its own outcome.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from opentelemetry import metrics

from chassis.base.backoff import Backoff
from chassis.domain.commands import NotRecordable, Refused
from chassis.domain.internal import Internal, decode_internal, encode_internal
from chassis.domain.latest_ids import LatestIds, read_latest_ids, write_latest_ids
from chassis.domain.pending import Refusal
from chassis.domain.stream import PassedOver
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
    LOCAL_SCHEMAS,
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
"""Maximum number of events in one commit."""
MOST_BYTES = 8 * 1024 * 1024
"""Maximum size of the events of one commit in bytes; the store's limit for a document is 16 MiB."""
INTERNAL_CHANNEL = ""
"""In place of the channel of an internal event."""
_PAGE = 200
_GROUP_COMMITS = 250

_meter = metrics.get_meter("concord.journal")
_commits = _meter.create_counter("concord.journal.commits", description="commits appended")
_conflicts = _meter.create_counter(
    "concord.journal.conflicts", description="commits whose number or cause was in use already"
)
_group = _meter.create_histogram(
    "concord.journal.group", description="commits inserted together in one round trip"
)


class Raced(Exception):
    """The stream already has a commit with this number."""

    def __init__(self, stream: str, number: int) -> None:
        super().__init__(f"commit {number} of {stream} is taken")
        self.stream, self.number = stream, number


class AlreadyDone(Exception):
    """The journal already has a commit with this cause."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"{cause} was committed before")
        self.cause = cause


class TooLarge(Refused):
    """The refusal of a commit that exceeds a limit of Kafka or of the store.

    It is checked before anything is written: an event that Kafka does not accept would block all
    later events of its department for good.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__("commit-too-large", sentence)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in a commit: its JSON bytes, its channel and its Kafka key.

    `own` events are published by the outbox relay; the others were consumed or are internal. `key`
    is the event's subject, or ``kind:id@version`` for a reference record. An internal event has no
    channel, and its type as the key.
    """

    record: bytes
    own: bool
    channel: str
    key: str

    @classmethod
    def of(
        cls,
        recorded: Recorded[Event],
        *,
        own: bool,
        record: bytes | None = None,
        schemas_url: str = LOCAL_SCHEMAS,
    ) -> "StoredEvent":
        """Return the stored form of an event; `record` has the bytes of a consumed one.

        `schemas_url` is the address under which the installation serves the schemas of events.
        Raises NotRecordable for a new event that is not equal when it is read back.
        """
        encoded = record or _readable(recorded, schemas_url)
        if isinstance(recorded.event, Internal):
            return cls(encoded, own, INTERNAL_CHANNEL, recorded.event.type)
        return cls(encoded, own, recorded.channel.name, kafka_key(recorded))

    @property
    def is_internal(self) -> bool:
        """True for an internal event."""
        return self.channel == INTERNAL_CHANNEL


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of one stream, numbered from 1 without a gap.

    `cause` identifies the command or the first consumed event. `position` and `latest_ids` are the
    stream's after the commit (commits of older code have no ids), `at` is the moment of the
    decision (UTC, in milliseconds). `command` and `fingerprint` identify the command; they are
    empty for consumed events. `on_behalf_of` is the person whom the actor acted for.
    `passed_over` has missing events that a person decided to skip.
    `erases` has the (channel, key) of records that an erasure removes from the topics. `refusal` is
    why the request that caused the commit was refused.
    """

    cause: str
    stream: str
    number: int
    position: Mapping[str, int]
    actor: str
    at: datetime
    events: tuple[StoredEvent, ...] = ()
    command: str = ""
    fingerprint: str = ""
    passed_over: PassedOver | None = None
    erases: tuple[tuple[str, str], ...] = ()
    on_behalf_of: str | None = None
    latest_ids: LatestIds = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def size(self) -> int:
        """The size of the events in bytes."""
        return sum(len(each.record) for each in self.events)

    def recorded(self) -> Iterator[Recorded[Event]]:
        """Yield all events, own, consumed and internal, in order; raises UnreadableStream."""
        return (self._decoded(each) for each in self.events)

    def own_events(self) -> Iterator[Recorded[Event]]:
        """Yield the events that are published, in order; raises UnreadableStream."""
        return (self._decoded(each) for each in self.events if each.own)

    def new_events(self) -> Iterator[Recorded[Event]]:
        """Yield own and internal events, in order; raises UnreadableStream."""
        return (self._decoded(each) for each in self.events if each.own or each.is_internal)

    def _decoded(self, stored: StoredEvent) -> Recorded[Event]:
        try:
            return decode_internal(stored.record) if stored.is_internal else decode(stored.record)
        except Undecodable as error:
            raise UnreadableStream(self.stream, self.number, str(error)) from None

    def document(self) -> Document:
        """Return the commit as a document for the store."""
        return {
            "_id": self.cause,
            "stream": self.stream,
            "number": self.number,
            "position": write_position(self.position),
            "latest_ids": write_latest_ids(self.latest_ids),
            "actor": self.actor,
            "on_behalf_of": self.on_behalf_of,
            "at": self.at.replace(microsecond=self.at.microsecond // 1000 * 1000),
            "command": self.command,
            "fingerprint": self.fingerprint,
            "passed_over": self.passed_over.document() if self.passed_over else None,
            "entries": [
                {"said": each.own, "channel": each.channel, "key": each.key, "event": each.record}
                for each in self.events
            ],
            "erases": [{"channel": channel, "key": key} for channel, key in self.erases],
            "refusal": asdict(self.refusal) if self.refusal else None,
        }

    @classmethod
    def read(cls, document: Document) -> "Commit":
        """Read a commit from its document; raises UnreadableStream."""
        stream, number = place_of(document)
        try:
            return cls(
                cause=field_of(str, document, "_id"),
                stream=stream,
                number=number,
                position=read_position(field_of(str, document, "position")),
                actor=field_of(str, document, "actor"),
                on_behalf_of=_person(document.get("on_behalf_of")),
                at=field_of(datetime, document, "at"),
                events=tuple(_stored_event(entry) for entry in field_of(list, document, "entries")),
                command=field_of(str, document, "command"),
                fingerprint=field_of(str, document, "fingerprint"),
                passed_over=_passed_over(document.get("passed_over")),
                erases=tuple(
                    (_channel(each), field_of(str, each, "key"))
                    for each in field_of(list, document, "erases")
                ),
                latest_ids=_latest_ids(document.get("latest_ids", [])),
                refusal=_refusal(document["refusal"]),
            )
        except ValueError as error:
            raise UnreadableStream(stream, number, str(error)) from None
        except KeyError as error:
            raise UnreadableStream(stream, number, f"{error.args[0]}: is missing") from None


def readable(document: Document) -> Commit | UnreadableStream:
    """Return the commit of a document, or the error if it cannot be read."""
    try:
        return Commit.read(document)
    except UnreadableStream as unreadable:
        return unreadable


def place_of(document: Document) -> tuple[str, int]:
    """Return the stream and the number of a commit's document; raises UnreadableStream."""
    stream, number, cause = document.get("stream"), document.get("number"), document.get("_id")
    if not isinstance(stream, str) or not stream:
        why = "stream: must be a non-empty text"
        raise UnreadableStream(f"an unknown stream (cause {cause})", 0, why, cause)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UnreadableStream(stream, 0, f"number: must be a whole number from 1 ({cause})", cause)
    return stream, number


def _person(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("on_behalf_of: must be a text")
    return value


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


def _refusal(document: object) -> Refusal | None:
    if document is None:
        return None
    return Refusal(field_of(str, document, "code"), field_of(str, document, "sentence"))


def _stored_event(entry: object) -> StoredEvent:
    record = field_of(bytes, entry, "event")
    return StoredEvent(
        record, field_of(bool, entry, "said"), _channel(entry), field_of(str, entry, "key")
    )


def _channel(entry: object) -> str:
    name = field_of(str, entry, "channel")
    if name not in CHANNELS and name != INTERNAL_CHANNEL:
        raise ValueError(f"channel: {name!r} does not exist")
    return name


def _readable(recorded: Recorded[Event], schemas_url: str) -> bytes:
    """Return the bytes of a new event; raises NotRecordable unless they are read back equal."""
    internal = isinstance(recorded.event, Internal)
    event, confidential = recorded.event.type, not internal and recorded.channel.confidential
    record = encode_internal(recorded) if internal else encode(recorded, schemas_url)
    try:
        read: Recorded[Event] = decode_internal(record) if internal else decode(record)
    except Undecodable as error:
        field, _, why = str(error).partition(": ")
        raise NotRecordable(event, field, why, confidential=confidential) from error
    if read == recorded:
        return record
    wanted, found = _fields(recorded), _fields(read)
    field = next((name for name in wanted if wanted[name] != found.get(name)), "data")
    why = "it would be read back with another value"
    raise NotRecordable(event, field, why, confidential=confidential)


def _fields(recorded: Recorded[Event]) -> dict[str, object]:
    """Return the values of an event's data and envelope, by the path of each field."""
    data = {f"data.{name}": value for name, value in recorded.event}
    envelope = {
        each.name: getattr(recorded, each.name) for each in fields(recorded) if each.compare
    }
    return data | envelope


def kafka_key(recorded: Recorded[Event]) -> str:
    """Return the Kafka key of an event.

    A reference record's key has its version, so that compaction keeps every version.
    """
    if isinstance(recorded.event, Reference):
        return f"{recorded.event.kind}:{recorded.subject}@{recorded.sequence}"
    return recorded.subject


def refuse_too_large(commit: Commit) -> None:
    """Raise TooLarge for a commit with too many events, too many bytes, or a too large event."""
    if len(commit.events) > MOST_EVENTS:
        raise TooLarge(
            f"this would result in {len(commit.events)} events, and the limit is {MOST_EVENTS}:"
            " request less at once"
        )
    size = 0
    for each in commit.events:
        size += len(each.record)
        if each.own and len(each.record) > LARGEST_EVENT:
            raise TooLarge(
                f"the resulting event on {each.channel} has {len(each.record):,} bytes, and the"
                f" limit is {LARGEST_EVENT:,}: request less at once"
            )
    if size > MOST_BYTES:
        raise TooLarge(
            f"the resulting events have {size:,} bytes, and the limit is {MOST_BYTES:,}:"
            " request less at once"
        )


_Waiting = tuple[Document, "asyncio.Future[None]"]


class Journal:
    """One department's commits."""

    def __init__(self, store: Store, *, patience: float = 8.0) -> None:
        """Set up the journal; an append retries an unavailable store for `patience` seconds."""
        self._store = store
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def append(self, commit: Commit) -> None:
        """Append a commit; on return it is on disk on a majority of the store's members.

        Raises TooLarge, Raced, AlreadyDone, and StoreAway: then the outcome is unknown, and another
        append with the same cause determines it.
        """
        refuse_too_large(commit)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((commit.document(), done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="journal")
        await done

    async def close(self) -> None:
        """Wait until all appends have their outcome."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def read(
        self, stream: str, *, after: int = 0, until: int | None = None
    ) -> AsyncIterator[Commit]:
        """Yield a stream's commits in order: those numbered above `after`, up to `until`.

        Raises StoreAway, and UnreadableStream at a commit that cannot be read.
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
        """Return the commit with this cause, or None; raises StoreAway, UnreadableStream."""
        with reaching():
            document = await self._store.commits.find_one({"_id": cause})
        return None if document is None else Commit.read(document)

    async def everything(self) -> AsyncIterator[Commit | UnreadableStream]:
        """Yield all commits, stream by stream, each stream in order; raises StoreAway.

        Instead of a commit that cannot be read, yields the error.
        """
        with reaching():
            order = [("stream", 1), ("number", 1)]
            async for document in self._store.commits.find({}, sort=order, batch_size=500):
                yield readable(document)

    async def erase(self, stream: str, before: int) -> None:
        """Erase the contents of a stream's commits numbered below `before`; repeating is harmless.

        The empty commits stay, so that their numbers and causes remain in use: a process with an
        old state of the stream, or with none, must not commit in their place. Raises StoreAway.
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
            except Exception as error:  # noqa: BLE001 - raised in the callers that wait
                outcomes = [error] * len(group)
            for (_, done), outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, Raced | AlreadyDone):
                    _conflicts.add(1)
                elif outcome is None:
                    _commits.add(1)
                if done.done():
                    continue  # the caller no longer waits
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
        """Insert documents; after an unknown outcome insert again: the unique `_id` is the test."""
        backoff = Backoff(0.05, 1.0, within=self._patience)
        while True:
            try:
                outcomes = await insert_each(self._store.commits, documents)
                stored = await self._stored(documents, outcomes) if backoff.pauses else {}
                break
            except StoreAway:
                if backoff.is_over:
                    raise
            await backoff.pause()
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
        return None  # inserted by the attempt whose answer was lost
    if outcome.key == ("_id",) or document["_id"] in stored:
        return AlreadyDone(document["_id"])
    return Raced(document["stream"], document["number"])
