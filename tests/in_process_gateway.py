"""Run the gateway in memory, without Kafka and store, on given events.

It uses the gateway's own projection, rules, figures, lists and decider.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace

from fastapi import FastAPI, Request

from chassis.application.command_handler import Answer, NotYet
from chassis.application.repository import Unknown
from chassis.base.partitioning import partition_of
from chassis.base.settings import LOCAL_ISSUER, Settings
from chassis.domain.commands import Command
from chassis.domain.context import Context, ReferenceData
from chassis.domain.decider import handle_command
from chassis.domain.stream import PassedOver, Stream
from chassis.web import problems
from chassis.web.auth import Tokens, issue
from contracts.event import Event, Recorded
from contracts.reference import AccountPublished, PersonPublished
from contracts.roles import Role
from gateway import api
from gateway.decider import ENGAGEMENT, EngagementDisconnects, PublishDisconnects, detected
from gateway.pages import Sources, pages
from gateway.portfolio.figures import (
    Figures,
    Portfolio,
    build_portfolio,
    contribution,
    replace_contribution,
)
from gateway.portfolio.list_index import ListedDisconnect, ListIndex, Page
from gateway.portfolio.reporting import ReportedPortfolio, reported
from gateway.portfolio.summary import Summary
from gateway.projection.projector import ViewChange
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import CachedView, row_of
from gateway.queries import EngagementDetails
from gateway.rules import judge
from gateway.view.engagement_view import View, apply_event
from gateway.view.waiting import Waits
from testkit.scenario import RecordsOf

TODAY = date(2026, 5, 25)
PEOPLE = (
    PersonPublished(person="ann", name="Ann Archer", department="sales"),
    PersonPublished(person="max", name="Max Meyer", department="delivery"),
    PersonPublished(person="eve", name="Eve Engel", department="delivery"),
    PersonPublished(person="vera", name="Vera Voss", department="executive"),
)
ACCOUNTS = (
    AccountPublished(account="acme", name="Acme Logistics"),
    AccountPublished(account="birch", name="Birch & Sons <Shipping>"),
    AccountPublished(account="corvus", name="Corvus Energy"),
)


class InMemory:
    """The sources of the gateway's pages, and the command that the pages send."""

    def __init__(self, *events: Recorded[Event], today: date = TODAY) -> None:
        self.today = today
        self.records: ReferenceData = RecordsOf([*PEOPLE, *ACCOUNTS])
        self._held: dict[str, CachedView] = {}
        self._events: defaultdict[str, list[Recorded[Event]]] = defaultdict(list)
        self._streams: dict[str, Stream[EngagementDisconnects]] = {}
        self._totals: Figures = {}
        self._rows = ListIndex()
        self._watchers: set[asyncio.Queue[ViewChange]] = set()
        self.handle_events(events)

    # ---- events ------------------------------------------------------------------------------

    def handle_events(self, events: Iterable[Recorded[Event]]) -> None:
        """Apply events, evaluate the rules on the result, and record new findings."""
        touched: dict[str, None] = {}
        for recorded in events:
            self._fold(recorded)
            touched[recorded.subject] = None
        for engagement in touched:
            self._judge(engagement)
            self._announce(engagement)

    def _fold(self, recorded: Recorded[Event]) -> None:
        engagement = recorded.subject
        held = self._held.get(engagement)
        if held is None:
            held = self._held[engagement] = CachedView(View(engagement), partition_of(engagement))
        apply_event(held.view, recorded)
        self._events[engagement].append(recorded)

    def _judge(self, engagement: str) -> None:
        held = self._held[engagement]
        if held.view.causally_complete:
            held.tolerances = CompanyTolerances(self.records).on(held.view, self.today)
            held.disconnects = judge(held.view, self.today, held.tolerances)
            held.judged_on = self.today
        figures = contribution(held.view, held.disconnects.values(), held.waived)
        replace_contribution(self._totals, held.figures, figures)
        held.figures = figures
        row = row_of(held)
        self._rows.put(row)
        change = ViewChange.of(held, row)
        for watcher in self._watchers:
            watcher.put_nowait(change)

    def _announce(self, engagement: str) -> None:
        found = tuple(detected(each) for each in self._held[engagement].disconnects.values())
        self._take(engagement, PublishDisconnects(disconnects=found), "gateway")

    def _take(self, engagement: str, command: Command, actor: str) -> Stream[EngagementDisconnects]:
        stream = self._streams.get(engagement) or Stream(
            ENGAGEMENT.stream(engagement), ENGAGEMENT.initial(engagement)
        )
        now = datetime.combine(self.today, time(10), UTC)
        context = Context(actor, now, now, "test", self.records, lambda: secrets.token_hex(8))
        step = handle_command(ENGAGEMENT, stream, command, context)
        self._streams[engagement] = step.stream
        for recorded in step.own_events:
            self._fold(recorded)
        if step.own_events:
            self._judge(engagement)
        return step.stream

    def on(self, today: date) -> None:
        """Evaluate the rules of all engagements on another day, and publish what changed."""
        self.today = today
        for engagement in self._held:
            self._judge(engagement)
            self._announce(engagement)

    def wait(self, engagement: str, waits: Waits, *passed_over: PassedOver) -> None:
        """Mark an engagement as waiting, with events of it passed over."""
        held = self._held[engagement]
        held.waits, held.passed_over = waits, passed_over
        self._rows.put(row_of(held))

    # ---- queries -----------------------------------------------------------------------------

    async def command(
        self, kind: str, subject: str, command: Command, *, actor: str, key: str
    ) -> Answer:
        assert kind == "engagement"
        assert key
        return Answer(self._take(subject, command, actor), ())

    async def portfolio(self, *, confidential: bool) -> Portfolio:
        return build_portfolio(
            self._totals, self.today, Decimal(320), with_confidential=confidential
        )

    def reported(
        self, portfolio: Portfolio, currency: str | None, on: date | None
    ) -> ReportedPortfolio:
        return reported(portfolio, self.records, currency, on)

    async def engagements(
        self,
        filters: Mapping[str, str | bool],
        sort: str,
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Summary]:
        return self._rows.engagements(filters, sort, cursor, limit, confidential=confidential)

    async def engagement(
        self, engagement: str, after: Mapping[str, int] | None = None, wait: float = 0.0
    ) -> EngagementDetails:
        held = self._held.get(engagement)
        if held is None:
            raise Unknown(engagement)
        position = held.view.position()
        if any(last > position.get(name, 0) for name, last in (after or {}).items()):
            assert wait
            raise NotYet(engagement, after or {})
        return EngagementDetails(
            view=held.view,
            disconnects=held.disconnects,
            row=row_of(held),
            complete=held.complete,
            open_part_complete=held.open_part_complete,
            open_number=held.open_revision,
            tolerances=held.tolerances,
            waits=held.waits,
            passed_over=held.passed_over,
        )

    async def timeline(self, engagement: str, *, confidential: bool) -> list[Recorded[Event]]:
        events = sorted(self._events[engagement], key=lambda each: (each.occurred_at, each.id))
        if not events:
            raise Unknown(engagement)
        return [each for each in events if confidential or not each.channel.confidential]

    async def disconnects(
        self, filters: Mapping[str, str], cursor: str | None, limit: int, *, confidential: bool
    ) -> Page[ListedDisconnect]:
        def wanted(listed: ListedDisconnect) -> bool:
            disconnect = listed.disconnect
            fields = {
                "owner": disconnect.owner,
                "severity": disconnect.severity,
                "waived": "true" if listed.waived else "false",
            }
            return (
                confidential or not disconnect.confidential
            ) and filters.items() <= fields.items()

        return self._rows.disconnects(wanted, cursor, limit)

    async def changes(
        self, engagement: str | None = None, *, confidential: bool
    ) -> AsyncIterator[ViewChange]:
        queue: asyncio.Queue[ViewChange] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            while True:
                change = await queue.get()
                if engagement in (None, change.engagement) and (
                    confidential or change.open_number is not None
                ):
                    yield change
        finally:
            self._watchers.discard(queue)


SETTINGS = Settings(token_secret=secrets.token_urlsafe(48))  # type: ignore[arg-type]


def app_of(gateway: InMemory, as_of: datetime | None = None) -> FastAPI:
    """Return an application with this gateway's pages; its data are current as of `as_of`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.tokens = Tokens(SETTINGS)
    app.state.wait_limit = SETTINGS.wait_limit
    problems.install(app)

    def sources(_: Request) -> Sources:
        return Sources(
            gateway,
            gateway,
            gateway.records,
            gateway.today,
            asyncio.Event(),
            lambda: as_of or datetime.now(UTC),
        )

    app.include_router(pages(sources))
    return app


def api_of() -> FastAPI:
    """Return an application with the API of the gateway; a test replaces `api.get_queries`."""
    app = FastAPI()
    app.state.tokens = Tokens(SETTINGS)
    app.state.wait_limit = SETTINGS.wait_limit
    up_to_date = SimpleNamespace(of_lists=lambda: None, of_engagement=lambda _: None)
    app.state.container = SimpleNamespace(waits_for=None, as_of=up_to_date)
    problems.install(app)
    app.include_router(api.router)
    return app


def token(actor: str, *roles: Role, ago: timedelta = timedelta(0), hours: float = 8) -> str:
    """Return a token with these roles, issued `ago`."""
    assert SETTINGS.token_secret is not None
    return issue(
        SETTINGS.token_secret.get_secret_value(),
        actor,
        roles,
        issuer=LOCAL_ISSUER,
        now=datetime.now(UTC) - ago,
        valid=timedelta(hours=hours),
    )
