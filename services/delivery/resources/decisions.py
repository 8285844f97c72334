"""Request hours of a role, and allocate people to requests (soft or hard)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.delivery import ResourceAllocated, ResourceReleased, ResourceRequested
from contracts.event import Event
from contracts.values import Day, Hours, Identifier, PersonId, ProjectRole
from delivery.policies import day_of, known_person, once, require_open
from delivery.state import Engagement, Request, decide

SomeHours = Annotated[Hours, Field(gt=Decimal(0))]


class RequestResource(Command):
    """Request hours of a role between two days (both inclusive)."""

    request: Identifier | None = None
    role: ProjectRole
    hours: SomeHours
    starts_on: Day
    finishes_on: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.finishes_on < self.starts_on:
            raise ValueError("finishes_on must not be before starts_on")
        return self


class AllocateResource(Command):
    """Allocate a person to a request: soft (may be withdrawn) or hard.

    Hours and days are the request's unless others are given. A person's allocation may be changed,
    but not from hard to soft.
    """

    request: Identifier
    person: PersonId
    hours: SomeHours | None = None
    starts_on: Day | None = None
    finishes_on: Day | None = None
    commitment: Literal["soft", "hard"] = "soft"


class ReleaseResource(Command):
    """Release a person from a request."""

    request: Identifier
    person: PersonId
    released_on: Day | None = None


@decide.on(RequestResource)
def request_resource(
    state: Engagement, command: RequestResource, context: Context
) -> Iterator[Event]:
    """Record the request; requests are possible from the proposal on.

    Raises Refused where the id belongs to a different request.
    """
    require_open(state)
    request = command.request or context.new_id("RQ")
    event = ResourceRequested(request=request, **command.model_dump(exclude={"request"}))
    known = state.resources.get(request)
    sentence = f"request {request} was recorded with other data"
    yield from once(known.requested if known else None, event, "already-recorded", sentence)


@decide.on(AllocateResource)
def allocate_resource(
    state: Engagement, command: AllocateResource, context: Context
) -> Iterator[Event]:
    """Allocate the person to the request, or change the allocation.

    A person's total allocation is not limited here; it is shown in a view. Raises Refused where the
    request or the person is unknown, the person is a customer's, the days are reversed, or a hard
    allocation would become soft.
    """
    require_open(state)
    wanted = _request(state, command.request).requested
    if known_person(context, command.person).department == "customer":
        raise Refused("person-not-of-company", f"{command.person} belongs to the customer")
    event = ResourceAllocated(
        request=command.request,
        person=command.person,
        role=wanted.role,
        hours=command.hours or wanted.hours,
        starts_on=command.starts_on or wanted.starts_on,
        finishes_on=command.finishes_on or wanted.finishes_on,
        commitment=command.commitment,
    )
    if event.finishes_on < event.starts_on:
        raise Refused("finish-before-start", f"{event.finishes_on} is before {event.starts_on}")
    known = state.resources[command.request].allocated.get(command.person)
    if known and known.commitment == "hard" and event.commitment == "soft":
        raise Refused(
            "person-committed", f"{command.person} is committed to {command.request} already"
        )
    if event != known:
        yield event


@decide.on(ReleaseResource)
def release_resource(
    state: Engagement, command: ReleaseResource, context: Context
) -> Iterator[Event]:
    """Release the person; nothing happens where the person is not allocated to the request.

    Raises Refused where the request is unknown.
    """
    require_open(state, after_termination=True)
    if command.person in _request(state, command.request).allocated:
        day = day_of(context, command.released_on)
        yield ResourceReleased(request=command.request, person=command.person, released_on=day)


def _request(state: Engagement, request: str) -> Request:
    known = state.resources.get(request)
    if known is None:
        raise Refused("request-unknown", f"there is no request {request}")
    return known
