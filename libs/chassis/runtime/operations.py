"""What an operator does to a running service: see to what is parked, and hold the clock."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from chassis.domain.commands import Command
from chassis.domain.trouble import Head
from chassis.kafka.batch_processor import NotInTrouble, NotProven, RetryResult
from chassis.kafka.consumer import Consumer
from chassis.kafka.parked_record import MOST_PUBLISHED, ParkedRecord
from chassis.runtime.container import get_container
from chassis.web.auth import Caller, requires
from chassis.web.command_routes import PROBLEMS
from chassis.web.problems import Problem, field_error
from chassis.web.request import StrictRoute, reject_unknown_query
from contracts.envelope import EARLIEST, LATEST
from contracts.event import Undecodable, read
from contracts.values import ShortText, Text

MOST_RECORDS = 200
"""Records in one answer. Their texts are not among them: each may have megabytes."""

_HIDDEN = "confidential/"

Engagement = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MOST_RECORDS)]
Cursor = Annotated[str, Query(pattern=r"^[0-9]{1,19}$")]


class ParkedEngagementView(BaseModel):
    """An engagement whose events wait: for what, since when, and how many records.

    `records` is null for whoever may not know how many of them are confidential.
    """

    engagement: str
    code: str
    sentence: str
    channel: str
    since: datetime
    records: int | None


class ParkedPage(BaseModel):
    """Engagements that wait, and the cursor to those after them; null where none follow."""

    items: list[ParkedEngagementView]
    cursor: str | None


class ParkedRecordView(BaseModel):
    """A record that waits or was set aside: where it stands, and why.

    Of a confidential channel, whoever has not the role `confidential` sees no offset and no number,
    and an `id` that is good for decisions alone.
    """

    id: str
    engagement: str | None
    channel: str
    partition: int
    offset: int | None
    sequence: int | None
    code: str
    sentence: str
    expected: int | None
    at: datetime
    set_aside_by: str | None
    set_aside_why: str | None


class ParkedRecordText(ParkedRecordView):
    """A record with its text, where it has one that may be shown."""

    record: str | None


class SetAsidePage(BaseModel):
    """Records that were set aside, and the cursor to those after them; null where none follow."""

    items: list[ParkedRecordView]
    cursor: str | None


class AttemptView(BaseModel):
    """What came of trying again: records taken in, those that still wait, and for what.

    `asked` where another process reads this engagement and was told; it answers within seconds.
    The counts are null for whoever may not know how many of them are confidential.
    """

    taken: int | None
    waiting: int | None
    code: str | None
    sentence: str | None
    asked: bool


class SetAside(Command):
    """Set aside the record that holds an engagement up, and say why. No position moves."""

    record: ShortText
    why: Text


class Skip(SetAside):
    """Go on without a record, or without the events that are missing before it, and say why.

    `published` is how many events of the engagement its author has published, as that service's
    own view shows it under `position`; it is needed where one record alone claims the gap.
    """

    published: Annotated[int, Field(ge=1, le=MOST_PUBLISHED)] | None = None


class Hold(Command):
    """Hold the clock at a moment, while history up to it is played in."""

    at: Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]


class ClockView(BaseModel):
    """The moment (UTC) after which no deadline passes; null while the clock goes by the time."""

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
    _look_at_parked(routes)
    _decide_on_parked(routes)
    _hold_the_clock(routes)
    return routes


def _look_at_parked(routes: APIRouter) -> None:
    @routes.get("/parked", summary="Engagements with an event in trouble, the oldest first")
    async def parked(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> ParkedPage:
        return await _waiting(request, limit, cursor, is_parked=True)

    @routes.get("/waiting", summary="Engagements that wait for a newer version, the oldest first")
    async def waiting(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> ParkedPage:
        return await _waiting(request, limit, cursor, is_parked=False)

    @routes.get("/parked/{engagement}", summary="What waits for one engagement, in order")
    async def look(request: Request, engagement: Engagement) -> list[ParkedRecordView]:
        reject_unknown_query(request)
        records = await _listener(request).parking.look(engagement, raw=False)
        if not records:
            raise Problem(404, "not-parked", f"nothing is parked for {engagement}")
        shown = [each for each in records if each.code != "waiting" or not _hidden(request, each)]
        return [
            ParkedRecordView.model_validate(_shown(request, each)) for each in shown[:MOST_RECORDS]
        ]

    @routes.get("/set-aside", summary="Records that are no events here, the oldest first")
    async def set_aside(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> SetAsidePage:
        reject_unknown_query(request, "limit", "cursor")
        found = await _listener(request).parking.page_set_aside(_order(cursor), limit)
        return SetAsidePage(
            items=[ParkedRecordView.model_validate(_shown(request, each)) for each in found],
            cursor=str(found[-1].order) if len(found) == limit else None,
        )

    @routes.get("/record", summary="One record that waits or was set aside, with its text")
    async def record(
        request: Request, id: Annotated[str | None, Query(max_length=400)] = None
    ) -> ParkedRecordText:
        reject_unknown_query(request, "id")
        if id is None:
            raise field_error("id", "is missing")
        if id.startswith(_HIDDEN) and not _may_see_all(request):
            raise _confidential("what a record of a confidential channel says")
        found = await _listener(request).parking.record(id)
        if found is None or _hidden(request, found):
            raise Problem(404, "not-parked", f"no record {id} waits or was set aside")
        shown = not _says_confidential(found) or _may_see_all(request)
        text = None if found.raw is None or not shown else found.raw.decode(errors="replace")
        return ParkedRecordText.model_validate({**_shown(request, found), "record": text})


def _decide_on_parked(routes: APIRouter) -> None:
    @routes.post("/parked/{engagement}/retry", summary="Try a parked engagement again")
    async def retry(request: Request, engagement: Engagement) -> AttemptView:
        asked = _listener(request).retry(engagement, request.state.caller.actor)
        return await _attempt(request, asked)

    @routes.post("/parked/{engagement}/skip", summary="Go on without what holds it up")
    async def skip(request: Request, engagement: Engagement, skip: Skip) -> AttemptView:
        actor, listener = request.state.caller.actor, _listener(request)
        is_hidden = skip.record.startswith(_HIDDEN) and not _may_see_all(request)
        if is_hidden and skip.published is not None:  # answers to one after another would tell
            raise _confidential("how many events a confidential channel has")
        record = await _id_of(request, engagement, skip.record)
        return await _attempt(
            request, listener.skip(engagement, record, actor, skip.why, skip.published)
        )

    @routes.post("/parked/{engagement}/set-aside", summary="Set aside the record that holds it up")
    async def set_aside(
        request: Request, engagement: Engagement, set_aside: SetAside
    ) -> AttemptView:
        actor, listener = request.state.caller.actor, _listener(request)
        record = await _id_of(request, engagement, set_aside.record)
        return await _attempt(request, listener.set_aside(engagement, record, actor, set_aside.why))


def _hold_the_clock(routes: APIRouter) -> None:
    @routes.get("/clock", summary="Whether the clock is held, and at which moment")
    async def clock(request: Request) -> ClockView:
        reject_unknown_query(request)
        return ClockView(held_at=await get_container(request).clock.held_at())

    @routes.post("/clock/hold", summary="Let no deadline after a moment pass")
    async def hold(request: Request, hold: Hold) -> ClockView:
        held = get_container(request).clock
        await held.hold(hold.at, by=request.state.caller.actor)
        return ClockView(held_at=await held.held_at())

    @routes.post("/clock/release", summary="Let deadlines pass by the time again")
    async def release(request: Request) -> ClockView:
        await get_container(request).clock.release()
        return ClockView(held_at=None)


def _listener(request: Request) -> Consumer:
    listener = get_container(request).listener
    if listener is None:
        raise Problem(404, "not-parked", "this service hears nobody")
    return listener


def _may_see_all(request: Request) -> bool:
    caller: Caller = request.state.caller
    return caller.may("confidential")


def _hidden(request: Request, record: ParkedRecord) -> bool:
    return record.channel.confidential and not _may_see_all(request)


def _name(record: ParkedRecord) -> str:
    """Return what stands for an id where that is hidden: ids have offsets, or numbers, in them."""
    return f"{_HIDDEN}{record.order}"


async def _id_of(request: Request, engagement: str, shown: str) -> str:
    """Return the id of a record that waits, by what the caller was shown for it; "" for none."""
    if _may_see_all(request):
        return shown
    records = await _listener(request).parking.look(engagement, raw=False)
    names = {_name(each) if each.channel.confidential else each.id: each.id for each in records}
    return names.get(shown, "")


def _says_confidential(record: ParkedRecord) -> bool:
    """Tell whether its text is confidential, as that of an event on a wrong channel may be."""
    try:
        said = read(record.raw or b"", record.channel).channel
    except Undecodable:
        said = record.channel
    return said.confidential or record.channel.confidential


def _counts(request: Request) -> bool:
    """Tell whether the caller may know how many records there are, whatever their channels."""
    return _may_see_all(request) or not any(
        channel.confidential for channel in get_container(request).hearing.channels
    )


def _confidential(what: str) -> Problem:
    return Problem(403, "not-allowed", f"{what} needs the role confidential")


async def _waiting(request: Request, limit: int, cursor: str, *, is_parked: bool) -> ParkedPage:
    reject_unknown_query(request, "limit", "cursor")
    parking = _listener(request).parking
    found = await parking.page_parked(_order(cursor), limit, is_parked=is_parked)
    return ParkedPage(
        items=[
            _engagement(each.engagement, each.head, each.records if _counts(request) else None)
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
        "sequence": None if hidden else record.sequence,
        "code": record.code,
        "sentence": record.sentence,
        "expected": None if hidden else record.expected,
        "at": record.at,
        "set_aside_by": record.by,
        "set_aside_why": record.why,
    }


async def _attempt(request: Request, asked: Awaitable[RetryResult]) -> AttemptView:
    try:
        attempt = await asked
    except NotInTrouble as trouble:
        raise Problem(404, "not-parked", str(trouble)) from None
    except NotProven as trouble:
        raise Problem(409, "gap-not-proven", str(trouble)) from None
    head, counts = attempt.head, _counts(request)
    return AttemptView(
        taken=attempt.taken if counts else None,
        waiting=attempt.waiting if counts else None,
        code=None if head is None else head.code,
        sentence=None if head is None else head.sentence,
        asked=attempt.asked,
    )
