"""State of the resources."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import ResourceAllocated, ResourceReleased, ResourceRequested
from contracts.values import Value


class Request(Value):
    """A request for hours of a role, and the people allocated to it, by person."""

    requested: ResourceRequested
    allocated: dict[str, ResourceAllocated] = {}


class Resources(Part):
    """The requests by id."""

    by_id: dict[str, Request] = {}

    @on_event
    def _requested(self, event: ResourceRequested) -> Self:
        return self.updated(by_id={**self.by_id, event.request: Request(requested=event)})

    @on_event
    def _allocated(self, event: ResourceAllocated) -> Self:
        allocated = {**self.by_id[event.request].allocated, event.person: event}
        return self._with_allocations(event.request, allocated)

    @on_event
    def _released(self, event: ResourceReleased) -> Self:
        allocated = dict(self.by_id[event.request].allocated)
        allocated.pop(event.person, None)
        return self._with_allocations(event.request, allocated)

    def _with_allocations(self, id: str, allocated: dict[str, ResourceAllocated]) -> Self:
        request = self.by_id[id].model_copy(update={"allocated": allocated})
        return self.updated(by_id={**self.by_id, id: request})
