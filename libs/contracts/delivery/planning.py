"""Define the events of plans and baselines."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.reference import Weekdays
from contracts.values import (
    Day,
    Deliverable,
    DistinctBy,
    Identifier,
    Milestone,
    Month,
    Percent,
    PlannedTask,
    Value,
    Version,
)

MOST_TASKS = 3_000
"""Tasks of a plan. With short titles and few links, its event is then as large as one may be."""


class PlanCalendar(Value):
    """The working days of a plan, as they were known when it was drafted."""

    calendar: Identifier
    """Id of the holiday calendar of the company that sells."""
    weekdays: Weekdays
    """Weekdays on which people work."""
    days_off: Annotated[tuple[Day, ...], Field(max_length=10_000)] = ()
    """Days off on these weekdays between the first and the last day of the plan, in order."""


class PlannedMonth(Value):
    """Planned share of work at the end of a month."""

    month: Month
    """Calendar month, as `YYYY-MM`."""
    complete: Percent
    """Share in percent of all the work that is planned to the end of the month."""


class PlannedProfile(Value):
    """Profile by month of the planned value of a line, or of a plan.

    Within a month, it is spread evenly over the working days.
    """

    line: Identifier | None = None
    """Id of the contract line whose tasks it is for; null for all tasks without a profile."""
    months: Annotated[
        tuple[PlannedMonth, ...], Field(min_length=1, max_length=240), DistinctBy("month")
    ]
    """The months in their order; the shares never fall, and the last one is 100."""

    @model_validator(mode="after")
    def _to_the_end(self) -> Self:
        months = [each.month for each in self.months]
        shares = [each.complete for each in self.months]
        if months != sorted(months) or shares != sorted(shares) or shares[-1] != 100:
            raise ValueError("months must be in order, with shares that rise to 100 at the end")
        return self


Profiles = Annotated[tuple[PlannedProfile, ...], Field(max_length=200), DistinctBy("line")]
"""Profiles for different lines."""


class PlanContent(Value):
    """A whole plan."""

    version: Version
    """Counts the drafts of the plan from 1; a baseline has the version of its draft."""
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=200), DistinctBy("milestone")]
    """Milestones of the plan, with different ids."""
    tasks: Annotated[tuple[PlannedTask, ...], Field(max_length=MOST_TASKS), DistinctBy("task")]
    """Tasks of the plan, with different ids."""
    deliverables: Annotated[
        tuple[Deliverable, ...], Field(max_length=1_000), DistinctBy("deliverable")
    ]
    """Deliverables that the plan produces, with different ids."""
    changes: Annotated[tuple[Identifier, ...], Field(max_length=1_000)] = ()
    """Ids of all approved changes whose work the plan includes, also those of earlier baselines.

    A later baseline may leave out a change whose amendment is not signed.
    """
    calendar: PlanCalendar | None = None
    """Working days by which tasks that follow others are scheduled; null: Monday to Friday."""
    profiles: Profiles = ()
    """Planned value by month, where given; other tasks spread theirs over their working days."""


class PlanDrafted(PlanContent, Event, channel=DELIVERY):
    """A version of the plan was drafted, from a template or from tasks that were entered.

    Published by Delivery. Contains the whole plan.
    """

    template: Identifier
    """Id of the template that the plan was made from."""
    template_version: Version | None = None
    """Version of the template that was scheduled; null where the tasks were entered."""
    estimate_version: Version | None = None
    """Version of the estimate that the hours come from; null where the tasks were entered."""


class PlanBaselined(PlanContent, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A drafted plan was approved as the baseline; it replaces the baseline before it.

    Published by Delivery. Contains the whole plan.
    """

    baselined_on: Day
    """Day on which the plan was approved as the baseline."""
