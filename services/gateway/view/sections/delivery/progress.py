"""Keep the completion of tasks and the status reports, and describe milestones."""

from typing import Protocol

from contracts import delivery
from contracts.decimals import Number
from contracts.event import Recorded
from gateway.formatting import FORMULAS, day, hours, number
from gateway.view.sections.steps import PartSteps, Ref, ref


class Fields(Protocol):
    """Fields of the section that these steps change."""

    reports: dict[int, Ref]
    complete: dict[str, Number]


steps = PartSteps[Fields](ignored=[delivery.ForecastMethodChosen])

steps.describe(
    delivery.StatusReportPublished,
    lambda event, _: (
        f"Status report {event.report}: scope {event.scope}, schedule {event.schedule}, cost "
        f"{event.cost}; finish forecast for {day(event.forecast_finish)}. “{event.narrative}”"
    ),
)


steps.describe(
    delivery.ForecastMethodChosen,
    lambda event, _: (
        f"The cost at completion is forecast by {FORMULAS[event.method]}. “{event.reason}”"
    ),
)


@steps.on(delivery.StatusReportPublished)
def _reported(section: Fields, recorded: Recorded[delivery.StatusReportPublished]) -> None:
    section.reports[recorded.event.report] = ref(recorded)


steps.describe(
    delivery.TaskProgressed,
    lambda event, names: (
        f"{names.title(event.task)} is {number(event.complete)}% done, "
        f"{hours(event.remaining_hours)} to go."
    ),
)


@steps.on(delivery.TaskProgressed)
def _progressed(section: Fields, recorded: Recorded[delivery.TaskProgressed]) -> None:
    section.complete[recorded.event.task] = recorded.event.complete


steps.describe(
    delivery.MilestoneReached,
    lambda event, names: (
        f"Milestone {names.title(event.milestone)} reached on {day(event.reached_on)}."
    ),
)
steps.describe(
    delivery.MilestoneWithdrawn,
    lambda event, names: (
        f"Milestone {names.title(event.milestone)} of {day(event.reached_on)} withdrawn on "
        f"{day(event.withdrawn_on)}: “{event.why}”"
    ),
)
