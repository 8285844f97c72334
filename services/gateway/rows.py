"""Every engagement in a line, sorted in each way that lists are asked for, all in memory.

Reading a page costs the page: a list begins where its cursor points. A filter that few engagements
pass looks at more of them, a fraction of a microsecond each.
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

from gateway.disconnects import Finding
from gateway.sections.gateway import Waiver
from gateway.summary import Summary, weight

T = TypeVar("T")


class BadCursor(ValueError):
    """A cursor that this list did not give."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and the cursor of the next part; None at the end."""

    items: list[T]
    next: str | None


@dataclass(slots=True)
class Row:
    """An engagement in a line, with its findings and who accepted which of them."""

    partition: int
    number: int
    summary: Summary
    findings: list[Finding]
    waived: dict[str, Waiver]

    @property
    def engagement(self) -> str:
        """Its id."""
        return self.summary.engagement

    def seen(self, *, confidential: bool) -> Summary:
        """The line for a reader: what is confidential asks for attention only where it is shown."""
        secret = weight(
            each for each in self.findings if each.confidential and each.finding not in self.waived
        )
        if not confidential or not secret:
            return self.summary
        return self.summary.model_copy(update={"attention": self.summary.attention + secret})

    def places(self) -> dict[str, str]:
        """Where it stands, by the order of a list."""
        places = {name: key(self.summary) for name, key in SORTS.items()}
        return places | {_CONFIDENTIAL: SORTS["attention"](self.seen(confidential=True))}


@dataclass(frozen=True, slots=True)
class Standing:
    """A disconnect that stands, open or waived."""

    engagement: str
    title: str | None
    account: str | None
    finding: Finding
    waived: Waiver | None


SORTS: Mapping[str, Callable[[Summary], str]] = {
    "attention": lambda row: f"{row.attention:08d}",
    "updated": lambda row: row.updated.astimezone(UTC).isoformat(timespec="microseconds"),
    "price": lambda row: _number(row.price),
    "finish": lambda row: (row.finish or date.max).isoformat(),
    "title": lambda row: (row.title or "").casefold(),
    "engagement": lambda row: row.engagement,
}
"""Fields by which a list of engagements can be sorted; a minus before one turns it round."""

_CONFIDENTIAL = "confidential-attention"
"""The order by attention for those to whom confidential disconnects are shown."""

_Place = tuple[str, str]


class Rows:
    """The rows of all engagements, and the disconnects that stand in them, always in order."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._placed: dict[str, Mapping[str, str]] = {}
        self._sorted: dict[str, SortedKeyList[_Place, _Place]] = {
            name: SortedKeyList(key=_itself) for name in (*SORTS, _CONFIDENTIAL)
        }
        self._disconnects: SortedKeyList[_Place, _Place] = SortedKeyList(key=_itself)
        self._standing: dict[_Place, Standing] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def clear(self) -> None:
        """Forget all of them."""
        self.__init__()  # type: ignore[misc]  # begins anew

    def forget(self, partitions: Collection[int]) -> None:
        """Forget the rows of these partitions."""
        kept = [row for row in self if row.partition not in partitions]
        self.clear()
        for row in kept:
            self.put(row)

    def put(self, row: Row) -> None:
        """Put a row in, in the place of an older one of its engagement."""
        old = self._rows.get(row.engagement)
        if old is None or old.number <= row.number:
            self.put_back(row.engagement, row)

    def mirror(self, row: Row) -> None:
        """Put a row in as another worker wrote it, also where that began anew and is behind."""
        old = self._rows.get(row.engagement)
        if old is None or old.number != row.number:
            self.put_back(row.engagement, row)

    def put_back(self, engagement: str, row: Row | None) -> None:
        """Put a row in, or none, in the place of any that is there of the engagement."""
        old = self._rows.pop(engagement, None)
        stood = self._placed.pop(engagement, {})
        places: Mapping[str, str] = {} if row is None else row.places()
        for name, order in self._sorted.items():
            before, place = stood.get(name), places.get(name)
            if before == place:
                continue
            if before is not None:
                order.remove((before, engagement))
            if place is not None:
                order.add((place, engagement))
        if old is not None and (old.findings or old.waived):
            for finding in old.findings:
                found_at = _place_of(old, finding)
                self._disconnects.remove(found_at)
                del self._standing[found_at]
        if row is None:
            return
        self._rows[engagement], self._placed[engagement] = row, places
        for finding in row.findings:
            found_at = _place_of(row, finding)
            self._disconnects.add(found_at)
            self._standing[found_at] = Standing(
                engagement,
                row.summary.title,
                row.summary.account,
                finding,
                row.waived.get(finding.finding),
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
        """A page of engagements whose fields are as the filters say.

        Raises BadCursor, and KeyError for a sort that there is not.
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
        wanted: Callable[[Standing], bool],
        cursor: str | None,
        limit: int,
    ) -> Page[Standing]:
        """A page of disconnects, the serious and oldest first; raises BadCursor."""
        items: list[Standing] = []
        last: _Place | None = None
        for place in _walk(self._disconnects, _read_cursor("disconnects", cursor), down=False):
            standing = self._standing[place]
            if wanted(standing):
                if len(items) == limit:
                    return Page(items, _write_cursor("disconnects", last))
                items.append(standing)
                last = place
        return Page(items, None)


def _itself(place: _Place) -> _Place:
    return place


def _place_of(row: Row, finding: Finding) -> _Place:
    since = finding.since.astimezone(UTC).isoformat(timespec="microseconds")
    gravity = "0" if finding.severity == "serious" else "1"
    return f"{gravity}/{since}", f"{row.engagement}/{finding.finding}"


def _walk(
    places: "SortedKeyList[_Place, _Place]", after: _Place | None, *, down: bool
) -> Iterator[_Place]:
    if down:
        return iter(places.irange(maximum=after, inclusive=(True, False), reverse=True))
    return iter(places.irange(minimum=after, inclusive=(False, True)))


_MIDDLE = 5 * Decimal(10) ** 30
"""So far beyond any price that it has as many digits before the point with each of them added."""


def _number(amount: Decimal | None) -> str:
    """Return a text that sorts as the number does, whatever its sign and its decimals."""
    whole, _, decimals = f"{_MIDDLE + (amount or 0):f}".partition(".")
    return f"{whole}.{decimals.rstrip('0')}"


def _write_cursor(sort: str, place: _Place | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort, place]).encode()).decode()


def _read_cursor(sort: str, cursor: str | None) -> _Place | None:
    if cursor is None:
        return None
    try:
        made_for, (key, identity) = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, TypeError):
        raise BadCursor("the cursor is not one that this list gave") from None
    if made_for != sort or not isinstance(key, str) or not isinstance(identity, str):
        raise BadCursor("the cursor belongs to a list sorted otherwise")
    return key, identity
