"""State of the progress."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    MilestoneReached,
    MilestoneWithdrawn,
    StatusReportPublished,
    TaskProgressed,
)


class Progress(Part):
    """The last progress of each task, the milestones that were reached, and the last report."""

    tasks: Annotated[dict[str, TaskProgressed], Keep("task")] = {}
    milestones: Annotated[dict[str, MilestoneReached], Keep("milestone")] = {}
    report: Kept[StatusReportPublished] = None

    @on_event
    def _withdrawn(self, event: MilestoneWithdrawn) -> Self:
        reached = {name: each for name, each in self.milestones.items() if name != event.milestone}
        return self.updated(milestones=reached)
