"""State of the progress."""

from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.delivery import (
    MilestoneReached,
    MilestoneWithdrawn,
    StatusReportPublished,
    TaskProgressed,
)


class Progress(Part):
    """The last progress of each task, the milestones that were reached, and the last report."""

    tasks: Annotated[dict[str, TaskProgressed], Keep("task")] = {}
    milestones: Annotated[
        dict[str, MilestoneReached], Keep("milestone", until=(MilestoneWithdrawn,))
    ] = {}
    report: Kept[StatusReportPublished] = None
