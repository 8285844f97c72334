from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.commands import Missing
from common.figures.management import (
    ASSIGNED,
    Assigned,
    Managed,
    Waited,
    value_of_early_management,
    waiting,
)
from contracts.money import CurrencyMismatch
from tests.amounts import eur, usd

PROPOSED, WON, KICKOFF, ENDED = (
    date(2026, 1, 5),
    date(2026, 1, 20),
    date(2026, 2, 2),
    date(2026, 6, 30),
)
FIRST = date(2026, 1, 1)
EARLY = Managed(
    engagement="E-1",
    ended=ENDED,
    assigned=PROPOSED,
    proposed=PROPOSED,
    won=WON,
    kickoff=KICKOFF,
    revenue=usd(1000),
    cost=usd(700),
    management_cost=usd(70),
    delay=-2,
    satisfaction=(5, 4),
)
LATE = replace(
    EARLY,
    engagement="E-2",
    assigned=KICKOFF + timedelta(days=1),
    cost=usd(1100),
    management_cost=usd(11),
    delay=30,
    satisfaction=(2, 4),
)


@pytest.mark.parametrize(
    ("assigned", "when"),
    [
        (PROPOSED, "before-proposal"),
        (PROPOSED + timedelta(days=1), "before-deal"),
        (WON, "before-deal"),
        (WON + timedelta(days=1), "before-kickoff"),
        (KICKOFF, "before-kickoff"),
        (KICKOFF + timedelta(days=1), "after-kickoff"),
        (None, "never"),
    ],
)
def test_engagements_are_divided_by_when_a_manager_was_assigned(
    assigned: date | None, when: Assigned
) -> None:
    values = value_of_early_management([replace(EARLY, assigned=assigned)], "USD", FIRST, ENDED)
    assert [key for key, each in values.items() if each.engagements] == [when]
    assert tuple(values) == ASSIGNED


def test_margin_delay_and_satisfaction_are_beside_what_project_management_cost() -> None:
    other = replace(EARLY, revenue=usd(3000), cost=usd(2100), delay=5, satisfaction=())

    values = value_of_early_management([EARLY, other, LATE], "USD", FIRST, ENDED)
    early, late = values["before-proposal"], values["after-kickoff"]

    assert (early.engagements, late.engagements) == (2, 1)
    assert (early.margin.value, late.margin.value) == (Decimal("0.3"), Decimal("-0.1"))
    assert (early.delay.value, late.delay.value) == (Decimal("1.5"), Decimal(30))
    assert early.satisfaction.value == 100
    assert late.satisfaction.value == 50
    assert (early.management_cost.value, late.management_cost.value) == (usd(140), usd(11))
    assert (early.management_share.value, late.management_share.value) == (
        Decimal("0.05"),
        Decimal("0.01"),
    )


def test_engagements_count_when_they_have_ended_in_the_period() -> None:
    day_before = ENDED - timedelta(days=1)
    assert value_of_early_management([EARLY], "USD", FIRST, day_before)[
        "before-proposal"
    ].margin.missing == (Missing("divisor-zero", "the engagements have no revenue"),)
    later = ENDED + timedelta(days=1)
    assert not value_of_early_management([EARLY], "USD", later, later)[
        "before-proposal"
    ].engagements


def test_a_delay_that_is_not_known_makes_only_the_delay_of_its_group_unknown() -> None:
    no_finish = Missing("deal-not-decided", "no finish is promised", "sales")
    values = value_of_early_management([replace(EARLY, delay=no_finish), LATE], "USD", FIRST, ENDED)
    assert values["before-proposal"].delay.missing == (no_finish,)
    assert values["before-proposal"].margin.value == Decimal("0.3")
    assert values["after-kickoff"].delay.value == 30


def test_without_an_answer_the_satisfaction_is_unknown() -> None:
    values = value_of_early_management([replace(EARLY, satisfaction=())], "USD", FIRST, ENDED)
    assert values["before-proposal"].satisfaction.value is None


def test_amounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(CurrencyMismatch):
        value_of_early_management([EARLY, replace(EARLY, cost=eur(1))], "USD", FIRST, ENDED)


MARCH, MARCH_END = date(2026, 3, 1), date(2026, 3, 31)


def waited(since: int, done: int | None, owed_by: str = "carl", gate: str = "sow") -> Waited:
    last = None if done is None else date(2026, 3, done)
    return Waited(gate, owed_by, date(2026, 3, since), last)


def test_waiting_is_counted_by_gate_and_by_who_owed_it() -> None:
    things = [waited(2, 5), waited(10, None), waited(1, 9, "zoe"), waited(4, 4, gate="kickoff")]

    found = waiting(things, MARCH, MARCH_END)

    carl = found["sow", "carl"]
    assert (carl.things, carl.open) == (2, 1)
    assert (carl.days.value, carl.longest.value) == (24, 21)
    assert carl.average.value == 12
    assert found["sow", "zoe"].days.value == 8
    assert found["kickoff", "carl"].days.value == 0
    assert len(found) == 3


def test_only_the_days_of_the_period_count() -> None:
    things = [waited(2, 12), waited(3, 4, "zoe"), waited(20, None, "eve")]

    found = waiting(things, date(2026, 3, 5), date(2026, 3, 10))

    assert {key: (each.days.value, each.open) for key, each in found.items()} == {
        ("sow", "carl"): (6, 1)
    }


def test_a_first_day_that_is_not_known_makes_only_the_days_of_its_gate_unknown() -> None:
    unknown = Missing("sow-not-drafted", "it is not known since when the SOW is owed", "legal")
    found = waiting([waited(2, 5), Waited("sow", "zoe", unknown, None)], MARCH, MARCH_END)
    assert (found["sow", "zoe"].open, found["sow", "zoe"].days.missing) == (1, (unknown,))
    assert found["sow", "carl"].days.value == 3


@given(st.integers(1, 31), st.one_of(st.none(), st.integers(1, 31)), st.integers(1, 30))
def test_the_days_of_successive_periods_add_up(since: int, done: int | None, split: int) -> None:
    thing = waited(since, None if done is None else max(since, done))

    def days(first: date, last: date) -> int:
        return sum(each.days.value or 0 for each in waiting([thing], first, last).values())

    between = date(2026, 3, split)
    assert days(MARCH, MARCH_END) == days(MARCH, between) + days(
        between + timedelta(days=1), MARCH_END
    )
