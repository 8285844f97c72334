"""State of the resources."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, KeepDay, Part, on_event
from contracts.delivery import (
    ResourceAllocated,
    ResourceReleased,
    ResourceRequested,
    WorkloadMeasured,
)


class Resources(Part):
    """The requests by id, and the allocations and the last releases by request and person.

    `changes` counts the allocations and releases.
    """

    requested: Annotated[dict[str, ResourceRequested], Keep("request")] = {}
    requested_on: Annotated[dict[str, date], KeepDay((ResourceRequested,), "request")] = {}
    allocated: dict[str, dict[str, ResourceAllocated]] = {}
    released: dict[str, dict[str, ResourceReleased]] = {}
    changes: int = 0
    workloads: Annotated[dict[str, WorkloadMeasured], Keep("person")] = {}

    @on_event
    def _allocated(self, event: ResourceAllocated) -> Self:
        people = {**self.allocated.get(event.request, {}), event.person: event}
        allocated = {**self.allocated, event.request: people}
        return self.updated(allocated=allocated, changes=self.changes + 1)

    @on_event
    def _released(self, event: ResourceReleased) -> Self:
        people = dict(self.allocated.get(event.request, {}))
        people.pop(event.person, None)
        allocated = {**self.allocated, event.request: people}
        over = {**self.released.get(event.request, {}), event.person: event}
        released = {**self.released, event.request: over}
        return self.updated(allocated=allocated, released=released, changes=self.changes + 1)
