"""The document store: the one module that knows its driver.

What is asked of it works alike on MongoDB and on the local store: writes with a condition, reads by
`_id` or by an equality prefix of an index with a range bounded on both sides.
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

from chassis.base.failures import SaysNoValues

T = TypeVar("T")
Document: TypeAlias = dict[str, Any]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Token: TypeAlias = Mapping[str, Any]
"""A place in the store's log of changes; its inside is the store's own affair."""

_DUPLICATE = 11000
# The local store flushes its log for each: many more, on a busy disk, and the answer is too late.
_REPLACED_TOGETHER = 50

INSERTED_BYTES = 1_000_000
"""What goes to the store in one insert at most, unless a single document is larger. The local
store, with its small cache, never comes back from an insert of some four million."""

LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Bytes that a document written by `put_new` and `replace_older` may have. MongoDB takes 16 MiB;
the local store takes 0.2 s for one of 8 MiB and never answers for one of 12 MiB."""

# Unreadable token, and what it points to no longer kept.
_HISTORY_LOST = frozenset({9, 136, 260, 280, 286})
# Not primary, stepping down, shutting down, interrupted, unreachable, too slow, not yet replicated.
_TRANSIENT = frozenset(
    {6, 7, 24, 46, 50, 64, 89, 91, 112, 133, 134, 189, 202, 237, 262, 317, 358, 9001, 10107}
    | {11600, 11601, 11602, 13388, 13435, 13436}
)


class StoreAway(SaysNoValues):
    """The store cannot be reached, or cannot answer now: wait, and ask again.

    After a write it is open whether the write took place.
    """


class Duplicate(Exception):
    """The store has a document with this unique key already; `key` names the key's fields."""

    def __init__(self, key: Sequence[str]) -> None:
        super().__init__(f"a document with this {', '.join(key)} exists")
        self.key = tuple(key)


class DocumentTooLarge(SaysNoValues):
    """A document has more than LARGEST_DOCUMENT bytes, and was not sent to the store."""


class HistoryLost(Exception):
    """The store no longer remembers the changes since a token, or cannot read the token."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Documents that were inserted, in order, and the token after the last of them.

    Without documents: nothing new for a while, and how far that is certain.
    """

    documents: Sequence[Document]
    token: Token


class Store:
    """One department's database: journal, views, parked records, reference data and the rest."""

    def __init__(self, url: str, database: str) -> None:
        """Describe the connection; nothing is reached before it is used.

        Retryable writes are off: a write whose outcome is open is settled by whoever wrote it.
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
        self.commits: Collection = self.database["commits"]
        self.views: Collection = self.database["views"]
        self.leases: Collection = self.database["leases"]
        self.parked: Collection = self.database["parked"]
        self.clock: Collection = self.database["clock"]
        self.left: Collection = self.database["left"]
        self.reference: Collection = self.database["reference"]
        self.reference_progress: Collection = self.database["reference-progress"]
        self.as_of: Collection = self.database["as-of"]

    async def prepare(self, *followers: str) -> None:
        """Make the indexes, and mark where each follower begins; raises StoreAway.

        To be called before the first append: a follower that has no mark yet starts at this
        moment, or, where there are commits from before it, from the beginning (a mark of None).
        """
        with reaching():
            await self.commits.create_index(
                [("stream", ASCENDING), ("number", ASCENDING)], unique=True
            )
            await self.views.create_index([("due_at", ASCENDING)], sparse=True)
            for follower in followers:
                if await self.leases.find_one({"_id": follower}, {"_id": 1}) is None:
                    token: Token | None = await self.now_token()
                    if await self.commits.find_one({}, {"_id": 1}) is not None:
                        token = None
                    lease = {"_id": follower, "holder": None, "beat": 0, "token": token}
                    with suppress(DuplicateKeyError):  # another process marked it first
                        await self.leases.insert_one(lease)

    async def ping(self) -> None:
        """Ask for a sign of life; raises StoreAway."""
        with reaching():
            await self._client.admin.command("ping")

    async def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def now_token(self) -> Token:
        """The token of this moment: what is committed from now on comes after it."""
        with reaching():
            async with self.commits.watch(_INSERTS, max_await_time_ms=100) as stream:
                if stream.resume_token is None:
                    await stream.try_next()
                if stream.resume_token is None:
                    raise StoreAway("the store gives no token to resume from")
                token: Token = stream.resume_token
                return token

    async def inserts(self, token: Token, *fields: str) -> AsyncIterator[Changes]:
        """Commits in the order they were made, from after the token on, and on without an end.

        They come as the store hands them over, many at a time where many were made. With `fields`,
        documents have these alone. Raises StoreAway and HistoryLost.
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
                        found = await loop.run_in_executor(_waiting, _handed_over, stream.delegate)
                    if stream.resume_token is not None:
                        yield Changes(found, stream.resume_token)
        except OperationFailure as error:
            if error.code in _HISTORY_LOST:
                raise HistoryLost(str(error)) from error
            raise
        raise StoreAway("the stream of changes ended")


_INSERTS: list[Mapping[str, Any]] = [{"$match": {"operationType": "insert"}}]
_waiting = ThreadPoolExecutor(32, "waits-for-changes")
"""Threads apart from the driver's, which are few: these sit and wait most of the time."""


def _handed_over(stream: ChangeStream[Document]) -> list[Document]:
    """What one answer of the store holds; the driver's own loop takes a thread for each of them."""
    found: list[Document] = []
    change = stream.try_next()
    while change is not None:
        found.append(change["fullDocument"])
        more = stream._cursor._has_next()  # noqa: SLF001 - else the last would wait for the next
        change = stream.try_next() if more else None
    return found


@contextmanager
def reaching() -> Iterator[None]:
    """Turn the driver's errors into this module's; bugs stay what they are.

    Whoever awaits the driver does it in here: before Python 3.12 it may swallow a cancellation
    that comes as an answer does (its `asyncio.wait_for` would), which is then made good.
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
    """What an error of the driver means here; the error itself where it is a bug."""
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
    """Insert documents in one round trip; each has its own outcome: None, Duplicate, or a bug.

    Raises StoreAway where any outcome is open.
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
    """Write documents unless one with a higher `number` stands under their `_id`.

    Raises StoreAway, DocumentTooLarge; writing them again is harmless.
    """
    for page in _pages(documents, _REPLACED_TOGETHER):
        requests = [
            ReplaceOne({"_id": each["_id"], "number": {"$lte": each["number"]}}, each, upsert=True)
            for each in page
        ]
        with reaching():
            try:
                await collection.bulk_write(requests, ordered=False)
            except BulkWriteError as error:
                # A duplicate says that a newer one stands there.
                if any(failure["code"] != _DUPLICATE for failure in _failures(error)):
                    raise


async def put_new(collection: Collection, documents: Sequence[Document]) -> None:
    """Write documents of which most are new: an eighth of what `replace_older` costs, to this end.

    Raises StoreAway, DocumentTooLarge; writing them again is harmless.
    """
    there: list[Document] = []
    for page in _pages(documents):
        outcomes = await insert_each(collection, page)
        for document, outcome in zip(page, outcomes, strict=True):
            if isinstance(outcome, Duplicate):
                there.append(document)
            elif outcome is not None:
                raise outcome
    await replace_older(collection, there)


async def put_absent(collection: Collection, documents: Sequence[Document]) -> list[Document]:
    """Write documents that are not there yet; return those that were. Raises StoreAway."""
    there: list[Document] = []
    for page in _pages(documents):
        for document, outcome in zip(page, await insert_each(collection, page), strict=True):
            if isinstance(outcome, Duplicate):
                there.append(document)
            elif outcome is not None:
                raise outcome
    return there


async def each_written(
    write: Callable[[Sequence[T]], Awaitable[object]], items: Sequence[T]
) -> list[tuple[T, Exception]]:
    """Write items together, and where that fails by halves; return those that failed, and why.

    `write` must be harmless when it is repeated. Raises StoreAway, which is no item's fault.
    """
    if not items:
        return []
    try:
        await write(items)
    except StoreAway:
        raise
    except Exception as error:  # noqa: BLE001 - it is reported with the item that it concerns
        if len(items) == 1:
            return [(items[0], error)]
        half = len(items) // 2
        return [
            *await each_written(write, items[:half]),
            *await each_written(write, items[half:]),
        ]
    return []


def _pages(documents: Sequence[Document], most: int | None = None) -> Iterator[list[Document]]:
    """Yield documents in pages of INSERTED_BYTES, or of one that is larger, and `most` documents.

    Raises DocumentTooLarge.
    """
    page: list[Document] = []
    room = INSERTED_BYTES
    for document in documents:
        size = size_of(document)
        if size > LARGEST_DOCUMENT:
            raise DocumentTooLarge(
                f"{document['_id']} has {size:,} bytes, and a document has"
                f" {LARGEST_DOCUMENT:,} at most"
            )
        if page and (size > room or len(page) == most):
            yield page
            page, room = [], INSERTED_BYTES
        page.append(document)
        room -= size
    if page:
        yield page


def size_of(value: object) -> int:
    """Return about how many bytes a value takes in the store."""
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
    """What failed of many writes; raises StoreAway where the outcome of any is open."""
    details: Mapping[str, Any] = error.details
    if details.get("writeConcernErrors"):
        raise StoreAway(str(details["writeConcernErrors"])) from error
    failures: Sequence[Mapping[str, Any]] = details["writeErrors"]
    for failure in failures:
        if failure["code"] in _TRANSIENT:
            raise StoreAway(failure["errmsg"]) from error
    return failures
