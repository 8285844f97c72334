"""Measure earned value and margins as of each status report. Confidential.

Only what Delivery published before the report counts: progress of tasks, the baseline with its
changes, and approved work up to the report's day. Price and plan must have the same scope, so a
report on a baseline with a change is measured once the change's amendment is in the budget, or once
it is certain that there will be none. A report that cannot be measured yet waits alone: newer ones,
booked months and the end are measured without it.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import astuple
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from chassis.base.view_model import ViewModel
from chassis.domain.availability import working_days_of_plan
from chassis.domain.capability import Capability
from chassis.domain.context import Context, ReferenceData
from contracts.decimals import ROUNDING, Rounding
from contracts.delivery import PlanBaselined
from contracts.event import Event
from contracts.finance import (
    MOST_PARTS,
    EarnedValue,
    LinePerformance,
    MarginMeasured,
    PerformanceMeasured,
    PhasePerformance,
    PurchasesToCome,
)
from contracts.money import Money
from contracts.values import ForecastMethod, Margin
from finance.calendar_months import end_of
from finance.costing.rates import cost_of_purchases, cost_rates_on, margin
from finance.engagement import Engagement
from finance.importing.opening import billed_before, cost_before
from finance.performance import earned_value as ev
from finance.performance import margins
from finance.performance.parts import Amounts, Cell, by_part, rounded_parts, shared, total
from finance.performance.state import Report
from finance.policies import rounding_of
from finance.provisions.changes import changed_losses
from finance.work.state import Totals

capability = Capability[Engagement](__name__)

_BEYOND_TOTALS = Decimal(10) ** 27
"""An amount of an event has fewer digits than this."""


@capability.react
def measurements(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield the measurements of the reports that can be measured, and that of the end.

    Margins wait for the expected losses, which follow from what was measured.
    """
    if state.currency is None:
        return
    records = context.reference_data
    measured = [
        performance
        for report in state.performance.reports
        if report.performance_due and (performance := _performance(state, report, records))
    ]
    yield from measured
    due = any(report.margin_due for report in state.performance.reports)
    if measured or (due and any(changed_losses(state))):
        return
    for report in state.performance.reports:
        if report.margin_due and (found := _margins(state, report, records)):
            yield found
    yield from _final(state)


def _performance(
    state: Engagement, report: Report, records: ReferenceData
) -> PerformanceMeasured | None:
    """Return earned value as of the report; None while a cost is unknown.

    ETC is the manager's hours to complete at the average cost of the plan's hours, and purchases
    that are not bought yet. EAC is that of the method that was chosen before the report, AC + ETC
    without a choice. Where no purchases are planned, no figure has expenses.
    """
    baseline, day = report.baseline, report.as_of
    if baseline is None:
        return None
    costs = _task_costs(state, baseline, records)
    purchases = _purchases(state, baseline, day, records)
    if costs is None or purchases is None:
        return None
    bought = sum(purchases.values(), Decimal(0))
    if not state.work.is_costed(report.works, until=day, with_expenses=bool(bought)):
        return None
    totals, tasks, currency = state.work.totals_at(report.works), baseline.tasks, state.money
    rounding = rounding_of(state, records, day)
    spent = totals.bought_to(day)
    cells = [*_work(report, baseline, costs)]
    work = total(each.amounts for each in cells)
    if bought:
        cells += _bought(purchases, work, totals, day)
    accrued = [*_accrued(baseline, totals, day, with_expenses=bool(bought))]
    cost = totals.time_to(day) + (spent if bought else 0)
    whole = total(each.amounts for each in cells) + Amounts(cost=Fraction(cost))
    by_phase = by_part(((each.phase, each.amounts) for each in (*cells, *accrued)), whole)
    by_line = by_part(((each.line, each.amounts) for each in (*cells, *accrued)), whole)
    measured = earned_value(whole, currency, rounding)
    bac, ac = measured.budget_at_completion, measured.actual_cost
    hours = sum((line.hours for task in tasks for line in task.hours), Decimal(0))
    planned = sum((each for task in costs.values() for each in task.values()), Decimal(0))
    rest = report.hours_to_complete * planned
    left = _left_to_buy(purchases, totals, day)
    to_buy = sum(left.values(), Fraction(0))
    etc = (
        Money.nearest(Fraction(rest) / Fraction(hours) + to_buy, currency, rounding)
        if hours
        else None
    )
    by_hours = None if etc is None else ac + etc
    method = report.choice.method if report.choice else "hours-to-complete"
    eac = estimate_at_completion(method, measured, by_hours)
    return PerformanceMeasured(
        **dict(measured),
        phases=tuple(
            PhasePerformance(phase=name, **dict(part))
            for name, part in _parts(by_phase, currency, rounding)
        ),
        lines=tuple(
            LinePerformance(line=name, **dict(part))
            for name, part in _parts(by_line, currency, rounding)
        ),
        as_of=report.as_of,
        report=report.stated,
        purchases=Money.nearest(bought, currency, rounding) if bought else None,
        estimate_to_complete=etc,
        purchases_to_come=tuple(
            PurchasesToCome(line=line, cost=Money.nearest(cost, currency, rounding))
            for line, cost in islice(left.items(), MOST_PARTS)
        ),
        estimate_at_completion_by_hours=by_hours,
        forecast_choice=report.choice,
        estimate_at_completion=eac,
        variance_at_completion=None if eac is None else bac - eac,
        to_complete_performance_index_for_estimate=(
            None
            if eac is None
            else ev.to_complete_performance_index(
                bac.amount, measured.earned_value.amount, ac.amount, eac.amount
            )
        ),
    )


def _left_to_buy(
    purchases: Mapping[str, Decimal], totals: Totals, day: date
) -> dict[str, Fraction]:
    planned = {line: Fraction(cost) for line, cost in purchases.items()}
    spent = {line: Fraction(totals.bought_to(day, (line,))) for line in totals.bought}
    return ev.left_to_buy(planned, spent)


def _work(
    report: Report, baseline: PlanBaselined, costs: Mapping[str, Mapping[str | None, Decimal]]
) -> Iterator[Cell]:
    """Yield BAC, PV and EV of the tasks by phase and line."""
    days = working_days_of_plan(baseline.calendar)
    due = ev.due_parts(baseline.tasks, report.as_of, days, baseline.profiles)
    for task in baseline.tasks:
        complete = report.progress.get(task.task, Decimal(0))
        done = Fraction(ev.completed(task, complete, report.milestones)) / 100
        for line, cost in costs[task.task].items():
            exact = Fraction(cost)
            amounts = Amounts(budget=exact, due=exact * due[task.task], done=exact * done)
            yield Cell(task.phase, line, amounts)


def _accrued(
    baseline: PlanBaselined, totals: Totals, day: date, *, with_expenses: bool
) -> Iterator[Cell]:
    """Yield AC by phase, of time on its tasks, and by line."""
    phases = {task.task: task.phase for task in baseline.tasks}
    for task in totals.tasks:
        cost = Fraction(totals.cost_of_tasks_to(day, (task,)))
        yield Cell(phases.get(task), None, Amounts(cost=cost))
    for line in dict.fromkeys((*totals.cost, *totals.bought)):
        cost = Fraction(totals.time_to(day, (line,)))
        if with_expenses:
            cost += Fraction(totals.bought_to(day, (line,)))
        yield Cell(None, line or None, Amounts(cost=cost))


def _bought(
    purchases: Mapping[str, Decimal], work: Amounts, totals: Totals, day: date
) -> Iterator[Cell]:
    """Yield BAC, PV and EV of the purchases by line, measured together with all the work.

    What is earned in total is shared by what each line would earn alone.
    """
    costs = {line: Fraction(cost) for line, cost in purchases.items()}
    whole = sum(costs.values(), Fraction(0))
    due = ev.planned_purchases(whole, work.budget, work.due)

    def earned(cost: Fraction, lines: Container[str] | None = None) -> Fraction:
        spent = Fraction(totals.bought_to(day, lines))
        return ev.earned_purchases(cost, work.budget, work.done, spent)

    alone = {line: earned(cost, (line,)) for line, cost in costs.items()}
    done = shared(earned(whole), alone, costs)
    for line, cost in costs.items():
        amounts = Amounts(budget=cost, due=due * cost / whole, done=done[line])
        yield Cell(None, line, amounts)


def _parts(
    parts: Mapping[str | None, Amounts], currency: str, rounding: Rounding
) -> Iterator[tuple[str | None, EarnedValue]]:
    """Yield the figures of parts, rounded so that they add up to the whole; none of nothing.

    Nothing where there are more parts than an event may have.
    """
    if len(parts) > MOST_PARTS + 1:  # what is in no part is one of them
        return

    def nearest(amount: Decimal) -> Decimal:
        return Money.nearest(amount, currency, rounding).amount

    for name, amounts in zip(parts, rounded_parts(parts.values(), nearest), strict=True):
        if name is not None or amounts != Amounts():
            yield name, earned_value(amounts, currency, rounding)


def earned_value(whole: Amounts, currency: str, rounding: Rounding = ROUNDING) -> EarnedValue:
    """Return the figures that follow from BAC, PV, EV and AC, which are rounded first."""

    def money(amount: Decimal | Fraction) -> Money:
        return Money.nearest(amount, currency, rounding)

    def estimate(amount: Decimal | None) -> Money | None:
        """Return an estimate; None where a tiny divisor makes it larger than any amount."""
        return None if amount is None or amount >= _BEYOND_TOTALS else money(amount)

    bac, pv, earned, ac = (money(each).amount for each in astuple(whole))
    return EarnedValue(
        budget_at_completion=money(bac),
        planned_value=money(pv),
        earned_value=money(earned),
        actual_cost=money(ac),
        cost_variance=money(ev.cost_variance(earned, ac)),
        schedule_variance=money(ev.schedule_variance(earned, pv)),
        cost_performance_index=ev.cost_performance_index(earned, ac),
        schedule_performance_index=ev.schedule_performance_index(earned, pv),
        estimate_at_completion_by_trend=estimate(
            ev.estimate_at_completion_by_trend(bac, earned, ac)
        ),
        estimate_at_completion_as_planned=money(
            ev.estimate_at_completion_as_planned(bac, earned, ac)
        ),
        estimate_at_completion_by_cost_and_schedule=estimate(
            ev.estimate_at_completion_by_cost_and_schedule(bac, earned, ac, pv)
        ),
        to_complete_performance_index=ev.to_complete_performance_index(bac, earned, ac, bac),
    )


def estimate_at_completion(
    method: ForecastMethod, figures: EarnedValue, by_hours: Money | None
) -> Money | None:
    """Return EAC by a method; None where that one is unknown. No other one takes its place."""
    match method:
        case "hours-to-complete":
            return by_hours
        case "trend":
            return figures.estimate_at_completion_by_trend
        case "as-planned":
            return figures.estimate_at_completion_as_planned
        case "cost-and-schedule":
            return figures.estimate_at_completion_by_cost_and_schedule


def _margins(state: Engagement, report: Report, records: ReferenceData) -> MarginMeasured | None:
    """Return the margins as of the report; None while its price or cost is unknown."""
    baseline, totals = report.baseline, state.work.totals_at(report.works)
    changes = _priced(state, baseline, report.as_of) if baseline else ()
    sold = margins.sold(state, changes)
    performance = _performance(state, report, records) if baseline else None
    costed = state.work.is_costed(report.works, until=report.as_of)
    if sold is None or not costed or (baseline and not performance):
        return None
    # The plan is that of the work that was left when the engagement was taken over.
    beside = cost_before(state)
    if beside and performance and performance.purchases is None:
        beside = beside + Money(amount=totals.bought_to(report.as_of), currency=state.money)

    def expected(measured: PerformanceMeasured, estimate: Money | None) -> Margin | None:
        """Return the margin with a cost at completion."""
        hours = _hours_for(measured, report, estimate)
        if estimate is None or hours is None or beside is None:
            return None
        return margins.forecast(
            state,
            baseline,
            report.progress,
            hours,
            changes,
            estimate + beside,
            totals,
            report.as_of,
        )

    forecast = trend = None
    if performance is not None:
        forecast = expected(performance, performance.estimate_at_completion)
        trend = expected(performance, performance.estimate_at_completion_by_trend)
    return MarginMeasured(
        as_of=report.as_of,
        report=report.stated.report,
        margin_sold=sold,
        margin_billed=margins.billed(state, totals, report.as_of),
        margin_recognised=margins.recognised(state, totals, report.as_of),
        margin_forecast=forecast,
        margin_by_trend=trend,
        forecast_on=report.as_of,
    )


def _hours_for(
    performance: PerformanceMeasured, report: Report, estimate: Money | None
) -> Decimal | None:
    """Return the hours to complete for which the manager's cost would be that of an estimate.

    Purchases cost what is planned. None where the estimate, or the cost of an hour, is unknown.
    """
    by_hours = performance.estimate_at_completion_by_hours
    if estimate is None or by_hours is None:
        return None
    if estimate == by_hours:
        return report.hours_to_complete
    tasks = report.baseline.tasks if report.baseline else ()
    hours = sum((each.hours for task in tasks for each in task.hours), Decimal(0))
    purchases = performance.purchases.amount if performance.purchases else Decimal(0)
    work = performance.budget_at_completion.amount - purchases
    if not hours or not work:
        return None
    more = (estimate - by_hours).amount
    return max(report.hours_to_complete + more * hours / work, Decimal(0))


def _priced(state: Engagement, baseline: PlanBaselined, day: date) -> tuple[str, ...]:
    """Return the changes signed by a day, and those of a plan that may still come in the budget.

    A rejected change, or one unsigned when the engagement ended, never comes into the budget, so
    nothing pays for its work. A signed amendment takes precedence over a rejection.
    """
    in_budget = {one.change for one in state.budgeting.applied}
    signed = (one.change for one in state.budgeting.applied if one.signed_on <= day)
    over = state.contract.terminated_on is not None or state.progress.closed_on is not None
    planned = (
        change
        for change in baseline.changes
        if change in in_budget or not (over or state.changes.status.get(change) == "rejected")
    )
    return tuple(dict.fromkeys((*signed, *planned)))


def _final(state: Engagement) -> Iterable[Event]:
    """Yield the final margin of a settled, ended engagement, and again after each recognised month.

    No more revenue is to come, so the forecast margin is that of the billed amount.
    """
    ended = state.progress.closed_on or state.contract.terminated_on
    settled_on = state.settlement.settled_on
    if ended is None or settled_on is None or state.budget is None or state.performance.final:
        return
    sold = margins.sold(state, [each.change for each in state.budgeting.applied])
    before = cost_before(state)
    if sold is None or not state.work.is_costed() or before is None:
        return
    last = state.revenue.last_month
    as_of = max(ended, settled_on, end_of(last) if last else ended)
    cost = before + (state.work.cost_to_date or Money.zero(state.money))
    billed = state.billing.billed(state.money, as_of) + billed_before(state)
    yield MarginMeasured(
        as_of=as_of,
        margin_sold=sold,
        margin_billed=margins.billed(state, state.work.totals, as_of),
        margin_recognised=margins.recognised(state, state.work.totals, as_of),
        margin_forecast=margin(billed, cost),
        forecast_on=as_of,
    )


def _purchases(
    state: Engagement, baseline: PlanBaselined, day: date, records: ReferenceData
) -> dict[str, Decimal] | None:
    """Return the planned cost of the purchases signed by a day, by line; None while unknown.

    The cost rates are those of the baseline's day, as for tasks. Nothing before there is a budget.
    """
    if state.budget is None:
        return {}
    rates = cost_rates_on(records, state.money, baseline.baselined_on)
    lines = state.budget.agreed_on(day).lines
    costs = {line.line: cost_of_purchases(line, rates) for line in lines}
    known = {line: cost for line, cost in costs.items() if cost is not None}
    return (
        {line: cost for line, cost in known.items() if cost} if len(known) == len(costs) else None
    )


def _task_costs(
    state: Engagement, baseline: PlanBaselined, records: ReferenceData
) -> dict[str, dict[str | None, Decimal]] | None:
    """Return the planned cost of each task by line, at the cost rates of the baseline's day.

    The line is the one that pays for the role, else the one that the task names, else None. None
    instead of the costs while a role has no cost rate.
    """
    day = baseline.baselined_on
    published = cost_rates_on(records, state.money, day)
    rates = published.by_role if published else {}
    costs = dict[str, dict[str | None, Decimal]]()
    for task in baseline.tasks:
        of_task = costs[task.task] = dict[str | None, Decimal]()
        for each in task.hours:
            if each.role not in rates:
                return None
            paying = state.budget.paying_line(task.line, each.role, day) if state.budget else None
            line = paying.line if paying else task.line
            cost = rates[each.role].amount * each.hours
            of_task[line] = of_task.get(line, Decimal(0)) + cost
    return costs


class PerformanceFigures(ViewModel):
    """Earned value of the newest measured report, and the margins measured last.

    For callers who may see costs.
    """

    earned_value: PerformanceMeasured | None
    margins: MarginMeasured | None


@capability.confidential_view
def performance_view(state: Engagement) -> PerformanceFigures:
    """Return earned value and margins for the confidential view."""
    performance = state.performance
    return PerformanceFigures(earned_value=performance.measured, margins=performance.margins)
