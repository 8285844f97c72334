"""The routes of the pages.

=====================================  ============================================================
``GET /``                              portfolio: what needs attention, figures, disconnects
``GET /pages/engagements``             list of all engagements
``GET /pages/engagements/{id}``        one engagement: stages, disconnects, departments, timeline
``POST /pages/engagements/{id}/waive`` waive a disconnect, with a reason
``GET /pages/disconnects``             list of all unresolved disconnects
``GET /pages/live``                    server-sent events: a page's data have changed
``POST /sign-in``, ``POST /sign-out``  start a session with a token; end it
=====================================  ============================================================
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Protocol
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from chassis.application.as_of import OLD_AFTER
from chassis.application.command_handler import Answer, NotYet
from chassis.application.passed_over import shown as shown_passed_over
from chassis.domain.commands import Command
from chassis.domain.context import ReferenceData
from chassis.web.auth import Caller
from chassis.web.problems import Problem
from chassis.web.sse import events
from contracts.channels import Department
from contracts.event import Event, Recorded
from contracts.money import Currency
from contracts.values import Day, EngagementId
from gateway.api import WAIVED_BY, get_gateway, get_queries, reader_in
from gateway.decider import LONGEST_WAIVER, WaiveDisconnect
from gateway.formatting import day
from gateway.pages import html_responses, live_updates, portfolio_page, session
from gateway.pages.department_panels import panels, titles_by_id
from gateway.pages.engagement_page import by_month, entry, proved_disconnects, stage_steps
from gateway.pages.html_responses import PageRoute, page
from gateway.pages.invoices import bills
from gateway.pages.names import OVER, STAGE_NAMES, UNDER_WAY, Names
from gateway.pages.session import SignedOut, caller_of, local_path, read_form, viewer
from gateway.portfolio.figures import Portfolio
from gateway.portfolio.list_index import ListedDisconnect, Page
from gateway.portfolio.reporting import reported
from gateway.portfolio.summary import Summary
from gateway.projection.projector import ViewChange
from gateway.queries import EngagementDetails, History, history_filter
from gateway.rules.computed_status import statuses

FIRST_PAGE_ITEMS = 12
"""Engagements and disconnects on the first page."""
PAGE_SIZE = 50
"""Rows on a page of a list."""
LATEST_EVENTS = 60
"""Events of a timeline that are shown unless the reader asks for all."""
WAIVER_WAIT = 5.0
"""Seconds to wait until a waiver is in the view that is shown next."""


class PageQueries(Protocol):
    """The queries of the pages; `gateway.queries.Queries` answers them."""

    async def portfolio(self, *, confidential: bool) -> Portfolio:
        """Return the current figures of the portfolio."""

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

    async def engagement(
        self, engagement: str, after: Mapping[str, int] | None = None, wait: float = 0.0
    ) -> EngagementDetails:
        """Return one engagement; raises Unknown, NotYet."""

    async def timeline(self, engagement: str, *, confidential: bool) -> list[Recorded[Event]]:
        """Return every event of an engagement by when it occurred; raises Unknown."""

    async def disconnects(
        self,
        filters: Mapping[str, str],
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[ListedDisconnect]:
        """Return a page of disconnects, the serious and oldest first; raises InvalidCursor."""

    def changes(
        self, engagement: str | None = None, *, confidential: bool
    ) -> AsyncIterator[ViewChange]:
        """Yield every change from now on that the reader may see, of all engagements or of one."""


class Commands(Protocol):
    """The command handler; `chassis.application.command_handler.CommandHandler` is one."""

    async def command(
        self, kind: str, subject: str, command: Command, *, actor: str, key: str
    ) -> Answer:
        """Decide a command; raises Refused, Unknown, StoreAway."""


def age_notice(as_of: datetime | None, now: datetime) -> str | None:
    """Return the notice that a page shows while its data are not up to date, else None."""
    if as_of is None:
        return "It is not known when the last update was received. Newer events may be missing."
    if (now - as_of).total_seconds() <= OLD_AFTER:
        return None
    received = as_of.astimezone(UTC)
    on = "" if received.date() == now.astimezone(UTC).date() else f" on {day(received)}"
    return f"Last update received {received:%H:%M} UTC{on}. Newer events may be missing."


@dataclass(frozen=True, slots=True)
class Sources:
    """The parts that the pages use.

    `today` is the day in UTC; `stopping` ends live streams when it is set. `as_of` returns the
    moment (UTC) up to which the data contain what departments published, None if it is not known.
    """

    queries: PageQueries
    commands: Commands
    reference_data: ReferenceData
    today: date
    stopping: asyncio.Event
    as_of: Callable[[], datetime | None]

    def age_notice(self) -> str | None:
        """Return the notice that a page shows while its data are not up to date, else None."""
        return age_notice(self.as_of(), datetime.now(UTC))


Viewer = Annotated[Caller, Depends(viewer)]
Cursor = Annotated[str | None, Query(max_length=400)]


def get_sources(request: Request) -> Sources:
    """Return the sources of a running gateway; raises Problem 503 while it starts."""
    gateway = get_gateway(request)
    return Sources(
        get_queries(request),
        gateway.commands,
        gateway.reference_data,
        gateway.event_handling.handler.today(),
        gateway.stopping,
        gateway.as_of.of_lists,
    )


def pages(sources: Callable[[Request], Sources] = get_sources) -> APIRouter:
    """Return the routes, for an application whose event handler is a Projector."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    _add_pages(router, sources)
    _add_lists(router, sources)
    _add_waiver(router, sources)
    _add_sign_in(router)
    return router


def _content(caller: Caller, source: Sources, **content: object) -> dict[str, object]:
    return {
        "caller": caller,
        "confidential": caller.may("confidential"),
        "may_waive": caller.may(*WAIVED_BY),
        "names": Names(source.reference_data),
        "today": source.today,
        "tomorrow": source.today + timedelta(days=1),
        "longest_waiver": source.today + timedelta(days=LONGEST_WAIVER),
        "live": "/pages/live",
        "age_notice": source.age_notice(),
        **content,
    }


def _add_pages(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.get("/")
    async def portfolio(
        request: Request,
        caller: Viewer,
        currency: Currency | None = None,
        on: Day | None = None,
    ) -> Response:
        source = sources(request)
        queries, confidential = source.queries, caller.may("confidential")
        figures = await queries.portfolio(confidential=confidential)
        ranked = await queries.engagements(
            {}, "-attention", None, FIRST_PAGE_ITEMS, confidential=confidential
        )
        first = [each for each in ranked.items if each.attention]
        details = await asyncio.gather(*(queries.engagement(each.engagement) for each in first))
        disconnects = await queries.disconnects(
            {"waived": "false"}, None, FIRST_PAGE_ITEMS, confidential=confidential
        )
        names = Names(source.reference_data)
        attention = [
            portfolio_page.attention(
                one.row.seen(confidential=confidential),
                one.view,
                [each for each in one.disconnects.values() if each.finding not in one.row.waived],
                names,
                confidential=confidential,
            )
            for one in details
        ]
        day = on and min(on, source.today)
        reporting = reported(figures, source.reference_data, currency, day).reporting
        content = _content(
            caller,
            source,
            portfolio=figures,
            reporting=reporting,
            reported=portfolio_page.reported_lines(reporting),
            headline=portfolio_page.headline(figures),
            day=portfolio_page.today_in_words(source.today),
            under_way=portfolio_page.under_way(figures),
            over=portfolio_page.over(figures),
            figures=portfolio_page.figures(figures),
            amounts=portfolio_page.amounts(figures),
            attention=[each for each in attention if each is not None],
            disconnects=disconnects,
        )
        return page("portfolio.html", content)

    @router.get("/pages/engagements/{engagement}")
    async def engagement(
        request: Request,
        caller: Viewer,
        engagement: Annotated[EngagementId, Path()],
        events: Literal["all"] | None = None,
        said: Department | None = None,
    ) -> Response:
        source = sources(request)
        confidential = caller.may("confidential")
        details = await source.queries.engagement(engagement)
        timeline = await source.queries.timeline(engagement, confidential=confidential)
        view = details.view
        names = Names(source.reference_data, titles_by_id(view))
        selected = [each for each in timeline if said in (None, each.channel.department)]
        shown = selected if events == "all" else selected[-LATEST_EVENTS:]
        reader = reader_in(caller, view)
        entries = [entry(each, names, reader) for each in reversed(shown)]
        shown_bills, older_bills = bills(view, names)
        content = _content(
            caller,
            source,
            names=names,
            live=f"/pages/live?engagement={engagement}",
            view=view,
            summary=details.row.seen(confidential=confidential),
            complete=details.complete_for(confidential=confidential),
            waits=details.waits and details.waits.seen(confidential=confidential),
            passed_over=shown_passed_over(details.passed_over, confidential=confidential),
            steps=stage_steps(view),
            statuses=statuses(view, details.tolerances, confidential=confidential),
            disconnects=proved_disconnects(
                details.disconnects, details.row.waived, timeline, names, reader
            ),
            panels=panels(view, names, source.today, confidential=confidential),
            bills=shown_bills,
            older_bills=older_bills,
            asked=events,
            department=said,
            events=len(selected),
            months=by_month(entries),
            anchors={each.anchor for each in entries},
            shown=len(shown),
        )
        return page("engagement.html", content)

    @router.get("/pages/live")
    async def changes(
        request: Request, caller: Viewer, engagement: EngagementId | None = None
    ) -> Response:
        token = request.cookies[session.COOKIE]

        async def signed_in() -> bool:
            with suppress(Problem):
                return await caller_of(request, token) == caller
            return False

        source = sources(request)
        changes = source.queries.changes(engagement, confidential=caller.may("confidential"))
        stream = live_updates.page_events(changes, signed_in, source.age_notice)
        return events(stream, source.stopping, caller.actor)

    files = html_responses.static_files()

    @router.get("/pages/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise Problem(404, "unknown-route", "")
        content, kind = files[name]
        caching = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, headers={**html_responses.SECURITY, **caching}, media_type=kind)


def _add_lists(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.get("/pages/engagements")
    async def engagements(
        request: Request,
        caller: Viewer,
        stage: str | None = None,
        sort: Literal["-attention", "title", "-price", "finish", "-updated"] = "-attention",
        history: History = "false",
        cursor: Cursor = None,
    ) -> Response:
        if stage is not None and stage not in STAGE_NAMES:
            raise Problem(404, "unknown-route", "")
        source = sources(request)
        filters: dict[str, str | bool] = {**history_filter(history)}
        if stage:
            filters["stage"] = stage
        listed = await source.queries.engagements(
            filters, sort, cursor, PAGE_SIZE, confidential=caller.may("confidential")
        )
        content = _content(
            caller,
            source,
            listed=listed,
            stage=stage,
            sort=sort,
            history=None if history == "false" else history,
            stages=[*UNDER_WAY, *OVER],
        )
        return page("engagements.html", content)

    @router.get("/pages/disconnects")
    async def disconnects(
        request: Request,
        caller: Viewer,
        owner: Department | None = None,
        severity: Literal["serious", "warning"] | None = None,
        waived: Literal["true", "false"] = "false",
        cursor: Cursor = None,
    ) -> Response:
        source = sources(request)
        filters: dict[str, str] = {"waived": waived}
        if owner is not None:
            filters["owner"] = owner
        if severity is not None:
            filters["severity"] = severity
        listed = await source.queries.disconnects(
            filters, cursor, PAGE_SIZE, confidential=caller.may("confidential")
        )
        content = _content(
            caller, source, disconnects=listed, owner=owner, severity=severity, waived=waived
        )
        return page("disconnects.html", content)


def _add_waiver(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.post("/pages/engagements/{engagement}/waive")
    async def waive(
        request: Request, caller: Viewer, engagement: Annotated[EngagementId, Path()]
    ) -> Response:
        form = await read_form(request)
        if not caller.may(*WAIVED_BY):
            raise Problem(403, "not-allowed", "Your roles do not allow this.")
        finding = form.get("finding", "")
        try:
            command = WaiveDisconnect.model_validate(
                {name: form.get(name, "") for name in ("finding", "why", "until")}
            )
        except ValidationError:
            what = "A waiver needs a reason, in words, and a last day."
            raise Problem(422, "invalid-input", what) from None
        source = sources(request)
        if command.until <= source.today:
            raise Problem(422, "invalid-input", "The last day of a waiver is after today.")
        confidential = caller.may("confidential")
        disconnect = (await source.queries.engagement(engagement)).disconnects.get(finding)
        if disconnect is None or (disconnect.confidential and not confidential):
            raise Problem(409, "disconnect-unknown", "This disconnect is not open any more.")
        # Two clicks have two keys; the decider ignores a waiver that is given again.
        answer = await source.commands.command(
            "engagement",
            engagement,
            command.given_by(confidential=confidential),
            actor=caller.actor,
            key=f"page-{uuid4()}",
        )
        with suppress(NotYet):
            await source.queries.engagement(engagement, answer.stream.position, WAIVER_WAIT)
        return RedirectResponse(f"/pages/engagements/{engagement}#finding-{finding}", 303)


def _add_sign_in(router: APIRouter) -> None:
    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        token, goes_to = form.get("token", "").strip(), local_path(form.get("next", "/"))
        try:
            await caller_of(request, token)
            return session.start(request, token, goes_to)
        except SignedOut as out:
            return html_responses.sign_in(goes_to, out)

    @router.get("/sign-in")
    async def signed_in() -> Response:
        return RedirectResponse("/", 303)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await read_form(request)
        return session.end()
