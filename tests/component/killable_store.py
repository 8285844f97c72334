"""Provide a real store that stops at a chosen write, as if its process were killed there."""

from collections.abc import Sequence
from typing import Any

from chassis.eventstore.mongo import Store

_MANY = frozenset({"insert_many", "bulk_write"})
_ONE = frozenset(
    {"insert_one", "update_one", "update_many", "replace_one", "delete_one", "delete_many"}
)


class Killed(BaseException):
    """The simulated process was killed; no error handler catches this."""


class Life:
    """Number of writes until the simulated process is killed; None means never."""

    def __init__(self, writes: int | None) -> None:
        self._left = writes
        self.ended = False

    def spend(self, wanted: int) -> int:
        """Return how many of the wanted writes may be done; if fewer, the caller raises `end`."""
        if self._left is None:
            return wanted
        done = min(wanted, self._left)
        self._left -= done
        return done

    def end(self) -> Killed:
        """Mark the process as killed, and return the exception to raise."""
        self.ended = True
        return Killed()


class _Collection:
    """A collection that counts each written document, also those of one request."""

    def __init__(self, collection: Any, life: Life) -> None:
        self._collection = collection
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name in _MANY:

            async def write_many(items: Sequence[Any], **options: Any) -> Any:
                done = self._life.spend(len(items))
                result = await method(list(items)[:done], **options) if done else None
                if done < len(items):
                    raise self._life.end()
                return result

            return write_many
        if name in _ONE:

            async def write_one(*given: Any, **options: Any) -> Any:
                if not self._life.spend(1):
                    raise self._life.end()
                return await method(*given, **options)

            return write_one
        return method


class _Database:
    def __init__(self, database: Any, life: Life) -> None:
        self._database = database
        self._life = life

    def __getitem__(self, name: str) -> _Collection:
        return _Collection(self._database[name], self._life)


class MortalStore(Store):
    """A store that raises Killed at the write where the simulated process ends."""

    def __init__(self, url: str, database: str, life: Life) -> None:
        super().__init__(url, database)
        for name in ("commits", "views", "leases", "parked", "clock", "left"):
            setattr(self, name, _Collection(getattr(self, name), life))
        self.database = _Database(self.database, life)  # type: ignore[assignment]  # only its items are used
