from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.commands import Missing
from common.figures.budgets import (
    Dimension,
    Entry,
    cost_against_budget,
    hours_against_budget,
)
from contracts.money import CurrencyMismatch, Money
from tests.amounts import eur, usd

MARCH, APRIL, MAY = date(2026, 3, 2), date(2026, 4, 1), date(2026, 5, 1)
NO_COST = Missing("work-uncosted", "the cost of 8 h of dev is not known", "finance")


def entry(
    hours: int, role: str | None = "engineer", phase: str = "build", *, day: date = MARCH
) -> Entry[Decimal]:
    return Entry(day, role, phase, "L-1", Decimal(hours))


def cost(amount: int, line: str | None = "L-1", *, day: date = MARCH) -> Entry[Money]:
    return Entry(day, "engineer", "build", line, usd(amount))


def test_hours_are_beside_their_budget_by_role_and_by_phase() -> None:
    budget = [entry(80), entry(40, phase="test"), entry(10, "architect", "design")]
    worked = [entry(20, day=APRIL), entry(50, phase="test", day=APRIL), entry(3, None, "test")]

    def left(by: Dimension) -> dict[str | None, tuple[Decimal | None, Decimal | None]]:
        compared = hours_against_budget(budget, worked, by, APRIL)
        return {key: (each.left.value, each.used.value) for key, each in compared.items()}

    assert left("role") == {
        "engineer": (Decimal(50), Decimal("0.5833")),
        "architect": (Decimal(10), Decimal(0)),
        None: (Decimal(-3), None),
    }
    assert left("phase") == {
        "build": (Decimal(60), Decimal("0.25")),
        "test": (Decimal(-13), Decimal("1.325")),
        "design": (Decimal(10), Decimal(0)),
    }


def test_what_is_used_may_be_more_than_the_budget() -> None:
    # CaseWare Time, "Budget analysis document": 5,800 h of 2,000 h, a variance of 190 %
    compared = hours_against_budget([entry(2000)], [entry(5800)], "role", MARCH)["engineer"]
    assert (compared.used.value, compared.left.value) == (Decimal("2.9"), Decimal(-3800))


def test_work_without_a_budget_has_an_unknown_share() -> None:
    compared = hours_against_budget([], [entry(8)], "line", MARCH)["L-1"]
    assert compared.spent.value == 8
    assert [each.sentence for each in compared.used.missing] == ["nothing is budgeted"]


def test_an_amendment_counts_from_its_day_and_may_take_away() -> None:
    budget = [entry(80), entry(-30, day=APRIL)]
    worked = [entry(60), entry(8, day=MAY)]
    left = [
        hours_against_budget(budget, worked, "role", day)["engineer"].left.value
        for day in (MARCH, APRIL, MAY)
    ]
    assert left == [20, -10, -18]


def test_cost_is_beside_its_budget_by_line() -> None:
    compared = cost_against_budget(
        [cost(1000), cost(500, "L-2")], [cost(250), cost(70, None)], "line", "USD", MARCH
    )
    assert {key: each.left.value for key, each in compared.items()} == {
        "L-1": usd(750),
        "L-2": usd(500),
        None: usd(-70),
    }
    assert compared["L-1"].used.value == Decimal("0.25")


def test_a_cost_that_is_not_known_makes_only_its_own_line_unknown() -> None:
    unknown: Entry[Money] = Entry(MARCH, "engineer", "build", "L-1", NO_COST)
    compared = cost_against_budget(
        [cost(1000), cost(500, "L-2")], [cost(250), unknown, cost(50, "L-2")], "line", "USD", MARCH
    )
    assert compared["L-1"].budget.value == usd(1000)
    assert compared["L-1"].left.missing == compared["L-1"].used.missing == (NO_COST,)
    assert compared["L-2"].left.value == usd(450)


def test_amounts_of_two_currencies_are_not_added() -> None:
    other = Entry(MARCH, "engineer", "build", "L-1", eur(1))
    with pytest.raises(CurrencyMismatch):
        cost_against_budget([cost(1000)], [other], "line", "USD", MARCH)


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.dates(MARCH, MAY),
        st.sampled_from([None, "engineer", "architect"]),
        st.sampled_from([None, "build", "test"]),
        st.sampled_from([None, "L-1", "L-2"]),
        st.integers(-100, 100).map(Decimal),
    )
)


@given(ENTRIES, ENTRIES, st.dates(MARCH, MAY))
def test_every_dimension_adds_up_to_the_same(
    budget: list[Entry[Decimal]], spent: list[Entry[Decimal]], as_of: date
) -> None:
    dimensions: tuple[Dimension, ...] = ("role", "phase", "line")
    sums = {
        sum(
            each.left.value or 0 for each in hours_against_budget(budget, spent, by, as_of).values()
        )
        for by in dimensions
    }
    assert len(sums) == 1
