"""Check that the cost at completion is forecast by the method that the manager chose."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from contracts.delivery import ForecastMethodChosen
from contracts.event import Event
from contracts.finance import MarginMeasured, MeasuredChoice, PerformanceMeasured
from contracts.money import Money
from contracts.values import ForecastMethod
from finance.engagement import Engagement
from finance.performance.decisions import earned_value, estimate_at_completion
from finance.performance.parts import Amounts
from testkit.scenario import Outcome, Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    BASELINED,
    CARD,
    COSTS,
    HOURLY_SOW,
    contracted,
    hearing,
    progress,
    recognise,
    recognised,
    report,
    time,
)

APRIL_20, MAY_4 = date(2026, 4, 20), date(2026, 5, 4)
REASON = "The team is new."
METHODS: tuple[ForecastMethod, ...] = (
    "hours-to-complete",
    "trend",
    "as-planned",
    "cost-and-schedule",
)


def choice(method: ForecastMethod, reason: str = REASON) -> ForecastMethodChosen:
    return ForecastMethodChosen(method=method, reason=reason)


def working(*events: Event, by: str = "mara") -> Scenario[Engagement]:
    """Return an engagement with BAC 10,200, EV 3,200 and AC 4,000 before its first report."""
    engagement = hearing(
        contracted(), BASELINED, time("a", role="architect", hours=50), progress("t1", 100)
    )
    return engagement.when_consumed(*events, by=by).then_accepted() if events else engagement


def measured(outcome: Outcome[Engagement]) -> PerformanceMeasured:
    (event,) = (each for each in outcome.events if isinstance(each, PerformanceMeasured))
    return event


# BAC, PV, EV and AC 4,000, 3,000, 2,500 and 2,800, and EAC by the trend: R. Mulcahy, PMP Exam Prep,
# exercise on a fence. AC + BAC - EV and AC + (BAC - EV) x AC x PV / EV^2 follow.
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("hours-to-complete", usd(4_111)),
        ("trend", usd(4_480)),
        ("as-planned", usd(4_300)),
        ("cost-and-schedule", usd(4_816)),
    ],
)
def test_each_method_has_its_formula(method: ForecastMethod, expected: Money):
    fence = earned_value(Amounts(*map(Fraction, (4_000, 3_000, 2_500, 2_800))), "USD")
    assert estimate_at_completion(method, fence, usd(4_111)) == expected


@pytest.mark.parametrize(
    ("method", "expected", "share"),
    [
        ("hours-to-complete", eur(11_480), "0.426"),
        ("trend", eur(12_750), "0.3625"),
        ("as-planned", eur(11_000), "0.45"),
        ("cost-and-schedule", eur("16851.56"), "0.157422"),
    ],
)
def test_a_report_is_measured_by_the_chosen_method(
    method: ForecastMethod, expected: Money, share: str
):
    reported = working(choice(method)).when_consumed(report(APRIL_20))
    reported.then(
        like(
            PerformanceMeasured,
            forecast_choice=MeasuredChoice(method=method, reason=REASON, chosen_by="mara"),
            estimate_at_completion=expected,
            variance_at_completion=eur(10_200) - expected,
            estimate_at_completion_by_hours=eur(11_480),
            estimate_at_completion_by_trend=eur(12_750),
        ),
        like(MarginMeasured),
    )
    margins = reported.after.view["margins"]
    assert margins.margin_forecast.margin == Decimal(share)
    assert margins.margin_by_trend.margin == Decimal("0.3625")
    left = (expected - eur(4_000)).amount
    to_complete = measured(reported).to_complete_performance_index_for_estimate
    assert to_complete == pytest.approx(7_000 / left, abs=Decimal("0.000001"))
    shown = reported.after.view["earned_value"]
    assert (shown.forecast_choice.method, shown.forecast_choice.chosen_by) == (method, "mara")


def test_without_a_choice_it_is_the_managers_hours():
    event = measured(working().when_consumed(report(APRIL_20)))
    assert (event.forecast_choice, event.estimate_at_completion) == (None, eur(11_480))


def test_another_choice_applies_to_the_reports_that_follow():
    first = working(choice("trend")).when_consumed(report(APRIL_20)).then_accepted()
    first.when_consumed(choice("as-planned")).then_nothing()
    other = hearing(first, choice("as-planned"))
    assert other.view["earned_value"].estimate_at_completion == eur(12_750)
    event = measured(other.when_consumed(report(MAY_4, number=2)))
    assert event.forecast_choice is not None
    assert (event.forecast_choice.method, event.estimate_at_completion) == (
        "as-planned",
        eur(11_000),
    )


def test_a_report_that_waits_is_measured_by_the_choice_before_it():
    engagement = hearing(contracted(costs=False), BASELINED, time("a", role="architect", hours=50))
    waiting = hearing(engagement, choice("as-planned"), report(APRIL_20), choice("trend"))
    known = waiting.knowing(CARD, COSTS).when_consumed(progress("t2", 50))
    assert measured(known).estimate_at_completion == eur(14_200)


@pytest.mark.parametrize("method", ["trend", "cost-and-schedule"])
def test_what_the_chosen_method_cannot_tell_is_unknown(method: ForecastMethod):
    reported = hearing(contracted(), BASELINED, choice(method)).when_consumed(report(APRIL_20))
    event = measured(reported)
    assert event.estimate_at_completion is None
    assert event.variance_at_completion is None
    assert event.to_complete_performance_index_for_estimate is None
    assert event.estimate_at_completion_by_hours == eur(7_480)
    assert event.estimate_at_completion_as_planned == eur(10_200)
    assert reported.after.view["margins"].margin_forecast is None


def test_hours_that_are_unknown_make_only_their_own_method_unknown():
    empty = BASELINED.model_copy(
        update={"tasks": tuple(each.model_copy(update={"hours": ()}) for each in BASELINED.tasks)}
    )
    worked = hearing(contracted(), empty, time("a", role="architect", hours=50))
    assert measured(worked.when_consumed(report(APRIL_20))).estimate_at_completion is None
    chosen = hearing(worked, choice("as-planned")).when_consumed(report(APRIL_20))
    assert measured(chosen).estimate_at_completion == eur(4_000)


def test_lines_by_the_hour_earn_the_hours_that_the_chosen_cost_is_for():
    hourly = hearing(
        contracted(HOURLY_SOW),
        BASELINED,
        time("a", role="architect", hours=10),
        progress("t1", 100),
        choice("trend"),
    )
    view = hourly.when_consumed(report(APRIL_20, hours_to_complete=30)).after.view
    assert view["margins"].margin_forecast == view["margins"].margin_by_trend
    # 1,400 are earned; 25.74 of the 110 h that are not done, worth 13,400, are to come.
    assert view["margins"].margin_forecast.revenue == eur("4535.03")


@pytest.mark.parametrize("method", METHODS)
def test_revenue_by_cost_rests_on_the_hours_to_complete(method: ForecastMethod):
    def earned(*events: Event) -> Money:
        reported = hearing(working(*events), report(APRIL_20))
        march = reported.on(date(2026, 6, 1)).after(recognise("03"))
        return recognised(march.after(recognise("04")), "04")

    assert earned(choice(method)) == earned() == eur("6968.64")  # 20,000 x 4,000 / 11,480
