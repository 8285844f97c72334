"""The shelf: where the gateway keeps what it folded, so that it need not fold from the beginning.

Every document is replaced only by a newer one of itself, so a worker that lost its partitions and
wakes up late changes nothing. A view that cannot be read is folded again from its timeline.
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
from gateway.disconnects import Finding
from gateway.fold import View, dump, fold, load
from gateway.portfolio import Figures
from gateway.rows import Row
from gateway.sections.gateway import Waiver, proof
from gateway.summary import Summary, summary
from gateway.timeline import Run, Unwritten, in_order
from gateway.totals import Share, Total
from gateway.waiting import Waits

FOLD = "16"
"""Raised when views of the same events come out otherwise: what was folded is then folded anew."""

_ROOM = 64 * 1024
"""Bytes that events leave free in a document, for what its engagement waits for."""

_log = logging.getLogger(__name__)
_FOLDING = "folding"
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation)
"""What reading a document of another shape raises; a ValidationError is a ValueError."""
_FINDINGS = TypeAdapter(dict[str, Finding])
_WAITS = TypeAdapter(Waits | None)
_WAIVERS = TypeAdapter(dict[str, Waiver])


@dataclass(slots=True)
class Held:
    """An engagement in memory: its view, what the rules found in it and when, what it adds."""

    view: View
    partition: int
    findings: dict[str, Finding] = field(default_factory=dict)
    judged_on: date = date.min
    figures: Figures = field(default_factory=dict)
    unwritten: Unwritten = field(init=False)
    waits: Waits | None = None
    """What it waits for; then it is not complete, and no rule judges it."""

    passed_over: tuple[PassedOver, ...] = ()
    """Events that a person decided to do without."""

    turns: int = 0
    """How often it began or ceased to wait, or events of it were passed over."""

    stands: bool = False
    """Whether there is a document of it in the store already."""

    torn: bool = False
    """Whether a fold broke off in its view, which is then neither used nor written any more."""

    told: int = field(init=False)
    """The open revision that whoever watches was told of last."""

    def __post_init__(self) -> None:
        self.unwritten = Unwritten(self.view.engagement)
        self.told = self.open_revision

    @property
    def complete(self) -> bool:
        """Whether nothing of it waits and all that its authors had heard is folded."""
        return self.waits is None and self.view.causally_complete

    @property
    def revision(self) -> int:
        """Grows with every event folded, every turn and every day judged, and with nothing else."""
        folded = sum(fresh.sequence for fresh in self.view.freshness.values())
        return (folded + self.turns << 20) + self.judged_on.toordinal()

    @property
    def share(self) -> Share:
        """What it adds to the totals."""
        return Share(self.revision, self.figures)

    @property
    def unannounced(self) -> bool:
        """Whether its findings differ from those that were heard to be announced."""
        view = self.view
        return view.gateway.proofs | view.gateway_confidential.proofs != {
            name: proof(found.severity, (each.event for each in found.evidence))
            for name, found in self.findings.items()
        }

    @property
    def open_revision(self) -> int:
        """Differs when anything does that everybody may see, and does not count what is not."""
        folded = sum(fresh.sequence for fresh in self.view.open_freshness())
        return (folded + self.turns << 21) + (self.complete << 20) + self.judged_on.toordinal()


@dataclass(frozen=True, slots=True)
class Written:
    """What is written of an engagement beside its view."""

    row: Row
    share: Share
    unannounced: bool


class Shelf:
    """The gateway's documents; everything raises StoreAway where the store cannot be reached."""

    def __init__(self, store: Store) -> None:
        self._unified = store.database["unified"]
        self._timeline = store.database["timeline"]
        self._totals = store.database["totals"]
        self._folding = store.database["folding"]

    async def prepare(self) -> None:
        """Make the indexes; where views were folded otherwise than now, have them folded anew."""
        with reaching():
            await self._unified.create_index([("partition", 1)])
            await self._timeline.create_index([("engagement", 1), ("channel", 1), ("first", 1)])
            await self._timeline.create_index([("partition", 1)])
            await self._folding.update_one(
                {"_id": _FOLDING}, {"$setOnInsert": {"fold": FOLD, "again": []}}, upsert=True
            )
            document = await self._folding.find_one({"_id": _FOLDING})
        if document is not None and document["fold"] != FOLD:
            await self.fold_again()

    async def fold_again(self) -> None:
        """Ask for everything to be forgotten and folded from the first events."""
        change = {"fold": FOLD, "again": list(range(PARTITIONS))}
        with reaching():
            await self._folding.update_one({"_id": _FOLDING}, {"$set": change}, upsert=True)

    async def to_fold_again(self) -> frozenset[int]:
        """Partitions that are to be folded from the first events."""
        with reaching():
            document = await self._folding.find_one({"_id": _FOLDING})
        return frozenset() if document is None else frozenset(document["again"])

    async def forget(self, partitions: frozenset[int]) -> None:
        """Forget everything that was folded on these partitions."""
        with reaching():
            for partition in sorted(partitions):
                await self._unified.delete_many({"partition": partition})
                await self._timeline.delete_many({"partition": partition})
                await self._totals.delete_many({"_id": partition})

    async def folding_again(self, partitions: frozenset[int]) -> None:
        """These partitions are being read from their first records now, whatever happens."""
        with reaching():
            await self._folding.update_one(
                {"_id": _FOLDING}, {"$pull": {"again": {"$in": sorted(partitions)}}}
            )

    async def take(self, engagements: Sequence[str]) -> dict[str, Held]:
        """The engagements as they were last written; new ones with nothing folded.

        One whose document cannot be read is folded from its timeline, and not judged.
        """
        found: dict[str, Held] = {}
        if engagements:
            with reaching():
                cursor = self._unified.find({"_id": {"$in": list(engagements)}})
                documents = await cursor.to_list(None)
            for document in documents:
                engagement = document["_id"]
                try:
                    found[engagement] = _held(document)
                except _MALFORMED as error:
                    _log.error("%s is folded again: %s", engagement, _cause(error))
                    found[engagement] = await self._from_timeline(engagement)
        for engagement in engagements:
            if engagement not in found:
                found[engagement] = Held(View(engagement), partition_of(engagement))
        return found

    async def rows(self, partitions: frozenset[int]) -> tuple[list[Written], list[str]]:
        """Return what is written of these partitions' engagements, and the ids of the unreadable.

        The views themselves are not read.
        """
        found: list[Written] = []
        unreadable: list[str] = []
        for partition in sorted(partitions):
            with reaching():
                cursor = self._unified.find({"partition": partition}, {"view": 0})
                documents = await cursor.to_list(None)
            for document in documents:
                try:
                    found.append(_written(document))
                except _MALFORMED:
                    unreadable.append(document["_id"])
        return found, unreadable

    async def put(self, held: Sequence[Held]) -> dict[str, Share]:
        """Write views, and the events folded into them since they were last written.

        Return what each adds to the totals as it was written. Views in which a fold broke off are
        left out. Raises whatever a document that cannot be written raises; writing again is
        harmless.
        """
        held = [each for each in held if not each.torn]
        written = [(each, each.unwritten.begin()) for each in held]
        try:
            shares = {each.view.engagement: each.share for each in held}
            documents = [(each.stands, _document(each)) for each in held]
            for (_, document), (_, runs) in zip(documents, written, strict=True):
                if runs:
                    _refuse_full(document)
            await put_new(
                self._timeline,
                [_run_document(each.partition, run) for each, runs in written for run in runs],
            )
            await put_new(self._unified, [each for stands, each in documents if not stands])
            await replace_older(self._unified, [each for stands, each in documents if stands])
        except BaseException:
            for each in held:
                each.unwritten.not_written()
            raise
        for each in held:
            each.stands = True
            each.unwritten.written()
        return shares

    async def _from_timeline(self, engagement: str) -> Held:
        view = View(engagement)
        for recorded in in_order(await self.runs(engagement)):
            fold(view, recorded)
        return Held(view, partition_of(engagement), stands=True)

    async def runs(self, engagement: str) -> list[Run]:
        """The written timeline of an engagement."""
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
        """Write totals by partition, unless one that counts more is there."""
        await replace_older(self._totals, [_total_document(*each) for each in totals.items()])

    async def stored_totals(self, partitions: frozenset[int]) -> dict[int, Total]:
        """Return the totals of these partitions as they are written."""
        with reaching():
            cursor = self._totals.find({"_id": {"$in": sorted(partitions)}})
            return {
                each["_id"]: Total(each["number"], _figures(each["figures"]))
                async for each in cursor
            }

    async def correct_totals(
        self, stored: Mapping[int, Total], counted: Mapping[int, Total]
    ) -> None:
        """Write what was counted from the written views wherever what is stored is anything else.

        `stored` was read before the views were: so what counts more than they do is wrong, too.
        """
        for partition, total in counted.items():
            before = stored.get(partition, Total())
            if (before.number, before.figures) != (total.number, total.figures):
                await self._replace_total(partition, total, max(before.number, total.number))

    async def _replace_total(self, partition: int, total: Total, newest: int) -> None:
        condition = {"_id": partition, "number": {"$lte": newest}}
        with suppress(Duplicate), reaching():  # one that counts more was written meanwhile
            await self._totals.replace_one(
                condition, _total_document(partition, total), upsert=True
            )


def _held(document: Document) -> Held:
    return Held(
        view=load(document["view"]),
        partition=document["partition"],
        findings=_FINDINGS.validate_json(document["findings"]),
        judged_on=date.fromisoformat(document["judged_on"]),
        figures=_figures(document["figures"]),
        waits=_WAITS.validate_json(document["waits"]),
        passed_over=tuple(map(PassedOver.read, document["passed_over"])),
        turns=document["turns"],
        stands=True,
    )


def row_of(held: Held) -> Row:
    """An engagement in a line, as it is held now."""
    view = held.view
    return Row(
        partition=held.partition,
        number=held.revision,
        summary=summary(view, held.findings, held.waits),
        findings=list(held.findings.values()),
        waived=view.gateway.waived | view.gateway_confidential.waived,
    )


def _written(document: Document) -> Written:
    row = Row(
        partition=document["partition"],
        number=document["number"],
        summary=Summary.model_validate_json(document["summary"]),
        findings=list(_FINDINGS.validate_json(document["findings"]).values()),
        waived=_WAIVERS.validate_json(document["waived"]),
    )
    share = Share(document["number"], _figures(document["figures"]))
    return Written(row, share, document["unannounced"])


def _document(held: Held) -> Document:
    view = held.view
    return {
        "_id": view.engagement,
        "number": held.revision,
        "partition": held.partition,
        "view": dump(view),
        "findings": _FINDINGS.dump_json(held.findings),
        "judged_on": held.judged_on.isoformat(),
        "figures": _text(held.figures),
        "summary": summary(view, held.findings, held.waits).model_dump_json(),
        "waits": _WAITS.dump_json(held.waits),
        "passed_over": [each.document() for each in held.passed_over],
        "turns": held.turns,
        "waived": _WAIVERS.dump_json(view.gateway.waived | view.gateway_confidential.waived),
        "unannounced": held.unannounced,
    }


def _refuse_full(document: Document) -> None:
    """Raise DocumentTooLarge where an engagement would have no room for what it waits for."""
    size, most = size_of(document), LARGEST_DOCUMENT - _ROOM
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
    """Name what is wrong with a document, and nothing of what it holds."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return type(error).__name__


def _text(figures: Figures) -> dict[str, str]:
    # A point in a document's field name is a path to the store.
    return {name.replace(".", "/"): str(amount) for name, amount in sorted(figures.items())}


def _figures(text: dict[str, str]) -> Figures:
    return {name.replace("/", "."): Decimal(amount) for name, amount in text.items()}
