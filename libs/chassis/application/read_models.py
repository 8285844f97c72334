"""What a department's people look up: a document per stream, written behind the journal.

One process at a time follows the journal and writes: at once after a time of rest, twice a second
under load. The documents hold the whole state, so they are the snapshots, too, and when a
stream wants to be woken, which is how the clock finds it. A stream of which people see nothing new
is not written for some commits: its snapshot lags, which costs whoever needs it a longer reading.

A stream that cannot be read or written keeps the document that it has, and is tried again with its
next commit and at the next start; all others go on.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from chassis.application.repository import Repository
from chassis.base.failures import described
from chassis.eventstore.journal import Journal, place_of
from chassis.eventstore.mongo import Document, Store, each_written, put_new, reaching, replace_older
from chassis.eventstore.paging import Fences, Page, Row, cursor_of, key_of, position_of
from chassis.eventstore.skipped import SkippedStreams
from chassis.eventstore.snapshots import Known, Snapshots, advanced, nothing_known
from chassis.eventstore.subscription import Subscription
from chassis.eventstore.unreadable import UnreadableStream, say_once

VIEWS = "views"
"""The name under which the store keeps the lease and token of whoever writes the views."""
SUBJECT = "subject"
"""The field by which every listing can be sorted: the engagement's or record's id."""

Value: TypeAlias = str | int | bool | None
_Shown: TypeAlias = tuple[dict[str, Value] | None, datetime | None]
"""What people see of a stream in a list, and when it wants to be woken."""

_log = logging.getLogger(__name__)
_meter = metrics.get_meter("concord.views")
_TOGETHER = 200
# A document's update costs the store as much as ten commits: what moves again meanwhile is saved.
_PACE = 0.5
_MOST_BEHIND = 20
_MOST_REMEMBERED = 20_000
_FOLDS = "views-folds"


@dataclass(frozen=True, slots=True)
class Listing:
    """How streams of a kind are listed: the fields one can filter and sort by, read off a state."""

    kind: str
    fields: tuple[str, ...]
    summarise: Callable[[Any], Mapping[str, Value]]


class UnknownField(ValueError):
    """A listing has no such field."""


class Views:
    """The documents of one department's streams, kept up with the journal."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        snapshots: Snapshots,
        streams: Repository,
        listings: Sequence[Listing] = (),
    ) -> None:
        """Streams of a kind that has no listing are kept as snapshots, and cannot be listed."""
        self._store = store
        self._journal = journal
        self._snapshots = snapshots
        self._streams = streams
        self._listings = {listing.kind: listing for listing in listings}
        self._fences: dict[tuple[str, str], Fences] = {}
        self._written: dict[str, tuple[_Shown, int]] = {}
        self._left = SkippedStreams(store, VIEWS)
        self.follower = Subscription(
            store,
            VIEWS,
            self._take,
            self._refold,
            begin=self._begin,
            fields=("stream", "number", "at"),
            rest=_PACE,
        )
        """Its `progress` and `backlog` say how far the views are behind."""
        _meter.create_observable_gauge(
            "concord.views.unwritten",
            callbacks=[self._observe],
            description="streams whose view cannot be written now",
        )

    @property
    def unwritten(self) -> Mapping[str, str]:
        """Streams whose view cannot be written now, and why; known to the process that writes."""
        return {stream: behind.why for stream, behind in self._left.streams.items()}

    async def prepare(self) -> None:
        """Make the indexes that the listings need; raises StoreAway."""
        with reaching():
            for listing in self._listings.values():
                for field in (SUBJECT, *listing.fields):
                    await self._store.views.create_index([("kind", 1), (f"keys.{field}", 1)])

    async def run(self) -> None:
        """Keep the views up with the journal until cancelled."""
        await self.follower.run()

    async def page(
        self,
        kind: str,
        *,
        filters: Mapping[str, Value | Sequence[Value]] | None = None,
        sort: str = SUBJECT,
        descending: bool = False,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Rows of a listing in order, from after `cursor`; as fresh as the views are.

        A filter is a value, or several of which one must be. Raises UnknownField, InvalidCursor,
        StoreAway.
        """
        listing = self._listings[kind]
        for field in (*(filters or {}), sort):
            if field not in {SUBJECT, *listing.fields}:
                raise UnknownField(f"{kind} is not listed by {field}")
        # No more than the index holds: with one condition beside it the local store scans. What is
        # erased has no keys, and so is in no range.
        asked: Document = {"kind": kind}
        for field, wanted in (filters or {}).items():
            asked[f"fields.{field}"] = {"$in": _one_of(wanted)}
        start = None if cursor is None else position_of(cursor, kind, sort, descending=descending)
        fences = self._fences.setdefault((kind, sort), Fences())
        with reaching():
            found = await fences.walk(
                self._store.views, asked, f"keys.{sort}", start, limit + 1, descending=descending
            )
        rows = tuple(Row(each["_id"].partition(":")[2], each["fields"]) for each in found[:limit])
        if len(found) <= limit:
            return Page(rows, None)
        last = found[limit - 1]["keys"][sort]
        return Page(rows, cursor_of(last, kind, sort, descending=descending))

    async def rebuild(self) -> None:
        """Replace all views by what the journal gives now; raises StoreAway.

        The view of a stream that cannot be read stays as it is.
        """
        with reaching():
            kinds = [*self._streams.deciders]
            await self._store.views.delete_many({"kind": {"$nin": kinds}})
        await self._refold(afresh=True)

    # ---- writing ------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Fold everything again where the documents were made by other code, else what was left."""
        self._written.clear()  # another process may have written since
        await self._left.load()
        with reaching():
            written = await self._store.leases.find_one({"_id": _FOLDS})
        if written is None or written["folds"] != self._snapshots.folds:
            await self._refold()
        else:
            left = {stream: behind.number for stream, behind in self._left.streams.items()}
            await self._write(await self._readable(left))

    async def _refold(self, *, afresh: bool = False) -> None:
        """Fold every stream from its first commit; `afresh` replaces newer documents, too."""
        await self._left.load()
        known: Known | None = None
        broken: str | None = None
        folded: list[Known] = []
        async for commit in self._journal.everything():
            decider = self._streams.deciders.get(commit.stream.partition(":")[0])
            if decider is None or commit.stream == broken:
                continue  # a kind of stream that this code does not have, or one given up
            if known is not None and known.stream.id != commit.stream:
                folded.append(known)
                known = None
            if len(folded) >= _TOGETHER:
                await self._replace(folded, afresh=afresh)
                folded = []
            try:
                if isinstance(commit, UnreadableStream):
                    raise commit
                known = advanced(decider, known or nothing_known(decider, commit.stream), commit)
            except UnreadableStream as unreadable:
                broken, known = commit.stream, None
                await self._leave(broken, unreadable, unreadable.number)
        await self._replace([*folded, *([known] if known is not None else [])], afresh=afresh)
        with reaching():
            await self._store.leases.replace_one(
                {"_id": _FOLDS}, {"folds": self._snapshots.folds}, upsert=True
            )

    async def _replace(self, streams: Sequence[Known], *, afresh: bool) -> None:
        if afresh:
            with reaching():
                names = [known.stream.id for known in streams]
                await self._store.views.delete_many({"_id": {"$in": names}})
        await self._write(streams, new=True)

    async def _take(self, commits: Sequence[Document]) -> None:
        newest: dict[str, int] = {}
        for commit in commits:
            try:
                stream, number = place_of(commit)
            except UnreadableStream as unreadable:
                await self._leave(unreadable.stream, unreadable, unreadable.number)
                continue
            if stream.partition(":")[0] in self._streams.deciders:
                newest[stream] = number
        new = {stream for stream, number in newest.items() if number == 1}
        moved: list[Known] = []
        for known in await self._readable(newest):
            shown, at = self._written.get(known.stream.id, (None, 0))
            if shown != self._listed(known) or known.stream.number - at >= _MOST_BEHIND:
                moved.append(known)
        await self._write([each for each in moved if each.stream.id in new], new=True)
        await self._write([each for each in moved if each.stream.id not in new])

    async def _readable(self, newest: Mapping[str, int]) -> list[Known]:
        """Return streams as they are after these commits; leave those that cannot be read."""
        found: list[Known] = []
        for stream, number in newest.items():
            if stream.partition(":")[0] not in self._streams.deciders:
                continue
            try:
                found.append(await self._streams.written(stream, number))
            except UnreadableStream as unreadable:
                await self._leave(stream, unreadable, number)
        return found

    async def _leave(self, stream: str, error: Exception, number: int) -> None:
        """Leave a stream whose commit of this number was to be written; raises StoreAway."""
        self._written.pop(stream, None)
        if isinstance(error, UnreadableStream):
            say_once(error)
            why = str(error)
        else:
            why = described(error)
            _log.error("the view of %s cannot be written: %s", stream, why)
        await self._left.put(stream, number, why)

    async def _write(self, streams: Sequence[Known], *, new: bool = False) -> None:
        for start in range(0, len(streams), _TOGETHER):
            page = streams[start : start + _TOGETHER]

            async def write(part: Sequence[Known]) -> None:
                documents = [self._document(known) for known in part]
                await (put_new if new else replace_older)(self._store.views, documents)

            failed = {known.stream.id: error for known, error in await each_written(write, page)}
            if len(self._written) > _MOST_REMEMBERED:
                self._written.clear()
            for known in page:
                stream = known.stream
                if stream.id in failed:
                    await self._leave(stream.id, failed[stream.id], stream.number)
                else:
                    self._written[stream.id] = (self._listed(known), stream.number)
                    await self._left.drop(stream.id)

    def _listed(self, known: Known) -> _Shown:
        stream = known.stream
        kind = stream.id.partition(":")[0]
        if not known.open:
            return None, None
        fields: dict[str, Value] = {SUBJECT: stream.subject}
        due: datetime | None = None
        listing = self._listings.get(kind)
        try:
            deadlines = self._streams.deciders[kind].deadlines(stream.state)
            due = min((each.at for each in deadlines), default=None)
            if listing is not None:
                fields |= dict.fromkeys(listing.fields)
                fields |= dict(listing.summarise(stream.state))
        except Exception:  # noqa: BLE001 - the others must not wait; as a snapshot it is good
            _log.exception("%s cannot be listed as it is now", stream.id)
        return fields, due

    def _document(self, known: Known) -> Document:
        document = self._snapshots.document(known)
        fields, due = self._listed(known)
        if due is not None:
            document["due_at"] = due
        if fields is not None:
            document["fields"] = fields
            stream = known.stream.id
            document["keys"] = {name: key_of(value, stream) for name, value in fields.items()}
        return document

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(len(self._left.streams))]


def _one_of(wanted: Value | Sequence[Value]) -> list[Value]:
    return [wanted] if wanted is None or isinstance(wanted, str | int) else list(wanted)
