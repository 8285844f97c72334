"""Check the formulas of the Practice Standard for Earned Value Management on round figures."""

from dataclasses import astuple, dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.domain.working_days import MONDAY_TO_FRIDAY, WorkingDays
from contracts.delivery import PlannedMonth, PlannedProfile
from contracts.money import Money
from contracts.reference import CalendarDetails
from contracts.values import PlannedTask
from finance.costing.rates import ratio
from finance.performance import earned_value as ev
from finance.performance.parts import Amounts, rounded_parts, shared, total

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


TASKS = (task("a", date(2026, 4, 6), 5), task("b", date(2026, 4, 13), 19))
"""A week, and fifteen working days; both begin on a Monday."""
COST = {"a": D(1_000), "b": D(3_000)}


def cost(planned: PlannedTask) -> Decimal:
    return COST[planned.task]


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2026, 4, 5), 0),
        (date(2026, 4, 6), 200),
        (date(2026, 4, 10), 1_000),
        (date(2026, 4, 12), 1_000),
        (date(2026, 4, 13), 1_200),
        (date(2026, 4, 24), 3_000),
        (date(2026, 4, 26), 3_000),
        (date(2026, 5, 1), 4_000),
        (date(2027, 1, 1), 4_000),
    ],
)
def test_planned_value_spreads_evenly_over_the_working_days_of_each_task(day: date, value: int):
    assert ev.planned_value(TASKS, cost, day, MONDAY_TO_FRIDAY) == value


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2026, 4, 2), 100),  # Thursday
        (date(2026, 4, 3), 100),  # Good Friday
        (date(2026, 4, 4), 100),
        (date(2026, 4, 6), 100),  # Easter Monday
        (date(2026, 4, 7), 200),
        (date(2026, 4, 8), 300),
    ],
)
def test_nothing_is_planned_for_holidays(day: date, value: int):
    germany = WorkingDays(CalendarDetails(name="Germany", country="DE"))
    easter = task("easter", date(2026, 4, 2), 7)
    assert ev.planned_value([easter], lambda _: D(300), day, germany) == value


def test_a_week_may_have_other_working_days():
    sunday_to_thursday = WorkingDays.of(
        ("sunday", "monday", "tuesday", "wednesday", "thursday"), [date(2026, 4, 14)]
    )
    week = task("week", date(2026, 4, 10), 7)  # from a Friday to a Thursday
    days = (date(2026, 4, each) for each in range(10, 17))
    values = [ev.planned_value([week], lambda _: D(400), day, sunday_to_thursday) for day in days]
    assert values == [0, 0, 100, 200, 200, 300, 400]


def test_a_task_without_working_days_is_due_on_its_last_day():
    weekend = task("cutover", date(2026, 4, 11), 2)
    saturday, sunday = date(2026, 4, 11), date(2026, 4, 12)
    assert ev.planned_value([weekend], lambda _: D(90), saturday, MONDAY_TO_FRIDAY) == 0
    assert ev.planned_value([weekend], lambda _: D(90), sunday, MONDAY_TO_FRIDAY) == 90


def test_planned_value_is_exact_where_the_part_of_the_days_is_no_finite_decimal():
    long = task("a", date(2026, 4, 6), 22 + 8)  # 22 working days
    monday = date(2026, 4, 6)
    due = ev.planned_value([long], lambda _: D("16090.91"), monday, MONDAY_TO_FRIDAY)
    assert due == D("731.405")


def profile(months: dict[str, int], line: str | None = None) -> PlannedProfile:
    return PlannedProfile(
        line=line,
        months=tuple(
            PlannedMonth(month=f"2026-{name}", complete=D(share)) for name, share in months.items()
        ),
    )


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2026, 3, 31), 0),
        (date(2026, 4, 1), 20),  # 1 of 22 working days of the 440 of April
        (date(2026, 4, 30), 440),
        (date(2026, 5, 31), 440),  # nothing is planned for May
        (date(2026, 6, 30), 4_400),
    ],
)
def test_a_profile_spreads_planned_value_by_month(day: date, value: int):
    costs = {"a": D(1_400), "b": D(3_000)}
    spread = profile({"04": 10, "06": 100})
    due = ev.planned_value(TASKS, lambda one: costs[one.task], day, MONDAY_TO_FRIDAY, [spread])
    assert due == value


def test_a_profile_of_a_line_is_for_its_tasks_only():
    april_10, lines = (
        date(2026, 4, 10),
        (profile({"08": 100}, "late"), profile({"04": 0, "05": 100})),
    )
    late, other = (each.model_copy(update={"line": "late"}) for each in TASKS[:1]), TASKS[1:]
    everything = (*late, *other)
    assert ev.planned_value(everything, cost, date(2026, 5, 31), MONDAY_TO_FRIDAY, lines) == 3_000
    assert ev.planned_value(everything, cost, april_10, MONDAY_TO_FRIDAY, lines[:1]) == 0
    assert ev.planned_value(everything, cost, date(2026, 8, 31), MONDAY_TO_FRIDAY, lines) == 4_000


@pytest.mark.parametrize(
    "months", [{"04": 50}, {"04": 60, "05": 50}, {"05": 10, "04": 100}, {"04": 101}]
)
def test_a_profile_rises_to_all_of_the_work(months: dict[str, int]):
    with pytest.raises(ValidationError):
        profile(months)


def test_a_task_may_be_earned_when_it_is_complete_or_by_milestones():
    all_or_nothing = TASKS[0].model_copy(update={"earned_by": "completion"})
    weights = (("design", 30), ("build", 70))
    by_milestones = PlannedTask.model_validate(
        {
            **dict(TASKS[1]),
            "earned_by": "milestones",
            "milestones": [{"milestone": name, "weight": weight} for name, weight in weights],
        }
    )
    both = (all_or_nothing, by_milestones)
    assert ev.earned_value(both, cost, {"a": D("99.9"), "b": D(90)}, ()) == 0
    assert ev.earned_value(both, cost, {"a": D(100)}, {"design"}) == 1_900
    assert ev.earned_value(both, cost, {}, {"design", "build", "other"}) == 3_000


@pytest.mark.parametrize("weights", [(), (30, 60), (60, 60)])
def test_weights_of_milestones_add_up_to_all_of_the_task(weights: tuple[int, ...]):
    milestones = [{"milestone": f"M{each}.{at}", "weight": each} for at, each in enumerate(weights)]
    terms = {**dict(TASKS[0]), "earned_by": "milestones", "milestones": milestones}
    with pytest.raises(ValidationError):
        PlannedTask.model_validate(terms)


def test_earned_value_is_planned_cost_times_completion():
    assert ev.earned_value(TASKS, cost, {"a": D(100), "b": D(25), "gone": D(100)}) == 1_750
    assert ev.earned_value(TASKS, cost, {}) == 0


@dataclass(frozen=True)
class Published:
    """A published example; figures that its source does not state are left out."""

    pv: int | None
    earned: int
    ac: int
    bac: int | None = None
    cv: int | None = None
    sv: int | None = None
    cpi: str | None = None
    spi: str | None = None
    by_trend: int | None = None
    as_planned: int | None = None
    tcpi: str | None = None
    tcpi_for: tuple[int, str] | None = None


PUBLISHED = {
    # R. Mulcahy, "PMP Exam Prep", the exercise of the fence with four sides.
    "fence": Published(
        bac=4_000, pv=3_000, earned=2_500, ac=2_800,
        cv=-300, sv=-500, cpi="0.893", spi="0.833", by_trend=4_480,
    ),
    # P. Govan, R package "PRA", the examples of its functions of earned value.
    "PRA": Published(
        bac=100_000, pv=40_000, earned=35_000, ac=63_000,
        cpi="0.5556", spi="0.875", as_planned=128_000, tcpi="1.76", tcpi_for=(120_482, "1.13"),
    ),
    # Arizval, "Earned value", project control for civil works: four examples.
    "Arizval, indices": Published(
        pv=500_000, earned=450_000, ac=480_000, cv=-30_000, sv=-50_000, cpi="0.9375", spi="0.9",
    ),
    "Arizval, trend": Published(
        bac=1_000_000, pv=None, earned=450_000, ac=480_000, by_trend=1_066_667,
    ),
    "Arizval, as planned": Published(
        bac=2_000_000, pv=None, earned=1_000_000, ac=1_100_000, as_planned=2_100_000,
    ),
    "Arizval, index to complete": Published(
        bac=5_000_000, pv=None, earned=2_000_000, ac=2_500_000, tcpi="1.20",
    ),
}  # fmt: skip


def agrees(computed: Decimal | None, published: str | int | None) -> bool:
    """Return whether a figure is the published one in the published number of decimals."""
    if published is None:
        return True
    return computed is not None and round(computed, -int(D(published).as_tuple().exponent)) == D(
        published
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_figures_are_those_of_published_examples(name: str):
    known = PUBLISHED[name]
    earned, ac, pv, bac = D(known.earned), D(known.ac), D(known.pv or 0), D(known.bac or 0)
    assert agrees(ev.cost_variance(earned, ac), known.cv)
    assert agrees(ev.schedule_variance(earned, pv), known.sv)
    assert agrees(ev.cost_performance_index(earned, ac), known.cpi)
    assert agrees(ev.schedule_performance_index(earned, pv), known.spi)
    assert agrees(ev.estimate_at_completion_by_trend(bac, earned, ac), known.by_trend)
    assert agrees(ev.estimate_at_completion_as_planned(bac, earned, ac), known.as_planned)
    assert agrees(ev.to_complete_performance_index(bac, earned, ac, bac), known.tcpi)
    if known.tcpi_for:
        target, index = known.tcpi_for
        assert agrees(ev.to_complete_performance_index(bac, earned, ac, D(target)), index)


def test_delay_increases_the_cost_of_what_remains():
    """Check AC + (BAC - EV) / (CPI x SPI) on round figures: CPI and SPI are 0.8."""
    by_both = ev.estimate_at_completion_by_cost_and_schedule(
        D(10_000), D(4_000), D(5_000), D(5_000)
    )
    assert by_both == 14_375


def earned_purchases(*amounts: int) -> Fraction:
    """Return what is earned of purchases with the planned work, the work done, and the spent."""
    return ev.earned_purchases(*map(Fraction, amounts))


def test_purchases_are_apportioned_to_the_work_and_earned_when_bought_before():
    assert ev.planned_purchases(Fraction(600), Fraction(3_000), Fraction(1_000)) == 200
    assert earned_purchases(600, 3_000, 1_500, 100) == 300
    assert earned_purchases(600, 3_000, 1_500, 400) == 400
    assert earned_purchases(600, 3_000, 1_500, 900) == 600
    assert earned_purchases(600, 3_000, 3_000, 0) == 600


def test_purchases_without_planned_work_are_earned_as_they_are_bought():
    assert ev.planned_purchases(Fraction(600), Fraction(0), Fraction(0)) == 0
    assert earned_purchases(600, 0, 0, 250) == 250


parts_of_cents = st.fractions(0, 1_000, max_denominator=997)


@any_of(st.lists(st.tuples(*[parts_of_cents] * 4), min_size=1, max_size=8))
def test_rounded_parts_add_up_to_the_rounded_sum(rows: list[tuple[Fraction, ...]]):
    def nearest(amount: Decimal) -> Decimal:
        return Money.nearest(amount, "EUR", "half-even").amount

    parts = [Amounts(*row) for row in rows]
    rounded = rounded_parts(parts, nearest)
    assert total(rounded) == total(parts).rounded(nearest)
    assert all(each >= 0 for part in rounded for each in astuple(part))


@any_of(st.lists(st.tuples(parts_of_cents, st.fractions(0, 1)), min_size=1), st.fractions(0, 1))
def test_no_line_earns_more_than_it_plans(lines: list[tuple[Fraction, Fraction]], part: Fraction):
    limits = {str(place): limit for place, (limit, _) in enumerate(lines)}
    expected = {str(place): limit * share for place, (limit, share) in enumerate(lines)}
    amount = sum(limits.values(), Fraction(0)) * part
    found = shared(amount, expected, limits)
    assert sum(found.values(), Fraction(0)) == amount
    assert all(0 <= each <= limits[name] for name, each in found.items())


def test_a_ratio_with_a_zero_divisor_is_unknown():
    assert ev.cost_performance_index(D(5), D(0)) is None
    assert ev.schedule_performance_index(D(5), D(0)) is None
    assert ratio(D(10) ** 17, D("0.0001")) == D(10) ** 21


@pytest.mark.parametrize(("earned", "ac"), [(0, 5), (10, 0), (0, 0), (100, 0)])
def test_without_work_or_without_cost_there_is_no_trend(earned: int, ac: int):
    bac, pv = D(100), D(50)
    assert ev.estimate_at_completion_by_trend(bac, D(earned), D(ac)) is None
    assert ev.estimate_at_completion_by_cost_and_schedule(bac, D(earned), D(ac), pv) is None
    assert ev.estimate_at_completion_as_planned(bac, D(earned), D(ac)) == ac + bac - earned


def test_before_the_planned_start_there_is_no_estimate_by_schedule():
    by_both = ev.estimate_at_completion_by_cost_and_schedule(D(10), D(5), D(5), D(0))
    assert by_both is None
    assert ev.estimate_at_completion_by_trend(D(10), D(5), D(5)) == 10


@pytest.mark.parametrize(
    ("earned", "ac", "target", "index"),
    [
        (50, 120, 100, None),  # overspent: no CPI leads back to the budget
        (50, 100, 100, None),  # all of it is spent
        (100, 80, 100, None),  # nothing is left to do
        (100, 120, 100, None),
        (50, 120, 170, D(1)),  # the estimate leaves 50 for the other half
        (50, 120, 120, None),
        (20, 50, 100, D("1.6")),
    ],
)
def test_the_index_to_complete_is_never_negative_or_zero(
    earned: int, ac: int, target: int, index: Decimal | None
):
    assert ev.to_complete_performance_index(D(100), D(earned), D(ac), D(target)) == index


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

    values = [
        ev.planned_value(tasks, planned, start + timedelta(days=day), MONDAY_TO_FRIDAY)
        for day in sorted(days)
    ]
    assert values == sorted(values)
    bac = ev.budget_at_completion(tasks, planned)
    assert ev.planned_value(tasks, planned, start + timedelta(days=400), MONDAY_TO_FRIDAY) == bac
    assert all(0 <= value <= bac for value in values)


def test_what_is_left_to_buy_is_known_by_line() -> None:
    planned = {"travel": Fraction(1_000), "licence": Fraction(3_000)}
    overspent = {"travel": Fraction(1_500)}
    assert ev.left_to_buy(planned, overspent) == {"travel": 0, "licence": 3_000}
    elsewhere = {"travel": Fraction(400), "": Fraction(900)}
    assert ev.left_to_buy(planned, elsewhere) == {"travel": 450, "licence": 2_250}
    assert ev.left_to_buy(planned, {"": Fraction(5_000)}) == {"travel": 0, "licence": 0}
