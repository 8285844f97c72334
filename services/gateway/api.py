"""The gateway's routes: engagements, the portfolio, disconnects, and a live stream of changes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from chassis.auth import Caller, Role, requires
from chassis.exchange import StrictRoute, Wishes, commanding, not_modified, only, reading, stands_at
from chassis.http import PROBLEMS
from chassis.problems import field_error
from chassis.reach import engine_of, works_of
from chassis.streaming import events
from contracts.channels import Department
from contracts.fact import Fact, Recorded
from contracts.money import Currency, Money
from contracts.values import RAG, AccountId, EngagementId, PersonId, Tier
from gateway.disconnects import Finding
from gateway.findings import WaiveDisconnect
from gateway.fold import STAGES, Freshness
from gateway.folding import Folding
from gateway.portfolio import Portfolio
from gateway.reading import Reading, Unified
from gateway.rows import SORTS, BadCursor, Page, Standing
from gateway.sections.delivery import DeliverySection
from gateway.sections.finance import ConfidentialSection, FinanceSection
from gateway.sections.folding import Ref
from gateway.sections.gateway import Waiver
from gateway.sections.legal import LegalSection
from gateway.sections.sales import SalesSection
from gateway.summary import Summary

SEEN_BY: tuple[Role, ...] = (
    "executive",
    "vp-engagement-management",
    "pmo-director",
    "engagement-manager",
    "account-executive",
    "sales-manager",
    "counsel",
    "contract-manager",
    "project-accountant",
    "controller",
    "operator",
)
"""Who reads the gateway: everybody of the company who works on engagements."""

WAIVED_BY: tuple[Role, ...] = ("executive", "vp-engagement-management")
"""Who may accept a contradiction as it is."""

_HEARTBEAT = 15.0
_PAGE_LIMIT = 200


class EngagementPage(BaseModel):
    """A page of engagements; `next` is the cursor of the page behind it."""

    items: list[Summary]
    next: str | None


class DisconnectView(BaseModel):
    """A disconnect: what contradicts what, proved by which facts, and what hangs on it.

    Each piece of evidence says how far its author had heard the others when it was recorded.
    """

    engagement: str
    title: str | None
    finding: str
    rule: str
    sentence: str
    since: datetime
    owner: Department
    severity: str
    stake: Money | None
    days: int | None
    confidential: bool
    evidence: list[Ref]
    waived: Waiver | None


class DisconnectPage(BaseModel):
    """A page of disconnects; `next` is the cursor of the page behind it."""

    items: list[DisconnectView]
    next: str | None


class EngagementView(BaseModel):
    """One engagement as all departments together tell it.

    `complete` says whether all that the departments had heard of each other is folded; findings
    are those of the last moment at which it was. Costs and margins are null for those who may not
    see them.
    """

    engagement: str
    stage: str
    complete: bool
    summary: Summary
    sales: SalesSection
    legal: LegalSection
    delivery: DeliverySection
    finance: FinanceSection
    confidential: ConfidentialSection | None
    freshness: dict[str, Freshness]
    disconnects: list[DisconnectView]


class TimelineEntry(BaseModel):
    """A fact: who said what, when it happened and was recorded, and what its author had heard."""

    id: str
    type: str
    channel: str
    sequence: int
    actor: str
    cause: str
    occurred_at: datetime
    recorded_at: datetime
    heard: dict[str, int]
    data: dict[str, Any]


router = APIRouter(route_class=StrictRoute, responses=PROBLEMS)
"""The routes, for an application of `chassis.service` whose facts a Folding hears."""

_SEEN = [Depends(requires(*SEEN_BY))]
_EngagementPath = Annotated[EngagementId, Path()]


def reading_of(request: Request) -> Reading:
    """What answers; raises Problem 503 while nothing is folded yet."""
    works = works_of(request)
    folding = works.hearing.reader
    if not isinstance(folding, Folding):
        raise TypeError("the gateway's facts are heard by its folding")
    return Reading(folding, works.records, folding.today, works.stopping)


@router.get("/engagements", dependencies=_SEEN, tags=["engagements"])
async def engagements(
    request: Request,
    sort: Annotated[
        str, Query(description=f"One of {', '.join(SORTS)}; - before it turns")
    ] = "-attention",
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE_LIMIT)] = 50,
    stage: Annotated[str | None, Query(description=f"One of {', '.join(STAGES)}")] = None,
    account: Annotated[AccountId | None, Query()] = None,
    owner: Annotated[PersonId | None, Query()] = None,
    manager: Annotated[PersonId | None, Query()] = None,
    tier: Annotated[Tier | None, Query()] = None,
    rag: Annotated[RAG | None, Query()] = None,
    currency: Annotated[Currency | None, Query()] = None,
    on_hold: Annotated[bool | None, Query()] = None,
    imported: Annotated[bool | None, Query()] = None,
) -> EngagementPage:
    """Engagements in a line each: filtered, sorted, page by page."""
    wanted = {
        "stage": stage,
        "account": account,
        "owner": owner,
        "manager": manager,
        "tier": tier,
        "rag": rag,
        "currency": currency,
        "on_hold": on_hold,
        "imported": imported,
    }
    only(request, "sort", "cursor", "limit", *wanted)
    if sort.removeprefix("-") not in SORTS:
        raise field_error("sort", f"must be one of {', '.join(SORTS)}, - before it turns")
    if stage is not None and stage not in STAGES:
        raise field_error("stage", f"must be one of {', '.join(STAGES)}")
    filters = {name: value for name, value in wanted.items() if value is not None}
    caller: Caller = request.state.caller
    try:
        page = await reading_of(request).engagements(
            filters, sort, cursor, limit, confidential=caller.may("confidential")
        )
    except BadCursor as bad:
        raise field_error("cursor", str(bad)) from None
    return EngagementPage(items=page.items, next=page.next)


@router.get(
    "/engagements/{engagement}",
    dependencies=_SEEN,
    tags=["engagements"],
    response_model=EngagementView,
)
async def engagement(
    request: Request,
    engagement: _EngagementPath,
    wishes: Annotated[Wishes, Depends(reading)],
) -> Response:
    """One engagement, from all departments, with what contradicts in it."""
    only(request)
    unified = await reading_of(request).engagement(engagement, wishes.after, wishes.wait)
    headers = stands_at(unified.number, unified.view.position()) | wishes.applied
    if not_modified(request, unified.number):
        return Response(status_code=304, headers=headers)
    caller: Caller = request.state.caller
    view = engagement_view(unified, confidential=caller.may("confidential"))
    return Response(view.model_dump_json(), headers=headers, media_type="application/json")


@router.get("/engagements/{engagement}/timeline", dependencies=_SEEN, tags=["engagements"])
async def timeline(request: Request, engagement: _EngagementPath) -> list[TimelineEntry]:
    """Every fact of an engagement by when it happened."""
    only(request)
    caller: Caller = request.state.caller
    facts = await reading_of(request).timeline(engagement, confidential=caller.may("confidential"))
    return [timeline_entry(recorded) for recorded in facts]


@router.post(
    "/engagements/{engagement}/waive-disconnect",
    dependencies=[Depends(requires(*WAIVED_BY))],
    tags=["disconnects"],
    status_code=204,
)
async def waive(
    request: Request,
    engagement: _EngagementPath,
    command: WaiveDisconnect,
    wishes: Annotated[Wishes, Depends(commanding)],
) -> Response:
    """Accept a contradiction as it is, with a reason."""
    caller: Caller = request.state.caller
    answer = await engine_of(request).command(
        "engagement",
        engagement,
        command.given_by(confidential=caller.may("confidential")),
        actor=caller.actor,
        key=wishes.key or "",
        occurred_at=wishes.occurred_at,
        wait=wishes.wait,
    )
    stream = answer.stream
    return Response(status_code=204, headers=stands_at(stream.number, stream.position))


@router.get("/portfolio", dependencies=_SEEN, tags=["portfolio"])
async def portfolio(request: Request) -> Portfolio:
    """All engagements at a glance, per currency."""
    only(request)
    caller: Caller = request.state.caller
    return await reading_of(request).portfolio(confidential=caller.may("confidential"))


@router.get("/disconnects", dependencies=_SEEN, tags=["disconnects"])
async def disconnects(
    request: Request,
    rule: Annotated[str | None, Query(max_length=64)] = None,
    owner: Annotated[Department | None, Query()] = None,
    severity: Annotated[str | None, Query(pattern="^(warning|serious)$")] = None,
    engagement: Annotated[EngagementId | None, Query()] = None,
    waived: Annotated[bool | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE_LIMIT)] = 50,
) -> DisconnectPage:
    """What departments contradict each other in; the serious and oldest first."""
    only(request, "rule", "owner", "severity", "engagement", "waived", "cursor", "limit")
    wanted = {
        "rule": rule,
        "owner": owner,
        "severity": severity,
        "engagement": engagement,
        "waived": None if waived is None else str(waived).lower(),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    caller: Caller = request.state.caller
    try:
        page = await reading_of(request).disconnects(
            filters, cursor, limit, confidential=caller.may("confidential")
        )
    except BadCursor as bad:
        raise field_error("cursor", str(bad)) from None
    return _disconnect_page(page)


@router.get("/changes", dependencies=_SEEN, tags=["live"], response_class=StreamingResponse)
async def changes(
    request: Request, engagement: Annotated[EngagementId | None, Query()] = None
) -> StreamingResponse:
    """Server-sent events: each engagement that moves, in a line, until you leave.

    An event's id is the engagement's number, its data a summary. A reader who was away reads
    the lists again: the stream begins anew with each connection.
    """
    only(request, "engagement")
    caller: Caller = request.state.caller
    stream = _events(
        reading_of(request),
        engagement,
        lambda: works_of(request),
        confidential=caller.may("confidential"),
    )
    return events(stream, works_of(request).stopping)


def engagement_view(unified: Unified, *, confidential: bool) -> EngagementView:
    """The view as its readers may see it."""
    view = unified.view
    waived = view.gateway.waived | view.gateway_confidential.waived
    return EngagementView(
        engagement=view.engagement,
        stage=view.stage,
        complete=unified.complete,
        summary=unified.row.seen(confidential=confidential),
        sales=view.sales,
        legal=view.legal,
        delivery=view.delivery,
        finance=view.finance,
        confidential=view.confidential if confidential else None,
        freshness={
            channel: fresh
            for channel, fresh in view.freshness.items()
            if confidential or "confidential" not in channel
        },
        disconnects=[
            disconnect_view(view.engagement, view.sales.title, each, waived.get(each.finding))
            for each in unified.findings.values()
            if confidential or not each.confidential
        ],
    )


def disconnect_view(
    engagement: str, title: str | None, finding: Finding, waived: Waiver | None
) -> DisconnectView:
    """A finding as it is shown."""
    return DisconnectView(
        engagement=engagement,
        title=title,
        finding=finding.finding,
        rule=finding.rule,
        sentence=finding.sentence,
        since=finding.since,
        owner=finding.owner,
        severity=finding.severity,
        stake=finding.stake,
        days=finding.days,
        confidential=finding.confidential,
        evidence=list(finding.evidence),
        waived=waived,
    )


def timeline_entry(recorded: Recorded[Fact]) -> TimelineEntry:
    """A fact as the timeline shows it."""
    return TimelineEntry(
        id=recorded.id,
        type=recorded.fact.type,
        channel=recorded.channel.name,
        sequence=recorded.sequence,
        actor=recorded.actor,
        cause=recorded.cause,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        heard=dict(recorded.heard),
        data=recorded.fact.model_dump(mode="json"),
    )


def _disconnect_page(page: Page[Standing]) -> DisconnectPage:
    items = [
        disconnect_view(each.engagement, each.title, each.finding, each.waived)
        for each in page.items
    ]
    return DisconnectPage(items=items, next=page.next)


async def _events(
    source: Reading,
    engagement: str | None,
    still_here: Callable[[], object],
    *,
    confidential: bool,
) -> AsyncGenerator[bytes]:
    """Changes as server-sent events, with a comment now and then so that proxies keep the line."""
    changes = source.changes(engagement)
    yield b": here\n\nretry: 2000\n\n"
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=_HEARTBEAT)
            still_here()
            if not done:
                yield b": still here\n\n"
                continue
            change = upcoming.result()
            upcoming = asyncio.ensure_future(anext(changes))
            summary = change.row.seen(confidential=confidential)
            data: Mapping[str, object] = {"number": change.number, **summary.model_dump()}
            yield b"id: %d\nevent: engagement\ndata: %s\n\n" % (change.number, to_json(data))
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])
        await changes.aclose()
