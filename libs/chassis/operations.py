"""What an operator does to a running service: see to what is parked, and hold the clock."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, Field

from chassis.auth import Caller, requires
from chassis.decider import Command
from chassis.exchange import StrictRoute, only
from chassis.http import PROBLEMS
from chassis.intake import Attempt, NotInTrouble
from chassis.listener import Listener
from chassis.parking import Head, ParkedRecord
from chassis.problems import Problem
from chassis.reach import works_of
from contracts.values import ShortText, Text

# A moment at either end of the calendar is in no year at all in UTC, nor in the store.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
Engagement = Annotated[str, Path(min_length=1, max_length=200)]


class ParkedEngagementView(BaseModel):
    """An engagement whose facts wait: for what, since when, and how many records."""

    engagement: str
    code: str
    sentence: str
    channel: str
    since: datetime
    records: int


class ParkedRecordView(BaseModel):
    """A record that waits. `record` is its text where it has one that may be shown."""

    id: str
    channel: str
    partition: int
    offset: int
    sequence: int | None
    code: str
    sentence: str
    expected: int | None
    at: datetime
    record: str | None


class AttemptView(BaseModel):
    """What came of trying again: records taken in, those that still wait, and for what.

    `asked` where another process reads this engagement and was told; it answers within seconds.
    """

    taken: int
    waiting: int
    code: str | None
    sentence: str | None
    asked: bool


class Skip(Command):
    """Go on without a record, or without the fact that is missing before it, and say why."""

    record: ShortText
    why: Text


class Hold(Command):
    """Hold the clock at a moment, while history up to it is played in."""

    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, lt=_LATEST)]


class ClockView(BaseModel):
    """The moment (UTC) after which no deadline passes; null while the clock goes by the time."""

    held_at: datetime | None


def router() -> APIRouter:
    """The operator's routes, for an application of `chassis.service`."""
    routes = APIRouter(
        prefix="/operations",
        route_class=StrictRoute,
        tags=["operations"],
        dependencies=[Depends(requires("operator"))],
        responses=PROBLEMS,
    )

    @routes.get("/parked", summary="Engagements whose facts wait, the oldest first")
    async def parked(request: Request) -> list[ParkedEngagementView]:
        only(request)
        found = await _listener(request).parking.engagements()
        return [_engagement(each.engagement, each.head, each.records) for each in found]

    @routes.get("/parked/{engagement}", summary="All that waits for one engagement, in order")
    async def look(request: Request, engagement: Engagement) -> list[ParkedRecordView]:
        only(request)
        records = await _listener(request).parking.look(engagement)
        if not records:
            raise Problem(404, "not-parked", f"nothing is parked for {engagement}")
        caller: Caller = request.state.caller
        return [_record(record, caller) for record in records]

    @routes.post("/parked/{engagement}/retry", summary="Try a parked engagement again")
    async def retry(request: Request, engagement: Engagement) -> AttemptView:
        try:
            attempt = await _listener(request).retry(engagement, request.state.caller.actor)
        except NotInTrouble as trouble:
            raise Problem(404, "not-parked", str(trouble)) from None
        return _attempt(attempt)

    @routes.post("/parked/{engagement}/skip", summary="Go on without the record that holds it up")
    async def skip(request: Request, engagement: Engagement, skip: Skip) -> AttemptView:
        actor = request.state.caller.actor
        try:
            attempt = await _listener(request).skip(engagement, skip.record, actor, skip.why)
        except NotInTrouble as trouble:
            raise Problem(404, "not-parked", str(trouble)) from None
        return _attempt(attempt)

    @routes.get("/set-aside", summary="Records that name no engagement, the oldest first")
    async def set_aside(request: Request) -> list[ParkedRecordView]:
        only(request)
        caller: Caller = request.state.caller
        return [
            _record(each, caller) for each in await _listener(request).parking.records_set_aside()
        ]

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

    return routes


def _listener(request: Request) -> Listener:
    listener = works_of(request).listener
    if listener is None:
        raise Problem(404, "not-parked", "this service hears nobody")
    return listener


def _engagement(engagement: str, head: Head, records: int) -> ParkedEngagementView:
    return ParkedEngagementView(
        engagement=engagement,
        code=head.code,
        sentence=head.sentence,
        channel=head.channel,
        since=head.since,
        records=records,
    )


def _record(record: ParkedRecord, caller: Caller) -> ParkedRecordView:
    shown = not record.channel.confidential or caller.may("confidential")
    raw = record.raw if shown else None
    return ParkedRecordView(
        id=record.id,
        channel=record.channel.name,
        partition=record.partition,
        offset=record.offset,
        sequence=record.sequence,
        code=record.code,
        sentence=record.sentence,
        expected=record.expected,
        at=record.at,
        record=None if raw is None else raw.decode(errors="replace"),
    )


def _attempt(attempt: Attempt) -> AttemptView:
    head = attempt.head
    return AttemptView(
        taken=attempt.taken,
        waiting=attempt.waiting,
        code=None if head is None else head.code,
        sentence=None if head is None else head.sentence,
        asked=attempt.asked,
    )
