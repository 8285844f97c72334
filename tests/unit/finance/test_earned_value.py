"""Check the formulas of the Practice Standard for Earned Value Management on round figures."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from contracts.values import PlannedTask
from finance.costing.rates import ratio
from finance.performance import earned_value as ev

D = Decimal
amounts = st.decimals(0, 10_000_000, places=2)
positive = st.decimals("0.01", 10_000_000, places=2)


def task(name: str, start: date, days: int) -> PlannedTask:
    return PlannedTask(
        task=name,
        title=name,
        phase="x",
        starts_on=start,
        finishes_on=start + timedelta(days=days - 1),
        hours=(),
    )


TASKS = (task("a", date(2026, 4, 6), 10), task("b", date(2026, 4, 16), 20))
COST = {"a": D(1_000), "b": D(4_000)}


def cost(planned: PlannedTask) -> Decimal:
    return COST[planned.task]


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2026, 4, 5), 0),
        (date(2026, 4, 6), 100),
        (date(2026, 4, 15), 1_000),
        (date(2026, 4, 16), 1_200),
        (date(2026, 4, 25), 3_000),
        (date(2026, 5, 5), 5_000),
        (date(2027, 1, 1), 5_000),
    ],
)
def test_planned_value_spreads_evenly_over_the_days_of_each_task(day: date, value: int):
    assert ev.planned_value(TASKS, cost, day) == value


def test_planned_value_is_exact_where_the_part_of_the_days_is_no_finite_decimal():
    long = task("a", date(2026, 4, 6), 22)
    assert ev.planned_value([long], lambda _: D("16090.91"), date(2026, 4, 6)) == D("731.405")


def test_earned_value_is_planned_cost_times_completion():
    assert ev.earned_value(TASKS, cost, {"a": D(100), "b": D(25), "gone": D(100)}) == 2_000
    assert ev.earned_value(TASKS, cost, {}) == 0


def test_a_worked_example():
    bac, pv, earned, ac = D(10_000), D(5_000), D(4_000), D(5_000)
    assert ev.cost_variance(earned, ac) == -1_000
    assert ev.schedule_variance(earned, pv) == -1_000
    assert ev.cost_performance_index(earned, ac) == D("0.8")
    assert ev.schedule_performance_index(earned, pv) == D("0.8")
    assert ev.estimate_at_completion_by_trend(bac, earned, ac) == 12_500
    assert ev.estimate_at_completion_as_planned(bac, earned, ac) == 11_000
    assert ev.estimate_at_completion_by_cost_and_schedule(bac, earned, ac, pv) == 14_375
    assert ev.to_complete_performance_index(bac, earned, ac) == D("1.2")


def test_purchases_are_apportioned_to_the_work_and_earned_when_bought_before():
    assert ev.planned_purchases(D(600), D(3_000), D(1_000)) == 200
    assert ev.earned_purchases(D(600), D(3_000), D(1_500), D(100)) == 300
    assert ev.earned_purchases(D(600), D(3_000), D(1_500), D(400)) == 400
    assert ev.earned_purchases(D(600), D(3_000), D(1_500), D(900)) == 600
    assert ev.earned_purchases(D(600), D(3_000), D(3_000), D(0)) == 600


def test_purchases_without_planned_work_are_earned_as_they_are_bought():
    assert ev.planned_purchases(D(600), D(0), D(0)) == 0
    assert ev.earned_purchases(D(600), D(0), D(0), D(250)) == 250


def test_a_ratio_with_a_zero_divisor_is_unknown():
    assert ev.cost_performance_index(D(5), D(0)) is None
    assert ev.schedule_performance_index(D(5), D(0)) is None
    assert ev.estimate_at_completion_by_trend(D(10), D(0), D(5)) is None
    assert ev.estimate_at_completion_by_cost_and_schedule(D(10), D(0), D(5), D(5)) is None
    assert ev.estimate_at_completion_by_cost_and_schedule(D(10), D(5), D(5), D(0)) is None
    assert ev.to_complete_performance_index(D(10), D(5), D(10)) is None
    assert ratio(D(10) ** 17, D("0.0001")) == D(10) ** 21


@any_of(positive, positive, positive, positive)
def test_the_identities_hold(bac: Decimal, pv: Decimal, earned: Decimal, ac: Decimal):
    by_trend = ev.estimate_at_completion_by_trend(bac, earned, ac)
    assert by_trend is not None
    assert by_trend * earned == pytest.approx(bac * ac)
    assert bac - ev.estimate_at_completion_as_planned(bac, earned, ac) == ev.cost_variance(
        earned, ac
    )
    assert ev.cost_variance(earned, ac) - ev.schedule_variance(earned, pv) == pv - ac


@any_of(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 100), amounts), max_size=6),
    st.lists(st.integers(0, 500), min_size=2, max_size=5),
)
def test_planned_value_never_falls_and_ends_at_the_budget(
    plan: list[tuple[int, int, Decimal]], days: list[int]
):
    start = date(2026, 1, 1)
    tasks = [
        task(str(place), start + timedelta(days=offset), length)
        for place, (offset, length, _) in enumerate(plan)
    ]

    def planned(one: PlannedTask) -> Decimal:
        return plan[int(one.task)][2]

    values = [ev.planned_value(tasks, planned, start + timedelta(days=day)) for day in sorted(days)]
    assert values == sorted(values)
    bac = ev.budget_at_completion(tasks, planned)
    assert ev.planned_value(tasks, planned, start + timedelta(days=400)) == bac
    assert all(0 <= value <= bac for value in values)
