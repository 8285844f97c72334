"""Keep the manager of the engagement, and the people allocated to it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from contracts import delivery
from contracts.counting import counted
from contracts.decimals import Number
from contracts.event import Recorded
from gateway.formatting import day, hours, words
from gateway.view.sections.sentences import Names
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class Allocation:
    """Hours of a role for which a person is allocated between two days, both included."""

    role: str
    hours: Number
    starts_on: date
    finishes_on: date
    last_on: date
    """The last day on which the person is allocated: the finish, or the day before a release."""


class Fields(Protocol):
    """Fields of the section that these steps change."""

    manager: str | None
    manager_assigned_on: date | None
    manager_first_assigned: Ref | None
    allocations: dict[str, Allocation]


steps = PartSteps[Fields](ignored=[delivery.ResourceRequested])

steps.describe(
    delivery.ManagerAssigned,
    lambda event, names: (
        f"{names.person(event.manager)} manages the engagement from {day(event.assigned_on)}."
    ),
)


@steps.on(delivery.ManagerAssigned)
def _manager(section: Fields, recorded: Recorded[delivery.ManagerAssigned]) -> None:
    section.manager = recorded.event.manager
    section.manager_assigned_on = recorded.event.assigned_on
    section.manager_first_assigned = section.manager_first_assigned or ref(recorded)


steps.describe(
    delivery.ResourceRequested,
    lambda event, _: (
        f"{hours(event.hours)} of {words(event.role)} wanted from {day(event.starts_on)} to "
        f"{day(event.finishes_on)}."
    ),
)
steps.describe(
    delivery.ResourceAllocated,
    lambda event, names: (
        f"{names.person(event.person)} allocated as {words(event.role)} ({event.commitment}): "
        f"{hours(event.hours)} from {day(event.starts_on)} to {day(event.finishes_on)}."
    ),
)


@steps.on(delivery.ResourceAllocated)
def _allocated(section: Fields, recorded: Recorded[delivery.ResourceAllocated]) -> None:
    event = recorded.event
    section.allocations[f"{event.request}/{event.person}"] = Allocation(
        event.role, event.hours, event.starts_on, event.finishes_on, event.finishes_on
    )


steps.describe(
    delivery.ResourceReleased,
    lambda event, names: f"{names.person(event.person)} released on {day(event.released_on)}.",
)


@steps.on(delivery.ResourceReleased)
def _released(section: Fields, recorded: Recorded[delivery.ResourceReleased]) -> None:
    event = recorded.event
    allocation = section.allocations.get(f"{event.request}/{event.person}")
    if allocation is not None:
        allocation.last_on = min(allocation.finishes_on, event.released_on - timedelta(days=1))


def _workload(event: delivery.WorkloadMeasured, names: Names) -> str:
    if event.beyond is None:
        return f"{names.person(event.person)} is no longer allocated beyond their hours."
    return (
        f"{names.person(event.person)} is allocated for {hours(event.beyond.allocated)} from "
        f"{day(event.beyond.starts_on)} to {day(event.beyond.finishes_on)}, over "
        f"{counted(event.beyond.engagements, 'engagement')}, and has "
        f"{hours(event.beyond.available)}."
    )


steps.describe(delivery.WorkloadMeasured, _workload)
