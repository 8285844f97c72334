"""State of the progress."""

from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.delivery import (
    ForecastMethodChosen,
    MilestoneReached,
    MilestoneWithdrawn,
    StatusReportPublished,
    TaskProgressed,
)


class Progress(Part):
    """The last progress of each task, the milestones that were reached, and the last report.

    `forecast_method` is how the cost at completion is forecast, once that was chosen.
    """

    tasks: Annotated[dict[str, TaskProgressed], Keep("task")] = {}
    milestones: Annotated[
        dict[str, MilestoneReached], Keep("milestone", until=(MilestoneWithdrawn,))
    ] = {}
    report: Kept[StatusReportPublished] = None
    forecast_method: Kept[ForecastMethodChosen] = None
