"""Define the events of earned value and margins."""

from contracts.channels import FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import RAG, Day, Margin, Ratio, StreamSequence, Value, Version


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


class PerformanceMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """Earned value was measured for a status report.

    Source: PMI, Practice Standard for Earned Value Management. Published by Finance in confidence.
    All amounts are cost; a ratio whose divisor is zero is null.
    """

    as_of: Day
    """Day of the status report."""
    report: MeasuredReport
    """The status report."""
    budget_at_completion: NotNegativeTotal
    """BAC: cost of all tasks as planned, and of the purchases in the contract."""
    purchases: NotNegativeTotal | None = None
    """Part of BAC that is purchases; null where none are planned: no figure has expenses then."""
    planned_value: NotNegativeTotal
    """PV: planned cost of the work scheduled to that day, and the same share of the purchases."""
    earned_value: NotNegativeTotal
    """EV: planned cost of the work completed, and of purchases.

    Purchases are earned in the share of the work that is completed, or as they are bought if that
    is more.
    """
    actual_cost: NotNegativeTotal
    """AC: accrued cost of the work dated to that day, with expenses where purchases are planned."""
    cost_performance_index: Ratio | None
    """CPI = EV / AC."""
    schedule_performance_index: Ratio | None
    """SPI = EV / PV."""
    estimate_to_complete: NotNegativeTotal | None
    """ETC: hours that the manager still needs, at the average cost of the plan's hours.

    With it are the purchases that are planned and not bought yet.
    """
    estimate_at_completion: NotNegativeTotal | None
    """EAC = AC + ETC."""
    variance_at_completion: Money | None
    """VAC = BAC - EAC; negative where it will cost more than planned."""


class MarginMeasured(Event, channel=FINANCE_CONFIDENTIAL):
    """The margins were measured, for a status report or for the end of a settled engagement.

    Published by Finance in confidence. A margin is null while its revenue or cost is not known.
    """

    as_of: Day
    """Day of the status report, or the last day that the final figures include."""
    margin_sold: Margin | None
    """Price of the contract against the cost of its budgeted hours, with signed changes."""
    margin_billed: Margin | None
    """Invoices less credit notes against accrued cost, both to that day."""
    margin_recognised: Margin | None
    """Recognised revenue against accrued cost, both to the end of the last recognised month."""
    margin_forecast: Margin | None
    """Expected revenue against the cost at completion; at the end, billed against actual cost."""
