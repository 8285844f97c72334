"""Operator routes: parked engagements, records set aside, deadlines, and pending requests."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from chassis.domain.commands import Command
from chassis.domain.trouble import Head
from chassis.kafka.consumer import Consumer
from chassis.kafka.parked_record import MOST_PUBLISHED, ParkedRecord
from chassis.kafka.parked_retry import NotInTrouble, NotProven, RetryResult
from chassis.runtime.container import get_container
from chassis.web.auth import Caller, requires
from chassis.web.command_routes import PROBLEMS
from chassis.web.problem_answers import problem_answer
from chassis.web.problems import Problem, field_error
from chassis.web.request import StrictRoute, reject_unknown_query
from contracts.envelope import EARLIEST, LATEST
from contracts.event import Undecodable, read
from contracts.values import ShortText, Text

MOST_RECORDS = 200
"""Records in one answer, which leaves out their texts: each may have megabytes."""

_HIDDEN = "confidential/"
_NOT_PARKED = problem_answer(404, "not-parked")
_ATTEMPT = {
    **_NOT_PARKED,
    **problem_answer(409, "gap-not-proven"),
    **problem_answer(503, "consumer-busy"),
}

Engagement = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MOST_RECORDS)]
Cursor = Annotated[str, Query(pattern=r"^[0-9]{1,19}$")]


class ParkedEngagementView(BaseModel):
    """An engagement whose events wait: the reason, since when, and the number of records.

    `records` is null if some may be confidential and the caller has not the role `confidential`.
    """

    engagement: str
    code: str
    sentence: str
    channel: str
    since: datetime
    records: int | None


class ParkedPage(BaseModel):
    """A page of engagements that wait; `cursor` is null on the last page."""

    items: list[ParkedEngagementView]
    cursor: str | None


class ParkedRecordView(BaseModel):
    """A record that waits or was set aside: its place in the topic, and the reason.

    Without the role `confidential`, `offset` and `streamsequence` of a record on a confidential
    channel are null, and its `id` is a substitute that ``skip`` and ``set-aside`` alone accept.
    """

    id: str
    engagement: str | None
    channel: str
    partition: int
    offset: int | None
    streamsequence: int | None
    code: str
    sentence: str
    expected: int | None
    at: datetime
    set_aside_by: str | None
    set_aside_why: str | None


class ParkedRecordText(ParkedRecordView):
    """A record with its text; null where it has none, or it is confidential."""

    record: str | None


class SetAsidePage(BaseModel):
    """A page of records that were set aside; `cursor` is null on the last page."""

    items: list[ParkedRecordView]
    cursor: str | None


class AttemptView(BaseModel):
    """The result of a retry: records processed (`taken`), records that still wait, and the reason.

    `asked` is true if another process consumes this engagement: the request was passed on to it and
    is carried out within seconds. The counts are null if some records may be confidential and the
    caller has not the role `confidential`.
    """

    taken: int | None
    waiting: int | None
    code: str | None
    sentence: str | None
    asked: bool


class SetAside(Command):
    """Set aside the record that blocks an engagement, with a reason. No position changes."""

    record: ShortText
    why: Text


class Skip(SetAside):
    """Continue without a record, or without the events missing before it, with a reason.

    `published` is the number of events of the engagement that the department has published on the
    channel, as `position` shows it in that department's own service. It is required where a single
    record is the only evidence of the gap.
    """

    published: Annotated[int, Field(ge=1, le=MOST_PUBLISHED)] | None = None


class Hold(Command):
    """Hold the deadlines at a moment, while history up to that moment is imported."""

    at: Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]


class PendingRequestOfStream(BaseModel):
    """A request whose outcome is not recorded yet: the stream that asks, and the one it asks.

    `why` is the error of the last attempt of the process that answers, null if there was none.
    """

    asking: str
    stream: str
    command: str
    id: str
    item: str
    by: str
    since: datetime
    why: str | None


class PendingRequests(BaseModel):
    """The requests that wait longest for their outcome, the oldest first."""

    items: list[PendingRequestOfStream]


class ClockView(BaseModel):
    """The moment (UTC) after which no deadline passes; null while deadlines are not held."""

    held_at: datetime | None


def router() -> APIRouter:
    """Return the operator's routes, for an application of `chassis.runtime.service`."""
    routes = APIRouter(
        prefix="/operations",
        route_class=StrictRoute,
        tags=["operations"],
        dependencies=[Depends(requires("operator"))],
        responses=PROBLEMS,
    )
    _add_parked_queries(routes)
    _add_parked_commands(routes)
    _add_deadline_routes(routes)
    _add_request_routes(routes)
    return routes


def _add_parked_queries(routes: APIRouter) -> None:
    @routes.get("/parked", summary="List parked engagements, the oldest first")
    async def list_parked(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> ParkedPage:
        return await _parked_page(request, limit, cursor, is_parked=True)

    @routes.get("/waiting", summary="List engagements that wait for a newer version, oldest first")
    async def list_waiting(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> ParkedPage:
        return await _parked_page(request, limit, cursor, is_parked=False)

    @routes.get(
        "/parked/{engagement}",
        summary="List the records that wait for one engagement",
        responses=_NOT_PARKED,
    )
    async def read_parked(request: Request, engagement: Engagement) -> list[ParkedRecordView]:
        reject_unknown_query(request)
        records = await _consumer(request).parked_records.look(engagement, raw=False)
        if not records:
            raise Problem(404, "not-parked", f"nothing is parked for {engagement}")
        shown = [each for each in records if each.code != "waiting" or not _hidden(request, each)]
        return [
            ParkedRecordView.model_validate(_shown(request, each)) for each in shown[:MOST_RECORDS]
        ]

    @routes.get("/set-aside", summary="List records that were set aside, the oldest first")
    async def list_set_aside(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> SetAsidePage:
        reject_unknown_query(request, "limit", "cursor")
        found = await _consumer(request).parked_records.page_set_aside(_order(cursor), limit)
        return SetAsidePage(
            items=[ParkedRecordView.model_validate(_shown(request, each)) for each in found],
            cursor=str(found[-1].order) if len(found) == limit else None,
        )

    @routes.get(
        "/record",
        summary="Read one record that waits or was set aside, with its text",
        responses=_NOT_PARKED,
    )
    async def read_parked_record(
        request: Request, id: Annotated[str | None, Query(max_length=400)] = None
    ) -> ParkedRecordText:
        reject_unknown_query(request, "id")
        if id is None:
            raise field_error("id", "is missing")
        if id.startswith(_HIDDEN) and not _may_see_all(request):
            raise _confidential("the text of a record on a confidential channel")
        found = await _consumer(request).parked_records.record(id)
        if found is None or _hidden(request, found):
            raise Problem(404, "not-parked", f"no record {id} waits or was set aside")
        is_shown = not _is_confidential(found) or _may_see_all(request)
        text = None if found.raw is None or not is_shown else found.raw.decode(errors="replace")
        return ParkedRecordText.model_validate({**_shown(request, found), "record": text})


def _add_parked_commands(routes: APIRouter) -> None:
    @routes.post(
        "/parked/{engagement}/retry",
        summary="Try a parked engagement again",
        responses=_ATTEMPT,
    )
    async def retry_parked(request: Request, engagement: Engagement) -> AttemptView:
        result = _consumer(request).retry(engagement, request.state.caller.actor)
        return await _attempt_view(request, result)

    @routes.post(
        "/parked/{engagement}/skip",
        summary="Continue without a record or missing events",
        responses=_ATTEMPT,
    )
    async def skip_record(request: Request, engagement: Engagement, skip: Skip) -> AttemptView:
        actor, consumer = request.state.caller.actor, _consumer(request)
        is_hidden = skip.record.startswith(_HIDDEN) and not _may_see_all(request)
        if is_hidden and skip.published is not None:  # guesses would reveal the number
            raise _confidential("the number of events on a confidential channel")
        record = await _id_of(request, engagement, skip.record)
        return await _attempt_view(
            request, consumer.skip(engagement, record, actor, skip.why, skip.published)
        )

    @routes.post(
        "/parked/{engagement}/set-aside",
        summary="Set aside the record that blocks it",
        responses=_ATTEMPT,
    )
    async def set_aside_record(
        request: Request, engagement: Engagement, set_aside: SetAside
    ) -> AttemptView:
        actor, consumer = request.state.caller.actor, _consumer(request)
        record = await _id_of(request, engagement, set_aside.record)
        return await _attempt_view(
            request, consumer.set_aside(engagement, record, actor, set_aside.why)
        )


def _add_deadline_routes(routes: APIRouter) -> None:
    @routes.get("/clock", summary="Read the moment at which deadlines are held, if they are")
    async def read_clock(request: Request) -> ClockView:
        reject_unknown_query(request)
        return ClockView(held_at=await get_container(request).deadlines.held_at())

    @routes.post("/clock/hold", summary="Hold all deadlines after a moment")
    async def hold_clock(request: Request, hold: Hold) -> ClockView:
        deadlines = get_container(request).deadlines
        await deadlines.hold(hold.at, by=request.state.caller.actor)
        return ClockView(held_at=await deadlines.held_at())

    @routes.post("/clock/release", summary="Release the deadlines")
    async def release_clock(request: Request) -> ClockView:
        await get_container(request).deadlines.release()
        return ClockView(held_at=None)


def _add_request_routes(routes: APIRouter) -> None:
    @routes.get("/requests", summary="List requests between streams that wait for their outcome")
    async def list_pending_requests(request: Request) -> PendingRequests:
        reject_unknown_query(request)
        found = await get_container(request).requests.pending()
        return PendingRequests(
            items=[
                PendingRequestOfStream(
                    asking=each.asking,
                    stream=each.recorded.event.stream,
                    command=each.recorded.event.command,
                    id=each.recorded.event.id,
                    item=each.recorded.event.item,
                    by=each.recorded.actor,
                    since=each.recorded.recorded_at,
                    why=each.why,
                )
                for each in found
            ]
        )


def _consumer(request: Request) -> Consumer:
    consumer = get_container(request).consumer
    if consumer is None:
        raise Problem(404, "not-parked", "this service consumes no events")
    return consumer


def _may_see_all(request: Request) -> bool:
    caller: Caller = request.state.caller
    return caller.may("confidential")


def _hidden(request: Request, record: ParkedRecord) -> bool:
    return record.channel.confidential and not _may_see_all(request)


def _name(record: ParkedRecord) -> str:
    """Return the substitute for a hidden id; ids contain the offset or the sequence."""
    return f"{_HIDDEN}{record.order}"


async def _id_of(request: Request, engagement: str, shown: str) -> str:
    """Return the id of a record that waits, by the id shown to the caller; "" if there is none."""
    if _may_see_all(request):
        return shown
    records = await _consumer(request).parked_records.look(engagement, raw=False)
    names = {_name(each) if each.channel.confidential else each.id: each.id for each in records}
    return names.get(shown, "")


def _is_confidential(record: ParkedRecord) -> bool:
    """Return whether a record's text is confidential: by its channel, or by that in the text."""
    try:
        stated = read(record.raw or b"", record.channel).channel
    except Undecodable:
        stated = record.channel
    return stated.confidential or record.channel.confidential


def _may_see_counts(request: Request) -> bool:
    """Return whether the caller may see the number of records over all channels."""
    return _may_see_all(request) or not any(
        channel.confidential for channel in get_container(request).event_handling.channels
    )


def _confidential(subject: str) -> Problem:
    return Problem(403, "not-allowed", f"{subject} needs the role confidential")


async def _parked_page(request: Request, limit: int, cursor: str, *, is_parked: bool) -> ParkedPage:
    reject_unknown_query(request, "limit", "cursor")
    parked_records = _consumer(request).parked_records
    found = await parked_records.page_parked(_order(cursor), limit, is_parked=is_parked)
    counts = _may_see_counts(request)
    return ParkedPage(
        items=[
            _engagement(each.engagement, each.head, each.records if counts else None)
            for each in found
        ],
        cursor=str(found[-1].order) if len(found) == limit else None,
    )


def _order(cursor: str) -> int:
    return min(int(cursor), 2**63 - 1)  # the store has no larger number


def _engagement(engagement: str, head: Head, records: int | None) -> ParkedEngagementView:
    return ParkedEngagementView(
        engagement=engagement,
        code=head.code,
        sentence=head.sentence,
        channel=head.channel,
        since=head.since,
        records=records,
    )


def _shown(request: Request, record: ParkedRecord) -> dict[str, object]:
    hidden = _hidden(request, record)
    return {
        "id": _name(record) if hidden else record.id,
        "engagement": record.engagement,
        "channel": record.channel.name,
        "partition": record.partition,
        "offset": None if hidden else record.offset,
        "streamsequence": None if hidden else record.sequence,
        "code": record.code,
        "sentence": record.sentence,
        "expected": None if hidden else record.expected,
        "at": record.at,
        "set_aside_by": record.by,
        "set_aside_why": record.why,
    }


async def _attempt_view(request: Request, attempt: Awaitable[RetryResult]) -> AttemptView:
    try:
        result = await attempt
    except NotInTrouble as error:
        raise Problem(404, "not-parked", str(error)) from None
    except NotProven as error:
        raise Problem(409, "gap-not-proven", str(error)) from None
    except TimeoutError:
        detail = "the consumer is busy with a batch or waits for Kafka or the store; try again"
        raise Problem(503, "consumer-busy", detail, headers={"Retry-After": "5"}) from None
    head, counts = result.head, _may_see_counts(request)
    return AttemptView(
        taken=result.taken if counts else None,
        waiting=result.waiting if counts else None,
        code=None if head is None else head.code,
        sentence=None if head is None else head.sentence,
        asked=result.asked,
    )
