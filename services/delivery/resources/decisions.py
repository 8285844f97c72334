"""Request hours of a role, and allocate people to requests (soft or hard).

The stream of each person's workload is told of every allocation and release, and tells whether the
person is allocated beyond their hours.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.pending import Requested
from chassis.domain.requests import Outcome
from chassis.domain.rules import same_day, unless_recorded
from contracts.decimals import round_decimal
from contracts.delivery import (
    Commitment,
    ResourceAllocated,
    ResourcePeriod,
    ResourceReleased,
    ResourceRequested,
    WorkloadMeasured,
)
from contracts.event import Event
from contracts.values import Day, Identifier, PersonId, SomeHours
from delivery.engagement import Engagement
from delivery.policies import known_staff, require_open
from delivery.resources import work_items
from delivery.resources.requests import NoteWorkload
from delivery.roles import MANAGERS
from delivery.workloads.events import Allocated
from delivery.workloads.requests import NoteAllocation

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)
noting = capability.request(NoteAllocation, of="workload")


class RequestResource(ResourcePeriod, Command):
    """Request hours of a role between two days (both inclusive)."""

    request: Identifier | None = None


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
    commitment: Commitment = "soft"


class ReleaseResource(Command):
    """Release a person from a request."""

    request: Identifier
    person: PersonId
    released_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(RequestResource, by=MANAGERS)
def request_resource(
    state: Engagement, command: RequestResource, context: Context
) -> Iterable[Event]:
    """Record the request; requests are possible from the proposal on.

    Raises Refused where the id belongs to a different request.
    """
    require_open(state)
    name = command.request or context.new_id("RQ")
    event = ResourceRequested(**{**dict(command), "request": name})
    yield from unless_recorded(state.resources.requested.get(name), event, f"request {name}")


@capability.decide(AllocateResource, by=MANAGERS)
def allocate_resource(
    state: Engagement, command: AllocateResource, context: Context
) -> Iterable[Event]:
    """Allocate the person to the request, or change the allocation.

    A person's total allocation is not limited: hours beyond those they have are published. Raises
    Refused where the request or the person is unknown, the days are reversed or the person is not
    with the company on them, or a hard allocation would become soft.
    """
    require_open(state)
    wanted = _request(state, command.request)
    known = state.resources.allocated.get(command.request, {}).get(command.person)
    starts_on = command.starts_on or wanted.starts_on
    finishes_on = command.finishes_on or wanted.finishes_on
    if finishes_on < starts_on:
        raise Refused("finish-before-start", f"{finishes_on} is before {starts_on}")
    known_staff(context, command.person, starts_on, finishes_on)
    event = ResourceAllocated(
        request=command.request,
        person=command.person,
        role=wanted.role,
        hours=command.hours or wanted.hours,
        starts_on=starts_on,
        finishes_on=finishes_on,
        commitment=command.commitment,
    )
    if known and known.commitment == "hard" and event.commitment == "soft":
        raise Refused(
            "person-committed", f"{command.person} is committed to {command.request} already"
        )
    if event != known:
        yield event
        yield _note(state, event, Allocated(**_period(event)), state.resources.changes + 1)


@capability.decide(ReleaseResource, by=MANAGERS)
def release_resource(
    state: Engagement, command: ReleaseResource, context: Context
) -> Iterable[Event]:
    """Release the person; nothing happens where the person was released on that day.

    Raises Refused where the request is unknown, the person was released on another day, or was
    never allocated to the request.
    """
    require_open(state, after_termination=True)
    _request(state, command.request)
    name, person = command.request, command.person
    is_allocated = person in state.resources.allocated.get(name, {})
    known = None if is_allocated else state.resources.released.get(name, {}).get(person)
    if known is None and not is_allocated:
        raise Refused("person-not-allocated", f"{person} was not allocated to request {name}")
    day = same_day("released_on", command, known, context)
    event = ResourceReleased(request=name, person=person, released_on=day)
    for new in unless_recorded(known, event, f"the release of {person}"):
        yield from _release(state, new, state.resources.changes + 1)


def _request(state: Engagement, id: str) -> ResourceRequested:
    known = state.resources.requested.get(id)
    if known is None:
        raise Refused("request-unknown", f"there is no request {id}")
    return known


@capability.react
def release_everybody(state: Engagement, context: Context) -> Iterable[Event]:
    """Release every allocated person on the day the deal is lost or the contract is terminated."""
    if state.ended_on is None:
        return
    number = state.resources.changes
    for name in state.resources.requested:
        for person in state.resources.allocated.get(name, {}):
            number += 1
            event = ResourceReleased(request=name, person=person, released_on=state.ended_on)
            yield from _release(state, event, number)


def _release(state: Engagement, event: ResourceReleased, number: int) -> Iterator[Event]:
    """Yield a release, and the request to note which hours of the allocation are left by it.

    They are those of the days before it, of all days of the allocation an equal share each.
    """
    known = state.resources.allocated[event.request][event.person]
    yield event
    last = min(known.finishes_on, event.released_on - timedelta(days=1))
    days, left = known.finishes_on - known.starts_on, last - known.starts_on
    hours = round_decimal(known.hours * (left.days + 1) / (days.days + 1), 2)
    kept = {**_period(known), "finishes_on": last, "hours": hours}
    yield _note(state, event, Allocated(**kept) if left.days >= 0 else None, number)


def _period(event: ResourceAllocated) -> dict[str, Any]:
    return {name: getattr(event, name) for name in Allocated.model_fields}


def _note(
    state: Engagement,
    event: ResourceAllocated | ResourceReleased,
    allocated: Allocated | None,
    number: int,
) -> Requested:
    """Return the request to the workload of a person to note an allocation."""
    note = NoteAllocation(
        engagement=state.engagement, request=event.request, number=number, allocated=allocated
    )
    return noting(event.person, note, id=f"allocation-{number}", item=event.person)


@noting.outcome
def noted(state: Engagement, outcome: Outcome[NoteAllocation], context: Context) -> Iterable[Event]:
    """Conclude nothing: the workload tells by a request of its own what follows."""
    return ()


@capability.decide(NoteWorkload, by=None)
def note_workload(state: Engagement, command: NoteWorkload, context: Context) -> Iterable[Event]:
    """Record whether the person is allocated beyond their hours, unless newer is known."""
    known = state.resources.workloads.get(command.person)
    if known is None or known.revision < command.revision:
        yield WorkloadMeasured(**dict(command))


class ResourceView(ViewModel):
    """Request for hours of a role, and the people allocated to it."""

    requested: ResourceRequested
    allocated: tuple[ResourceAllocated, ...]


class ResourceFields(ViewModel):
    """The resources in the view of an engagement."""

    resources: tuple[ResourceView, ...]


@capability.view
def resources_view(state: Engagement) -> ResourceFields:
    """Return the resources for the view of an engagement."""
    return ResourceFields(
        resources=tuple(
            ResourceView(
                requested=requested,
                allocated=tuple(state.resources.allocated.get(name, {}).values()),
            )
            for name, requested in state.resources.requested.items()
        )
    )
