"""The document store; no other module uses the driver.

It uses only what works alike on MongoDB and on the local store: conditional writes, and reads by
`_id` or by an index, with equality on a prefix and a range bounded on both sides.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ASCENDING, ReplaceOne
from pymongo.change_stream import ChangeStream
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

from chassis.base.failures import ValueFreeError

T = TypeVar("T")
Document: TypeAlias = dict[str, Any]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Token: TypeAlias = Mapping[str, Any]
"""A position in the store's change stream (resume token); its content is opaque."""

_DUPLICATE = 11000
# The local store flushes its log for each replacement: with many more, on a busy disk, the answer
# exceeds the socket timeout.
_REPLACED_AT_ONCE = 50

INSERTED_BYTES = 1_000_000
"""Maximum size of one insert in bytes, unless a single document is larger. The local store, with
its small cache, never completes an insert of about 4,000,000 bytes."""

LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Maximum size in bytes of a document written by `put_new` and `replace_older`. MongoDB's limit is
16 MiB; the local store takes 0.2 s for one of 8 MiB and never answers for one of 12 MiB."""

# Error codes: the token is unreadable, or the change it points to is no longer kept.
_HISTORY_LOST = frozenset({9, 136, 260, 280, 286})
# Error codes: not primary, stepping down, shutting down, interrupted, unreachable, too slow, not
# yet replicated.
_TRANSIENT = frozenset(
    {6, 7, 24, 46, 50, 64, 89, 91, 112, 133, 134, 189, 202, 237, 262, 317, 358, 9001, 10107}
    | {11600, 11601, 11602, 13388, 13435, 13436}
)


class StoreAway(ValueFreeError):
    """The store is not available: a transient fault, to be retried.

    After a write its outcome is unknown.
    """


class Duplicate(Exception):
    """The store already has a document with this unique key; `key` has the names of its fields."""

    def __init__(self, key: Sequence[str]) -> None:
        super().__init__(f"a document with this {', '.join(key)} exists")
        self.key = tuple(key)


class DocumentTooLarge(ValueFreeError):
    """A document is larger than LARGEST_DOCUMENT and was not sent to the store."""


class HistoryLost(Exception):
    """The store no longer has the changes since a token, or cannot read the token."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Inserted documents, in order, and the token after the last of them.

    Without documents, nothing was inserted up to the token.
    """

    documents: Sequence[Document]
    token: Token


class Store:
    """One department's database: journal, views, parked records, reference data and the rest."""

    def __init__(self, url: str, database: str) -> None:
        """Configure the connection; it is opened at the first use.

        Retryable writes are off: the caller of a write resolves an unknown outcome.
        """
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            w="majority",
            journal=True,
            readConcernLevel="majority",
            retryWrites=False,
            tz_aware=True,
            appname="concord",
            serverSelectionTimeoutMS=3_000,
            connectTimeoutMS=3_000,
            socketTimeoutMS=10_000,
            waitQueueTimeoutMS=10_000,
            maxPoolSize=32,
        )
        self.database = self._client[database]
        # The names of some collections are older than those of the attributes.
        self.commits: Collection = self.database["commits"]
        self.views: Collection = self.database["views"]
        self.leases: Collection = self.database["leases"]
        self.parked: Collection = self.database["parked"]
        self.deadlines: Collection = self.database["clock"]
        self.skipped: Collection = self.database["left"]
        self.reference: Collection = self.database["reference"]
        self.reference_progress: Collection = self.database["reference-progress"]
        self.as_of: Collection = self.database["as-of"]

    async def prepare(self, *subscriptions: str) -> None:
        """Create the indexes, and the lease of each subscription; raises StoreAway.

        It must be called before the first append. A new subscription starts at the present token;
        if there are commits already, it starts from the first one (token None).
        """
        with reaching():
            await self.commits.create_index(
                [("stream", ASCENDING), ("number", ASCENDING)], unique=True
            )
            for moment in ("due_at", "asked_at"):
                await self.views.create_index([(moment, ASCENDING)], sparse=True)
            for subscription in subscriptions:
                if await self.leases.find_one({"_id": subscription}, {"_id": 1}) is None:
                    token: Token | None = await self.now_token()
                    if await self.commits.find_one({}, {"_id": 1}) is not None:
                        token = None
                    lease = {"_id": subscription, "holder": None, "beat": 0, "token": token}
                    with suppress(DuplicateKeyError):  # another process created it first
                        await self.leases.insert_one(lease)

    async def ping(self) -> None:
        """Check that the store answers; raises StoreAway."""
        with reaching():
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def now_token(self) -> Token:
        """Return the present token: later commits are after it; raises StoreAway."""
        with reaching():
            async with self.commits.watch(_INSERTS, max_await_time_ms=100) as stream:
                if stream.resume_token is None:
                    await stream.try_next()
                if stream.resume_token is None:
                    raise StoreAway("the store returned no resume token")
                token: Token = stream.resume_token
                return token

    async def inserts(self, token: Token, *fields: str) -> AsyncIterator[Changes]:
        """Yield commits in the order of their insertion, after the token, without an end.

        They are grouped as the store returns them. With `fields`, documents have only these. Raises
        StoreAway and HistoryLost.
        """
        pipeline = list(_INSERTS)
        if fields:
            pipeline.append({"$project": {f"fullDocument.{field}": 1 for field in fields}})
        try:
            changes = self.commits.watch(
                pipeline, resume_after=token, max_await_time_ms=1_000, batch_size=1_000
            )
            async with AsyncExitStack() as stack:
                with reaching():
                    stream = await stack.enter_async_context(changes)
                loop = asyncio.get_running_loop()
                while stream.alive:
                    with reaching():
                        found = await loop.run_in_executor(_threads, _next_batch, stream.delegate)
                    if stream.resume_token is not None:
                        yield Changes(found, stream.resume_token)
        except OperationFailure as error:
            if error.code in _HISTORY_LOST:
                raise HistoryLost(str(error)) from error
            raise
        raise StoreAway("the stream of changes ended")


_INSERTS: list[Mapping[str, Any]] = [{"$match": {"operationType": "insert"}}]
_threads = ThreadPoolExecutor(32, "waits-for-changes")
"""Threads that wait for changes; the driver's own threads are too few to be blocked by this."""


def _next_batch(stream: ChangeStream[Document]) -> list[Document]:
    """Return the documents of one answer of the store.

    The driver's own iteration needs a call in a thread for each document.
    """
    found: list[Document] = []
    change = stream.try_next()
    while change is not None:
        found.append(change["fullDocument"])
        more = stream._cursor._has_next()  # noqa: SLF001 - try_next would block after the last one
        change = stream.try_next() if more else None
    return found


@contextmanager
def reaching() -> Iterator[None]:
    """Translate the driver's errors into those of this module; other errors are not changed.

    Every await of the driver must be in this context: before Python 3.12, `asyncio.wait_for` in the
    driver can swallow a cancellation that coincides with the answer; it is raised again here.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    except PyMongoError as error:
        meaning = classified(error)
        if meaning is error:
            raise
        raise meaning from error
    if task is not None and task.cancelling() > before and asyncio.current_task() is task:
        raise asyncio.CancelledError


def classified(error: PyMongoError) -> Exception:
    """Return the error of this module for an error of the driver; the same error if it is a bug."""
    if isinstance(error, DuplicateKeyError):
        return Duplicate(tuple((error.details or {}).get("keyPattern") or ("_id",)))
    code = error.code if isinstance(error, OperationFailure) else None
    if (
        isinstance(error, ConnectionFailure | WaitQueueTimeoutError)
        or error.timeout
        or code in _TRANSIENT
    ):
        return StoreAway(str(error))
    return error


async def insert_each(
    collection: Collection, documents: Sequence[Document]
) -> list[Exception | None]:
    """Insert documents in one round trip; return the error of each, or None.

    An error is Duplicate, or OperationFailure for a bug. Raises StoreAway if an outcome is unknown.
    """
    outcomes: list[Exception | None] = [None] * len(documents)
    with reaching():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in _failures(error):
                outcomes[failure["index"]] = (
                    Duplicate(tuple(failure.get("keyPattern") or ("_id",)))
                    if failure["code"] == _DUPLICATE
                    else OperationFailure(failure["errmsg"], failure["code"])
                )
    return outcomes


async def replace_older(collection: Collection, documents: Sequence[Document]) -> None:
    """Write documents, except those whose `_id` has a document with a higher `number`.

    It is idempotent. Raises StoreAway, DocumentTooLarge.
    """
    for page in _pages(documents, _REPLACED_AT_ONCE):
        requests = [
            ReplaceOne({"_id": each["_id"], "number": {"$lte": each["number"]}}, each, upsert=True)
            for each in page
        ]
        with reaching():
            try:
                await collection.bulk_write(requests, ordered=False)
            except BulkWriteError as error:
                # A duplicate means that the store has a newer one.
                if any(failure["code"] != _DUPLICATE for failure in _failures(error)):
                    raise


async def put_new(collection: Collection, documents: Sequence[Document]) -> None:
    """Write documents as `replace_older` does, at an eighth of the cost if most of them are new.

    It is idempotent. Raises StoreAway, DocumentTooLarge.
    """
    existing: list[Document] = []
    for page in _pages(documents):
        outcomes = await insert_each(collection, page)
        for document, outcome in zip(page, outcomes, strict=True):
            if isinstance(outcome, Duplicate):
                existing.append(document)
            elif outcome is not None:
                raise outcome
    await replace_older(collection, existing)


async def put_absent(collection: Collection, documents: Sequence[Document]) -> list[Document]:
    """Write documents whose `_id` is new; return the others. Raises StoreAway, DocumentTooLarge."""
    existing: list[Document] = []
    for page in _pages(documents):
        for document, outcome in zip(page, await insert_each(collection, page), strict=True):
            if isinstance(outcome, Duplicate):
                existing.append(document)
            elif outcome is not None:
                raise outcome
    return existing


async def each_written(
    write: Callable[[Sequence[T]], Awaitable[object]], items: Sequence[T]
) -> list[tuple[T, Exception]]:
    """Write items together, or in halves if that fails; return the items that failed, with errors.

    `write` must be idempotent. Raises StoreAway, which is not caused by an item.
    """
    if not items:
        return []
    try:
        await write(items)
    except StoreAway:
        raise
    except Exception as error:  # noqa: BLE001 - returned with the item that caused it
        if len(items) == 1:
            return [(items[0], error)]
        half = len(items) // 2
        return [
            *await each_written(write, items[:half]),
            *await each_written(write, items[half:]),
        ]
    return []


def _pages(documents: Sequence[Document], most: int | None = None) -> Iterator[list[Document]]:
    """Yield documents in pages of at most INSERTED_BYTES and `most` documents.

    A document that is larger has a page of its own. Raises DocumentTooLarge.
    """
    page: list[Document] = []
    left = INSERTED_BYTES
    for document in documents:
        size = size_of(document)
        if size > LARGEST_DOCUMENT:
            raise DocumentTooLarge(
                f"{document['_id']} has {size:,} bytes, and the limit is {LARGEST_DOCUMENT:,}"
            )
        if page and (size > left or len(page) == most):
            yield page
            page, left = [], INSERTED_BYTES
        page.append(document)
        left -= size
    if page:
        yield page


def size_of(value: object) -> int:
    """Return the approximate size of a value in the store, in bytes."""
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode(errors="replace"))
        case bytes():
            return len(value)
        case dict():
            return sum(len(name) + size_of(each) for name, each in value.items())
        case list() | tuple():
            return sum(size_of(each) for each in value)
        case _:
            return 8


def _failures(error: BulkWriteError) -> Sequence[Mapping[str, Any]]:
    """Return the failed writes of a bulk write; raises StoreAway if an outcome is unknown."""
    details: Mapping[str, Any] = error.details
    if details.get("writeConcernErrors"):
        raise StoreAway(str(details["writeConcernErrors"])) from error
    failures: Sequence[Mapping[str, Any]] = details["writeErrors"]
    for failure in failures:
        if failure["code"] in _TRANSIENT:
            raise StoreAway(failure["errmsg"]) from error
    return failures
