from dataclasses import replace
from datetime import date

import pytest

from chassis.domain.commands import Missing
from common.figures.failures import Ended, cost_of_failed_delivery
from contracts.money import CurrencyMismatch
from tests.amounts import eur, usd

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
NO_COST = Missing("work-uncosted", "the cost of 8 h of dev is not known", "finance")
TERMINATED = Ended(
    engagement="E-1",
    day=LAST,
    terminated=True,
    cause="requirements",
    revenue=usd(1000),
    cost=usd(900),
    unbilled_cost=usd(300),
    credited=usd(200),
    written_off=usd(50),
    penalties=usd(25),
)
AT_A_LOSS = replace(TERMINATED, engagement="E-2", terminated=False, cost=usd(1001))
HEALTHY = replace(AT_A_LOSS, engagement="E-3", cost=usd(1000))


def test_a_failed_delivery_costs_what_was_not_billed_credited_written_off_and_penalties() -> None:
    [(cause, failed)] = cost_of_failed_delivery([TERMINATED], "USD", FIRST, LAST).items()

    assert (cause, failed.engagements) == ("requirements", ("E-1",))
    assert failed.unbilled_cost.value == usd(300)
    assert failed.credited.value == usd(200)
    assert failed.written_off.value == usd(50)
    assert failed.penalties.value == usd(25)
    assert failed.cost.value == usd(575)


def test_engagements_failed_that_were_terminated_or_closed_at_a_loss_in_the_period() -> None:
    before = replace(TERMINATED, engagement="E-4", day=date(2025, 12, 31))
    after = replace(TERMINATED, engagement="E-5", day=date(2026, 4, 1))
    staff = replace(AT_A_LOSS, engagement="E-6", cause="staff")
    unnamed = replace(AT_A_LOSS, engagement="E-7", cause=None)

    by_cause = cost_of_failed_delivery(
        [TERMINATED, AT_A_LOSS, HEALTHY, before, after, staff, unnamed], "USD", FIRST, LAST
    )

    assert {cause: each.engagements for cause, each in by_cause.items()} == {
        "requirements": ("E-1", "E-2"),
        "staff": ("E-6",),
        None: ("E-7",),
    }
    assert by_cause["requirements"].cost.value == usd(2 * 575)


def test_a_margin_that_is_not_known_makes_only_its_cause_unknown() -> None:
    unknown = replace(AT_A_LOSS, engagement="E-8", cause="staff", cost=NO_COST)

    by_cause = cost_of_failed_delivery([TERMINATED, unknown], "USD", FIRST, LAST)

    assert by_cause["staff"].engagements == ("E-8",)
    assert by_cause["staff"].credited.missing == by_cause["staff"].cost.missing == (NO_COST,)
    assert by_cause["requirements"].cost.value == usd(575)


def test_a_part_that_is_not_known_leaves_the_other_parts_known() -> None:
    unknown = replace(TERMINATED, unbilled_cost=NO_COST)
    failed = cost_of_failed_delivery([unknown], "USD", FIRST, LAST)["requirements"]
    assert failed.written_off.value == usd(50)
    assert failed.unbilled_cost.missing == failed.cost.missing == (NO_COST,)


def test_amounts_of_two_currencies_are_not_added() -> None:
    with pytest.raises(CurrencyMismatch):
        cost_of_failed_delivery([replace(TERMINATED, penalties=eur(1))], "USD", FIRST, LAST)
