"""What an operator does to a running service: see to what is parked, and hold the clock."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from chassis.auth import Caller, requires
from chassis.decider import Command
from chassis.exchange import StrictRoute, only
from chassis.http import PROBLEMS
from chassis.intake import Attempt, NotInTrouble, NotProven
from chassis.listener import Listener
from chassis.parked_records import MOST_EVENTS, ParkedRecord
from chassis.problems import Problem, field_error
from chassis.reach import works_of
from chassis.trouble import Head
from contracts.envelope import EARLIEST, LATEST
from contracts.values import ShortText, Text

MOST_RECORDS = 200
"""Records in one answer. Their texts are not among them: each may have megabytes."""

Engagement = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MOST_RECORDS)]
Cursor = Annotated[str, Query(pattern=r"^[0-9]{1,19}$")]


class ParkedEngagementView(BaseModel):
    """An engagement whose facts wait: for what, since when, and how many records."""

    engagement: str
    code: str
    sentence: str
    channel: str
    since: datetime
    records: int


class ParkedPage(BaseModel):
    """Engagements that wait, and the cursor to those after them; null where none follow."""

    items: list[ParkedEngagementView]
    cursor: str | None


class ParkedRecordView(BaseModel):
    """A record that waits or was set aside: where it stands, and why."""

    id: str
    engagement: str | None
    channel: str
    partition: int
    offset: int
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
    """

    taken: int
    waiting: int
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

    published: Annotated[int, Field(ge=1, le=MOST_EVENTS)] | None = None


class Hold(Command):
    """Hold the clock at a moment, while history up to it is played in."""

    at: Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]


class ClockView(BaseModel):
    """The moment (UTC) after which no deadline passes; null while the clock goes by the time."""

    held_at: datetime | None


def router() -> APIRouter:
    """Return the operator's routes, for an application of `chassis.service`."""
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
        only(request)
        records = await _listener(request).parking.look(engagement, raw=False)
        if not records:
            raise Problem(404, "not-parked", f"nothing is parked for {engagement}")
        return [ParkedRecordView.model_validate(_shown(each)) for each in records[:MOST_RECORDS]]

    @routes.get("/set-aside", summary="Records that are no events here, the oldest first")
    async def set_aside(
        request: Request, limit: Limit = MOST_RECORDS, cursor: Cursor = "0"
    ) -> SetAsidePage:
        only(request, "limit", "cursor")
        found = await _listener(request).parking.page_set_aside(_order(cursor), limit)
        return SetAsidePage(
            items=[ParkedRecordView.model_validate(_shown(each)) for each in found],
            cursor=str(found[-1].order) if len(found) == limit else None,
        )

    @routes.get("/record", summary="One record that waits or was set aside, with its text")
    async def record(
        request: Request, id: Annotated[str | None, Query(max_length=400)] = None
    ) -> ParkedRecordText:
        only(request, "id")
        if id is None:
            raise field_error("id", "is missing")
        found = await _listener(request).parking.record(id)
        if found is None:
            raise Problem(404, "not-parked", f"no record {id} waits or was set aside")
        caller: Caller = request.state.caller
        shown = not found.channel.confidential or caller.may("confidential")
        text = None if found.raw is None or not shown else found.raw.decode(errors="replace")
        return ParkedRecordText.model_validate({**_shown(found), "record": text})


def _decide_on_parked(routes: APIRouter) -> None:
    @routes.post("/parked/{engagement}/retry", summary="Try a parked engagement again")
    async def retry(request: Request, engagement: Engagement) -> AttemptView:
        return await _attempt(_listener(request).retry(engagement, request.state.caller.actor))

    @routes.post("/parked/{engagement}/skip", summary="Go on without what holds it up")
    async def skip(request: Request, engagement: Engagement, skip: Skip) -> AttemptView:
        actor = request.state.caller.actor
        return await _attempt(
            _listener(request).skip(engagement, skip.record, actor, skip.why, skip.published)
        )

    @routes.post("/parked/{engagement}/set-aside", summary="Set aside the record that holds it up")
    async def set_aside(
        request: Request, engagement: Engagement, set_aside: SetAside
    ) -> AttemptView:
        actor = request.state.caller.actor
        return await _attempt(
            _listener(request).set_aside(engagement, set_aside.record, actor, set_aside.why)
        )


def _hold_the_clock(routes: APIRouter) -> None:
    @routes.get("/clock", summary="Whether the clock is held, and at which moment")
    async def clock(request: Request) -> ClockView:
        only(request)
        return ClockView(held_at=await works_of(request).clock.held_at())

    @routes.post("/clock/hold", summary="Let no deadline after a moment pass")
    async def hold(request: Request, hold: Hold) -> ClockView:
        held = works_of(request).clock
        await held.hold(hold.at, by=request.state.caller.actor)
        return ClockView(held_at=await held.held_at())

    @routes.post("/clock/release", summary="Let deadlines pass by the time again")
    async def release(request: Request) -> ClockView:
        await works_of(request).clock.release()
        return ClockView(held_at=None)


def _listener(request: Request) -> Listener:
    listener = works_of(request).listener
    if listener is None:
        raise Problem(404, "not-parked", "this service hears nobody")
    return listener


async def _waiting(request: Request, limit: int, cursor: str, *, is_parked: bool) -> ParkedPage:
    only(request, "limit", "cursor")
    parking = _listener(request).parking
    found = await parking.page_parked(_order(cursor), limit, is_parked=is_parked)
    return ParkedPage(
        items=[_engagement(each.engagement, each.head, each.records) for each in found],
        cursor=str(found[-1].order) if len(found) == limit else None,
    )


def _order(cursor: str) -> int:
    return min(int(cursor), 2**63 - 1)  # the store has no larger number


def _engagement(engagement: str, head: Head, records: int) -> ParkedEngagementView:
    return ParkedEngagementView(
        engagement=engagement,
        code=head.code,
        sentence=head.sentence,
        channel=head.channel,
        since=head.since,
        records=records,
    )


def _shown(record: ParkedRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "engagement": record.engagement,
        "channel": record.channel.name,
        "partition": record.partition,
        "offset": record.offset,
        "sequence": record.sequence,
        "code": record.code,
        "sentence": record.sentence,
        "expected": record.expected,
        "at": record.at,
        "set_aside_by": record.by,
        "set_aside_why": record.why,
    }


async def _attempt(asked: Awaitable[Attempt]) -> AttemptView:
    try:
        attempt = await asked
    except NotInTrouble as trouble:
        raise Problem(404, "not-parked", str(trouble)) from None
    except NotProven as trouble:
        raise Problem(409, "gap-not-proven", str(trouble)) from None
    head = attempt.head
    return AttemptView(
        taken=attempt.taken,
        waiting=attempt.waiting,
        code=None if head is None else head.code,
        sentence=None if head is None else head.sentence,
        asked=attempt.asked,
    )
