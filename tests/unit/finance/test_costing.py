"""Check that approved work is costed once, in order, at the rate in force on its day."""

from datetime import date
from decimal import Decimal

import pytest

from contracts.decimals import ROUNDING
from contracts.delivery import TimeApproved
from contracts.finance import CostAccrued, CostedWork, CostKind, CostReversed
from contracts.reference import GradeRate, PersonPublished, PersonRate
from contracts.values import RoleHours
from finance.costing.rates import cost_of_hours, margin
from finance.pending.decisions import CatchUp
from finance.service import ENGAGEMENT
from testkit.matchers import Like
from testkit.scenario import given, like
from tests.amounts import eur, per_hour, usd
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ID,
    MONDAY,
    OPENED,
    contracted,
    expense,
    expense_reversed,
    hearing,
    opened,
    rates,
    time,
    time_reversed,
)
from tests.unit.finance.builders import (
    entries as day_entries,
)

WEDNESDAY = date(2026, 4, 8)


def costed(
    entry: str,
    cost: int | str,
    *,
    hours: Decimal | int | str = 8,
    role: str | None = "developer",
    kind: CostKind = "delivery",
    day: date = MONDAY,
) -> CostedWork:
    return CostedWork(
        entry=entry, day=day, role=role, kind=kind, hours=Decimal(hours), cost=eur(cost)
    )


def two_days() -> TimeApproved:
    """Return an hour of a developer on Monday and one on Wednesday."""
    entries = (*day_entries("a", hours=1), *day_entries("b", hours=1, day=WEDNESDAY))
    return TimeApproved(person="dev", week=MONDAY, entries=entries)


def test_approved_time_accrues_its_cost_billable_or_not():
    first = (
        contracted()
        .when_consumed(time("a", hours=8))
        .then(
            CostAccrued(
                person="dev",
                week=MONDAY,
                entries=(costed("a", 400),),
                cost=eur(400),
                cumulative=eur(400),
            )
        )
    )
    manager = time(
        "b", role="project-manager", hours="2.5", billable=False, kind="project-management"
    )
    first.when_consumed(manager).then(
        like(
            CostAccrued,
            entries=(
                costed("b", 250, hours="2.5", role="project-manager", kind="project-management"),
            ),
            cumulative=eur(650),
        )
    )


def test_an_expense_is_cost_as_it_was_spent():
    contracted().when_consumed(expense("x", eur("99.90"))).then(
        like(
            CostAccrued,
            week=None,
            entries=(costed("x", "99.90", hours=0, role=None, kind="expense"),),
            cost=eur("99.90"),
        )
    )


def test_the_rate_in_force_on_the_day_counts():
    dearer = COSTS.model_copy(update={"effective_from": WEDNESDAY, "rates": rates(developer=60)})
    after = contracted().knowing(CARD, COSTS, dearer)
    after.when_consumed(two_days()).then(
        like(
            CostAccrued,
            entries=(costed("a", 50, hours=1), costed("b", 60, hours=1, day=WEDNESDAY)),
            cost=eur(110),
            cumulative=eur(110),
        )
    )


def test_the_known_costs_of_a_week_do_not_wait_for_the_others():
    entries = (*day_entries("a", role="pilot"), *day_entries("b"))
    week = TimeApproved(person="dev", week=MONDAY, entries=entries)
    first = contracted().when_consumed(week)
    first.then(like(CostAccrued, entries=(costed("b", 400),), cumulative=eur(400)))
    rated = COSTS.model_copy(update={"rates": (*COSTS.rates, *rates(pilot=90))})
    rest = first.after.knowing(CARD, rated).when(CatchUp())
    rest.then(like(CostAccrued, entries=(costed("a", 720, role="pilot"),), cumulative=eur(1_120)))


def test_work_accrues_in_order_once_rates_and_opportunity_are_known():
    late = time("b", hours=1, day=date(2026, 4, 13))
    early = given(ENGAGEMENT, ID).when_consumed(time("a"), late).then_nothing()
    early.knowing(COSTS).when_consumed(OPENED).then(
        like(CostAccrued, week=MONDAY, cumulative=eur(400)),
        like(CostAccrued, week=late.week, cumulative=eur(450)),
    )
    waits = opened(costs=False).when_consumed(time("a")).then_nothing()
    waits.when(CatchUp()).then_nothing()
    [missing] = waits.view["waiting_for_costs"]
    assert missing.code == "work-uncosted"
    assert "8 h of developer (a)" in missing.sentence


def test_a_role_without_a_rate_does_not_delay_others():
    contracted().when_consumed(time("a", role="pilot"), time("b")).then(
        like(CostAccrued, entries=(costed("b", 400),), cumulative=eur(400))
    )


def test_time_and_an_expense_may_have_one_id():
    contracted().when_consumed(time("a"), expense("a", eur(1))).then(
        like(CostAccrued, week=MONDAY, cumulative=eur(400)),
        like(CostAccrued, week=None, cumulative=eur(401)),
    )


def test_a_role_without_a_cost_rate_has_no_cost():
    assert cost_of_hours([RoleHours(role="pilot", hours=Decimal(1))], COSTS, ROUNDING) is None
    assert cost_of_hours([RoleHours(role="tester", hours=Decimal(1))], None, ROUNDING) is None


def test_the_most_specific_cost_rate_of_a_person_counts() -> None:
    costs = COSTS.model_copy(
        update={
            "grades": (GradeRate(grade="senior", rate=per_hour(70)),),
            "people": (PersonRate(person="own", rate=per_hour(75)),),
        }
    )
    people = [
        PersonPublished(person=person, name=person, department="delivery", grade=grade)
        for person, grade in (
            ("own", "senior"),
            ("graded", "senior"),
            ("other", "junior"),
            ("none", None),
        )
    ]
    known = contracted().knowing(CARD, costs, *people)

    def cost(person: str) -> Like:
        return like(CostAccrued, person=person, cost=eur(hourly[person]))

    hourly = {"own": 75, "graded": 70, "other": 50, "none": 50}
    entries = [time(f"t-{person}", person=person, hours=1) for person in hourly]
    known.when_consumed(*entries).then(*(cost(person) for person in hourly))


def test_the_grade_of_the_day_counts() -> None:
    costs = COSTS.model_copy(update={"grades": (GradeRate(grade="senior", rate=per_hour(70)),)})
    junior = PersonPublished(person="dev", name="Dev", department="delivery")
    senior = junior.model_copy(update={"grade": "senior", "effective_from": WEDNESDAY})
    known = contracted().knowing(CARD, costs, junior, senior)
    known.when_consumed(two_days()).then(
        like(
            CostAccrued,
            entries=(costed("a", 50, hours=1), costed("b", 70, hours=1, day=WEDNESDAY)),
        )
    )


def test_the_cost_of_reversed_work_is_reversed_and_it_can_be_approved_again() -> None:
    week = two_days()
    train = expense("x", eur(30))
    worked = hearing(contracted(), week, train)
    one = worked.when_consumed(time_reversed(week, "b"))
    one.then(
        CostReversed(
            person="dev",
            week=MONDAY,
            entries=(costed("b", 50, hours=1, day=WEDNESDAY),),
            cost=eur(50),
            cumulative=eur(80),
        )
    )
    gone = one.after.when_consumed(expense_reversed(train))
    gone.then(like(CostReversed, week=None, cost=eur(30), cumulative=eur(50)))
    gone.after.when_consumed(expense_reversed(train), time_reversed(week, "b")).then_nothing()
    again = gone.after.when_consumed(time("c", hours=2, day=WEDNESDAY))
    again.then(like(CostAccrued, cost=eur(100), cumulative=eur(150)))
    assert again.after.state.work.reversed == {}


def test_work_that_was_never_costed_is_reversed_without_a_cost() -> None:
    pilot = time("a", role="pilot")
    waits = hearing(contracted(), pilot)
    gone = waits.when_consumed(time_reversed(pilot)).then_nothing()
    gone.then_view(waiting_for_costs=[], cost_to_date=None)
    rated = COSTS.model_copy(update={"rates": (*COSTS.rates, *rates(pilot=90))})
    gone.knowing(CARD, rated).when(CatchUp()).then_nothing()


def test_the_cost_to_date_says_how_many_works_it_lacks() -> None:
    spent, abroad = expense("taxi", eur(30)), expense("hotel", usd(110))
    known = hearing(contracted(), time("a", hours=1), spent)
    known.then_view(cost_to_date=eur(80), cost_unknown=0)
    one, other = time("b", role="pilot"), time("c", role="pilot")
    lacking = hearing(known, one, other, abroad)
    lacking.then_view(cost_to_date=eur(80), cost_unknown=3)
    gone = lacking.when_consumed(expense_reversed(abroad), time_reversed(one)).after
    gone.then_view(cost_to_date=eur(80), cost_unknown=1)
    rated = COSTS.model_copy(update={"rates": (*COSTS.rates, *rates(pilot=90))})
    caught_up = gone.knowing(CARD, rated).after(CatchUp())
    assert caught_up.view["cost_unknown"] == 0
    assert caught_up.view["cost_to_date"] > eur(80)


def test_a_person_without_a_record_has_no_known_cost_where_a_grade_may_count() -> None:
    costs = COSTS.model_copy(update={"grades": (GradeRate(grade="senior", rate=per_hour(70)),)})
    waits = contracted().knowing(CARD, costs).when_consumed(time("a", hours=1)).then_nothing()
    dev = PersonPublished(person="dev", name="Dev", department="delivery", grade="senior")
    waits.knowing(CARD, costs, dev).when(CatchUp()).then(like(CostAccrued, cost=eur(70)))


@pytest.mark.parametrize(
    ("revenue", "cost", "ratio"),
    [
        (200, 50, Decimal("0.75")),
        (200, 250, Decimal("-0.25")),
        (0, 50, None),
        (-200, 0, None),
        (-200, 50, None),
    ],
)
def test_the_margin_of_no_or_negative_revenue_is_not_known(
    revenue: int, cost: int, ratio: Decimal | None
):
    assert margin(eur(revenue), eur(cost)).margin == ratio
