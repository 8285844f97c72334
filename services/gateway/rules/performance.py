"""Compare what the manager reports and forecasts with what follows from the figures."""

from collections.abc import Iterable
from datetime import date

from contracts.decimals import ROUNDING
from contracts.finance import PerformanceMeasured
from contracts.money import Money
from contracts.reference import Tolerances
from gateway.formatting import FORMULAS, day, listed
from gateway.rules.amounts import price_of_lines, rate_of_work, value_of_hours
from gateway.rules.computed_status import by_measurement, of_scope, open_changes
from gateway.rules.rule import Disconnect, Rule, Rules
from gateway.rules.sides import side
from gateway.view.engagement_view import View

rules = Rules()


@rules.register(
    "status-greener-than-computed",
    title="Status greener than computed",
    owner="delivery",
    command="publish-status-report",
    confidential=True,
)
def status_greener(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find cost or schedule that is reported greener than its index, in one measurement.

    The measurement repeats what the status report stated; the report itself is only evidence.
    """
    measured = view.confidential.performance
    if measured is None:
        return
    figures, report = measured.event, view.delivery.reports.get(measured.event.report.report)
    for status in by_measurement(view, allowed):
        if not status.is_greener:
            continue
        yield rule.disconnect(
            f"{status.dimension.capitalize()} is reported {status.reported} on "
            f"{day(figures.as_of)} while {status.index} is {status.value}, which is "
            f"{status.computed}.",
            (report, measured.said),
            sides=(
                side(
                    "delivery",
                    f"{status.dimension} reported {status.reported}",
                    report,
                    on=figures.as_of,
                ),
                side("finance", f"computed {status.computed}: {status.figure}", measured.said),
            ),
            about=status.dimension,
            since=measured.said.occurred_at,
            exposure=figures.budget_at_completion,
            at_stake=(
                figures.actual_cost - figures.earned_value
                if status.dimension == "cost"
                else figures.planned_value - figures.earned_value
            ),
            severity="serious" if status.computed == "red" else "warning",
        )


@rules.register(
    "scope-greener-than-computed",
    title="Scope greener than computed",
    owner="delivery",
    command="publish-status-report",
)
def scope_greener(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a scope that is reported greener than the changes are that were open then."""
    status, report = of_scope(view, allowed), view.delivery.report
    if status is None or report is None or not status.is_greener:
        return
    changes = open_changes(view)
    parts = [(line, part) for each in changes for line in each.changes for part in line.hours]
    last = max((each.assessed for each in changes if each.assessed), key=lambda e: e.streamsequence)
    yield rule.disconnect(
        f"Scope is reported {status.reported} on {day(report.event.as_of)}; by {status.figure} "
        f"({listed(each.change for each in changes)}) it is {status.computed}.",
        (*(each.assessed for each in changes), report.said),
        sides=(
            side("delivery", f"scope reported {status.reported}", report.said),
            side("delivery", f"computed {status.computed}: {status.figure}", last),
        ),
        exposure=price_of_lines(view, [line.line for each in changes for line in each.changes]),
        at_stake=value_of_hours(
            (part.hours, rate_of_work(view, line.line, part.role, report.event.as_of))
            for line, part in parts
        ),
        severity="serious" if status.computed == "red" else "warning",
    )


@rules.register(
    "forecast-better-than-trend",
    title="Forecast better than the trend",
    owner="delivery",
    command="publish-status-report",
    confidential=True,
)
def forecast_better(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a cost that the manager forecasts below the trend (BAC / CPI), in one measurement.

    The forecast is that of the method which the manager chose.
    """
    measured = view.confidential.performance
    if measured is None:
        return
    figures = measured.event
    forecast, trend = figures.estimate_at_completion, _by_trend(figures)
    if forecast is None or trend is None:
        return
    better = trend - forecast
    if better.amount * 100 <= trend.amount * allowed.forecast_percent:
        return
    report = view.delivery.reports.get(figures.report.report)
    method = figures.forecast_choice.method if figures.forecast_choice else "hours-to-complete"
    formula = FORMULAS[method]
    yield rule.disconnect(
        f"The manager forecasts a cost of {forecast} on {day(figures.as_of)}; by the trend it "
        f"will be {trend}.",
        (report, measured.said),
        sides=(
            side("delivery", f"{forecast} forecast by {formula}", report, on=figures.as_of),
            side("finance", f"{trend} by the trend", measured.said),
        ),
        since=measured.said.occurred_at,
        exposure=trend,
        at_stake=better,
        severity="serious"
        if better.amount * 100 > 2 * trend.amount * allowed.forecast_percent
        else "warning",
    )


def _by_trend(figures: PerformanceMeasured) -> Money | None:
    """Return BAC / CPI as an amount; None where CPI is unknown or zero."""
    earned, spent = figures.earned_value.amount, figures.actual_cost.amount
    if not earned or not spent:
        return None
    budget = figures.budget_at_completion
    return Money.nearest(budget.amount * spent / earned, budget.currency, ROUNDING)
