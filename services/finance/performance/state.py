"""State of plan, progress and status reports, and of the measurements. Partly confidential."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    ExpenseApproved,
    ForecastMethodChosen,
    MilestoneReached,
    MilestoneWithdrawn,
    PlanBaselined,
    StatusReportPublished,
    TaskProgressed,
    TimeApproved,
)
from contracts.event import Recorded
from contracts.finance import (
    AccountSettled,
    LossProvided,
    LossReleased,
    MarginMeasured,
    MeasuredChoice,
    MeasuredReport,
    PerformanceMeasured,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.money import Money
from contracts.values import Hours, Identifier, Percent, ProjectRole, Value, Version


class Report(Value):
    """Status report to be measured, with Delivery's state at the time of the report.

    `stated` is what it stated, `works` the number of work entries approved before it.
    `hours_to_complete` is the manager's judgement, `choice` how the cost at completion is forecast.
    """

    as_of: date
    stated: MeasuredReport
    hours_to_complete: Hours
    choice: MeasuredChoice | None = None
    baseline: PlanBaselined | None
    progress: dict[Identifier, Percent]
    milestones: frozenset[Identifier] = frozenset()
    works: int
    performance_due: bool
    margin_due: bool = True


class HoursToCome(Value):
    """Planned hours of a role that are not done, by the line that the tasks name."""

    line: Identifier | None
    role: ProjectRole
    hours: Decimal


class Forecast(Value):
    """Measured estimate to complete (ETC) as of a day, and the changes that its plan includes.

    `work_to_come` is its cost of work, `hours` are the planned hours that it is for (all of the
    plan where none are left), and `purchases_to_come` is the cost of planned purchases by line.
    `hours_to_complete` are those that the manager stated.
    """

    report: Version
    on: date
    work_to_come: Money
    purchases_to_come: dict[Identifier, Money]
    hours: tuple[HoursToCome, ...]
    hours_to_complete: Decimal
    changes: tuple[Identifier, ...]


class Performance(Part):
    """Plan, progress, milestones that are reached, reports to be measured, and measurements.

    `choice` is the last choice of how the cost at completion is forecast.
    `works` is the number of approved entries of work. `measured` is the measurement of the newest
    report, `margins` that of the latest day. `expected` is the measurement for the newest report,
    or for the end. `final` says that the final margin is measured, with all recognised months.
    """

    baseline: Kept[PlanBaselined] = None
    progress: dict[Identifier, Percent] = {}
    milestones: Annotated[
        dict[Identifier, MilestoneReached], Keep("milestone", until=(MilestoneWithdrawn,))
    ] = {}
    choice: MeasuredChoice | None = None
    works: int = 0
    reports: tuple[Report, ...] = ()
    measured: PerformanceMeasured | None = None
    forecasts: tuple[Forecast, ...] = ()
    margins: MarginMeasured | None = None
    expected: MarginMeasured | None = None
    final: bool = False

    @property
    def measured_works(self) -> int:
        """Return how many of the first works all reports contain that are to be measured."""
        return min((each.works for each in self.reports), default=self.works)

    @on_event
    def _progressed(self, event: TaskProgressed) -> Self:
        return self.updated(progress={**self.progress, event.task: event.complete})

    @on_event
    def _chosen(self, recorded: Recorded[ForecastMethodChosen]) -> Self:
        by = recorded.on_behalf_of or recorded.actor
        return self.updated(choice=MeasuredChoice(**dict(recorded.event), chosen_by=by))

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
            choice=self.choice,
            baseline=self.baseline,
            progress=self.progress,
            milestones=frozenset(
                name for name, each in self.milestones.items() if each.reached_on <= event.as_of
            ),
            works=self.works,
            performance_due=self.baseline is not None,
        )
        return self.updated(reports=(*self.reports, report))

    @on_event
    def _performance(self, event: PerformanceMeasured) -> Self:
        """Add the forecast; it belongs to the changes in the plan of the measured report.

        It is ETC by hours with each choice of a method, since revenue by cost rests on it.
        """
        number, forecasts = event.report.report, self.forecasts
        to_come = event.estimate_to_complete
        if to_come is not None:
            report = next((each for each in self.reports if each.stated.report == number), None)
            plan = report.baseline if report else None
            to_buy = {each.line: each.cost for each in event.purchases_to_come}
            forecast = Forecast(
                report=number,
                on=event.as_of,
                work_to_come=to_come - min(to_come, Money.total(to_buy.values(), to_come.currency)),
                purchases_to_come=to_buy,
                hours=hours_to_come(plan, report.progress) if report and plan else (),
                hours_to_complete=report.hours_to_complete if report else Decimal(0),
                changes=plan.changes if plan else (),
            )
            forecasts = tuple(sorted((*forecasts, forecast), key=lambda each: each.report))
        newest = self.measured is None or self.measured.report.report < number
        return self.updated(
            measured=event if newest else self.measured,
            forecasts=forecasts,
            reports=self._without(number, "performance_due"),
        )

    @on_event
    def _margins(self, event: MarginMeasured) -> Self:
        final = event.report is None and event.month is None
        last, expected = self.margins, self.expected
        if event.month is None and (expected is None or event.follows(expected)):
            expected = event
        return self.updated(
            margins=event if last is None or last.as_of <= event.as_of else last,
            expected=expected,
            reports=self._without(event.report, "margin_due"),
            final=self.final or final,
        )

    @on_event
    def _continued(
        self,
        event: AccountSettled
        | RevenueRecognised
        | RevenueByCostRecognised
        | LossProvided
        | LossReleased,
    ) -> Self:
        """Let another final margin follow a new settlement, a further recognised month or a loss.

        What reopens the account needs no step: without a settlement no final margin is measured.
        """
        return self.updated(final=False)

    def _without(self, number: int | None, flag: str) -> tuple[Report, ...]:
        """Return the reports without a flag of one of them, if they are to be measured.

        A report is to be measured while it has a flag.
        """
        reports = (
            each.model_copy(update={flag: False}) if each.stated.report == number else each
            for each in self.reports
        )
        return tuple(each for each in reports if each.performance_due or each.margin_due)


def hours_to_come(plan: PlanBaselined, progress: Mapping[str, Decimal]) -> tuple[HoursToCome, ...]:
    """Return the planned hours that are not done; all planned hours where everything is done."""
    left, planned = dict[tuple[str | None, str], Decimal](), dict[tuple[str | None, str], Decimal]()
    for task in plan.tasks:
        undone = 100 - progress.get(task.task, Decimal(0))
        for each in task.hours:
            if not each.hours:
                continue
            key = task.line, each.role
            left[key] = left.get(key, Decimal(0)) + each.hours * undone / 100
            planned[key] = planned.get(key, Decimal(0)) + each.hours
    return tuple(
        HoursToCome(line=line, role=role, hours=hours)
        for (line, role), hours in (left if any(left.values()) else planned).items()
    )
