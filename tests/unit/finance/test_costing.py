"""Check that approved work is costed once, in order, at the rate in force in its week."""

from datetime import date
from decimal import Decimal

from contracts.decimals import ROUNDING
from contracts.finance import CostAccrued
from contracts.reference import GradeRate, PersonPublished, PersonRate
from contracts.values import RoleHours
from finance.costing.rates import cost_of_hours
from finance.pending.decisions import CatchUp
from finance.service import ENGAGEMENT
from testkit.matchers import Like
from testkit.scenario import given, like
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ID,
    MONDAY,
    OPENED,
    contracted,
    expense,
    opened,
    rates,
    time,
)


def test_approved_time_accrues_its_cost_billable_or_not():
    first = (
        contracted()
        .when_consumed(time("a", hours=8))
        .then(
            CostAccrued(
                entry="a",
                person="dev",
                role="developer",
                kind="delivery",
                week=MONDAY,
                hours=Decimal(8),
                cost=eur(400),
                cumulative=eur(400),
            )
        )
    )
    manager = time(
        "b", role="project-manager", hours="2.5", billable=False, kind="project-management"
    )
    first.when_consumed(manager).then(
        like(CostAccrued, entry="b", kind="project-management", cost=eur(250), cumulative=eur(650))
    )


def test_an_expense_is_cost_as_it_was_spent():
    contracted().when_consumed(expense("x", eur("99.90"))).then(
        like(CostAccrued, entry="x", role=None, kind="expense", week=None, cost=eur("99.90"))
    )


def test_the_rate_in_force_in_the_week_counts():
    dearer = COSTS.model_copy(
        update={"effective_from": date(2026, 4, 13), "rates": rates(developer=60)}
    )
    after = contracted().knowing(CARD, COSTS, dearer)
    after.when_consumed(time("a", hours=1), time("b", hours=1, day=date(2026, 4, 13))).then(
        like(CostAccrued, cost=eur(50)), like(CostAccrued, cost=eur(60), cumulative=eur(110))
    )


def test_work_accrues_in_order_once_rates_and_opportunity_are_known():
    early = given(ENGAGEMENT, ID).when_consumed(time("a"), time("b", hours=1)).then_nothing()
    early.knowing(COSTS).when_consumed(OPENED).then(
        like(CostAccrued, entry="a", cumulative=eur(400)),
        like(CostAccrued, entry="b", cumulative=eur(450)),
    )
    waits = opened(costs=False).when_consumed(time("a")).then_nothing()
    waits.when(CatchUp()).then_nothing()
    [missing] = waits.view["waiting_for_costs"]
    assert missing.code == "work-uncosted"
    assert "8 h of developer (a)" in missing.sentence


def test_a_role_without_a_rate_does_not_delay_others():
    contracted().when_consumed(time("a", role="pilot"), time("b")).then(
        like(CostAccrued, entry="b", cumulative=eur(400))
    )


def test_time_and_an_expense_may_have_one_id():
    contracted().when_consumed(time("a"), expense("a", eur(1))).then(
        like(CostAccrued, role="developer", cumulative=eur(400)),
        like(CostAccrued, role=None, cumulative=eur(401)),
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


def test_the_grade_of_the_week_counts() -> None:
    costs = COSTS.model_copy(update={"grades": (GradeRate(grade="senior", rate=per_hour(70)),)})
    junior = PersonPublished(person="dev", name="Dev", department="delivery")
    senior = junior.model_copy(update={"grade": "senior", "effective_from": date(2026, 4, 13)})
    known = contracted().knowing(CARD, costs, junior, senior)
    known.when_consumed(time("a", hours=1), time("b", hours=1, day=date(2026, 4, 13))).then(
        like(CostAccrued, cost=eur(50)), like(CostAccrued, cost=eur(70))
    )


def test_a_person_without_a_record_has_no_known_cost_where_a_grade_may_count() -> None:
    costs = COSTS.model_copy(update={"grades": (GradeRate(grade="senior", rate=per_hour(70)),)})
    waits = contracted().knowing(CARD, costs).when_consumed(time("a", hours=1)).then_nothing()
    dev = PersonPublished(person="dev", name="Dev", department="delivery", grade="senior")
    waits.knowing(CARD, costs, dev).when(CatchUp()).then(like(CostAccrued, cost=eur(70)))
