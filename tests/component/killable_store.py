"""A real store whose process ends at a write that a test names, as a kill would end it."""

from collections.abc import Sequence
from typing import Any

from chassis.eventstore.mongo import Store

_MANY = frozenset({"insert_many", "bulk_write"})
_ONE = frozenset(
    {"insert_one", "update_one", "update_many", "replace_one", "delete_one", "delete_many"}
)


class Killed(BaseException):
    """The process is no more: nothing that handles errors sees this."""


class Life:
    """So many writes, and then the end; None is a life without an end."""

    def __init__(self, writes: int | None) -> None:
        self._left = writes
        self.ended = False

    def spend(self, wanted: int) -> int:
        """Return how many of these writes take place; after fewer than wanted comes `end`."""
        if self._left is None:
            return wanted
        done = min(wanted, self._left)
        self._left -= done
        return done

    def end(self) -> Killed:
        """Return what is to be raised."""
        self.ended = True
        return Killed()


class _Collection:
    """A collection of which each document written counts, those of one request, too."""

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
    """A store that ends with its process's life."""

    def __init__(self, url: str, database: str, life: Life) -> None:
        super().__init__(url, database)
        for name in ("commits", "views", "leases", "parked", "clock", "left"):
            setattr(self, name, _Collection(getattr(self, name), life))
        self.database = _Database(self.database, life)  # type: ignore[assignment]  # as it is used
