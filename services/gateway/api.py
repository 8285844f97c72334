"""Routes of the gateway's API: engagements, portfolio, disconnects, and a stream of changes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.responses import Response

from chassis.runtime.container import Container
from chassis.web.auth import Caller, requires
from chassis.web.command_answers import CommandAnswer, command_response
from chassis.web.command_routes import PROBLEMS
from chassis.web.dependencies import (
    as_of_engagement,
    as_of_lists,
    get_command_handler,
    refuse_unready,
)
from chassis.web.problem_answers import refusal_answer
from chassis.web.problems import Problem, field_error
from chassis.web.refusal_codes import codes_of
from chassis.web.request import (
    AS_OF,
    COMMAND_HEADERS,
    READ_HEADERS,
    VIEW_ANSWER,
    CommandOptions,
    StrictRoute,
    command_options,
    not_modified,
    position_headers,
    read_options,
    reject_unknown_query,
)
from chassis.web.sse import EVENT_STREAM, events
from contracts.channels import Department, seen
from contracts.money import Currency
from contracts.roles import Role
from contracts.values import FIRST_DAY, RAG, AccountId, Day, EngagementId, PersonId, Tier
from gateway.decider import ENGAGEMENT, WaiveDisconnect
from gateway.portfolio.list_index import SORTS, InvalidCursor
from gateway.portfolio.reporting import ReportedPortfolio
from gateway.projection.projector import Projector
from gateway.queries import History, Queries, history_filter
from gateway.redaction import Reader
from gateway.rules import RULES
from gateway.schemas import (
    DisconnectPage,
    EngagementPage,
    EngagementView,
    TimelineEntry,
    disconnect_page,
    engagement_view,
    timeline_entry,
    written,
)
from gateway.view.engagement_view import STAGES, View

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
"""Roles that may read from the gateway."""

WAIVED_BY: tuple[Role, ...] = ("executive", "vp-engagement-management")
"""Roles that may waive a disconnect."""

DETAILS_SEEN_BY: tuple[Role, ...] = (
    "pmo-director",
    "vp-engagement-management",
    "project-accountant",
    "controller",
)
"""Roles that see of every engagement whose time and expenses they are, with notes and receipts.

In one that they manage, engagement managers do, too; everybody sees their own.
"""

_HEARTBEAT = 15.0
_PAGE_LIMIT = 200


router = APIRouter(route_class=StrictRoute, responses=PROBLEMS)
"""Routes, for an application of `chassis.runtime.service` whose event handler is a Projector."""

_READER = requires(*SEEN_BY)
_SEEN = [Depends(_READER)]
_OF_ONE = [*_SEEN, Depends(as_of_engagement("engagement"))]
_OF_LISTS = [*_SEEN, Depends(as_of_lists)]
_EngagementPath = Annotated[EngagementId, Path()]


def reader_in(caller: Caller, view: View | None = None) -> Reader:
    """Return the caller as the reader of an engagement, or of lists: what they may see of it."""
    manages = view is not None and view.delivery.manager == caller.actor
    return Reader(
        caller.actor,
        confidential=caller.may("confidential"),
        everyone=caller.may(*DETAILS_SEEN_BY) or (manages and caller.may("engagement-manager")),
    )


def _reader(request: Request) -> Reader:
    caller: Caller = request.state.caller
    return reader_in(caller)


_Reader = Annotated[Reader, Depends(_reader)]
"""The caller as a reader of lists."""


def get_gateway(request: Request) -> Container[Projector]:
    """Return all parts of the gateway; raises Problem 503 while it starts."""
    gateway: Container[Projector] = request.app.state.container
    refuse_unready(gateway)
    return gateway


def get_queries(request: Request) -> Queries:
    """Return the queries of this process; raises Problem 503 while it starts."""
    gateway = get_gateway(request)
    projector = gateway.event_handling.handler
    return Queries(projector, gateway.reference_data, projector.today, gateway.stopping)


@router.get(
    "/engagements",
    dependencies=_OF_LISTS,
    tags=["engagements"],
    response_model=EngagementPage,
    responses=AS_OF,
)
async def list_engagements(
    request: Request,
    reader: _Reader,
    sort: Annotated[
        str, Query(description=f"One of {', '.join(SORTS)}; a - before it reverses the order")
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
    history: Annotated[
        History,
        Query(
            description="Imported history, deals that a CRM had and no one took up here: `false` "
            "leaves them out, `true` lists them only, `both` lists them among the others."
        ),
    ] = "false",
    waits: Annotated[Literal["parked", "newer-version"] | None, Query()] = None,
) -> Response:
    """List engagements: filtered, sorted, in pages."""
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
    reject_unknown_query(request, "sort", "cursor", "limit", "history", *wanted)
    if sort.removeprefix("-") not in SORTS:
        raise field_error("sort", f"must be one of {', '.join(SORTS)}, with or without a - before")
    if stage is not None and stage not in STAGES:
        raise field_error("stage", f"must be one of {', '.join(STAGES)}")
    filters = {name: value for name, value in wanted.items() if value is not None}
    filters |= history_filter(history)
    try:
        page = await get_queries(request).engagements(
            filters, sort, cursor, limit, confidential=reader.confidential
        )
    except InvalidCursor as invalid:
        raise field_error("cursor", str(invalid)) from None
    answer = EngagementPage(items=page.items, next=page.next)
    return written(answer, {}, reader)


@router.get(
    "/engagements/{engagement}",
    dependencies=_OF_ONE,
    tags=["engagements"],
    responses=VIEW_ANSWER,
    response_model=EngagementView,
    openapi_extra=READ_HEADERS,
)
async def read_engagement(
    request: Request,
    engagement: _EngagementPath,
    options: Annotated[CommandOptions, Depends(read_options)],
) -> Response:
    """Return one engagement, from all departments, with its disconnects."""
    reject_unknown_query(request)
    caller: Caller = request.state.caller
    confidential = caller.may("confidential")
    # A wait for confidential events would reveal by its length how many there are.
    after = seen(options.after or {}, confidential=confidential)
    details = await get_queries(request).engagement(engagement, after, options.wait)
    number = details.number if confidential else details.open_number
    position = seen(details.view.position(), confidential=confidential)
    headers = position_headers(number, position) | options.applied
    if not_modified(request, number):
        return Response(status_code=304, headers=headers)
    reader = reader_in(caller, details.view)
    return written(engagement_view(details, reader), headers, reader)


@router.get(
    "/engagements/{engagement}/timeline",
    dependencies=_OF_ONE,
    tags=["engagements"],
    response_model=list[TimelineEntry],
    responses=AS_OF,
)
async def read_timeline(request: Request, engagement: _EngagementPath) -> Response:
    """Return every event of an engagement, by when it occurred, as far as the caller may see it."""
    reject_unknown_query(request)
    queries, caller = get_queries(request), request.state.caller
    reader = reader_in(caller, (await queries.engagement(engagement)).view)
    events = await queries.timeline(engagement, confidential=reader.confidential)
    entries = [timeline_entry(recorded, reader) for recorded in events]
    return written(entries, {}, reader)


@router.post(
    "/engagements/{engagement}/waive-disconnect",
    dependencies=[Depends(requires(*WAIVED_BY))],
    tags=["disconnects"],
    response_model=CommandAnswer[None],
    responses=refusal_answer(codes_of(ENGAGEMENT.commands[WaiveDisconnect].decision)),
    openapi_extra=COMMAND_HEADERS,
)
async def waive_disconnect(
    request: Request,
    engagement: _EngagementPath,
    command: WaiveDisconnect,
    options: Annotated[CommandOptions, Depends(command_options)],
) -> Response:
    """Waive a disconnect: accept it as it is, with a reason."""
    caller: Caller = request.state.caller
    answer = await get_command_handler(request).command(
        "engagement",
        engagement,
        command.given_by(confidential=caller.may("confidential")),
        actor=caller.actor,
        key=options.key or "",
        occurred_at=options.occurred_at,
        on_behalf_of=options.on_behalf_of,
        roles=caller.roles,
        wait=options.wait,
    )
    response = command_response(request, engagement, answer, options)
    del response.headers["ETag"]  # that of the view counts the events of all departments
    return response


@router.get(
    "/portfolio",
    dependencies=_OF_LISTS,
    tags=["portfolio"],
    response_model=ReportedPortfolio,
    responses=AS_OF,
)
async def read_portfolio(
    request: Request,
    reader: _Reader,
    currency: Annotated[
        Currency | None, Query(description="Reporting currency: show all amounts in it, too.")
    ] = None,
    on: Annotated[
        Day | None,
        Query(
            description="Day of the exchange rates; by default the last day of the last month that"
            " all companies have closed."
        ),
    ] = None,
) -> Response:
    """Return the figures of all engagements, by currency and in a reporting currency."""
    reject_unknown_query(request, "currency", "on")
    queries = get_queries(request)
    found = await queries.portfolio(confidential=reader.confidential)
    if on is not None and (currency is None or not FIRST_DAY < on <= found.today):
        raise field_error("on", f"must be a day until {found.today}, beside a currency")
    figures = queries.reported(found, currency, on)
    return written(figures, {}, reader)


@router.get(
    "/disconnects",
    dependencies=_OF_LISTS,
    tags=["disconnects"],
    response_model=DisconnectPage,
    responses=AS_OF,
)
async def list_disconnects(
    request: Request,
    reader: _Reader,
    rule: Annotated[str | None, Query(max_length=64)] = None,
    owner: Annotated[Department | None, Query()] = None,
    severity: Annotated[str | None, Query(pattern="^(warning|serious)$")] = None,
    engagement: Annotated[EngagementId | None, Query()] = None,
    waived: Annotated[bool | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE_LIMIT)] = 50,
) -> Response:
    """List unresolved disconnects between departments, the serious and oldest first."""
    reject_unknown_query(
        request, "rule", "owner", "severity", "engagement", "waived", "cursor", "limit"
    )
    if rule is not None and RULES.title(rule) is None:
        raise field_error("rule", f"must be one of {', '.join(each.id for each in RULES)}")
    wanted = {
        "rule": rule,
        "owner": owner,
        "severity": severity,
        "engagement": engagement,
        "waived": None if waived is None else str(waived).lower(),
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    try:
        page = await get_queries(request).disconnects(
            filters, cursor, limit, confidential=reader.confidential
        )
    except InvalidCursor as invalid:
        raise field_error("cursor", str(invalid)) from None
    return written(disconnect_page(page), {}, reader)


@router.get(
    "/changes",
    dependencies=_SEEN,
    tags=["live"],
    response_class=StreamingResponse,
    responses=EVENT_STREAM,
)
async def stream_changes(
    request: Request, engagement: Annotated[EngagementId | None, Query()] = None
) -> StreamingResponse:
    """Stream the summary of each engagement that changes, as server-sent events.

    The stream ends when the token expires. The id of an event is the number of the engagement's
    view. A new connection does not continue an earlier one: read the lists again after a break. A
    person may have 20 streams open, else 429 `too-many-streams`.
    """
    reject_unknown_query(request, "engagement")
    caller: Caller = request.state.caller

    async def is_valid() -> bool:
        with suppress(Problem):
            get_gateway(request)
            await _READER(request)  # checks the token again
            return True
        return False

    stream = _events(
        get_queries(request), engagement, is_valid, confidential=caller.may("confidential")
    )
    return events(stream, get_gateway(request).stopping, caller.actor)


async def _events(
    queries: Queries,
    engagement: str | None,
    is_valid: Callable[[], Awaitable[bool]],
    *,
    confidential: bool,
) -> AsyncGenerator[bytes]:
    """Yield changes as server-sent events, and comments so that proxies keep the connection."""
    changes = queries.changes(engagement, confidential=confidential)
    yield b": here\n\nretry: 2000\n\n"
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=_HEARTBEAT)
            if not await is_valid():
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
