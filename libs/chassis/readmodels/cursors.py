"""Seal the place of the last row of a page as a cursor, and open cursors that were sealed here.

A cursor contains the values by which its row is sorted and the row's key. It is sealed for one
list, filter, order and reader with a key that the replicas of a service share.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any, Final, Literal

from chassis.domain.list_kinds import ListKind
from chassis.readmodels.encodings import Cell
from chassis.readmodels.query import InvalidQuery, Query, QueryError
from chassis.readmodels.selections import Place

_SEAL: Final = 16
_MOST: Final = 16_000
_BYTES: Final = "bytes"
_WRONG: Final = {
    "list": "is of another list",
    "reader": "is of another person",
    "query": "is of the same list with other filters, another search or another sort",
}


class Cursors:
    """Cursors of lists, sealed with a secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, place: Place, kind: ListKind[Any], query: Query, reader: str) -> str:
        """Return the cursor after a place, for the same query of the same reader."""
        made_for = _made_for(kind, query, reader)
        text = json.dumps([*made_for.values(), *map(_written, place)], ensure_ascii=False)
        return base64.urlsafe_b64encode(self._signed(text.encode())).decode().rstrip("=")

    def open(self, kind: ListKind[Any], query: Query, reader: str) -> Place | None:
        """Return the place in the cursor of a query; None without a cursor.

        Raises InvalidQuery for a cursor of another list, query or reader, and for one that was not
        sealed with this key.
        """
        if query.cursor is None:
            return None
        read = self._opened(query.cursor)
        if read is None:
            raise _refused("is not one that this service returned")
        for (name, own), given in zip(_made_for(kind, query, reader).items(), read, strict=False):
            if own != given:
                raise _refused(_WRONG[name])
        return tuple(map(_read, read[len(_WRONG) :]))

    def _signed(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")[:_SEAL] + text

    def _opened(self, cursor: str) -> list[Any] | None:
        if len(cursor) > _MOST or not cursor.isascii():
            return None
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        except binascii.Error:
            return None
        if not hmac.compare_digest(self._signed(sealed[_SEAL:]), sealed):
            return None
        read: list[Any] = json.loads(sealed[_SEAL:])
        return read


def _made_for(
    kind: ListKind[Any], query: Query, reader: str
) -> dict[Literal["list", "reader", "query"], str]:
    """Return what a cursor is sealed for, in any order of its filters."""
    columns = {name: (each.type, each.words) for name, each in kind.columns.items()}
    filters = sorted(repr(each) for each in query.filters)
    asked = [filters, query.search, [*query.sort], repr(columns)]
    return {"list": kind.name, "reader": _digest(reader), "query": _digest(json.dumps(asked))}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _refused(problem: str) -> InvalidQuery:
    return InvalidQuery([QueryError("cursor", problem)])


def _written(cell: Cell) -> object:
    return [_BYTES, cell.hex()] if isinstance(cell, bytes) else cell


def _read(written: Any) -> Cell:
    cell: Cell = bytes.fromhex(written[1]) if isinstance(written, list) else written
    return cell
