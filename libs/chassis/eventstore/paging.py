"""Pages of a listing: sortable keys, opaque cursors and bounded index ranges.

A key is a text of a field's value and the stream's id that sorts as the values do, so the rest of a
listing is one range of one index. The local store reads a range completely even with a limit, so a
process remembers the keys at which pages ended (fences), and queries from one to the next.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import dataclass

from chassis.eventstore.mongo import Collection, Document

_TOP = "\uffff"
_LONGEST_TEXT = 120
_MOST_FENCES = 2_000
_MIDDLE = 10**18


class InvalidCursor(ValueError):
    """The cursor is not of this listing and order, or is damaged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a listing: the subject and the listed fields."""

    subject: str
    fields: Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, and the cursor of the next page, or None if this is the last."""

    rows: tuple[Row, ...]
    cursor: str | None


def key_of(value: str | int | bool | None, stream: str, *before: str | int | bool | None) -> str:
    """Return the key of a stream for a field's value, after the values that are compared `before`.

    None sorts first, then false, true, integers and texts. Texts sort without regard to case, by
    their first 120 characters.
    """
    return "\x01".join([*map(_sortable, before), _sortable(value), stream])


def _sortable(value: str | int | bool | None) -> str:
    match value:
        case None:
            return "0"
        case bool():
            return f"1{value:d}"
        case int():
            return f"2{value + _MIDDLE:019d}"
        case str():
            return f"3{value.casefold()[:_LONGEST_TEXT]}"


def cursor_of(key: str, kind: str, sort: str, *, descending: bool) -> str:
    """Return an opaque cursor to the rows after a key."""
    text = json.dumps([kind, sort, descending, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str, kind: str, sort: str, *, descending: bool) -> str:
    """Return the key in a cursor; raises InvalidCursor."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        read = json.loads(text)
        json.dumps(read, ensure_ascii=False).encode()  # raises for a lone surrogate
    except (ValueError, binascii.Error, RecursionError):
        read = None
    match read:
        case [str(of), str(by), bool(down), str(key)] if (of, by, down) == (kind, sort, descending):
            return key
        case _:
            pass
    raise InvalidCursor("the cursor is not of this listing and order")


class Fences:
    """Keys of one listing at which pages ended; they bound ranges and need not exist any more."""

    def __init__(self) -> None:
        self._keys: list[str] = []

    async def walk(
        self,
        collection: Collection,
        asked: Document,
        field: str,
        start: str | None,
        limit: int,
        *,
        descending: bool,
    ) -> list[Document]:
        """Return up to `limit` documents after the key `start`, in order of the field.

        The state, the largest part of a document, is left out. Raises the driver's errors.
        """
        found: list[Document] = []
        at = start if start is not None else (_TOP if descending else "")
        while True:
            fence = self._before(at) if descending else self._after(at)
            between = {"$lt": at, "$gte": fence} if descending else {"$gt": at, "$lte": fence}
            wanted = limit - len(found)
            page = await collection.find(
                {**asked, field: between},
                projection={"state": 0},
                sort=[(field, -1 if descending else 1)],
                limit=wanted,
            ).to_list(None)
            found.extend(page)
            if len(found) >= limit:
                self._learn(_value(found[-1], field))
                return found
            if fence in {"", _TOP}:
                return found
            at = fence

    def _after(self, key: str) -> str:
        place = bisect_right(self._keys, key)
        return self._keys[place] if place < len(self._keys) else _TOP

    def _before(self, key: str) -> str:
        place = bisect_left(self._keys, key)
        return self._keys[place - 1] if place else ""

    def _learn(self, key: str) -> None:
        place = bisect_left(self._keys, key)
        if place < len(self._keys) and self._keys[place] == key:
            return
        if len(self._keys) >= _MOST_FENCES:
            del self._keys[::2]
        insort(self._keys, key)


def _value(document: Document, path: str) -> str:
    keys, field = path.split(".")
    return str(document[keys][field])
