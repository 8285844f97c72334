"""Define the events of earned value and margins."""

from typing import Annotated

from pydantic import Field

from contracts.channels import FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import (
    RAG,
    Day,
    ForecastMethodChoice,
    Identifier,
    Margin,
    Month,
    PersonId,
    Ratio,
    ShortText,
    StreamSequence,
    Value,
    Version,
)


class MeasuredReport(Value):
    """Status report that was measured: repeated here, so that one event has both to compare."""

    report: Version
    """Counts the engagement's reports from 1."""
    streamsequence: StreamSequence
    """The `streamsequence` of the report on Delivery's channel."""
    schedule: RAG
    """Reported status of the schedule."""
    cost: RAG
    """Reported status of the cost."""


class MeasuredChoice(ForecastMethodChoice):
    """Choice of the forecast method that applied to a measured report, repeated from Delivery."""

    chosen_by: PersonId
    """Person who chose it, or for whom a stand-in did."""


class EarnedValue(Value):
    """Earned value of some work, with what follows from it.

    Source: PMI, Practice Standard for Earned Value Management. All amounts are cost. What cannot be
    computed is null: a ratio whose divisor is zero, an estimate that needs such a ratio.
    """

    budget_at_completion: NotNegativeTotal
    """BAC: cost of all tasks as planned, and of the purchases in the contract."""
    planned_value: NotNegativeTotal
    """PV: planned cost of the work scheduled to that day, and the same share of the purchases."""
    earned_value: NotNegativeTotal
    """EV: planned cost of the work completed, and of purchases.

    Purchases are earned in the share of the work that is completed, or as they are bought if that
    is more.
    """
    actual_cost: NotNegativeTotal
    """AC: accrued cost of the work dated to that day, with expenses where purchases are planned."""
    cost_variance: Money
    """CV = EV - AC; negative where the work done cost more than planned."""
    schedule_variance: Money
    """SV = EV - PV; negative where less is done than planned."""
    cost_performance_index: Ratio | None
    """CPI = EV / AC."""
    schedule_performance_index: Ratio | None
    """SPI = EV / PV."""
    estimate_at_completion_by_trend: NotNegativeTotal | None
    """BAC / CPI: the rest costs as the work done did. Null while AC or EV is zero."""
    estimate_at_completion_as_planned: NotNegativeTotal
    """AC + (BAC - EV): the rest costs as planned."""
    estimate_at_completion_by_cost_and_schedule: NotNegativeTotal | None
    """AC + (BAC - EV) / (CPI x SPI). Null while AC, EV or PV is zero."""
    to_complete_performance_index: Ratio | None
    """TCPI = (BAC - EV) / (BAC - AC): the CPI that the rest needs to end on BAC.

    Null where no work is left, or where AC reaches BAC.
    """


MOST_PARTS = 200
"""With more phases, or lines, there are no figures by them: the event would be too large."""


class PhasePerformance(EarnedValue):
    """Earned value of a phase of the plan."""

    phase: ShortText | None
    """Name of the phase; null for purchases, and for cost of work on no task of the plan."""


class LinePerformance(EarnedValue):
    """Earned value of a contract line, with its purchases."""

    line: Identifier | None
    """Id of the line; null for what belongs to no line, or to more than one."""


class PurchasesToCome(Value):
    """The purchases of a contract line that are planned and not bought yet."""

    line: Identifier
    """Id of the line."""
    cost: NotNegativeTotal
    """Cost to the company; zero where all is bought."""


class PerformanceMeasured(EarnedValue, Event, channel=FINANCE_CONFIDENTIAL):
    """Earned value was measured for a status report.

    Published by Finance in confidence. A report whose costs are not known yet is measured later,
    when there may be a measurement of a newer report already.
    """

    as_of: Day
    """Day of the status report."""
    report: MeasuredReport
    """The status report."""
    purchases: NotNegativeTotal | None = None
    """Part of BAC that is purchases; null where none are planned: no figure has expenses then."""
    estimate_to_complete: NotNegativeTotal | None
    """ETC: hours that the manager still needs, at the average cost of the plan's hours.

    With it are the purchases that are planned and not bought yet.
    """
    purchases_to_come: Annotated[tuple[PurchasesToCome, ...], Field(max_length=MOST_PARTS)] = ()
    """These purchases by line, of each line that has any; they are part of ETC."""
    estimate_at_completion_by_hours: NotNegativeTotal | None
    """AC + ETC."""
    forecast_choice: MeasuredChoice | None = None
    """Choice of the method of the forecast before the report; null for `hours-to-complete`."""
    estimate_at_completion: NotNegativeTotal | None
    """EAC by the chosen method; null where that one is unknown."""
    variance_at_completion: Money | None
    """VAC = BAC - EAC; negative where it will cost more than planned."""
    to_complete_performance_index_for_estimate: Ratio | None
    """TCPI = (BAC - EV) / (EAC - AC): the CPI that the rest needs to end on EAC.

    Null where no work is left, or where the estimate has no cost for it.
    """
    phases: Annotated[tuple[PhasePerformance, ...], Field(max_length=MOST_PARTS + 1)] = ()
    """The figures by phase; BAC, PV, EV and AC add up to the total. Empty beyond 200 phases."""
    lines: Annotated[tuple[LinePerformance, ...], Field(max_length=MOST_PARTS + 1)] = ()
    """The figures by line; BAC, PV, EV and AC add up to the total. Empty beyond 200 lines."""


class MarginMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """The margins were measured: for a status report, for a booked month, or for the end.

    Published by Finance in confidence. The end is that of a settled engagement; neither `report`
    nor `month` is given then. A margin is null while its revenue or cost is not known.
    """

    as_of: Day
    """Day of the status report, end of the month, or last day that the final figures include."""
    report: Version | None = None
    """Number of the status report that was measured, or null."""
    month: Month | None = None
    """Month that was booked, as `YYYY-MM`, or null."""
    margin_sold: Margin | None
    """Price of the contract against the cost of its budgeted hours, with signed changes."""
    margin_billed: Margin | None
    """Invoices less credit notes against accrued cost, both to that day."""
    margin_recognised: Margin | None
    """Recognised revenue against accrued cost, both to the end of the last recognised month."""
    margin_forecast: Margin | None
    """Expected revenue against the cost at completion by the method that the manager chose.

    At the end, it is billed against actual cost. For a booked month, it is that of the last
    report, or of the end.
    """
    margin_by_trend: Margin | None = None
    """The same with the cost at completion by trend (BAC / CPI); null at the end."""
    forecast_on: Day | None = None
    """Day of the report, or of the end, that `margin_forecast` and `margin_by_trend` are of."""

    def follows(self, other: "MarginMeasured") -> bool:
        """Return whether this measurement is of a newer report than another, or of the end."""
        if self.report is None:
            return self.month is None
        return other.report is not None and other.report < self.report
