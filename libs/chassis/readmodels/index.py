"""Keep the rows of lists in the memory of a process, and answer queries of them beside its loop.

The rows are in a SQLite database that one thread reads and writes. A read has a deadline, after
which it is interrupted. Long batches are written in slices, between which other calls are answered.
"""

import asyncio
import itertools
import sqlite3
import threading
from array import array
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar

from chassis.domain.list_kinds import Limits, ListKind, R
from chassis.readmodels.query import Query
from chassis.readmodels.selections import Answer, Place, Selection
from chassis.readmodels.tables import Change, Table, Upsert

T = TypeVar("T")

DEADLINE: Final = 2.0
"""Seconds after which a read is interrupted, the time it waited included."""
MOST_IN_SCOPE: Final = 5_000
"""Rows of one scope of a list that is not held in the process."""
SLICE: Final = 100
"""Changes that are written at once: together a few milliseconds."""
EXPORTED: Final = 500
"""Rows that an export reads at once."""
_AGAIN = 0.05


class TooSlow(Exception):
    """A read took longer than its deadline."""


class TooManyRows(ValueError):
    """A scope has more rows than a list is asked within."""


class ListIndex:
    """The rows of the kinds of list that this process holds, and of scopes of others.

    It begins empty, and uses a thread until it is closed.
    """

    def __init__(self, kinds: Iterable[ListKind[Any]], *, deadline: float = DEADLINE) -> None:
        self._tables: dict[str, Table[Any]] = {kind.name: Table(kind, kind.name) for kind in kinds}
        self._deadline = deadline
        self._thread = ThreadPoolExecutor(1, "lists")
        self._scopes = itertools.count(1)
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA secure_delete = OFF")
        self._database.execute("PRAGMA temp_store = MEMORY")
        for table in self._tables.values():
            table.create(self._database)

    async def close(self) -> None:
        """Stop the thread and free the memory."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._database.close)
        self._thread.shutdown()

    def table(self, kind: ListKind[R]) -> Table[R]:
        """Return the table of a kind that is held."""
        return self._tables[kind.name]

    async def write(self, table: Table[R], changes: Sequence[Change[R]]) -> None:
        """Write changes, except those that are older than what is known of their rows.

        Up to `SLICE` changes appear at once. Raises ValueError or AttributeError for a row with a
        value that is not of its column: the changes before its slice are written.
        """
        loop = asyncio.get_running_loop()
        for start in range(0, len(changes), SLICE):
            part = changes[start : start + SLICE]
            await loop.run_in_executor(self._thread, self._write, table, part)

    async def ask(
        self,
        table: Table[R],
        query: Query,
        *,
        limits: Limits | None = None,
        after: Place | None = None,
    ) -> Answer[R]:
        """Return the page after a place, with total and sums, all of one moment.

        Only rows within the limits of the reader are counted, summed and found; None is no limit.
        Raises TooSlow, and InvalidQuery for sums by too many values.
        """
        selection = Selection(table, query, limits, self._tables)
        return await self._read(lambda database: selection.answer(database, after))

    async def rows(
        self, table: Table[R], query: Query, *, limits: Limits | None = None
    ) -> AsyncIterator[list[R]]:
        """Yield the rows of all pages in parts, in the order of the moment of the call.

        A row that was removed or does not match any more is left out, and a new one is not added.
        Raises TooSlow.
        """
        selection = Selection(table, query, limits, self._tables)
        ids = await self._read(selection.ids)
        for start in range(0, len(ids), EXPORTED):
            yield await self._read(_part(selection, ids[start : start + EXPORTED]))

    @asynccontextmanager
    async def scope(self, kind: ListKind[R], rows: Sequence[R]) -> AsyncIterator[Table[R]]:
        """Keep the rows of one scope of a kind that is not held, while they are asked.

        Raises TooManyRows.
        """
        if len(rows) > MOST_IN_SCOPE:
            raise TooManyRows(f"{kind.name}: more than {MOST_IN_SCOPE:,} rows")
        loop = asyncio.get_running_loop()
        table = Table(kind, f"{kind.name} {next(self._scopes)}")
        await loop.run_in_executor(self._thread, table.create, self._database)
        try:
            await self.write(table, [Upsert(row, 0) for row in rows])
            yield table
        finally:
            await loop.run_in_executor(self._thread, table.drop, self._database)

    # ---- the thread ---------------------------------------------------------------------------

    def _write(self, table: Table[R], changes: Sequence[Change[R]]) -> None:
        self._database.execute("BEGIN")
        try:
            table.write(self._database, changes)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        job = _Read(self._database, read)
        loop = asyncio.get_running_loop()
        until = loop.call_later(self._deadline, job.interrupt)
        try:
            return await loop.run_in_executor(self._thread, job.run)
        except asyncio.CancelledError:
            job.interrupt()
            raise
        finally:
            until.cancel()


def _part(selection: Selection[R], ids: "array[int]") -> Callable[[sqlite3.Connection], list[R]]:
    return lambda database: selection.rows(database, ids)


class _Read(Generic[T]):
    """One read in the thread of the database."""

    def __init__(
        self, database: sqlite3.Connection, read: Callable[[sqlite3.Connection], T]
    ) -> None:
        self._database = database
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._is_running = self._is_interrupted = False

    def run(self) -> T:
        """Return what is read; raises TooSlow where it was interrupted before or meanwhile."""
        with self._lock:
            if self._is_interrupted:
                raise TooSlow("the list was not answered within its deadline")
            self._is_running = True
        try:
            return self._read(self._database)
        except sqlite3.OperationalError:
            if self._is_interrupted:
                raise TooSlow("the list was not answered within its deadline") from None
            raise
        finally:
            with self._lock:
                self._is_running = False

    def interrupt(self) -> None:
        """Interrupt the read until it ends: between two statements, an interrupt has no effect."""
        with self._lock:
            self._is_interrupted = True
            if self._is_running:
                self._database.interrupt()
                self._loop.call_later(_AGAIN, self.interrupt)
