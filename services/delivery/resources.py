"""Resources: hours of a role are wanted, and a person is given to them, softly or for good."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chassis.domain.decider import Command, Context, Refused
from contracts.delivery import ResourceAllocated, ResourceReleased, ResourceRequested
from contracts.event import Event
from contracts.values import Day, Hours, Identifier, PersonId, ProjectRole
from delivery.gates import day_of, known_person, once, standing
from delivery.state import Engagement, Request, decide

SomeHours = Annotated[Hours, Field(gt=Decimal(0))]


class RequestResource(Command):
    """Ask for hours of a role between two days (both inclusive)."""

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
    """Give a person to a request: softly (may be taken away) or hard.

    Hours and days are the request's unless others are given. A person's allocation may be changed;
    a hard one does not become soft again.
    """

    request: Identifier
    person: PersonId
    hours: SomeHours | None = None
    starts_on: Day | None = None
    finishes_on: Day | None = None
    commitment: Literal["soft", "hard"] = "soft"


class ReleaseResource(Command):
    """Let a person go from a request."""

    request: Identifier
    person: PersonId
    released_on: Day | None = None


@decide.on(RequestResource)
def request_resource(
    state: Engagement, command: RequestResource, context: Context
) -> Iterator[Event]:
    """People may be asked for as early as the proposal."""
    standing(state)
    request = command.request or context.new_id("RQ")
    event = ResourceRequested(request=request, **command.model_dump(exclude={"request"}))
    known = state.resources.get(request)
    sentence = f"request {request} asks for something else"
    yield from once(known.requested if known else None, event, "already-requested", sentence)


@decide.on(AllocateResource)
def allocate_resource(
    state: Engagement, command: AllocateResource, context: Context
) -> Iterator[Event]:
    """How much of a person is allocated in all is seen in a view, and no reason to refuse."""
    standing(state)
    wanted = _request(state, command.request).requested
    if known_person(context, command.person).department == "customer":
        raise Refused("not-of-the-company", f"{command.person} is with the customer")
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
        raise Refused("ends-before-it-starts", f"{event.finishes_on} is before {event.starts_on}")
    known = state.resources[command.request].allocated.get(command.person)
    if known and known.commitment == "hard" and event.commitment == "soft":
        raise Refused("already-hard", f"{command.person} is committed to {command.request} already")
    if event != known:
        yield event


@decide.on(ReleaseResource)
def release_resource(
    state: Engagement, command: ReleaseResource, context: Context
) -> Iterator[Event]:
    """Whoever is not allocated is free already."""
    standing(state, after_termination=True)
    if command.person in _request(state, command.request).allocated:
        day = day_of(context, command.released_on)
        yield ResourceReleased(request=command.request, person=command.person, released_on=day)


def _request(state: Engagement, request: str) -> Request:
    known = state.resources.get(request)
    if known is None:
        raise Refused("unknown-request", f"there is no request {request}")
    return known
