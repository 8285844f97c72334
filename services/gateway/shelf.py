"""The shelf: where the gateway keeps what it folded, so that it need not fold from the beginning.

Every document is replaced only by a newer one of itself, so a worker that lost its partitions and
wakes up late changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pydantic import TypeAdapter

from chassis.decider import PassedOver
from chassis.partitioning import partition_of
from chassis.store import Document, Store, put_new, reaching, replace_older
from contracts.channels import PARTITIONS
from gateway.disconnects import Finding
from gateway.fold import View, dump, load
from gateway.portfolio import Figures
from gateway.rows import Row
from gateway.sections.gateway import Waiver
from gateway.summary import Summary, summary
from gateway.timeline import Run, Unwritten
from gateway.waiting import Waits

FOLD = "14"
"""Raised when views of the same facts come out otherwise: what was folded is then folded anew."""

_FOLDING = "folding"
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
        """Grows with every fact folded, every turn and every day judged, and with nothing else."""
        folded = sum(fresh.sequence for fresh in self.view.freshness.values())
        return (folded + self.turns << 20) + self.judged_on.toordinal()

    @property
    def open_revision(self) -> int:
        """Differs when anything does that everybody may see, and does not count what is not."""
        folded = sum(fresh.sequence for fresh in self.view.open_freshness())
        return (folded + self.turns << 21) + (self.complete << 20) + self.judged_on.toordinal()


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
        """Ask for everything to be forgotten and folded from the first facts."""
        change = {"fold": FOLD, "again": list(range(PARTITIONS))}
        with reaching():
            await self._folding.update_one({"_id": _FOLDING}, {"$set": change}, upsert=True)

    async def to_fold_again(self) -> frozenset[int]:
        """Partitions that are to be folded from the first facts."""
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
        """The engagements as they were last written; new ones with nothing folded."""
        found: dict[str, Held] = {}
        if engagements:
            with reaching():
                cursor = self._unified.find({"_id": {"$in": list(engagements)}})
                async for document in cursor:
                    found[document["_id"]] = _held(document)
        for engagement in engagements:
            if engagement not in found:
                found[engagement] = Held(View(engagement), partition_of(engagement))
        return found

    async def rows(self, partitions: frozenset[int]) -> list[tuple[Row, Figures]]:
        """The engagements on these partitions in a line each, and what they add to the totals."""
        found: list[tuple[Row, Figures]] = []
        with reaching():
            for partition in sorted(partitions):
                cursor = self._unified.find({"partition": partition}, {"view": 0})
                found.extend([(_row(each), _figures(each["figures"])) async for each in cursor])
        return found

    async def total_revisions(self, partitions: frozenset[int]) -> dict[int, int]:
        """How often the totals of these partitions have been counted."""
        with reaching():
            cursor = self._totals.find({"_id": {"$in": sorted(partitions)}}, {"number": 1})
            return {each["_id"]: each["number"] async for each in cursor}

    async def put(self, held: Iterable[Held]) -> None:
        """Write views, and the facts folded into them since they were last written."""
        written = [(each, each.unwritten.begin()) for each in held]
        try:
            runs = [_run_document(each.partition, run) for each, runs in written for run in runs]
            if runs:
                await put_new(self._timeline, runs)
            for put, those in (
                (put_new, [each for each, _ in written if not each.stands]),
                (replace_older, [each for each, _ in written if each.stands]),
            ):
                if those:
                    await put(self._unified, [_document(each) for each in those])
        except BaseException:
            for each, _ in written:
                each.unwritten.not_written()
            raise
        for each, _ in written:
            each.stands = True
            each.unwritten.written()

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
                    [bytes(record) for record in each["facts"]],
                )
                async for each in cursor
            ]

    async def put_totals(self, totals: Iterable[tuple[int, int, Figures]]) -> None:
        """Write the portfolio's figures by partition: partition, revision, figures."""
        documents: list[Document] = [
            {"_id": partition, "number": revision, "figures": _text(figures)}
            for partition, revision, figures in totals
        ]
        if documents:
            await replace_older(self._totals, documents)

    async def totals(self, partitions: frozenset[int]) -> list[Figures]:
        """The figures of partitions that other workers have."""
        with reaching():
            cursor = self._totals.find({"_id": {"$in": sorted(partitions)}})
            return [_figures(each["figures"]) async for each in cursor]


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


def _row(document: Document) -> Row:
    return Row(
        partition=document["partition"],
        number=document["number"],
        summary=Summary.model_validate_json(document["summary"]),
        findings=list(_FINDINGS.validate_json(document["findings"]).values()),
        waived=_WAIVERS.validate_json(document["waived"]),
    )


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
    }


def _run_document(partition: int, run: Run) -> Document:
    return {
        "_id": run.id,
        "number": run.last,
        "partition": partition,
        "engagement": run.engagement,
        "channel": run.channel,
        "first": run.first,
        "facts": run.facts,
    }


def _text(figures: Figures) -> dict[str, str]:
    # A point in a document's field name is a path to the store.
    return {name.replace(".", "/"): str(amount) for name, amount in sorted(figures.items())}


def _figures(text: dict[str, str]) -> Figures:
    return {name.replace("/", "."): Decimal(amount) for name, amount in text.items()}
