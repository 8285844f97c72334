"""An index in memory of one row per engagement, sorted by each field that lists can be sorted by.

A page begins at its cursor, so reading it costs only its own rows. A filter reads the rows that do
not match as well, at a fraction of a microsecond each.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import Generic, TypeVar

from sortedcontainers import SortedKeyList

from gateway.portfolio.summary import Summary, weight, worst_first
from gateway.rules import Disconnect
from gateway.view.sections.gateway import Waiver

T = TypeVar("T")


class InvalidCursor(ValueError):
    """A cursor that this list did not return."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list, and the cursor of the next page; None at the end."""

    items: list[T]
    next: str | None


@dataclass(slots=True)
class EngagementRow:
    """The row of an engagement, with its disconnects and their waivers by id."""

    partition: int
    number: int
    summary: Summary
    disconnects: list[Disconnect]
    waived: dict[str, Waiver]
    computed_rag: str | None = None
    """The worst computed status, also by confidential figures."""

    @property
    def engagement(self) -> str:
        """The id of the engagement."""
        return self.summary.engagement

    def seen(self, *, confidential: bool) -> Summary:
        """Return the summary for a reader; with what is confidential only if they may see it."""
        known = [each for each in self.disconnects if each.finding not in self.waived]
        extra = weight(each for each in known if each.confidential)
        if not confidential or (not extra and self.computed_rag == self.summary.computed_rag):
            return self.summary
        update = {
            "attention": self.summary.attention + extra,
            "computed_rag": self.computed_rag,
            "disconnects": len(known),
            "sentence": worst_first(known)[0].sentence if known else None,
        }
        return self.summary.model_copy(update=update)

    def sort_keys(self) -> dict[str, str]:
        """Return the sort key of the row in each order."""
        keys = {name: key(self.summary) for name, key in SORTS.items()}
        return keys | {_CONFIDENTIAL: SORTS["attention"](self.seen(confidential=True))}


@dataclass(frozen=True, slots=True)
class ListedDisconnect:
    """An unresolved disconnect in a list, with its engagement and its waiver if there is one."""

    engagement: str
    title: str | None
    account: str | None
    disconnect: Disconnect
    waived: Waiver | None


SORTS: Mapping[str, Callable[[Summary], str]] = {
    "attention": lambda row: f"{row.attention:08d}",
    "updated": lambda row: row.updated.astimezone(UTC).isoformat(timespec="microseconds"),
    "price": lambda row: f"{row.currency or '':3}{_number(row.price)}",
    "finish": lambda row: (row.finish or date.max).isoformat(),
    "title": lambda row: (row.title or "").casefold(),
    "engagement": lambda row: row.engagement,
}
"""Fields by which a list of engagements can be sorted; a minus before one reverses the order.

Prices are compared within their currency: rows are sorted by currency first.
"""

_CONFIDENTIAL = "confidential-attention"
"""The order by attention for readers who may see confidential disconnects."""

_Place = tuple[str, str]
"""A sort key and the id of what is sorted."""


class ListIndex:
    """The rows of all engagements and their unresolved disconnects, always sorted."""

    def __init__(self) -> None:
        self._rows: dict[str, EngagementRow] = {}
        self._keys: dict[str, Mapping[str, str]] = {}
        self._sorted: dict[str, SortedKeyList[_Place, _Place]] = {
            name: SortedKeyList(key=_itself) for name in (*SORTS, _CONFIDENTIAL)
        }
        self._disconnects: SortedKeyList[_Place, _Place] = SortedKeyList(key=_itself)
        self._listed: dict[_Place, ListedDisconnect] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[EngagementRow]:
        return iter(list(self._rows.values()))

    def clear(self) -> None:
        """Remove all rows."""
        self.__init__()  # type: ignore[misc]  # starts empty

    def forget(self, partitions: Collection[int]) -> None:
        """Remove the rows of these partitions."""
        kept = [row for row in self if row.partition not in partitions]
        self.clear()
        for row in kept:
            self.put(row)

    def put(self, row: EngagementRow) -> None:
        """Add a row, unless a row of its engagement has a higher number."""
        old = self._rows.get(row.engagement)
        if old is None or old.number <= row.number:
            self.put_back(row.engagement, row)

    def mirror(self, row: EngagementRow) -> None:
        """Add a row that another worker wrote; after a rebuild its number may be lower."""
        old = self._rows.get(row.engagement)
        if old is None or old.number != row.number:
            self.put_back(row.engagement, row)

    def put_back(self, engagement: str, row: EngagementRow | None) -> None:
        """Replace the row of an engagement by any other, or remove it where None is given."""
        old = self._rows.pop(engagement, None)
        old_keys = self._keys.pop(engagement, {})
        keys: Mapping[str, str] = {} if row is None else row.sort_keys()
        for name, order in self._sorted.items():
            before, after = old_keys.get(name), keys.get(name)
            if before == after:
                continue
            if before is not None:
                order.remove((before, engagement))
            if after is not None:
                order.add((after, engagement))
        if old is not None and (old.disconnects or old.waived):
            for disconnect in old.disconnects:
                place = _place_of(old, disconnect)
                self._disconnects.remove(place)
                del self._listed[place]
        if row is None:
            return
        self._rows[engagement], self._keys[engagement] = row, keys
        for disconnect in row.disconnects:
            place = _place_of(row, disconnect)
            self._disconnects.add(place)
            self._listed[place] = ListedDisconnect(
                engagement,
                row.summary.title,
                row.summary.account,
                disconnect,
                row.waived.get(disconnect.finding),
            )

    def engagements(
        self,
        filters: Mapping[str, str | bool],
        sort: str,
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Summary]:
        """Return a page of the engagements whose fields equal the filters.

        Raises InvalidCursor, and KeyError for a sort that does not exist.
        """
        name = sort.removeprefix("-")
        if name == "attention" and confidential:
            name = _CONFIDENTIAL
        places = _walk(self._sorted[name], _read_cursor(sort, cursor), down=sort.startswith("-"))
        items: list[Summary] = []
        last: _Place | None = None
        for place in places:
            row = self._rows[place[1]]
            if all(getattr(row.summary, field) == value for field, value in filters.items()):
                if len(items) == limit:
                    return Page(items, _write_cursor(sort, last))
                items.append(row.seen(confidential=confidential))
                last = place
        return Page(items, None)

    def disconnects(
        self,
        wanted: Callable[[ListedDisconnect], bool],
        cursor: str | None,
        limit: int,
    ) -> Page[ListedDisconnect]:
        """Return a page of disconnects, the serious and oldest first; raises InvalidCursor."""
        items: list[ListedDisconnect] = []
        last: _Place | None = None
        for place in _walk(self._disconnects, _read_cursor("disconnects", cursor), down=False):
            listed = self._listed[place]
            if wanted(listed):
                if len(items) == limit:
                    return Page(items, _write_cursor("disconnects", last))
                items.append(listed)
                last = place
        return Page(items, None)


def _itself(place: _Place) -> _Place:
    return place


def _place_of(row: EngagementRow, disconnect: Disconnect) -> _Place:
    since = disconnect.since.astimezone(UTC).isoformat(timespec="microseconds")
    severity = "0" if disconnect.severity == "serious" else "1"
    return f"{severity}/{since}", f"{row.engagement}/{disconnect.finding}"


def _walk(
    places: "SortedKeyList[_Place, _Place]", after: _Place | None, *, down: bool
) -> Iterator[_Place]:
    if down:
        return iter(places.irange(maximum=after, inclusive=(True, False), reverse=True))
    return iter(places.irange(minimum=after, inclusive=(False, True)))


_OFFSET = 5 * Decimal(10) ** 30
"""Far larger than any price: the sum with any price has the same number of integer digits."""


def _number(amount: Decimal | None) -> str:
    """Return a text that sorts as the number does, with any sign and any number of decimals."""
    whole, _, decimals = f"{_OFFSET + (amount or 0):f}".partition(".")
    return f"{whole}.{decimals.rstrip('0')}"


def _write_cursor(sort: str, place: _Place | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, place]).encode()).decode()


def _read_cursor(sort: str, cursor: str | None) -> _Place | None:
    if cursor is None:
        return None
    try:
        made_for, (key, identity) = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise InvalidCursor("the cursor is not one that this list returned") from None
    if made_for != sort or not isinstance(key, str) or not isinstance(identity, str):
        raise InvalidCursor("the cursor belongs to a list with another sort")
    return key, identity
