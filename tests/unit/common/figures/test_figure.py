from datetime import date
from decimal import Decimal

import pytest

from chassis.domain.commands import Missing
from common.figures.figure import Figure, added, divided, figure

TODAY = date(2026, 3, 2)
RATE = Missing("rate-not-contracted", "the contract has no rate for tester", "legal")
COST = Missing("cost-unknown", "no cost rate for tester", "finance")


def test_a_figure_has_either_a_value_or_what_is_missing_for_it() -> None:
    for value, missing in ((None, ()), (Decimal(0), (RATE,))):
        with pytest.raises(ValueError, match="either"):
            Figure(TODAY, value, missing)


def test_a_figure_from_two_names_all_that_is_missing_for_both_once() -> None:
    one = added([RATE, Decimal(1), RATE], TODAY)
    other = added([COST, RATE], TODAY)
    both = divided(one, other, "nothing")
    assert (both.as_of, both.value, both.missing) == (TODAY, None, (RATE, COST))


@pytest.mark.parametrize("divisor", [0, -5])
def test_a_divisor_that_is_not_positive_gives_an_unknown_figure(divisor: int) -> None:
    quotient = divided(
        figure(Decimal(1), TODAY), figure(Decimal(divisor), TODAY), "there is no revenue"
    )
    assert quotient.missing == (Missing("divisor-zero", "there is no revenue"),)


def test_a_quotient_is_rounded_half_up_once() -> None:
    eighth = divided(figure(Decimal(1), TODAY), figure(Decimal(8), TODAY), "nothing", 2)
    assert eighth.value == Decimal("0.13")
