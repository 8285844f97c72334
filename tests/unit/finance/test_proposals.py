"""Check that every version of a proposal is reviewed against the minimum margin."""

from decimal import Decimal
from typing import Any

import pytest

from contracts.finance import Floor, ProposalReviewed
from contracts.lines import ProposedLine
from contracts.sales import ProposalDrafted
from contracts.values import RoleHours
from finance.pending.decisions import CatchUp
from testkit.scenario import permutations_agree
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ESTIMATE,
    OPENED,
    PROPOSED,
    opened,
    rates,
    role_hours,
)

GREEDY = COSTS.model_copy(update={"floor": Decimal(50)})


def proposed(*lines: ProposedLine, price: int | str) -> ProposalDrafted:
    return PROPOSED.model_copy(update={"lines": lines, "price": eur(price)})


def line(price: int | str, hours: tuple[RoleHours, ...] = (), **more: Any) -> ProposedLine:
    terms: dict[str, Any] = {"line": "work", "title": "Work", "pricing": "fixed"}
    return ProposedLine(**{**terms, **more, "price": eur(price), "hours": hours})


def reviewed(floor: Floor, price: int | str = 20_000) -> ProposalReviewed:
    return ProposalReviewed(version=1, price=eur(price), floor=floor)


def test_a_draft_is_reviewed_by_the_hours_and_prices_of_its_lines():
    opened().when_consumed(PROPOSED).then(reviewed("above"))  # 11,220 EUR, a margin of 43.9 %
    opened().knowing(CARD, GREEDY).when_consumed(PROPOSED).then(reviewed("below"))


def test_optional_lines_do_not_count():
    base = line(1_000, role_hours(developer=10))
    dear = line(500, role_hours(architect=50), line="more", optional=True)
    outcome = opened().knowing(CARD, GREEDY).when_consumed(proposed(base, dear, price=1_000))
    outcome.then(reviewed("above", 1_000))


@pytest.mark.parametrize(("price", "floor"), [("33.32", "above"), ("33.31", "below")])
def test_the_floor_is_compared_without_rounding(price: str, floor: Floor):
    costs = COSTS.model_copy(
        update={"rates": rates(architect="22.2211"), "floor": Decimal("33.3")}
    )  # 33.3 % of 33.32 are 11.09556 EUR, its margin is 11.0989 EUR
    draft = proposed(line(price, role_hours(architect=1)), price=price)
    opened().knowing(CARD, costs).when_consumed(draft).then(reviewed(floor, price))


def test_the_cost_is_not_rounded_before_the_comparison():
    costs = COSTS.model_copy(update={"rates": rates(architect="50.0049"), "floor": Decimal(50)})
    draft = proposed(line(100, role_hours(architect=1)), price=100)
    opened().knowing(CARD, costs).when_consumed(draft).then(reviewed("below", 100))


def test_a_line_at_cost_has_no_margin():
    travel = line(1_000, line="travel", kind="expenses", pricing="at-cost")
    work = line(1_000, role_hours(developer=10))
    draft = proposed(work, travel, price=2_000)  # a margin of 500 of 2,000 EUR
    floor = COSTS.model_copy(update={"floor": Decimal(25)})
    opened().knowing(CARD, floor).when_consumed(draft).then(reviewed("above", 2_000))
    floor = COSTS.model_copy(update={"floor": Decimal(26)})
    opened().knowing(CARD, floor).when_consumed(draft).then(reviewed("below", 2_000))


def test_an_unknown_floor_is_reviewed_again_once_the_cost_rates_are_known():
    unknown = opened(costs=False).when_consumed(PROPOSED).then(reviewed("unknown"))
    unknown.when(CatchUp()).then_nothing()
    again = unknown.knowing(CARD, COSTS).when(CatchUp()).then(reviewed("above"))
    again.when(CatchUp()).then_nothing()
    [shown] = again.view["proposals"]
    assert (shown.version, shown.floor) == (1, "above")
    partial = COSTS.model_copy(update={"rates": rates(architect=80)})
    opened().knowing(CARD, partial).when_consumed(PROPOSED).then(reviewed("unknown"))
    opened().when_consumed(proposed(line(1_000), price=1_000)).then(reviewed("unknown", 1_000))


def test_each_version_is_reviewed_and_none_in_another_currency():
    second = PROPOSED.model_copy(update={"version": 2})
    opened().when_consumed(PROPOSED, second).then(
        reviewed("above"), reviewed("above").model_copy(update={"version": 2})
    )
    dollars = OPENED.model_copy(update={"expected_value": usd(1)})
    opened().consumed(dollars).when_consumed(PROPOSED).then_nothing()


def test_the_order_of_sales_and_delivery_does_not_matter():
    permutations_agree(opened(), PROPOSED, ESTIMATE, examples=6)
