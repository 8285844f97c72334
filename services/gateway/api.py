"""The gateway's routes: engagements, the portfolio, disconnects, and a live stream of changes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.responses import Response

from chassis.runtime.container import get_container
from chassis.web.auth import Caller, requires
from chassis.web.command_routes import PROBLEMS
from chassis.web.dependencies import as_of_engagement, as_of_lists, get_command_handler
from chassis.web.problems import Problem, field_error
from chassis.web.request import (
    AS_OF,
    CommandOptions,
    StrictRoute,
    command_options,
    not_modified,
    position_headers,
    read_options,
    reject_unknown_query,
)
from chassis.web.sse import events
from contracts.channels import Department
from contracts.money import Currency
from contracts.roles import Role
from contracts.values import RAG, AccountId, EngagementId, PersonId, Tier
from gateway.findings import WaiveDisconnect
from gateway.fold import STAGES
from gateway.folding import Folding
from gateway.portfolio import Portfolio
from gateway.reading import Reading
from gateway.rows import SORTS, BadCursor
from gateway.shown import (
    DisconnectPage,
    EngagementPage,
    EngagementView,
    TimelineEntry,
    disconnect_page,
    engagement_view,
    seen,
    timeline_entry,
    written,
)

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


router = APIRouter(route_class=StrictRoute, responses=PROBLEMS)
"""The routes, for an application of `chassis.runtime.service` whose events a Folding hears."""

_READER = requires(*SEEN_BY)
_SEEN = [Depends(_READER)]
_OF_ONE = [*_SEEN, Depends(as_of_engagement("engagement"))]
_OF_LISTS = [*_SEEN, Depends(as_of_lists)]
_EngagementPath = Annotated[EngagementId, Path()]


def reading_of(request: Request) -> Reading:
    """What answers; raises Problem 503 while nothing is folded yet."""
    container = get_container(request)
    folding = container.event_handling.handler
    if not isinstance(folding, Folding):
        raise TypeError("the gateway's events are heard by its folding")
    return Reading(folding, container.reference_data, folding.today, container.stopping)


@router.get(
    "/engagements",
    dependencies=_OF_LISTS,
    tags=["engagements"],
    response_model=EngagementPage,
    responses=AS_OF,
)
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
    waits: Annotated[Literal["parked", "newer-version"] | None, Query()] = None,
) -> Response:
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
        "waits": waits,
    }
    reject_unknown_query(request, "sort", "cursor", "limit", *wanted)
    if sort.removeprefix("-") not in SORTS:
        raise field_error("sort", f"must be one of {', '.join(SORTS)}, - before it turns")
    if stage is not None and stage not in STAGES:
        raise field_error("stage", f"must be one of {', '.join(STAGES)}")
    filters = {name: value for name, value in wanted.items() if value is not None}
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    try:
        page = await reading_of(request).engagements(
            filters, sort, cursor, limit, confidential=confidential
        )
    except BadCursor as bad:
        raise field_error("cursor", str(bad)) from None
    shown = EngagementPage(items=page.items, next=page.next)
    return written(shown, {}, confidential=confidential)


@router.get(
    "/engagements/{engagement}",
    dependencies=_OF_ONE,
    tags=["engagements"],
    responses=AS_OF,
    response_model=EngagementView,
)
async def engagement(
    request: Request,
    engagement: _EngagementPath,
    wishes: Annotated[CommandOptions, Depends(read_options)],
) -> Response:
    """One engagement, from all departments, with what contradicts in it."""
    reject_unknown_query(request)
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    # Nobody waits for what they may not see: how long it took would tell how much there is.
    after = seen(wishes.after or {}, confidential=confidential)
    unified = await reading_of(request).engagement(engagement, after, wishes.wait)
    number = unified.number if confidential else unified.open_number
    position = seen(unified.view.position(), confidential=confidential)
    headers = position_headers(number, position) | wishes.applied
    if not_modified(request, number):
        return Response(status_code=304, headers=headers)
    view = engagement_view(unified, confidential=confidential)
    return written(view, headers, confidential=confidential)


@router.get(
    "/engagements/{engagement}/timeline",
    dependencies=_OF_ONE,
    tags=["engagements"],
    response_model=list[TimelineEntry],
    responses=AS_OF,
)
async def timeline(request: Request, engagement: _EngagementPath) -> Response:
    """Every event of an engagement by when it happened."""
    reject_unknown_query(request)
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    events = await reading_of(request).timeline(engagement, confidential=confidential)
    entries = [timeline_entry(recorded, confidential=confidential) for recorded in events]
    return written(entries, {}, confidential=confidential)


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
    wishes: Annotated[CommandOptions, Depends(command_options)],
) -> Response:
    """Accept a contradiction as it is, with a reason."""
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    answer = await get_command_handler(request).command(
        "engagement",
        engagement,
        command.given_by(confidential=confidential),
        actor=caller.actor,
        key=wishes.key or "",
        occurred_at=wishes.occurred_at,
        wait=wishes.wait,
    )
    position = seen(answer.stream.position, confidential=confidential)
    headers = position_headers(answer.stream.number, position)
    if not confidential:
        del headers["ETag"]  # the number counts what is confidential as well
    return Response(status_code=204, headers=headers)


@router.get(
    "/portfolio",
    dependencies=_OF_LISTS,
    tags=["portfolio"],
    response_model=Portfolio,
    responses=AS_OF,
)
async def portfolio(request: Request) -> Response:
    """All engagements at a glance, per currency."""
    reject_unknown_query(request)
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    shown = await reading_of(request).portfolio(confidential=confidential)
    return written(shown, {}, confidential=confidential)


@router.get(
    "/disconnects",
    dependencies=_OF_LISTS,
    tags=["disconnects"],
    response_model=DisconnectPage,
    responses=AS_OF,
)
async def disconnects(
    request: Request,
    rule: Annotated[str | None, Query(max_length=64)] = None,
    owner: Annotated[Department | None, Query()] = None,
    severity: Annotated[str | None, Query(pattern="^(warning|serious)$")] = None,
    engagement: Annotated[EngagementId | None, Query()] = None,
    waived: Annotated[bool | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE_LIMIT)] = 50,
) -> Response:
    """What departments contradict each other in; the serious and oldest first."""
    reject_unknown_query(
        request, "rule", "owner", "severity", "engagement", "waived", "cursor", "limit"
    )
    wanted = {
        "rule": rule,
        "owner": owner,
        "severity": severity,
        "engagement": engagement,
        "waived": None if waived is None else str(waived).lower(),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    try:
        page = await reading_of(request).disconnects(
            filters, cursor, limit, confidential=confidential
        )
    except BadCursor as bad:
        raise field_error("cursor", str(bad)) from None
    return written(disconnect_page(page), {}, confidential=confidential)


@router.get("/changes", dependencies=_SEEN, tags=["live"], response_class=StreamingResponse)
async def changes(
    request: Request, engagement: Annotated[EngagementId | None, Query()] = None
) -> StreamingResponse:
    """Server-sent events: each engagement that moves, in a line, until you or your token leave.

    An event's id is the engagement's number, its data a summary. A reader who was away reads
    the lists again: the stream begins anew with each connection. One person has 20 of them open at
    the most, else 429 `too-many-streams`.
    """
    reject_unknown_query(request, "engagement")
    caller: Caller = request.state.caller

    async def still_here() -> bool:
        with suppress(Problem):
            get_container(request)
            await _READER(request)  # which asks whether the token still holds
            return True
        return False

    stream = _events(
        reading_of(request), engagement, still_here, confidential=caller.may("confidential")
    )
    return events(stream, get_container(request).stopping, caller.actor)


async def _events(
    source: Reading,
    engagement: str | None,
    still_here: Callable[[], Awaitable[bool]],
    *,
    confidential: bool,
) -> AsyncGenerator[bytes]:
    """Changes as server-sent events, with a comment now and then so that proxies keep the line."""
    changes = source.changes(engagement, confidential=confidential)
    yield b": here\n\nretry: 2000\n\n"
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=_HEARTBEAT)
            if not await still_here():
                return
            if not done:
                yield b": still here\n\n"
                continue
            change = upcoming.result()
            upcoming = asyncio.ensure_future(anext(changes))
            number = change.number if confidential else change.open_number
            if number is None:
                continue
            summary = change.row.seen(confidential=confidential)
            data: Mapping[str, object] = {"number": number, **summary.model_dump()}
            yield b"id: %d\nevent: engagement\ndata: %s\n\n" % (number, to_json(data))
    finally:
        upcoming.cancel()
        await asyncio.wait([upcoming])
        await changes.aclose()
