"""State of plan, progress and status reports, and of the measurements. Partly confidential."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    PlanBaselined,
    StatusReportPublished,
    TaskProgressed,
    TimeApproved,
)
from contracts.event import Recorded
from contracts.finance import (
    AccountSettled,
    MarginMeasured,
    MeasuredReport,
    PerformanceMeasured,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.money import Money
from contracts.values import Hours, Identifier, Percent, ProjectRole, Value


class Report(Value):
    """Status report to be measured, with Delivery's state at the time of the report.

    `stated` is what it stated, `works` the number of work entries approved before it.
    `hours_to_complete` is the manager's judgement.
    """

    as_of: date
    stated: MeasuredReport
    hours_to_complete: Hours
    baseline: PlanBaselined | None
    progress: dict[Identifier, Percent]
    works: int
    performance_due: bool
    margin_due: bool = True


class HoursToCome(Value):
    """Planned hours of a role that are not done, by the line that the tasks name."""

    line: Identifier | None
    role: ProjectRole
    hours: Decimal


class Forecast(Value):
    """Measured estimate at completion (EAC), and the changes that its plan includes.

    `to_complete` is the part of the amount that is still to come, `hours` are the planned hours
    that it is for: all of the plan where none are left. Where purchases are planned, the amount is
    `with_expenses`.
    """

    on: date
    amount: Money
    to_complete: Money
    hours: tuple[HoursToCome, ...]
    changes: tuple[Identifier, ...]
    with_expenses: bool


class Performance(Part):
    """Plan, completion by task, reports to be measured, and the measurements in their order.

    `works` is the number of approved entries of work. `final` says that the final margin is
    measured, with all recognised months.
    """

    baseline: Kept[PlanBaselined] = None
    progress: dict[Identifier, Percent] = {}
    works: int = 0
    reports: tuple[Report, ...] = ()
    measured: Kept[PerformanceMeasured] = None
    forecasts: tuple[Forecast, ...] = ()
    margins: Kept[MarginMeasured] = None
    final: bool = False

    @property
    def measured_works(self) -> int:
        """Return how many of the first works all reports contain that are to be measured."""
        return min((each.works for each in self.reports), default=self.works)

    @on_event
    def _progressed(self, event: TaskProgressed) -> Self:
        return self.updated(progress={**self.progress, event.task: event.complete})

    @on_event
    def _worked(self, event: TimeApproved | ExpenseApproved) -> Self:
        # Delivery approves each entry of time and each expense once.
        new = len(event.entries) if isinstance(event, TimeApproved) else 1
        return self.updated(works=self.works + new)

    @on_event
    def _reported(self, recorded: Recorded[StatusReportPublished]) -> Self:
        event = recorded.event
        report = Report(
            as_of=event.as_of,
            stated=MeasuredReport(
                report=event.report,
                streamsequence=recorded.sequence,
                schedule=event.schedule,
                cost=event.cost,
            ),
            hours_to_complete=event.estimate_to_complete,
            baseline=self.baseline,
            progress=self.progress,
            works=self.works,
            performance_due=self.baseline is not None,
        )
        return self.updated(reports=(*self.reports, report))

    @on_event
    def _performance(self, event: PerformanceMeasured) -> Self:
        """Add the forecast; it belongs to the changes in the plan of the measured report."""
        forecasts = self.forecasts
        if event.estimate_at_completion is not None:
            report = next((each for each in self.reports if each.performance_due), None)
            plan = report.baseline if report else None
            forecast = Forecast(
                on=event.as_of,
                amount=event.estimate_at_completion,
                to_complete=event.estimate_to_complete or Money.zero(event.actual_cost.currency),
                hours=_to_come(plan, report.progress) if report and plan else (),
                changes=plan.changes if plan else (),
                with_expenses=event.purchases is not None,
            )
            forecasts = (*forecasts, forecast)
        return self.updated(forecasts=forecasts, reports=self._without("performance_due"))

    @on_event
    def _margins(self, event: MarginMeasured) -> Self:
        """Note the final margin: it is measured after all reports."""
        final = not any(each.margin_due for each in self.reports)
        return self.updated(final=self.final or final, reports=self._without("margin_due"))

    @on_event
    def _continued(
        self, event: AccountSettled | RevenueRecognised | RevenueByCostRecognised
    ) -> Self:
        """Let another final margin follow a new settlement or a further recognised month.

        What reopens the account needs no step: without a settlement no final margin is measured.
        """
        return self.updated(final=False)

    def _without(self, flag: str) -> tuple[Report, ...]:
        """Return the reports without a flag of the first that has it, if they are to be measured.

        A report is to be measured while it has a flag.
        """
        reports = list(self.reports)
        for index, report in enumerate(reports):
            if getattr(report, flag):
                reports[index] = report.model_copy(update={flag: False})
                break
        return tuple(each for each in reports if each.performance_due or each.margin_due)


def _to_come(plan: PlanBaselined, progress: Mapping[str, Decimal]) -> tuple[HoursToCome, ...]:
    """Return the planned hours that are not done; all planned hours where everything is done."""
    left, planned = dict[tuple[str | None, str], Decimal](), dict[tuple[str | None, str], Decimal]()
    for task in plan.tasks:
        undone = 100 - progress.get(task.task, Decimal(0))
        for each in task.hours:
            key = task.line, each.role
            left[key] = left.get(key, Decimal(0)) + each.hours * undone / 100
            planned[key] = planned.get(key, Decimal(0)) + each.hours
    return tuple(
        HoursToCome(line=line, role=role, hours=hours)
        for (line, role), hours in (left if any(left.values()) else planned).items()
    )
