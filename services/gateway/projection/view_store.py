"""The store of views, timelines and totals, from which a worker continues after a restart.

A document is replaced only by a newer version of itself, so a worker that lost its partitions and
writes late changes nothing. A view that cannot be read is computed again from its timeline.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from pydantic import TypeAdapter, ValidationError

from chassis.base.partitioning import partition_of
from chassis.domain.stream import PassedOver
from chassis.eventstore.mongo import (
    LARGEST_DOCUMENT,
    Document,
    DocumentTooLarge,
    Duplicate,
    Store,
    put_new,
    reaching,
    replace_older,
    size_of,
)
from contracts.channels import PARTITIONS
from contracts.decimals import canonical_decimal
from contracts.reference import Tolerances
from gateway.portfolio.figures import Figures
from gateway.portfolio.list_index import EngagementRow
from gateway.portfolio.summary import Summary, summary
from gateway.portfolio.totals import Share, Total
from gateway.projection.timeline import Run, Unwritten, in_order
from gateway.projection.version import current_version
from gateway.redaction import adapter_of_store
from gateway.rules import Disconnect
from gateway.rules.computed_status import statuses, worst_computed
from gateway.view.engagement_view import View, apply_event, dump, load
from gateway.view.sections.gateway import Waiver, in_force, proof
from gateway.view.waiting import Waits

_RESERVED = 64 * 1024
"""Bytes of a document that events leave free, for what its engagement waits for."""

_log = logging.getLogger(__name__)
_REBUILD = "folding"
"""Id of the document that names the version of the stored views and partitions to rebuild."""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation)
"""Errors that reading a document of another shape raises; a ValidationError is a ValueError."""
_DISCONNECTS = adapter_of_store(dict[str, Disconnect])
_WAITS = TypeAdapter(Waits | None)
_WAIVERS = adapter_of_store(dict[str, Waiver])


@dataclass(slots=True)
class CachedView:
    """An engagement in memory: its view, its disconnects, and what it adds to the figures.

    `disconnects` are by id, as of `judged_on`, the day (UTC) of their evaluation, by `tolerances`.
    """

    view: View
    partition: int
    disconnects: dict[str, Disconnect] = field(default_factory=dict)
    judged_on: date = date.min
    tolerances: Tolerances = field(default_factory=Tolerances)
    figures: Figures = field(default_factory=dict)
    unwritten: Unwritten = field(init=False)
    waits: Waits | None = None
    """The reason why it waits; while it does, it is incomplete and rules are not evaluated."""

    passed_over: tuple[PassedOver, ...] = ()
    """Missing events that a person decided to skip."""

    transitions: int = 0
    """Number of times that it began or ceased to wait, that events of it were skipped, or that its
    disconnects were found again on the same day, by other tolerances."""

    is_stored: bool = False
    """True if the store has a document of it."""

    is_broken: bool = False
    """True if applying an event failed half-way; it is then neither used nor written."""

    sent_revision: int = field(init=False)
    """The open revision that was last sent to live streams."""

    def __post_init__(self) -> None:
        self.unwritten = Unwritten(self.view.engagement)
        self.sent_revision = self.open_revision

    @property
    def complete(self) -> bool:
        """True if it does not wait and its view is causally complete."""
        return self.waits is None and self.view.causally_complete

    @property
    def open_part_complete(self) -> bool:
        """True if it does not wait and the open part of its view is causally complete."""
        return self.waits is None and self.view.open_part_complete

    @property
    def revision(self) -> int:
        """A number that grows with every event, transition and day of evaluation, and only then."""
        applied = sum(fresh.streamsequence for fresh in self.view.freshness.values())
        return (applied + self.transitions << 20) + self.judged_on.toordinal()

    @property
    def share(self) -> Share:
        """Its share of the totals."""
        return Share(self.revision, self.figures)

    @property
    def waived(self) -> dict[str, Waiver]:
        """The waivers by disconnect that have not run out on the day of the evaluation."""
        return in_force(self.view.waivers, self.judged_on)

    @property
    def unpublished(self) -> bool:
        """True if its disconnects or waivers differ from the published ones in its view."""
        view = self.view
        return self.waived.keys() != view.waivers.keys() or (
            view.gateway.proofs | view.gateway_confidential.proofs
        ) != {
            name: proof(found, (each.event for each in found.evidence))
            for name, found in self.disconnects.items()
        }

    @property
    def open_revision(self) -> int:
        """A number that differs when open data do; confidential events do not count in it."""
        applied = sum(fresh.streamsequence for fresh in self.view.open_freshness())
        changes = applied + self.transitions
        return (changes << 21) + (self.open_part_complete << 20) + self.judged_on.toordinal()


@dataclass(frozen=True, slots=True)
class StoredRow:
    """The parts of an engagement's document besides the view."""

    row: EngagementRow
    share: Share
    unpublished: bool


class ViewStore:
    """The gateway's documents. All methods raise StoreAway where the store cannot be reached.

    `version` is that of the code that computes them, by default that of this process. All views are
    computed again where those in the store have another version.
    """

    def __init__(self, store: Store, version: str | None = None) -> None:
        self._version = current_version() if version is None else version
        self._unified = store.database["unified"]
        self._timeline = store.database["timeline"]
        self._totals = store.database["totals"]
        self._rebuild = store.database["folding"]

    async def prepare(self) -> None:
        """Create the indexes; request a rebuild where another version wrote the views."""
        with reaching():
            await self._unified.create_index([("partition", 1)])
            await self._timeline.create_index([("engagement", 1), ("channel", 1), ("first", 1)])
            await self._timeline.create_index([("partition", 1)])
            await self._rebuild.update_one(
                {"_id": _REBUILD},
                {"$setOnInsert": {"fold": self._version, "again": []}},
                upsert=True,
            )
            document = await self._rebuild.find_one({"_id": _REBUILD})
        if document is not None and document["fold"] != self._version:
            await self.request_rebuild()

    async def request_rebuild(self) -> None:
        """Request that this version deletes all views and computes them from the first events."""
        change = {"fold": self._version, "again": list(range(PARTITIONS))}
        with reaching():
            await self._rebuild.update_one({"_id": _REBUILD}, {"$set": change}, upsert=True)

    async def partitions_to_rebuild(self) -> frozenset[int]:
        """Return the partitions whose rebuild by any version is requested and has not started."""
        return await self._to_rebuild({})

    async def partitions_to_rebuild_here(self) -> frozenset[int]:
        """Return the partitions whose rebuild by this version is requested and has not started.

        During a rolling update, older processes leave a rebuild to those of the requested version.
        """
        return await self._to_rebuild({"fold": self._version})

    async def _to_rebuild(self, condition: Document) -> frozenset[int]:
        with reaching():
            document = await self._rebuild.find_one({"_id": _REBUILD, **condition})
        return frozenset() if document is None else frozenset(document["again"])

    async def forget(self, partitions: frozenset[int]) -> None:
        """Delete all documents of these partitions."""
        with reaching():
            for partition in sorted(partitions):
                await self._unified.delete_many({"partition": partition})
                await self._timeline.delete_many({"partition": partition})
                await self._totals.delete_many({"_id": partition})

    async def rebuild_started(self, partitions: frozenset[int]) -> None:
        """Record that these partitions are consumed from their first records.

        Where another version was requested meanwhile, its request remains.
        """
        with reaching():
            await self._rebuild.update_one(
                {"_id": _REBUILD, "fold": self._version},
                {"$pull": {"again": {"$in": sorted(partitions)}}},
            )

    async def cached_views(self, engagements: Sequence[str]) -> dict[str, CachedView]:
        """Return the engagements as they were last written, and empty views of new ones.

        A view whose document cannot be read is computed from its timeline, without its disconnects.
        """
        found: dict[str, CachedView] = {}
        if engagements:
            with reaching():
                cursor = self._unified.find({"_id": {"$in": list(engagements)}})
                documents = await cursor.to_list(None)
            for document in documents:
                engagement = document["_id"]
                try:
                    found[engagement] = _cached(document)
                except _MALFORMED as error:
                    _log.error(
                        "view of %s is computed again from its timeline: %s",
                        engagement,
                        _cause(error),
                    )
                    found[engagement] = await self._from_timeline(engagement)
        for engagement in engagements:
            if engagement not in found:
                found[engagement] = CachedView(View(engagement), partition_of(engagement))
        return found

    async def rows(self, partitions: frozenset[int]) -> tuple[list[StoredRow], list[str]]:
        """Return the rows of these partitions, and the engagements whose row cannot be read.

        The views themselves are not read.
        """
        found: list[StoredRow] = []
        unreadable: list[str] = []
        for partition in sorted(partitions):
            with reaching():
                cursor = self._unified.find({"partition": partition}, {"view": 0})
                documents = await cursor.to_list(None)
            for document in documents:
                try:
                    found.append(_stored_row(document))
                except _MALFORMED:
                    unreadable.append(document["_id"])
        return found, unreadable

    async def put(self, views: Sequence[CachedView]) -> dict[str, Share]:
        """Write views, and the events applied to them since they were last written.

        Return by engagement its share of the totals as written. Broken views are left out. Raises
        the error of a document that cannot be written; writing again is harmless.
        """
        views = [each for each in views if not each.is_broken]
        written = [(each, each.unwritten.begin()) for each in views]
        try:
            shares = {each.view.engagement: each.share for each in views}
            documents = [(each.is_stored, _document(each)) for each in views]
            for (_, document), (_, runs) in zip(documents, written, strict=True):
                if runs:
                    _refuse_full(document)
            await put_new(
                self._timeline,
                [_run_document(each.partition, run) for each, runs in written for run in runs],
            )
            await put_new(self._unified, [each for stored, each in documents if not stored])
            await replace_older(self._unified, [each for stored, each in documents if stored])
        except BaseException:
            for each in views:
                each.unwritten.not_written()
            raise
        for each in views:
            each.is_stored = True
            each.unwritten.written()
        return shares

    async def _from_timeline(self, engagement: str) -> CachedView:
        view = View(engagement)
        for recorded in in_order(await self.runs(engagement)):
            apply_event(view, recorded)
        return CachedView(view, partition_of(engagement), is_stored=True)

    async def runs(self, engagement: str) -> list[Run]:
        """Return the written timeline of an engagement."""
        with reaching():
            cursor = self._timeline.find({"engagement": engagement})
            return [
                Run(
                    engagement,
                    each["channel"],
                    each["first"],
                    each["number"],
                    [bytes(record) for record in each["events"]],
                )
                async for each in cursor
            ]

    async def put_totals(self, totals: Mapping[int, Total]) -> None:
        """Write totals by partition, except where a stored total has a higher number."""
        await replace_older(self._totals, [_total_document(*each) for each in totals.items()])

    async def stored_totals(self, partitions: frozenset[int]) -> dict[int, Total]:
        """Return the stored totals of these partitions."""
        with reaching():
            cursor = self._totals.find({"_id": {"$in": sorted(partitions)}})
            return {
                each["_id"]: Total(each["number"], _figures(each["figures"]))
                async for each in cursor
            }

    async def correct_totals(
        self, stored: Mapping[int, Total], counted: Mapping[int, Total]
    ) -> None:
        """Replace stored totals that differ from those counted from the written views.

        `stored` was read before the views, so a stored total with a higher number is wrong, too.
        """
        for partition, total in counted.items():
            before = stored.get(partition, Total())
            if (before.number, before.figures) != (total.number, total.figures):
                await self._replace_total(partition, total, max(before.number, total.number))

    async def _replace_total(self, partition: int, total: Total, newest: int) -> None:
        condition = {"_id": partition, "number": {"$lte": newest}}
        with suppress(Duplicate), reaching():  # one with a higher number was written meanwhile
            await self._totals.replace_one(
                condition, _total_document(partition, total), upsert=True
            )


def _cached(document: Document) -> CachedView:
    return CachedView(
        view=load(document["view"]),
        partition=document["partition"],
        disconnects=_DISCONNECTS.validate_json(document["findings"]),
        judged_on=date.fromisoformat(document["judged_on"]),
        tolerances=Tolerances.model_validate_json(document["tolerances"]),
        figures=_figures(document["figures"]),
        waits=_WAITS.validate_json(document["waits"]),
        passed_over=tuple(map(PassedOver.read, document["passed_over"])),
        transitions=document["turns"],
        is_stored=True,
    )


def row_of(cached: CachedView) -> EngagementRow:
    """Return the row of an engagement, for lists."""
    return EngagementRow(
        partition=cached.partition,
        number=cached.revision,
        summary=_summary(cached),
        disconnects=list(cached.disconnects.values()),
        waived=cached.waived,
        computed_rag=_computed(cached),
    )


def _summary(cached: CachedView) -> Summary:
    found, waived = cached.disconnects, cached.waived
    return summary(cached.view, found, waived, cached.waits, cached.tolerances)


def _computed(cached: CachedView) -> str | None:
    return worst_computed(statuses(cached.view, cached.tolerances, confidential=True))


def _stored_row(document: Document) -> StoredRow:
    row = EngagementRow(
        partition=document["partition"],
        number=document["number"],
        summary=Summary.model_validate_json(document["summary"]),
        disconnects=list(_DISCONNECTS.validate_json(document["findings"]).values()),
        waived=_WAIVERS.validate_json(document["waived"]),
        computed_rag=document["computed_rag"],
    )
    share = Share(document["number"], _figures(document["figures"]))
    return StoredRow(row, share, document["unannounced"])


def _document(cached: CachedView) -> Document:
    view = cached.view
    return {
        "_id": view.engagement,
        "number": cached.revision,
        "partition": cached.partition,
        "view": dump(view),
        "findings": _DISCONNECTS.dump_json(cached.disconnects),
        "judged_on": cached.judged_on.isoformat(),
        "tolerances": cached.tolerances.model_dump_json(),
        "figures": _text(cached.figures),
        "summary": _summary(cached).model_dump_json(),
        "waits": _WAITS.dump_json(cached.waits),
        "passed_over": [each.document() for each in cached.passed_over],
        "turns": cached.transitions,
        "waived": _WAIVERS.dump_json(cached.waived),
        "computed_rag": _computed(cached),
        "unannounced": cached.unpublished,
    }


def _refuse_full(document: Document) -> None:
    """Raise DocumentTooLarge where the reserved bytes of a document would be used."""
    size, most = size_of(document), LARGEST_DOCUMENT - _RESERVED
    if size > most:
        raise DocumentTooLarge(f"its view has {size:,} bytes, and {most:,} are the most")


def _run_document(partition: int, run: Run) -> Document:
    return {
        "_id": run.id,
        "number": run.last,
        "partition": partition,
        "engagement": run.engagement,
        "channel": run.channel,
        "first": run.first,
        "events": run.events,
    }


def _total_document(partition: int, total: Total) -> Document:
    return {"_id": partition, "number": total.number, "figures": _text(total.figures)}


def _cause(error: Exception) -> str:
    """Return what is wrong with a document, without any of its content."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return type(error).__name__


def _text(figures: Figures) -> dict[str, str]:
    # The store takes a dot in a field name for a path. A sum of amounts has other trailing zeros
    # after its parts were stored and loaded, so numbers are written canonically.
    return {
        name.replace(".", "/"): canonical_decimal(amount)
        for name, amount in sorted(figures.items())
    }


def _figures(text: dict[str, str]) -> Figures:
    return {name.replace("/", "."): Decimal(amount) for name, amount in text.items()}
