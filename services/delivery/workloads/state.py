"""State of a workload: the allocations of a person, and what engagements were told."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import BeyondHours
from delivery.workloads.events import AllocationNoted, EngagementsTold


class Workload(Part):
    """The allocations of a person by engagement and request, and what each engagement was told."""

    person: str
    allocations: dict[str, AllocationNoted] = {}
    told: dict[str, BeyondHours] = {}
    revision: int = 0

    @on_event
    def _noted(self, event: AllocationNoted) -> Self:
        key = f"{event.engagement}/{event.request}"
        return self.updated(allocations={**self.allocations, key: event})

    @on_event
    def _told(self, event: EngagementsTold) -> Self:
        now = {each.engagement: each.beyond for each in event.told}
        kept = {name: known for name, known in self.told.items() if name not in now}
        more = {name: beyond for name, beyond in now.items() if beyond is not None}
        return self.updated(told={**kept, **more}, revision=event.revision)
