"""Compare the allocations of a person over all engagements with the hours that the person has."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from chassis.domain.availability import available_hours_of
from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.requests import Outcome
from contracts.delivery import BeyondHours
from contracts.event import Event
from delivery.resources.requests import NoteWorkload
from delivery.workloads.beyond import beyond_hours
from delivery.workloads.events import AllocationNoted, EngagementsTold, Told
from delivery.workloads.requests import NoteAllocation
from delivery.workloads.state import Workload

capability = Capability[Workload](__name__)
telling = capability.request(NoteWorkload, of="engagement")


@capability.decide(NoteAllocation, by=None, opens=True)
def note_allocation(state: Workload, command: NoteAllocation, context: Context) -> Iterable[Event]:
    """Note the allocation, and tell the engagements for which something has changed by it.

    Nothing happens where a newer change of it is known. Hours, holidays and leave are those of the
    records as they are now; nothing is told where the person's calendar is not known.
    """
    noted = AllocationNoted(**dict(command))
    key = f"{noted.engagement}/{noted.request}"
    known = state.allocations.get(key)
    if known is not None and known.number >= noted.number:
        return
    yield noted
    found = _found(state.person, {**state.allocations, key: noted}.values(), context)
    if found is None:
        return
    told = tuple(
        Told(engagement=name, beyond=found.get(name))
        for name in sorted({*state.told, *found})
        if state.told.get(name) != found.get(name)
    )
    if not told:
        return
    revision = state.revision + 1
    yield EngagementsTold(revision=revision, told=told)
    for each in told:
        note = NoteWorkload(person=state.person, revision=revision, beyond=each.beyond)
        yield telling(each.engagement, note, id=f"workload-{revision}", item=each.engagement)


def _found(
    person: str, allocations: Iterable[AllocationNoted], context: Context
) -> dict[str, BeyondHours] | None:
    """Return the hours beyond those of the person by engagement; None where those are unknown."""
    unknown = False

    def available(first: date, last: date) -> Decimal:
        nonlocal unknown
        hours = available_hours_of(context.reference_data, person, first, last)
        unknown = unknown or hours is None
        return hours or Decimal(0)

    found = beyond_hours([*allocations], available, context.today)
    return None if unknown else found


@telling.outcome
def told(state: Workload, outcome: Outcome[NoteWorkload], context: Context) -> Iterable[Event]:
    """Conclude nothing: what engagements are told is recorded already."""
    return ()
