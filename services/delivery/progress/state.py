"""State of the progress."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    ExpenseReversed,
    ForecastMethodChosen,
    MilestoneReached,
    MilestoneWithdrawn,
    PlanBaselined,
    StatusReportPublished,
    TaskProgressed,
    TimeApproved,
    TimeReversed,
)
from contracts.finance import BudgetAmended, BudgetSet

_Measured = (
    TaskProgressed
    | MilestoneReached
    | MilestoneWithdrawn
    | PlanBaselined
    | ForecastMethodChosen
    | TimeApproved
    | TimeReversed
    | ExpenseApproved
    | ExpenseReversed
    | BudgetSet
    | BudgetAmended
)
"""Events that change what Finance measures with a status report."""


class Progress(Part):
    """The last progress of each task, the milestones that were reached, and the last report.

    `forecast_method` is how the cost at completion is forecast, once that was chosen.
    `changed_since_report` is true if what is measured with a report changed since the last one.
    """

    tasks: Annotated[dict[str, TaskProgressed], Keep("task")] = {}
    milestones: Annotated[
        dict[str, MilestoneReached], Keep("milestone", until=(MilestoneWithdrawn,))
    ] = {}
    report: Kept[StatusReportPublished] = None
    forecast_method: Kept[ForecastMethodChosen] = None
    changed_since_report: bool = False

    @on_event
    def _changed(self, _: _Measured) -> Self:
        return self if self.changed_since_report else self.updated(changed_since_report=True)

    @on_event
    def _reported(self, _: StatusReportPublished) -> Self:
        return self.updated(changed_since_report=False)
