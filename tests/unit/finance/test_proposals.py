"""Check that every version of a proposal is reviewed against the minimum margin."""

from decimal import Decimal
from typing import Any

import pytest

from contracts.finance import EstimateCosted, Floor, ProposalReviewed
from contracts.lines import ProposedLine
from contracts.purchases import EstimatedPurchase, PlannedPurchase
from contracts.sales import ProposalDrafted, ProposalExceptionApproved
from contracts.values import RoleHours
from finance.engagement import Engagement
from finance.pending.decisions import CatchUp
from testkit.scenario import Scenario, like, permutations_agree
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ESTIMATE,
    OPENED,
    PROPOSED,
    SOLD_HOURS,
    hearing,
    opened,
    rates,
    role_hours,
)

EXCEPTED = ProposalExceptionApproved(version=1, why="Agreed.", grounds=("hours-differ",))
GREEDY = COSTS.model_copy(update={"floor": Decimal(50)})


def proposed(*lines: ProposedLine, price: int | str) -> ProposalDrafted:
    return PROPOSED.model_copy(update={"lines": lines, "price": eur(price)})


def line(price: int | str, hours: tuple[RoleHours, ...] = (), **more: Any) -> ProposedLine:
    terms: dict[str, Any] = {"line": "work", "title": "Work", "pricing": "fixed"}
    return ProposedLine(**{**terms, **more, "price": eur(price), "hours": hours})


def estimated(*, costs: bool = True) -> Scenario[Engagement]:
    """Return an engagement with a priced estimate, on which proposals are based."""
    return hearing(opened(costs=costs), ESTIMATE)


def reviewed(floor: Floor, price: int | str = 20_000) -> ProposalReviewed:
    return ProposalReviewed(version=1, price=eur(price), floor=floor)


def test_a_draft_is_reviewed_by_the_hours_and_prices_of_its_lines():
    estimated().when_consumed(PROPOSED).then(reviewed("above"))  # 11,220 EUR, a margin of 43.9 %
    estimated().knowing(CARD, GREEDY).when_consumed(PROPOSED).then(reviewed("below"))


def test_an_optional_line_counts_where_choosing_it_lowers_the_margin():
    tight = line(1_000, role_hours(developer=10))  # costs 500 EUR: exactly the minimum of 50 %
    roomy = line(2_000, role_hours(developer=10))
    poor = line(500, role_hours(architect=5), line="poor", optional=True)  # costs 400 EUR
    good = line(2_000, role_hours(architect=5), line="good", optional=True)
    unknown = line(500, role_hours(pilot=1), line="unknown", optional=True)
    offers: tuple[tuple[Floor, int, tuple[ProposedLine, ...]], ...] = (
        ("above", 1_000, (tight,)),
        ("above", 1_000, (tight, good)),
        ("below", 1_000, (tight, poor)),
        ("below", 1_000, (tight, poor, good)),  # all together leave 62 %, but poor alone 40 %
        ("above", 2_000, (roomy, poor)),
        ("unknown", 2_000, (roomy, unknown)),
    )
    for floor, price, lines in offers:
        draft = proposed(*lines, price=price)
        outcome = estimated().knowing(CARD, GREEDY).when_consumed(draft, EXCEPTED)
        outcome.then(reviewed(floor, price))


@pytest.mark.parametrize(("price", "floor"), [("33.32", "above"), ("33.31", "below")])
def test_the_floor_is_compared_without_rounding(price: str, floor: Floor):
    costs = COSTS.model_copy(
        update={"rates": rates(architect="22.2211"), "floor": Decimal("33.3")}
    )  # 33.3 % of 33.32 are 11.09556 EUR, its margin is 11.0989 EUR
    draft = proposed(line(price, role_hours(architect=1)), price=price)
    estimated().knowing(CARD, costs).when_consumed(draft, EXCEPTED).then(reviewed(floor, price))


def test_the_cost_is_not_rounded_before_the_comparison():
    costs = COSTS.model_copy(update={"rates": rates(architect="50.0049"), "floor": Decimal(50)})
    draft = proposed(line(100, role_hours(architect=1)), price=100)
    estimated().knowing(CARD, costs).when_consumed(draft, EXCEPTED).then(reviewed("below", 100))


def test_a_line_at_cost_has_no_margin():
    travel = line(1_000, line="travel", kind="expenses", pricing="at-cost")
    work = line(1_000, role_hours(developer=10))
    draft = proposed(work, travel, price=2_000)  # a margin of 500 of 2,000 EUR
    floor = COSTS.model_copy(update={"floor": Decimal(25)})
    estimated().knowing(CARD, floor).when_consumed(draft, EXCEPTED).then(reviewed("above", 2_000))
    floor = COSTS.model_copy(update={"floor": Decimal(26)})
    estimated().knowing(CARD, floor).when_consumed(draft, EXCEPTED).then(reviewed("below", 2_000))


def test_planned_purchases_count_at_any_price_of_their_line():
    bought = (PlannedPurchase(kind="subcontractor", amount=eur(500)),)
    work = line(2_000, role_hours(developer=10), purchases=bought)
    draft = proposed(work, price=2_000)  # the hours cost 500, a margin of 1,000 of 2,000 EUR
    floor = COSTS.model_copy(update={"floor": Decimal(50)})
    excepted = estimated().knowing(CARD, floor).when_consumed(draft, EXCEPTED)
    excepted.then(reviewed("above", 2_000))
    floor = COSTS.model_copy(update={"floor": Decimal("50.01")})
    excepted = estimated().knowing(CARD, floor).when_consumed(draft, EXCEPTED)
    excepted.then(reviewed("below", 2_000))
    resold = proposed(line(600, purchases=bought), price=600)
    outcome = estimated().when_consumed(resold, EXCEPTED)
    outcome.then(reviewed("below", 600))  # 100 of 600 EUR


def test_purchases_other_than_those_estimated_are_reviewed_after_an_exception_only():
    travel = EstimatedPurchase(title="Travel", kind="expenses", phase="Build", amount=eur(900))
    buying = hearing(opened(), ESTIMATE.model_copy(update={"purchases": (travel,)}))
    buying.when_consumed(PROPOSED).then_nothing()
    work = line(20_000, SOLD_HOURS)
    at_cost = line(900, line="travel", kind="expenses", pricing="at-cost")
    draft = proposed(work, at_cost, price=20_900)  # costs 11,220 and 900
    buying.when_consumed(draft).then(reviewed("above", 20_900))
    more = proposed(work, at_cost.model_copy(update={"price": eur(901)}), price=20_901)
    waits = buying.when_consumed(more).then_nothing()
    exception = EXCEPTED.model_copy(update={"grounds": ("purchases-differ",)})
    waits.when_consumed(exception).then(reviewed("above", 20_901))


def test_purchases_moved_to_a_line_at_cost_are_another_offer():
    bought = (PlannedPurchase(kind="licence", amount=eur(900)),)
    licence = EstimatedPurchase(title="Base", kind="licence", phase="Build", amount=eur(900))
    engagement = hearing(opened(), ESTIMATE.model_copy(update={"purchases": (licence,)}))
    inside = line(20_000, SOLD_HOURS, purchases=bought)
    apart = line(900, line="licence", kind="licence", pricing="at-cost")
    fixed = apart.model_copy(update={"pricing": "fixed", "purchases": bought})
    offers = (
        proposed(inside, price=20_000),
        proposed(line(19_100, SOLD_HOURS), apart, price=20_000),
        proposed(line(19_100, SOLD_HOURS), fixed, price=20_000),  # the first offer in two lines
        proposed(line(20_000, SOLD_HOURS), apart, price=20_900),
    )
    for number, offer in enumerate(offers, start=1):
        draft = offer.model_copy(update={"version": number})
        outcome = engagement.when_consumed(draft)
        if number < 4:
            outcome.then(reviewed("above").model_copy(update={"version": number}))
        else:
            outcome.then_nothing()
        engagement = outcome.after


def test_an_unknown_floor_is_reviewed_again_once_the_cost_rates_are_known():
    unknown = estimated(costs=False).when_consumed(PROPOSED).then(reviewed("unknown"))
    unknown.when(CatchUp()).then_nothing()
    known = unknown.knowing(CARD, COSTS).when(CatchUp())
    again = known.then(like(EstimateCosted), reviewed("above"))
    again.when(CatchUp()).then_nothing()
    [shown] = again.view["proposals"]
    assert (shown.version, shown.floor) == (1, "above")
    partial = COSTS.model_copy(update={"rates": rates(architect=80)})
    estimated().knowing(CARD, partial).when_consumed(PROPOSED).then(reviewed("unknown"))
    unplanned = proposed(line(1_000), price=1_000)
    estimated().when_consumed(unplanned, EXCEPTED).then(reviewed("unknown", 1_000))


def test_each_version_is_reviewed_and_none_in_another_currency():
    second = PROPOSED.model_copy(update={"version": 2})
    estimated().when_consumed(PROPOSED, second).then(
        reviewed("above"), reviewed("above").model_copy(update={"version": 2})
    )
    dollars = OPENED.model_copy(update={"expected_value": usd(1)})
    opened().consumed(dollars).when_consumed(PROPOSED).then_nothing()


def test_other_hours_than_the_estimated_ones_are_reviewed_after_an_exception_only():
    """Otherwise one draft after another with an hour of a role would tell its cost rate."""
    draft = proposed(line(81, role_hours(architect=1)), price=81)
    waiting = estimated().when_consumed(draft).then_nothing()
    waiting.when_consumed(EXCEPTED).then(reviewed("below", 81))
    optional = proposed(
        line(100, role_hours(architect=1)),
        line(
            19_900,
            role_hours(architect=43, developer=88, project_manager=33),
            line="rest",
            optional=True,
        ),
        price=100,
    )
    estimated().when_consumed(optional).then(reviewed("above", 100))
    opened().when_consumed(PROPOSED).then_nothing()


def test_a_third_offer_on_one_estimate_is_reviewed_after_an_exception_only():
    drafts = [
        PROPOSED.model_copy(
            update={
                "version": number,
                "price": eur(price),
                "lines": (line(price, SOLD_HOURS),),
            }
        )
        for number, price in enumerate((20_000, 14_000, 14_025, 20_000), start=1)
    ]
    floors: tuple[Floor | None, ...] = ("above", "below", None, "above")
    engagement = estimated()
    for draft, floor in zip(drafts, floors, strict=True):
        outcome = engagement.when_consumed(draft)
        if floor is None:
            outcome.then_nothing()
        else:
            outcome.then(ProposalReviewed(version=draft.version, price=draft.price, floor=floor))
        engagement = outcome.after
    third = EXCEPTED.model_copy(update={"version": 3, "grounds": ("third-price",)})
    engagement.when_consumed(third).then(
        ProposalReviewed(version=3, price=eur(14_025), floor="above")
    )


def test_the_order_of_sales_and_delivery_does_not_matter():
    permutations_agree(opened(), PROPOSED, ESTIMATE, examples=6)
