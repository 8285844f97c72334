"""Queries of the gateway's API and pages over the projected views."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from chassis.application.command_handler import NotYet
from chassis.application.repository import Unknown
from chassis.domain.context import ReferenceData
from chassis.domain.stream import PassedOver
from contracts.event import Event, Recorded
from contracts.reference import Tolerances
from gateway.portfolio.capacity import available_hours
from gateway.portfolio.figures import Portfolio, build_portfolio
from gateway.portfolio.list_index import EngagementRow, ListedDisconnect, Page
from gateway.portfolio.reporting import ReportedPortfolio, reported
from gateway.portfolio.summary import Summary
from gateway.projection.projector import Projector, ViewChange
from gateway.projection.view_store import row_of
from gateway.rules import Disconnect
from gateway.view.engagement_view import PROJECTED_CHANNELS, View
from gateway.view.waiting import Waits


@dataclass(frozen=True, slots=True)
class EngagementDetails:
    """One engagement: the view, its disconnects by id, and its row.

    `disconnects` are those of the last moment at which the view was complete; `complete`
    tells whether it is now, `open_part_complete` whether its open part is, and `waits` why an event
    of it waits, if one does. `number` grows with
    every change; `open_number` differs after every change of data that are not confidential.
    `tolerances` are those by which its disconnects were found.
    """

    view: View
    disconnects: dict[str, Disconnect]
    row: EngagementRow
    complete: bool
    open_part_complete: bool
    open_number: int
    tolerances: Tolerances = field(default_factory=Tolerances)
    waits: Waits | None = None
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def number(self) -> int:
        """The revision of the view."""
        return self.row.number

    def complete_for(self, *, confidential: bool) -> bool:
        """Return whether all that a reader may see is complete."""
        return self.complete if confidential else self.open_part_complete


History = Literal["false", "true", "both"]
"""Engagements of a list: those that are no imported history, only it, or both."""


def history_filter(history: History) -> dict[str, bool]:
    """Return the filter by which engagements are listed with or without imported history."""
    return {} if history == "both" else {"history": history == "true"}


class Queries:
    """Queries over the views of this worker and those that other workers wrote.

    All methods raise StoreAway where the store is needed and cannot be reached.
    """

    def __init__(
        self,
        projector: Projector,
        reference_data: ReferenceData,
        today: Callable[[], date],
        stopping: asyncio.Event,
    ) -> None:
        """Answer by the day (UTC) that `today` returns; do not wait once `stopping` is set."""
        self._projector = projector
        self._reference_data = reference_data
        self._today = today
        self._stopping = stopping
        self._available: tuple[tuple[date, int] | None, Decimal | None] = None, None

    async def portfolio(self, *, confidential: bool) -> Portfolio:
        """Return the current figures of the portfolio."""
        totals, today = await self._projector.totals(), self._today()
        return build_portfolio(
            totals, today, self._available_hours(today), with_confidential=confidential
        )

    def reported(
        self, portfolio: Portfolio, currency: str | None, on: date | None
    ) -> ReportedPortfolio:
        """Return the portfolio, with its amounts in a currency at the rates of a day."""
        return reported(portfolio, self._reference_data, currency, on)

    def _available_hours(self, today: date) -> Decimal | None:
        """Return the available hours, computed again when the day or reference data change."""
        as_of = today, self._reference_data.revision
        if self._available[0] != as_of:
            self._available = as_of, available_hours(self._reference_data, today)
        return self._available[1]

    async def engagements(
        self,
        filters: Mapping[str, str | bool],
        sort: str,
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Summary]:
        """Return a page of engagements; raises InvalidCursor."""
        rows = self._projector.rows
        return rows.engagements(filters, sort, cursor, limit, confidential=confidential)

    async def engagement(
        self, engagement: str, after: Mapping[str, int] | None = None, wait: float = 0.0
    ) -> EngagementDetails:
        """Return one engagement once its view has reached `after`, within `wait` seconds.

        Raises Unknown where no event of it is known, NotYet where the time is over.
        """
        ends = asyncio.get_running_loop().time() + wait
        asked = {name: last for name, last in (after or {}).items() if name in PROJECTED_CHANNELS}
        while True:
            cached = await self._projector.look(engagement)
            position = cached.view.position() if cached is not None else {}
            missing = {name: last for name, last in asked.items() if last > position.get(name, 0)}
            left = ends - asyncio.get_running_loop().time()
            if cached is not None and not missing:
                return EngagementDetails(
                    view=cached.view,
                    disconnects=cached.disconnects,
                    row=row_of(cached),
                    complete=cached.complete,
                    open_part_complete=cached.open_part_complete,
                    waits=cached.waits,
                    passed_over=cached.passed_over,
                    open_number=cached.open_revision,
                    tolerances=cached.tolerances,
                )
            if left <= 0 or self._stopping.is_set():
                raise NotYet(engagement, missing) if missing else Unknown(engagement)
            await self._projector.changed(min(left, 0.25))

    async def timeline(self, engagement: str, *, confidential: bool) -> list[Recorded[Event]]:
        """Return every event of an engagement by when it occurred; raises Unknown."""
        events = await self._projector.timeline(engagement)
        if not events and await self._projector.look(engagement) is None:
            raise Unknown(engagement)
        return [each for each in events if confidential or not each.channel.confidential]

    async def disconnects(
        self,
        filters: Mapping[str, str],
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[ListedDisconnect]:
        """Return a page of unresolved disconnects, the serious and oldest first.

        Filters: rule, owner, severity, engagement, waived (``true`` or ``false``). Raises
        InvalidCursor.
        """

        def wanted(listed: ListedDisconnect) -> bool:
            disconnect = listed.disconnect
            fields = {
                "rule": disconnect.rule,
                "owner": disconnect.owner,
                "severity": disconnect.severity,
                "engagement": listed.engagement,
                "waived": "true" if listed.waived else "false",
            }
            return (confidential or not disconnect.confidential) and all(
                fields[name] == value for name, value in filters.items()
            )

        return self._projector.rows.disconnects(wanted, cursor, limit)

    async def changes(
        self, engagement: str | None = None, *, confidential: bool
    ) -> AsyncGenerator[ViewChange]:
        """Yield every change from now on that the reader may see, of all engagements or of one."""
        async for change in self._projector.changes():
            if engagement in (None, change.engagement) and (
                confidential or change.open_number is not None
            ):
                yield change
