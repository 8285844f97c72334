"""What the gateway answers: the questions that its API and its page ask of what was folded."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.application.command_handler import NotYet
from chassis.application.repository import Unknown
from chassis.domain.context import ReferenceData
from chassis.domain.stream import PassedOver
from contracts.event import Event, Recorded
from contracts.reference import PersonPublished
from gateway.disconnects import Finding
from gateway.fold import FOLDED, View
from gateway.folding import Change, Folding
from gateway.portfolio import Portfolio, read
from gateway.rows import Page, Row, Standing
from gateway.shelf import row_of
from gateway.summary import Summary
from gateway.waiting import Waits


@dataclass(frozen=True, slots=True)
class Unified:
    """One engagement: the view, what the rules find in it, and itself in a line.

    Findings are those of the last moment at which the view was complete; `complete` says whether
    it is so now, and `waits` what it waits for if an event of it could not be taken in. `number`
    grows with every change; `open_number` differs with every one that everybody may see.
    """

    view: View
    findings: dict[str, Finding]
    row: Row
    complete: bool
    open_number: int
    waits: Waits | None = None
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def number(self) -> int:
        """Its revision."""
        return self.row.number


class Reading:
    """Answers from what this worker folded, and from what other workers wrote.

    Everything raises StoreAway where the store is needed and cannot be reached.
    """

    def __init__(
        self,
        folding: Folding,
        records: ReferenceData,
        today: Callable[[], date],
        stopping: asyncio.Event,
    ) -> None:
        """`today` is the day in UTC; once `stopping` is set nobody is made to wait."""
        self._folding = folding
        self._records = records
        self._today = today
        self._stopping = stopping

    async def portfolio(self, *, confidential: bool) -> Portfolio:
        """The portfolio's figures now."""
        available = sum(
            (
                person.event.available_hours
                for person in self._records.all(PersonPublished)
                if person.event.department == "delivery"
            ),
            start=Decimal(0),
        )
        totals = await self._folding.totals()
        return read(totals, self._today(), available, with_confidential=confidential)

    async def engagements(
        self,
        filters: Mapping[str, str | bool],
        sort: str,
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Summary]:
        """A page of engagements; raises BadCursor."""
        rows = self._folding.rows
        return rows.engagements(filters, sort, cursor, limit, confidential=confidential)

    async def engagement(
        self, engagement: str, after: Mapping[str, int] | None = None, wait: float = 0.0
    ) -> Unified:
        """One engagement, once it is folded as far as `after`, within `wait` seconds.

        Raises Unknown where nothing was ever said of it, NotYet where time is up.
        """
        ends = asyncio.get_running_loop().time() + wait
        asked = {name: last for name, last in (after or {}).items() if name in FOLDED}
        while True:
            held = await self._folding.look(engagement)
            position = held.view.position() if held is not None else {}
            lacking = {name: last for name, last in asked.items() if last > position.get(name, 0)}
            left = ends - asyncio.get_running_loop().time()
            if held is not None and not lacking:
                return Unified(
                    view=held.view,
                    findings=held.findings,
                    row=row_of(held),
                    complete=held.complete,
                    waits=held.waits,
                    passed_over=held.passed_over,
                    open_number=held.open_revision,
                )
            if left <= 0 or self._stopping.is_set():
                raise NotYet(engagement, lacking) if lacking else Unknown(engagement)
            await self._folding.moved(min(left, 0.25))

    async def timeline(self, engagement: str, *, confidential: bool) -> list[Recorded[Event]]:
        """Every event of an engagement by when it occurred; raises Unknown."""
        events = await self._folding.timeline(engagement)
        if not events and await self._folding.look(engagement) is None:
            raise Unknown(engagement)
        return [each for each in events if confidential or not each.channel.confidential]

    async def disconnects(
        self,
        filters: Mapping[str, str],
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Standing]:
        """A page of standing disconnects, the serious and oldest first.

        Filters: rule, owner, severity, engagement, waived (``true`` or ``false``). Raises
        BadCursor.
        """

        def wanted(standing: Standing) -> bool:
            finding = standing.finding
            seen = {
                "rule": finding.rule,
                "owner": finding.owner,
                "severity": finding.severity,
                "engagement": standing.engagement,
                "waived": "true" if standing.waived else "false",
            }
            return (confidential or not finding.confidential) and all(
                seen[name] == value for name, value in filters.items()
            )

        return self._folding.rows.disconnects(wanted, cursor, limit)

    async def changes(
        self, engagement: str | None = None, *, confidential: bool
    ) -> AsyncGenerator[Change]:
        """Every change from now on, of all engagements or of one, that such a reader sees."""
        async for change in self._folding.changes():
            if engagement in (None, change.engagement) and (
                confidential or change.open_number is not None
            ):
                yield change
