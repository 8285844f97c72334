"""Define the events of progress: tasks, milestones and status reports."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    RAG,
    Correction,
    Day,
    ForecastMethodChoice,
    Hours,
    Identifier,
    JudgedPercent,
    Text,
    Value,
    Version,
)


class TaskProgress(Value):
    """The progress of a task."""

    task: Identifier
    """Id of the task in the baseline."""
    complete: JudgedPercent
    """Completed share of the task in percent."""
    remaining_hours: Hours
    """Hours that the task still needs."""


class TaskProgressed(TaskProgress, Event, channel=DELIVERY, consumed_by=("finance",)):
    """The progress of a task was recorded; it may be lower than before. Published by Delivery."""

    as_of: Day
    """Day that the progress describes."""


class MilestoneReached(Event, channel=DELIVERY, consumed_by=("finance",)):
    """A milestone of the baseline was reached. Published by Delivery."""

    milestone: Identifier
    """Id of the milestone within the plan."""
    reached_on: Day
    """Day on which it was reached."""


class MilestoneWithdrawal(Correction):
    """The withdrawal of a milestone that was recorded as reached by mistake."""

    milestone: Identifier
    """Id of the milestone within the plan."""


class MilestoneWithdrawn(MilestoneWithdrawal, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A milestone that was recorded as reached by mistake is not reached. Published by Delivery."""

    reached_on: Day
    """Day of the record that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class StatusReport(Value):
    """A status report without its number and day."""

    scope: RAG
    """Status of the scope."""
    schedule: RAG
    """Status of the schedule."""
    cost: RAG
    """Status of the cost."""
    narrative: Text
    """State of the engagement in words."""
    forecast_finish: Day
    """Day on which the manager expects to finish."""
    estimate_to_complete: Hours
    """Hours still needed, in the manager's judgement."""


class StatusReportPublished(
    StatusReport, Event, channel=DELIVERY, consumed_by=("finance", "sales")
):
    """A status report was published. Published by Delivery.

    Finance measures earned value and margins as of its day.
    """

    report: Version
    """Counts the engagement's reports from 1."""
    as_of: Day
    """Day that the report describes."""


class ForecastMethodChosen(ForecastMethodChoice, Event, channel=DELIVERY, consumed_by=("finance",)):
    """The way in which the cost at completion is forecast was chosen. Published by Delivery.

    It applies to the status reports that follow. Before a choice, it is `hours-to-complete`.
    """
