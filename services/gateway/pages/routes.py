"""The routes of the pages.

=====================================  ============================================================
``GET /``                              the portfolio, who needs attention and why, the disconnects
``GET /pages/engagements``             every engagement in a line
``GET /pages/engagements/{id}``        one engagement: its way, disconnects, departments, timeline
``POST /pages/engagements/{id}/waive`` accept a disconnect as it is, with a reason
``GET /pages/disconnects``             every disconnect that stands
``GET /pages/live``                    server-sent events: something that a page shows has changed
``POST /sign-in``, ``POST /sign-out``  with a token; back out
=====================================  ============================================================
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Protocol
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from chassis.application.command_handler import Answer, NotYet
from chassis.application.passed_over import shown as shown_passed_over
from chassis.domain.commands import Command
from chassis.domain.context import ReferenceData
from chassis.runtime.container import get_container
from chassis.web.auth import Caller
from chassis.web.problems import Problem
from chassis.web.sse import events
from contracts.channels import Department
from contracts.event import Event, Recorded
from contracts.values import EngagementId
from gateway.api import WAIVED_BY, reading_of
from gateway.findings import WaiveDisconnect
from gateway.folding import Change, Folding
from gateway.pages import live, overview, rendering, session
from gateway.pages.dossier import by_month, cases, entry, way
from gateway.pages.presenting import OVER, STAGE_NAMES, UNDER_WAY, Names, age_notice
from gateway.pages.rendering import PageRoute, page
from gateway.pages.session import SignedOut, caller_of, own_form, own_page, viewer
from gateway.pages.sheets import sheets, things
from gateway.portfolio import Portfolio
from gateway.reading import Unified
from gateway.rows import Page, Standing
from gateway.summary import Summary

SHOWN_FIRST = 12
"""Engagements and disconnects on the first page."""
A_PAGE = 50
"""Lines of a list."""
LATEST = 60
"""Events of a timeline that are shown unless all are asked for."""
WAIT = 5.0
"""Seconds to wait until a waiver is in the view that is shown next."""


class Reads(Protocol):
    """What the pages ask of the gateway; see gateway.reading."""

    async def portfolio(self, *, confidential: bool) -> Portfolio:
        """The portfolio's figures now."""

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

    async def engagement(
        self, engagement: str, after: Mapping[str, int] | None = None, wait: float = 0.0
    ) -> Unified:
        """One engagement; raises Unknown, NotYet."""

    async def timeline(self, engagement: str, *, confidential: bool) -> list[Recorded[Event]]:
        """Every event of an engagement by when it occurred; raises Unknown."""

    async def disconnects(
        self,
        filters: Mapping[str, str],
        cursor: str | None,
        limit: int,
        *,
        confidential: bool,
    ) -> Page[Standing]:
        """A page of disconnects, the serious and oldest first; raises BadCursor."""

    def changes(
        self, engagement: str | None = None, *, confidential: bool
    ) -> AsyncIterator[Change]:
        """Every change from now on, of all engagements or of one, that such a reader sees."""


class Commands(Protocol):
    """What carries a command to its decider; see chassis.application.command_handler."""

    async def command(
        self, kind: str, subject: str, command: Command, *, actor: str, key: str
    ) -> Answer:
        """Decide a command; raises Refused, Unknown, StoreAway."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the pages are made from.

    `records` give names to ids, `today` is the day in UTC, `stopping` ends what has no end.
    `as_of` returns the moment up to which the data hold what departments published, if known.
    """

    reading: Reads
    commands: Commands
    records: ReferenceData
    today: date
    stopping: asyncio.Event
    as_of: Callable[[], datetime | None]

    def age_notice(self) -> str | None:
        """Return what a page says of data that are not up to date; None where they are."""
        return age_notice(self.as_of(), datetime.now(UTC))


Viewer = Annotated[Caller, Depends(viewer)]
Cursor = Annotated[str | None, Query(max_length=400)]


def at_work(request: Request) -> Sources:
    """The sources of a running gateway; raises Problem 503 while it is not there yet."""
    container = get_container(request)
    folding = container.event_handling.handler
    if not isinstance(folding, Folding):
        raise TypeError("the gateway's events are heard by its folding")
    return Sources(
        reading_of(request),
        container.commands,
        container.reference_data,
        folding.today(),
        container.stopping,
        container.as_of.of_lists,
    )


def pages(sources: Callable[[Request], Sources] = at_work) -> APIRouter:
    """The routes, for an application of `chassis.runtime.service` whose events a Folding hears."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)
    _reading(router, sources)
    _lists(router, sources)
    _acting(router, sources)
    _signing_in(router)
    return router


def _content(caller: Caller, source: Sources, **content: object) -> dict[str, object]:
    return {
        "caller": caller,
        "confidential": caller.may("confidential"),
        "may_waive": caller.may(*WAIVED_BY),
        "names": Names(source.records),
        "today": source.today,
        "live": "/pages/live",
        "age_notice": source.age_notice(),
        **content,
    }


def _reading(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.get("/")
    async def portfolio(request: Request, caller: Viewer) -> Response:
        source = sources(request)
        reading, confidential = source.reading, caller.may("confidential")
        figures = await reading.portfolio(confidential=confidential)
        ranked = await reading.engagements(
            {}, "-attention", None, SHOWN_FIRST, confidential=confidential
        )
        asking = [each for each in ranked.items if each.attention]
        unified = await asyncio.gather(*(reading.engagement(each.engagement) for each in asking))
        standing = await reading.disconnects(
            {"waived": "false"}, None, SHOWN_FIRST, confidential=confidential
        )
        names = Names(source.records)
        attention = [
            overview.attention(
                one.row.seen(confidential=confidential),
                one.view,
                list(one.findings.values()),
                names,
                confidential=confidential,
            )
            for one in unified
        ]
        content = _content(
            caller,
            source,
            portfolio=figures,
            headline=overview.headline(figures),
            day=overview.today_in_words(source.today),
            under_way=overview.under_way(figures),
            over=overview.over(figures),
            figures=overview.figures(figures),
            account=overview.account(figures),
            attention=[each for each in attention if each is not None],
            standing=standing,
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
        unified = await source.reading.engagement(engagement)
        timeline = await source.reading.timeline(engagement, confidential=confidential)
        view = unified.view
        names = Names(source.records, things(view))
        told = [each for each in timeline if said in (None, each.channel.department)]
        shown = told if events == "all" else told[-LATEST:]
        entries = [entry(each, names, confidential=confidential) for each in reversed(shown)]
        content = _content(
            caller,
            source,
            names=names,
            live=f"/pages/live?engagement={engagement}",
            view=view,
            summary=unified.row.seen(confidential=confidential),
            complete=unified.complete,
            waits=unified.waits and unified.waits.seen(confidential=confidential),
            passed_over=shown_passed_over(unified.passed_over, confidential=confidential),
            way=way(view),
            cases=cases(view, unified.findings, timeline, names, confidential=confidential),
            sheets=sheets(view, names, confidential=confidential),
            asked=events,
            said=said,
            events=len(told),
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
            with suppress(SignedOut):
                return await caller_of(request, token) == caller
            return False

        source = sources(request)
        changes = source.reading.changes(engagement, confidential=caller.may("confidential"))
        told = live.tidings(changes, signed_in, source.age_notice)
        return events(told, source.stopping, caller.actor)

    files = rendering.static_files()

    @router.get("/pages/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise Problem(404, "unknown-route", "")
        content, kind = files[name]
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, headers={**rendering.SECURITY, **kept}, media_type=kind)


def _lists(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.get("/pages/engagements")
    async def engagements(
        request: Request,
        caller: Viewer,
        stage: str | None = None,
        sort: Literal["-attention", "title", "-price", "finish", "-updated"] = "-attention",
        cursor: Cursor = None,
    ) -> Response:
        if stage is not None and stage not in STAGE_NAMES:
            raise Problem(404, "unknown-route", "")
        source = sources(request)
        filters = {"stage": stage} if stage else {}
        found = await source.reading.engagements(
            filters, sort, cursor, A_PAGE, confidential=caller.may("confidential")
        )
        content = _content(
            caller, source, found=found, stage=stage, sort=sort, stages=[*UNDER_WAY, *OVER]
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
        found = await source.reading.disconnects(
            filters, cursor, A_PAGE, confidential=caller.may("confidential")
        )
        content = _content(
            caller, source, standing=found, owner=owner, severity=severity, waived=waived
        )
        return page("disconnects.html", content)


def _acting(router: APIRouter, sources: Callable[[Request], Sources]) -> None:
    @router.post("/pages/engagements/{engagement}/waive")
    async def waive(
        request: Request, caller: Viewer, engagement: Annotated[EngagementId, Path()]
    ) -> Response:
        form = await own_form(request)
        if not caller.may(*WAIVED_BY):
            raise Problem(403, "not-allowed", "Your roles do not allow this.")
        finding = form.get("finding", "")
        try:
            command = WaiveDisconnect(finding=finding, why=form.get("why", ""))
        except ValidationError:
            raise Problem(422, "invalid-input", "A waiver needs a reason, in words.") from None
        source = sources(request)
        confidential = caller.may("confidential")
        found = (await source.reading.engagement(engagement)).findings.get(finding)
        if found is None or (found.confidential and not confidential):
            raise Problem(409, "no-such-disconnect", "This disconnect does not stand any more.")
        # Two clicks are two keys; the decider says the same waiver once all the same.
        answer = await source.commands.command(
            "engagement",
            engagement,
            command.given_by(confidential=confidential),
            actor=caller.actor,
            key=f"page-{uuid4()}",
        )
        with suppress(NotYet):
            await source.reading.engagement(engagement, answer.stream.position, WAIT)
        return RedirectResponse(f"/pages/engagements/{engagement}#finding-{finding}", 303)


def _signing_in(router: APIRouter) -> None:
    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await own_form(request)
        token, goes_to = form.get("token", "").strip(), own_page(form.get("next", "/"))
        try:
            await caller_of(request, token)
        except SignedOut as out:
            return rendering.sign_in(goes_to, out)
        return session.begun(request, token, goes_to)

    @router.get("/sign-in")
    async def signed_in() -> Response:
        return RedirectResponse("/", 303)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await own_form(request)
        return session.ended()
