"""Check that each status report is measured once, as of its day, by Delivery's state before it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import pytest

from contracts.delivery import (
    ChangeRejected,
    EngagementClosed,
    MilestoneReached,
    MilestoneWithdrawn,
    PlanCalendar,
    PlannedMonth,
    PlannedProfile,
)
from contracts.event import Event
from contracts.finance import (
    EarnedValue,
    MarginMeasured,
    MeasuredReport,
    PaymentAllocated,
    PerformanceMeasured,
    RevenueByCostRecognised,
)
from contracts.money import Money
from contracts.purchases import PlannedPurchase
from contracts.reference import CalendarDetails, PurchaseCost
from contracts.values import Margin, RoleHours, WeightedMilestone
from finance.engagement import Engagement
from finance.performance.decisions import earned_value
from finance.performance.parts import Amounts
from finance.revenue.decisions import RecogniseRevenue
from finance.settlement.decisions import SettleAccount
from testkit.scenario import Outcome, Scenario, like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    HOURLY_SOW,
    PROPOSED,
    SOW,
    SOW_SIGNED,
    TASKS,
    TERMINATED,
    TRAVEL,
    accepted,
    allocate,
    contracted,
    exchange,
    expense,
    fixed_line,
    hearing,
    issued,
    opened,
    paid_up,
    progress,
    rates,
    report,
    sow_of,
    time,
)

APRIL_20 = date(2026, 4, 20)

Figures: TypeAlias = tuple[Decimal | int, ...]
"""BAC, PV, EV and AC."""


def margin(revenue: int | str, cost: int | str, ratio: str) -> Margin:
    return Margin(revenue=eur(revenue), cost=eur(cost), margin=Decimal(ratio))


def working(*, costs: bool = True) -> Scenario[Engagement]:
    return hearing(
        contracted(costs=costs),
        BASELINED,
        time("a", role="architect", hours=50),
        progress("t1", 100),
    )


def test_a_report_is_followed_by_earned_value_and_margins_as_of_its_day():
    working().when_consumed(report(APRIL_20)).then(
        like(
            PerformanceMeasured,
            as_of=APRIL_20,
            report=MeasuredReport(report=1, streamsequence=5, schedule="green", cost="green"),
            budget_at_completion=eur(10_200),
            planned_value=eur(4_700),
            earned_value=eur(3_200),
            actual_cost=eur(4_000),
            cost_variance=eur(-800),
            schedule_variance=eur(-1_500),
            cost_performance_index=Decimal("0.8"),
            schedule_performance_index=Decimal("0.680851"),
            estimate_to_complete=eur(7_480),
            estimate_at_completion=eur(11_480),
            variance_at_completion=eur(-1_280),
            estimate_at_completion_by_trend=eur(12_750),
            estimate_at_completion_as_planned=eur(11_000),
            # 4,000 and 7,000 / (0.8 x 3,200 / 4,700)
            estimate_at_completion_by_cost_and_schedule=eur("16851.56"),
            to_complete_performance_index=Decimal("1.129032"),
            to_complete_performance_index_for_estimate=Decimal("0.935829"),
        ),
        MarginMeasured(
            as_of=APRIL_20,
            report=1,
            margin_sold=margin(20_000, 11_220, "0.439"),
            margin_billed=None,
            margin_recognised=None,
            margin_forecast=margin(20_000, 11_480, "0.426"),
            margin_by_trend=margin(20_000, 12_750, "0.3625"),
            forecast_on=APRIL_20,
        ),
    )


def travelling(*events: Event) -> Scenario[Engagement]:
    """Return an engagement with 2,040 EUR of planned travel, a fifth of the work's 10,200."""
    engagement = contracted(sow_of(fixed_line(), TRAVEL))
    done = (BASELINED, time("a", role="architect", hours=50), progress("t1", 100))
    return hearing(engagement, *done, *events)


def test_planned_purchases_are_earned_with_the_work_and_are_to_be_bought():
    travelling().when_consumed(report(APRIL_20)).then(
        like(
            PerformanceMeasured,
            budget_at_completion=eur(12_240),
            purchases=eur(2_040),
            planned_value=eur(5_640),  # 4,700, and a fifth more
            earned_value=eur(3_840),  # 3,200, and a fifth more
            actual_cost=eur(4_000),
            cost_performance_index=Decimal("0.96"),
            estimate_to_complete=eur(9_520),  # 7,480 of work and 2,040 to buy
            estimate_at_completion=eur(13_520),
            variance_at_completion=eur(-1_280),
        ),
        like(
            MarginMeasured,
            margin_sold=margin(22_040, 13_260, "0.398367"),
            margin_forecast=margin(22_040, 13_520, "0.38657"),
        ),
    )


def test_a_purchase_is_earned_when_it_is_bought_and_not_beyond_its_plan():
    early = travelling(expense("x", eur(1_000))).when_consumed(report(APRIL_20))
    early.then(
        like(
            PerformanceMeasured,
            earned_value=eur(4_200),
            actual_cost=eur(5_000),
            estimate_to_complete=eur(8_520),
            estimate_at_completion=eur(13_520),
        ),
        like(MarginMeasured, margin_forecast=margin(22_040, 13_520, "0.38657")),
    )
    beyond = travelling(expense("x", eur(3_000))).when_consumed(report(APRIL_20))
    beyond.then(
        like(
            PerformanceMeasured,
            earned_value=eur(5_240),
            actual_cost=eur(7_000),
            estimate_to_complete=eur(7_480),
            estimate_at_completion=eur(14_480),
        ),
        like(MarginMeasured, margin_forecast=margin(22_040, 14_480, "0.343013")),
    )


@pytest.mark.parametrize("spent", [eur(1_000), usd(1_250)])
def test_what_is_bought_is_not_to_be_bought_again_in_any_currency(spent: Money):
    estimated = TRAVEL.model_copy(update={"estimated": True})
    engagement = contracted(sow_of(fixed_line(), estimated))
    engagement = engagement.knowing(CARD, COSTS, exchange("1.25", date(2026, 3, 2)))
    done = (BASELINED, time("a", role="architect", hours=50), progress("t1", 100))
    hearing(engagement, *done, expense("x", spent)).when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, actual_cost=eur(5_000), estimate_at_completion=eur(13_520)),
        like(MarginMeasured, margin_forecast=margin(22_040, 13_520, "0.38657")),
    )


def test_purchases_cost_what_the_cost_rates_say():
    bought = (PlannedPurchase(kind="licence", amount=eur(1_000)),)
    costs = COSTS.model_copy(
        update={"purchases": (PurchaseCost(kind="licence", percent=Decimal(70)),)}
    )
    engagement = contracted(sow_of(fixed_line(purchases=bought))).knowing(CARD, costs)
    hearing(engagement, BASELINED).when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, budget_at_completion=eur(10_900), purchases=eur(700)),
        like(MarginMeasured),
    )


def test_expenses_are_in_no_figure_of_performance_where_none_are_planned():
    spent = hearing(working(), expense("x", eur(2_000)))
    spent.when_consumed(report(APRIL_20)).then(
        like(
            PerformanceMeasured,
            purchases=None,
            earned_value=eur(3_200),
            actual_cost=eur(4_000),
            cost_performance_index=Decimal("0.8"),
            estimate_at_completion=eur(11_480),
        ),
        # The margin has them: 11,480 and 2,000.
        like(MarginMeasured, margin_forecast=margin(20_000, 13_480, "0.326")),
    )


def test_revenue_by_cost_expects_expenses_that_performance_leaves_out():
    spent = hearing(working(), expense("x", eur(2_000)), report(APRIL_20)).on(date(2026, 5, 2))
    march = spent.after(RecogniseRevenue(month="2026-03"))
    # 20,000 x 6,000 / (11,480 + 2,000)
    march.when(RecogniseRevenue(month="2026-04")).then(
        like(RevenueByCostRecognised, cumulative=eur("8902.08"))
    )


def test_work_dated_or_approved_after_the_report_is_not_measured():
    later = time("b", hours=10, day=date(2026, 4, 27))
    after = hearing(working(), later)
    after.when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, actual_cost=eur(4_000)), like(MarginMeasured)
    )


def test_before_any_work_the_cost_index_is_unknown():
    hearing(contracted(), BASELINED).when_consumed(report(date(2026, 4, 1))).then(
        like(
            PerformanceMeasured,
            cost_performance_index=None,
            schedule_performance_index=None,
            planned_value=eur(0),
        ),
        like(MarginMeasured, margin_billed=None),
    )


def test_a_report_without_a_baseline_has_margins_and_no_forecast():
    contracted().when_consumed(report(APRIL_20)).then(
        like(MarginMeasured, margin_forecast=None, margin_sold=margin(20_000, 11_220, "0.439"))
    )


def test_a_report_is_measured_as_of_its_day_once_costs_are_known():
    waits = working(costs=False).when_consumed(report(APRIL_20)).then_nothing()
    known = waits.knowing(CARD, COSTS).when_consumed(progress("t2", 50), time("late", hours=10))
    measured = [event for event in known.events if isinstance(event, PerformanceMeasured)]
    margins = [event for event in known.events if isinstance(event, MarginMeasured)]
    assert (*measured, *margins) == working().when_consumed(report(APRIL_20)).events


def test_a_role_without_a_cost_rate_delays_the_measurement():
    partial = COSTS.model_copy(update={"rates": rates(architect=80)})
    waits = opened().knowing(CARD, partial).when_consumed(BASELINED, report(APRIL_20))
    waits.then_nothing()


def test_early_work_is_measured_for_performance_and_has_margins_after_the_signature():
    early = opened().consumed(ESTIMATE, PROPOSED, SOW)
    measured = early.when_consumed(BASELINED, report(APRIL_20))
    assert [type(event) for event in measured.events][-1] is PerformanceMeasured
    signed = measured.after.when_consumed(SOW_SIGNED)
    assert [type(event) for event in signed.events].count(MarginMeasured) == 1


def test_a_plan_with_a_change_is_measured_against_the_amended_price():
    with_change = BASELINED.model_copy(update={"version": 2, "changes": ("CR-1",)})
    waits = hearing(contracted(), ASSESSED, with_change)
    unamended = waits.when_consumed(report(APRIL_20)).then(like(PerformanceMeasured))
    measured = unamended.when_consumed(AMENDMENT)
    assert measured.events[-1] == MarginMeasured(
        as_of=APRIL_20,
        report=1,
        margin_sold=margin(22_900, 12_670, "0.446725"),
        margin_billed=None,
        margin_recognised=None,
        margin_forecast=margin(22_900, 7_480, "0.673362"),
        forecast_on=APRIL_20,
    )


def with_an_unsigned_change() -> Scenario[Engagement]:
    changed = BASELINED.model_copy(update={"version": 2, "changes": ("CR-1",)})
    waits = hearing(contracted(), ASSESSED, changed, report(APRIL_20))
    return hearing(waits, report(date(2026, 5, 4), number=2))


def test_a_rejected_change_does_not_delay_reports():
    waits = with_an_unsigned_change()
    waits.then_view(margins=None)
    given_up = ChangeRejected(change="CR-1", why="No money.", rejected_on=date(2026, 5, 5))
    outcome = waits.when_consumed(given_up)
    outcome.then(
        # The plan includes the change's work, for which there is no price.
        like(MarginMeasured, as_of=APRIL_20, margin_sold=margin(20_000, 11_220, "0.439")),
        like(MarginMeasured, as_of=date(2026, 5, 4)),
    )


def test_a_rejected_change_with_a_signed_amendment_is_in_the_price():
    waits = hearing(with_an_unsigned_change(), AMENDMENT)
    given_up = ChangeRejected(change="CR-1", why="No money.", rejected_on=date(2026, 5, 5))
    crossed = hearing(waits, given_up).when_consumed(report(date(2026, 5, 11), number=3))
    margins = crossed.events[-1]
    assert isinstance(margins, MarginMeasured)
    assert margins.margin_sold == margin(22_900, 12_670, "0.446725")


@pytest.mark.parametrize("end", [TERMINATED, EngagementClosed(closed_on=date(2026, 5, 18))])
def test_after_the_end_only_changes_in_the_budget_are_measured(end: Event):
    outcome = with_an_unsigned_change().when_consumed(end)
    measured = [event for event in outcome.events if isinstance(event, MarginMeasured)]
    assert [event.as_of for event in measured] == [APRIL_20, date(2026, 5, 4)]
    outcome.after.then_view(waiting=[])


def test_an_amendment_outside_the_plan_is_in_no_margin_of_the_report():
    amended = hearing(contracted(), ASSESSED, AMENDMENT, BASELINED)
    amended.when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured),
        like(MarginMeasured, margin_sold=margin(20_000, 11_220, "0.439")),
    )


def test_billed_and_recognised_margins_have_different_revenue():
    billed = issued(working(), "invoice-start", "2026-00001", date(2026, 4, 7))
    may = billed.on(date(2026, 5, 2))
    may = may.after(RecogniseRevenue(month="2026-03")).after(RecogniseRevenue(month="2026-04"))
    recognised = eur("7130.12")
    outcome = may.when_consumed(report(date(2026, 5, 1), hours_to_complete=0))
    assert outcome.events[-1] == MarginMeasured(
        as_of=date(2026, 5, 1),
        report=1,
        margin_sold=margin(20_000, 11_220, "0.439"),
        margin_billed=margin(5_000, 4_000, "0.2"),
        margin_recognised=Margin(
            revenue=recognised,
            cost=eur(4_000),
            margin=((recognised.amount - 4_000) / recognised.amount).quantize(Decimal("0.000001")),
        ),
        margin_forecast=margin(20_000, 4_000, "0.8"),
        margin_by_trend=margin(20_000, 12_750, "0.3625"),
        forecast_on=date(2026, 5, 1),
    )


def test_time_and_materials_forecast_remaining_work_up_to_the_price():
    hourly = hearing(contracted(HOURLY_SOW), BASELINED, time("a", role="architect", hours=10))
    # 10 h at 140 are worked; the plan's 150 h cost 19,000 at contracted rates, so 30 h are 3,800.
    hourly.when_consumed(report(APRIL_20, hours_to_complete=30)).then(
        like(PerformanceMeasured, estimate_at_completion=eur(2_840)),
        like(MarginMeasured, margin_forecast=margin(5_200, 2_840, "0.453846")),
    )
    # With 3,200 earned for 800 the 10,200 will cost 2,550: 1,750 are to come, and not 2,040. That
    # is the cost of 25.74 h, of the 110 h that are not done. Those are worth 13,400.
    hearing(hourly, progress("t1", 100)).when_consumed(report(APRIL_20, hours_to_complete=30)).then(
        like(PerformanceMeasured, estimate_at_completion_by_trend=eur(2_550)),
        like(MarginMeasured, margin_by_trend=margin("4535.03", 2_550, "0.43771")),
    )
    many = hourly.when_consumed(report(APRIL_20, hours_to_complete=3_000)).then_accepted()
    many.then_view(margins__margin_forecast__revenue=eur(20_000))


def closed(engagement: Scenario[Engagement]) -> Scenario[Engagement]:
    design, portal = accepted("design"), accepted("portal", date(2026, 6, 1))
    return paid_up(hearing(engagement, design, portal), date(2026, 8, 3))


def test_a_closed_and_settled_engagement_gets_a_final_margin_and_one_more_for_each_late_month():
    square = closed(working()).after(SettleAccount())
    for month in ("03", "04", "05", "06", "07"):
        square = square.after(RecogniseRevenue(month=f"2026-{month}"))
    done = square.on(date(2026, 8, 10)).when_consumed(EngagementClosed(closed_on=date(2026, 8, 10)))
    final = done.then(
        MarginMeasured(
            as_of=date(2026, 8, 10),
            margin_sold=margin(20_000, 11_220, "0.439"),
            margin_billed=margin(20_000, 4_000, "0.8"),
            margin_recognised=margin(20_000, 4_000, "0.8"),
            margin_forecast=margin(20_000, 4_000, "0.8"),
            forecast_on=date(2026, 8, 10),
        )
    )
    final.on(date(2026, 9, 1)).when(RecogniseRevenue(month="2026-08")).then(
        like(RevenueByCostRecognised, amount=eur(0)), like(MarginMeasured, as_of=date(2026, 8, 31))
    )


def test_the_final_margin_of_a_closed_engagement_follows_the_settlement():
    open_account = closed(working()).when_consumed(EngagementClosed(closed_on=date(2026, 8, 2)))
    square = open_account.then_nothing().when(SettleAccount())
    assert isinstance(square.events[-1], MarginMeasured)
    assert square.events[-1].as_of == date(2026, 8, 3)


def test_a_terminated_engagement_ends_with_what_was_billed():
    billed = issued(working(), "invoice-start", "2026-00001", date(2026, 4, 7))
    ended = hearing(billed, TERMINATED).on(date(2026, 5, 20))
    paid = ended.when(allocate("invoice-start", eur(5_000))).then(like(PaymentAllocated))
    outcome = paid.when(SettleAccount())
    assert outcome.events[-1] == MarginMeasured(
        as_of=date(2026, 5, 20),
        margin_sold=margin(20_000, 11_220, "0.439"),
        margin_billed=margin(5_000, 4_000, "0.2"),
        margin_recognised=None,
        margin_forecast=margin(5_000, 4_000, "0.2"),
        forecast_on=date(2026, 5, 20),
    )


def test_the_estimate_to_complete_is_rounded_once():
    one_hour = TASKS[0].model_copy(
        update={"hours": (RoleHours(role="architect", hours=Decimal(1)),)}
    )
    costs = COSTS.model_copy(update={"rates": rates(architect="80.004", developer=50)})
    baseline = BASELINED.model_copy(update={"tasks": (one_hour,)})
    known = opened().knowing(CARD, costs)
    hearing(known, baseline).when_consumed(report(APRIL_20, hours_to_complete=100)).then(
        like(
            PerformanceMeasured,
            budget_at_completion=eur(80),
            estimate_to_complete=eur("8000.40"),
        )
    )


def test_an_index_is_shown_as_a_canonical_decimal():
    done = hearing(contracted(), BASELINED, time("a", role="architect", hours="83.75"))
    done = hearing(done, progress("t1", 100), report(APRIL_20))
    shown = done.view["earned_value"].model_dump(mode="json")
    assert shown["to_complete_performance_index"] == "2"  # (10,200 - 3,200) / (10,200 - 6,700)


def test_what_remains_is_compared_with_the_budget_and_with_the_estimate():
    overspent = hearing(contracted(), BASELINED, time("a", role="architect", hours=130))
    shown = hearing(overspent, progress("t1", 100), report(APRIL_20)).view["earned_value"]
    assert shown.to_complete_performance_index is None  # 10,400 of a budget of 10,200 are spent
    # 7,000 of work are left, and the manager expects 7,480 for them.
    assert shown.to_complete_performance_index_for_estimate == Decimal("0.935829")


def test_work_that_cost_nothing_yet_is_no_trend():
    shown = hearing(contracted(), BASELINED, progress("t1", 50), report(APRIL_20)).view
    assert shown["earned_value"].estimate_at_completion_by_trend is None
    assert shown["earned_value"].estimate_at_completion_by_cost_and_schedule is None
    assert shown["earned_value"].estimate_at_completion_as_planned == eur(8_600)


MAY_4 = date(2026, 5, 4)


def with_a_plan_of_unknown_cost() -> Scenario[Engagement]:
    """Return an engagement with a report on a plan whose designer has no cost rate."""
    unknown = TASKS[1].model_copy(update={"hours": (RoleHours(role="designer", hours=Decimal(9)),)})
    first = BASELINED.model_copy(update={"tasks": (TASKS[0], unknown)})
    done = (time("a", role="architect", hours=50), progress("t1", 100))
    return hearing(contracted(), first, *done, report(APRIL_20))


def test_planned_value_follows_the_calendar_and_the_profile_of_the_plan():
    # Of the 14 weekdays of the second task, three are over; the plan has two of these off.
    off = (date(2026, 4, 17), date(2026, 4, 20))
    weekdays = CalendarDetails(name="Monday to Friday").weekdays
    calendar = PlanCalendar(calendar="DE", weekdays=weekdays, days_off=off)
    plan = BASELINED.model_copy(update={"calendar": calendar})
    hearing(contracted(), plan).when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, planned_value=eur("3783.33")), like(MarginMeasured)
    )
    months = tuple(
        PlannedMonth(month=month, complete=Decimal(share))
        for month, share in (("2026-04", 0), ("2026-05", 100))
    )
    later = BASELINED.model_copy(update={"profiles": (PlannedProfile(months=months),)})
    hearing(contracted(), later).when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, planned_value=eur(0)), like(MarginMeasured)
    )


def test_milestones_reached_by_the_day_of_the_report_earn_their_part_of_a_task():
    parts = tuple(
        WeightedMilestone(milestone=name, weight=Decimal(weight))
        for name, weight in (("design", 40), ("build", 60))
    )
    task = TASKS[0].model_copy(update={"earned_by": "milestones", "milestones": parts})
    plan = BASELINED.model_copy(update={"tasks": (task, TASKS[1])})
    design = MilestoneReached(milestone="design", reached_on=date(2026, 4, 10))
    late = MilestoneReached(milestone="build", reached_on=date(2026, 4, 21))
    planned = hearing(contracted(), plan, progress("t1", 90), design, late)
    planned.when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, earned_value=eur(1_280)), like(MarginMeasured)
    )
    mistaken = MilestoneWithdrawn(
        milestone="design",
        reached_on=date(2026, 4, 10),
        why="Not agreed.",
        withdrawn_on=date(2026, 4, 22),
    )
    hearing(planned, mistaken).when_consumed(report(date(2026, 4, 23))).then(
        like(PerformanceMeasured, earned_value=eur(1_920)), like(MarginMeasured)
    )


def test_a_report_that_cannot_be_measured_waits_alone():
    waits = with_a_plan_of_unknown_cost()
    planned_anew = hearing(waits, BASELINED.model_copy(update={"version": 2}))
    planned_anew.when_consumed(report(MAY_4, number=2)).then(
        like(PerformanceMeasured, as_of=MAY_4, actual_cost=eur(4_000)),
        like(MarginMeasured, as_of=MAY_4, report=2),
    )


def test_a_report_that_is_measured_late_leaves_the_newer_figures_in_place():
    later = hearing(with_a_plan_of_unknown_cost(), BASELINED.model_copy(update={"version": 2}))
    later = hearing(later, report(MAY_4, number=2))
    told = [one.sentence for one in later.view["waiting_for_costs"]]
    assert [each for each in told if "report of 2026-04-20" in each]
    assert not [each for each in told if "report of 2026-05-04" in each]
    priced = COSTS.model_copy(update={"rates": rates(architect=80, developer=50, designer=40)})
    late = later.knowing(CARD, priced).when_consumed(progress("t2", 10))
    known = late.then(
        like(PerformanceMeasured, as_of=APRIL_20), like(MarginMeasured, as_of=APRIL_20, report=1)
    )
    known.then_view(earned_value__as_of=MAY_4, margins__as_of=MAY_4)
    assert [each.on for each in known.state.performance.forecasts] == [APRIL_20, MAY_4]


def test_work_of_unknown_cost_after_the_report_does_not_delay_it():
    later = hearing(working(), time("b", role="designer", hours=8, day=date(2026, 4, 27)))
    later.when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, actual_cost=eur(4_000)), like(MarginMeasured, report=1)
    )
    before = hearing(working(), time("b", role="designer", hours=8, day=date(2026, 4, 7)))
    before.when_consumed(report(APRIL_20)).then_nothing()


def test_the_end_is_measured_though_a_report_waits():
    square = closed(with_a_plan_of_unknown_cost()).on(date(2026, 8, 10)).after(SettleAccount())
    done = square.when_consumed(EngagementClosed(closed_on=date(2026, 8, 10)))
    done.then(like(MarginMeasured, as_of=date(2026, 8, 10), report=None, month=None))


def test_an_estimate_beyond_any_amount_is_unknown():
    most, least = Fraction(10**26), Fraction(1, 100)
    figures = earned_value(Amounts(most, most, least, most), "EUR")
    assert figures.estimate_at_completion_by_trend is None
    assert figures.estimate_at_completion_by_cost_and_schedule is None
    assert EarnedValue.model_validate_json(figures.model_dump_json()) == figures


def parts(outcome: Outcome[Engagement]) -> tuple[PerformanceMeasured, Mapping[str | None, Figures]]:
    """Return the measurement, with BAC, PV, EV and AC by phase and by line."""
    (measured,) = (each for each in outcome.events if isinstance(each, PerformanceMeasured))
    found: dict[str | None, Figures] = {each.phase: amounts(each) for each in measured.phases}
    for line in measured.lines:
        found[f"line {line.line}"] = amounts(line)
    for every in (measured.phases, measured.lines):
        assert amounts(measured) == tuple(map(sum, zip(*map(amounts, every), strict=True)))
    return measured, found


def amounts(figures: EarnedValue) -> Figures:
    bac, pv = figures.budget_at_completion.amount, figures.planned_value.amount
    return bac, pv, figures.earned_value.amount, figures.actual_cost.amount


def test_the_figures_are_those_of_the_phases_and_of_the_lines():
    done = (
        time("a", role="architect", hours=50, task="t1"),
        time("b", role="developer", hours=10, task="t2"),
        time("c", role="developer", hours=2, task="not-in-the-plan"),
        progress("t1", 100),
        expense("x", eur(1_000), line="travel"),
    )
    lines = [each.model_copy(update={"line": "work"}) for each in TASKS]
    plan = BASELINED.model_copy(update={"tasks": tuple(lines)})
    planned = hearing(contracted(sow_of(fixed_line(), TRAVEL)), plan, *done)
    _, found = parts(planned.when_consumed(report(APRIL_20)))
    assert found["Analysis"] == (3_200, 3_200, 3_200, 4_000)
    assert found["Build"] == (7_000, 1_500, 0, 500)
    # 2,040 of travel, of which 47 / 102 are due and 1,000 are bought; and two hours.
    assert found[None] == (2_040, 940, 1_000, 1_100)
    assert found["line travel"] == (2_040, 940, 1_000, 1_000)
    assert found["line work"][:3] == (10_200, 4_700, 3_200)


def test_what_is_bought_for_no_line_is_earned_by_all_of_them():
    other = TRAVEL.model_copy(
        update={
            "line": "hotels",
            "billing": tuple(each.model_copy(update={"item": "hotels"}) for each in TRAVEL.billing),
        }
    )
    planned = hearing(contracted(sow_of(fixed_line(), TRAVEL, other)), BASELINED)
    bought = hearing(planned, expense("x", eur(1), line="travel"), expense("y", eur(4_079)))
    measured, found = parts(bought.when_consumed(report(APRIL_20)))
    assert measured.earned_value == eur(4_080)
    assert found["line travel"][2] == found["line hotels"][2] == 2_040


def test_a_plan_with_very_many_phases_has_no_figures_by_phase():
    tasks = tuple(
        TASKS[0].model_copy(update={"task": f"t{each}", "phase": f"Phase {each}"})
        for each in range(201)
    )
    planned = hearing(contracted(), BASELINED.model_copy(update={"tasks": tasks}))
    planned.when_consumed(report(APRIL_20)).then(
        like(PerformanceMeasured, phases=(), budget_at_completion=eur(643_200)),
        like(MarginMeasured),
    )
