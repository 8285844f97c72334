"""The read models of a department: one document per stream, projected from the journal.

The process that has the lease writes them: immediately when there was no load, every half second
under load. Each document contains the full state, so it is also the stream's snapshot, and the
stream's next deadline, by which the deadline scheduler finds it, and the moment of its oldest
pending request, by which the request dispatcher does. When the listed fields and these moments have
not changed, its document is not written for up to 20 commits, or more where the state is large;
loading such a snapshot then takes more commits of the journal.

A stream that cannot be read or written keeps its existing document, and is retried with its next
commit and at the next start; all other streams go on.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from chassis.application.repository import Repository
from chassis.base.failures import described
from chassis.domain.stream import Stream
from chassis.eventstore.journal import Journal, place_of
from chassis.eventstore.mongo import Document, Store, each_written, put_new, reaching, replace_older
from chassis.eventstore.paging import Fences, Page, Row, cursor_of, key_of, position_of
from chassis.eventstore.skipped import SkippedStreams
from chassis.eventstore.snapshots import Known, Snapshots, advanced, nothing_known
from chassis.eventstore.subscription import Subscription
from chassis.eventstore.unreadable import UnreadableStream, log_once

VIEWS = "views"
"""The name of the subscription that writes the views: its lease and token."""
SUBJECT = "subject"
"""The field that every listing has: the id of the engagement or record."""

Value: TypeAlias = str | int | bool | None


class _Shown(NamedTuple):
    """The listed fields of a stream, its next deadline, and since when a request waits (UTC)."""

    fields: dict[str, Value] | None
    due_at: datetime | None = None
    asked_at: datetime | None = None


_log = logging.getLogger(__name__)
_meter = metrics.get_meter("concord.views")
_BATCH_SIZE = 200
# An update of a document costs the store as much as ten commits. With a pause, several commits of a
# stream cause one update.
_PAUSE = 0.5
_COMMITS_BEHIND = 20
_BYTES_PER_COMMIT = 5_000
_MOST_CACHED = 20_000
_FINGERPRINTS = "views-folds"


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing of the streams of a kind: its fields, to filter and sort by, and their values.

    `summarise` returns the values of the fields from a state. `within` names, by field, another one
    by which rows are sorted first: of an amount, its currency.
    """

    kind: str
    fields: tuple[str, ...]
    summarise: Callable[[Any], Mapping[str, Value]]
    within: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def row(self, state: Any) -> dict[str, Value]:
        """Return the fields of a state with their values; null where there is none."""
        return {**dict.fromkeys(self.fields), **self.summarise(state)}

    def keys(self, fields: Mapping[str, Value], stream: str) -> dict[str, str]:
        """Return the keys by which the row of a stream with these fields is sorted."""
        return {
            name: key_of(value, stream, *(fields[each] for each in self._before(name)))
            for name, value in fields.items()
        }

    def _before(self, name: str) -> tuple[str, ...]:
        return (self.within[name],) if name in self.within else ()


_UNLISTED = Listing("", (), lambda _: {})
"""Listing of streams of a kind that has none."""


class UnknownField(ValueError):
    """A filter or a sort names a field that the listing does not have."""


class Views:
    """The read models of one department, updated from the journal."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        snapshots: Snapshots,
        repository: Repository,
        listings: Sequence[Listing] = (),
    ) -> None:
        """Set up the projection; kinds without a listing have snapshots and cannot be listed."""
        self._store = store
        self._journal = journal
        self._snapshots = snapshots
        self._repository = repository
        self._listings = {listing.kind: listing for listing in listings}
        self._fences: dict[tuple[str, str], Fences] = {}
        self._written: dict[str, tuple[_Shown, int]] = {}
        self._skipped = SkippedStreams(store, VIEWS)
        self.subscription = Subscription(
            store,
            VIEWS,
            self._project,
            self._reproject,
            begin=self._begin,
            fields=("stream", "number", "at"),
            rest=_PAUSE,
        )
        """The subscription to the journal; its `backlog` is how late the views are."""
        _meter.create_observable_gauge(
            "concord.views.unwritten",
            callbacks=[self._observe],
            description="streams whose view cannot be written now",
        )

    @property
    def unwritten(self) -> Mapping[str, str]:
        """The reason by stream whose view cannot be written, in the process with the lease."""
        return {stream: each.why for stream, each in self._skipped.streams.items()}

    async def prepare(self) -> None:
        """Create the indexes of the listings; raises StoreAway."""
        with reaching():
            for listing in self._listings.values():
                for field in (SUBJECT, *listing.fields):
                    await self._store.views.create_index([("kind", 1), (f"keys.{field}", 1)])

    async def run(self) -> None:
        """Update the views from the journal until cancelled."""
        await self.subscription.run()

    async def page(
        self,
        kind: str,
        *,
        filters: Mapping[str, Value | Sequence[Value]] | None = None,
        any_of: Mapping[str, Sequence[Value]] | None = None,
        sort: str = SUBJECT,
        descending: bool = False,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return at most `limit` rows of a listing in order, after `cursor`.

        A filter is a value or several values, any of which matches. With `any_of`, at least one of
        its fields has one of the values that it names. Rows are as recent as the views. Raises
        UnknownField, InvalidCursor, StoreAway.
        """
        listing = self._listings[kind]
        for field in (*(filters or {}), *(any_of or {}), sort):
            if field not in {SUBJECT, *listing.fields}:
                raise UnknownField(f"{kind} is not listed by {field}")
        # Only conditions that the index covers: with one more, the local store scans all documents.
        # Erased streams have no keys, so no range contains them.
        asked: Document = {"kind": kind}
        for field, wanted in (filters or {}).items():
            asked[f"fields.{field}"] = {"$in": _one_of(wanted)}
        if any_of:
            asked["$or"] = [
                {f"fields.{field}": {"$in": [*wanted]}} for field, wanted in any_of.items()
            ]
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
        """Project all views again from the journal, and replace them; raises StoreAway.

        The view of a stream that cannot be read stays as it is.
        """
        with reaching():
            kinds = [*self._repository.deciders]
            await self._store.views.delete_many({"kind": {"$nin": kinds}})
        await self._reproject(replace=True)

    # ---- writing ------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Project all streams if other code wrote the documents, otherwise the skipped ones."""
        self._written.clear()  # another process may have written since
        await self._skipped.load()
        with reaching():
            written = await self._store.leases.find_one({"_id": _FINGERPRINTS})
        if written is None or written["folds"] != self._snapshots.fingerprints:
            await self._reproject()
        else:
            skipped = {stream: each.number for stream, each in self._skipped.streams.items()}
            await self._write(self._with_rows(await self._readable(skipped)))

    async def _reproject(self, *, replace: bool = False) -> None:
        """Project every stream from its first commit; `replace` also replaces newer documents."""
        await self._skipped.load()
        known: Known | None = None
        broken: str | None = None
        projected: list[Known] = []
        async for commit in self._journal.everything():
            decider = self._repository.deciders.get(commit.stream.partition(":")[0])
            if decider is None or commit.stream == broken:
                continue  # a kind of stream that this code does not have, or a skipped stream
            if known is not None and known.stream.id != commit.stream:
                projected.append(known)
                known = None
            if len(projected) >= _BATCH_SIZE:
                await self._write_projected(projected, replace=replace)
                projected = []
            try:
                if isinstance(commit, UnreadableStream):
                    raise commit
                known = advanced(decider, known or nothing_known(decider, commit.stream), commit)
            except UnreadableStream as unreadable:
                broken, known = commit.stream, None
                await self._skip(broken, unreadable, unreadable.number)
        if known is not None:
            projected.append(known)
        await self._write_projected(projected, replace=replace)
        with reaching():
            await self._store.leases.replace_one(
                {"_id": _FINGERPRINTS}, {"folds": self._snapshots.fingerprints}, upsert=True
            )

    async def _write_projected(self, streams: Sequence[Known], *, replace: bool) -> None:
        if replace:
            with reaching():
                names = [known.stream.id for known in streams]
                await self._store.views.delete_many({"_id": {"$in": names}})
        await self._write(self._with_rows(streams), new=True)

    async def _project(self, commits: Sequence[Document]) -> None:
        newest: dict[str, int] = {}
        for commit in commits:
            try:
                stream, number = place_of(commit)
            except UnreadableStream as unreadable:
                await self._skip(unreadable.stream, unreadable, unreadable.number)
                continue
            if stream.partition(":")[0] in self._repository.deciders:
                newest[stream] = number
        new = {stream for stream, number in newest.items() if number == 1}
        changed: list[tuple[Known, _Shown]] = []
        for known, shown in self._with_rows(await self._readable(newest)):
            before, at = self._written.get(known.stream.id, (None, 0))
            if shown != before or known.stream.number - at >= most_commits_behind(known.stream):
                changed.append((known, shown))
        await self._write([each for each in changed if each[0].stream.id in new], new=True)
        await self._write([each for each in changed if each[0].stream.id not in new])

    async def _readable(self, newest: Mapping[str, int]) -> list[Known]:
        """Return the streams after these commits; skip those that cannot be read."""
        found: list[Known] = []
        for stream, number in newest.items():
            if stream.partition(":")[0] not in self._repository.deciders:
                continue
            try:
                found.append(await self._repository.written(stream, number))
            except UnreadableStream as unreadable:
                await self._skip(stream, unreadable, number)
        return found

    async def _skip(self, stream: str, error: Exception, number: int) -> None:
        """Skip a stream at its commit of this number, and log why; raises StoreAway."""
        self._written.pop(stream, None)
        if isinstance(error, UnreadableStream):
            log_once(error)
            why = str(error)
        else:
            why = described(error)
            _log.error("the view of %s cannot be written: %s", stream, why)
        await self._skipped.put(stream, number, why)

    async def _write(self, rows: Sequence[tuple[Known, _Shown]], *, new: bool = False) -> None:
        for start in range(0, len(rows), _BATCH_SIZE):
            page = rows[start : start + _BATCH_SIZE]

            async def write(part: Sequence[tuple[Known, _Shown]]) -> None:
                documents = [self._document(*each) for each in part]
                await (put_new if new else replace_older)(self._store.views, documents)

            failed = {each.stream.id: error for (each, _), error in await each_written(write, page)}
            if len(self._written) > _MOST_CACHED:
                self._written.clear()
            for known, shown in page:
                stream = known.stream
                if stream.id in failed:
                    await self._skip(stream.id, failed[stream.id], stream.number)
                else:
                    self._written[stream.id] = (shown, stream.number)
                    await self._skipped.drop(stream.id)

    def _with_rows(self, streams: Iterable[Known]) -> list[tuple[Known, _Shown]]:
        return [(known, self._listed(known)) for known in streams]

    def _listed(self, known: Known) -> _Shown:
        stream = known.stream
        kind = stream.id.partition(":")[0]
        if not known.open:
            return _Shown(None)
        fields: dict[str, Value] = {SUBJECT: stream.subject}
        due: datetime | None = None
        listing = self._listings.get(kind)
        try:
            deadlines = self._repository.deciders[kind].deadlines(stream.state)
            due = min((each.at for each in deadlines), default=None)
            if listing is not None:
                fields |= dict.fromkeys(listing.fields)
                fields |= dict(listing.summarise(stream.state))
        except Exception:  # noqa: BLE001 - must not stop other streams; the snapshot is still valid
            _log.exception("the listed fields of %s cannot be computed", stream.id)
        asked = min((each.recorded_at for each in stream.requests.values()), default=None)
        return _Shown(fields, due, asked)

    def _document(self, known: Known, shown: _Shown) -> Document:
        document = self._snapshots.document(known)
        if shown.due_at is not None:
            document["due_at"] = shown.due_at
        if shown.asked_at is not None:
            document["asked_at"] = shown.asked_at
        fields = shown.fields
        if fields is not None:
            document["fields"] = fields
            stream = known.stream.id
            listing = self._listings.get(stream.partition(":")[0], _UNLISTED)
            document["keys"] = listing.keys(fields, stream)
        return document

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(len(self._skipped.streams))]


def most_commits_behind(stream: Stream[Any]) -> int:
    """Return the number of commits after which a stream's snapshot is written without other news.

    It grows with the state, so that what a commit pays for snapshots does not: at most 5,000 bytes
    where the state has more than 100,000. Reading the commits takes less time than reading such a
    state.
    """
    size = stream.measured + stream.since
    return max(_COMMITS_BEHIND, size // _BYTES_PER_COMMIT)


def _one_of(wanted: Value | Sequence[Value]) -> list[Value]:
    return [wanted] if wanted is None or isinstance(wanted, str | int) else list(wanted)
