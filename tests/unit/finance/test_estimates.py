"""Check the prices and costs of estimates."""

from datetime import date
from decimal import Decimal

from hypothesis import given as any_of
from hypothesis import strategies as st

from contracts.decimals import ROUNDING
from contracts.finance import ChangeCosted, ChangePriced, EstimateCosted, EstimatePriced
from contracts.lines import NewLine
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, PlannedPurchase, PurchaseKind
from contracts.reference import PurchaseCost
from contracts.values import EstimateLine, PricedLine, RoleHours
from contracts.vocabularies import Unlisted
from finance.costing.rates import cost_of_hours, cost_of_line, exact_cost
from finance.estimates.state import Estimate
from finance.pending.decisions import CatchUp
from finance.rate_cards.pricing import priced_lines
from testkit.scenario import like
from tests.amounts import eur, per_hour, usd
from tests.unit.finance.builders import (
    CARD,
    COSTS,
    ESTIMATE,
    ESTIMATED,
    OPENED,
    assessed,
    contracted,
    fixed_line,
    opened,
    rates,
    scope,
)

MORE = NewLine(title="More", pricing="fixed")
PRICED = EstimatePriced(
    estimate_version=1,
    rate_card="standard-EUR",
    rate_card_version=1,
    lines=(
        PricedLine(role="architect", hours=Decimal("44.00"), rate=per_hour(150), amount=eur(6_600)),
        PricedLine(role="developer", hours=Decimal("88.00"), rate=per_hour(100), amount=eur(8_800)),
        PricedLine(
            role="project-manager",
            kind="project-management",
            hours=Decimal("33.00"),
            rate=per_hour(200),
            amount=eur(6_600),
        ),
    ),
    price=eur(22_000),
    project_management_share=Decimal("30.0000"),
    floor="above",
)
COSTED = EstimateCosted(estimate_version=1, cost=eur(11_220), margin=Decimal("0.49"))


def test_an_estimate_is_priced_at_the_card_with_its_contingency_in_the_hours():
    opened().when_consumed(ESTIMATE).then(PRICED, COSTED)


def test_phases_of_one_role_are_one_line_of_the_price():
    twice = ESTIMATE.model_copy(
        update={
            "contingency": Decimal(0),
            "lines": (*ESTIMATE.lines, ESTIMATE.lines[0].model_copy(update={"phase": "Build"})),
        }
    )
    priced = opened().when_consumed(twice).events[0]
    assert isinstance(priced, EstimatePriced)
    assert [(line.role, line.hours) for line in priced.lines] == [
        ("architect", Decimal(80)),
        ("developer", Decimal(80)),
        ("project-manager", Decimal(30)),
    ]


def test_a_price_below_the_floor_is_marked_without_the_amount():
    greedy = COSTS.model_copy(update={"floor": Decimal(50)})
    opened().knowing(CARD, greedy).when_consumed(ESTIMATE).then(
        PRICED.model_copy(update={"floor": "below"}), COSTED
    )
    exact = COSTS.model_copy(update={"floor": Decimal(49)})
    opened().knowing(CARD, exact).when_consumed(ESTIMATE).then(PRICED, COSTED)


def test_the_floor_is_compared_without_rounding():
    one_hour = ESTIMATE.lines[0].model_copy(update={"hours": Decimal(1)})
    single = ESTIMATE.model_copy(update={"lines": (one_hour,), "contingency": Decimal(0)})
    card = CARD.model_copy(update={"rates": rates(architect="33.31")})
    costs = COSTS.model_copy(
        update={"rates": rates(architect="22.22"), "floor": Decimal("33.3")}
    )  # The margin is 11.09 EUR, the floor 11.09223 EUR.
    opened().knowing(card, costs).when_consumed(single).then(
        like(EstimatePriced, floor="below"), like(EstimateCosted, margin=Decimal("0.332933"))
    )


def test_hours_are_shown_as_canonical_decimals():
    [estimate] = opened().when_consumed(ESTIMATE).after.view["estimates"]
    assert estimate.hours == Decimal(165)
    assert estimate.model_dump(mode="json")["hours"] == "165"


def test_without_cost_rates_there_is_a_price_with_an_unknown_floor():
    priced = (
        opened(costs=False)
        .when_consumed(ESTIMATE)
        .then(PRICED.model_copy(update={"floor": "unknown"}))
    )
    priced.knowing(CARD, COSTS).when(CatchUp()).then(COSTED)


def test_an_estimate_needs_a_card_with_every_role_in_the_engagements_currency():
    waits = opened(card=False).when_consumed(ESTIMATE).then_nothing()
    waits.when(CatchUp()).then_nothing()
    [missing] = waits.view["waiting"]
    assert missing.code == "estimate-not-priced"
    assert "rate card standard-EUR" in missing.sentence
    partial = CARD.model_copy(update={"rates": rates(architect=150)})
    waits.knowing(partial, COSTS).when(CatchUp()).then_nothing()
    waits.knowing(CARD, COSTS).when(CatchUp()).then(PRICED, COSTED)
    waits.knowing(CARD, COSTS).when_consumed(ESTIMATE.model_copy(update={"version": 2})).then(
        PRICED,
        like(EstimatePriced, estimate_version=2),
        COSTED,
        like(EstimateCosted, estimate_version=2),
    )


def test_the_card_in_force_on_the_day_of_the_estimate_is_used():
    dearer = CARD.model_copy(
        update={"effective_from": date(2026, 3, 3), "rates": rates(architect=999)}
    )
    opened().knowing(CARD, dearer, COSTS).on(ESTIMATED).when_consumed(ESTIMATE).then(PRICED, COSTED)


def test_added_hours_may_exceed_the_maximum_of_one_line():
    most = ESTIMATE.lines[0].model_copy(update={"hours": Decimal(1_000_000)})
    large = ESTIMATE.model_copy(update={"lines": (most, most)})
    opened().when_consumed(large).then(
        like(EstimatePriced, price=eur(2_200_000 * 150)), like(EstimateCosted)
    )
    change = assessed(scope(tester=1_000_000), scope("more", new=MORE, tester=1_000_000))
    contracted().when_consumed(change).then(
        like(ChangePriced, price=eur(2_000_000 * 90)), like(ChangeCosted)
    )


def test_nothing_is_priced_in_another_currency():
    dollars = OPENED.model_copy(update={"expected_value": usd(1)})
    opened().consumed(dollars).when_consumed(ESTIMATE).then_nothing()


@any_of(
    st.lists(
        st.tuples(
            st.sampled_from(("architect", "developer", "tester")),
            st.decimals(0, 10_000, places=2),
        ),
        min_size=1,
        max_size=8,
    ),
    st.decimals(0, 100, places=4),
)
def test_a_price_is_the_sum_of_lines_each_hours_times_rate(
    hours: list[tuple[str, Decimal]], contingency: Decimal
):
    estimate = Estimate(
        version=1,
        lines=tuple(EstimateLine(phase="x", role=role, hours=amount) for role, amount in hours),
        contingency=contingency,
        submitted_on=ESTIMATED,
    )
    lines = priced_lines(
        ((line.role, line.kind, line.hours) for line in estimate.with_contingency),
        CARD.by_role,
        ROUNDING,
    )
    assert lines is not None
    assert len({line.role for line in lines}) == len(lines)
    exact = sum(amount for _, amount in hours) * (1 + contingency / 100)
    assert abs(sum(line.hours for line in lines) - exact) <= Decimal("0.005") * len(hours)
    total = Money.total((line.amount for line in lines), "EUR")
    assert total == Money.total(
        (line.rate.for_hours(line.hours, ROUNDING) for line in lines), "EUR"
    )


def test_each_line_of_a_price_and_a_whole_cost_are_rounded_once_half_up():
    halves = [("architect", Decimal("0.5")), ("developer", Decimal("0.5"))]
    hourly = rates(architect="10.01", developer="10.01")
    lines = priced_lines(
        ((role, "delivery", hours) for role, hours in halves),
        {rate.role: rate.rate for rate in hourly},
        ROUNDING,
    )
    # 10.01 x 0.5 is 5.005 for each line.
    assert lines is not None
    assert [line.amount for line in lines] == [eur("5.01"), eur("5.01")]
    costs = COSTS.model_copy(update={"rates": hourly})
    half = [RoleHours(role=role, hours=hours) for role, hours in halves]
    assert cost_of_hours(half, costs, ROUNDING) == eur("10.01")


def test_a_rate_has_more_decimals_than_an_amount():
    third = per_hour("33.3333")
    lines = priced_lines([("tester", "delivery", Decimal(3))], {"tester": third}, ROUNDING)
    assert lines is not None
    assert [(line.rate, line.amount) for line in lines] == [(third, eur(100))]  # 99.9999


def bought(title: str, kind: PurchaseKind, amount: int | str) -> EstimatedPurchase:
    return EstimatedPurchase(title=title, kind=kind, phase="Build", amount=eur(amount))


PURCHASES = (
    bought("Travel", "expenses", 1_500),
    bought("Database", "licence", 2_400),
    bought("Storage", "licence", 600),
    bought("Penetration test", "subcontractor", 2_000),
)
WITH_PURCHASES = ESTIMATE.model_copy(update={"purchases": PURCHASES})
DISCOUNTED = COSTS.model_copy(
    update={
        "purchases": (
            PurchaseCost(kind="licence", percent=Decimal(80)),
            PurchaseCost(kind="subcontractor", percent=Decimal("87.5")),
        )
    }
)
"""Licences cost 80 % of what the customer is charged, subcontractors 87.5 %, the rest all of it."""


def test_purchases_are_priced_at_their_amounts_beside_the_hours():
    # 22,000 for the hours and 6,500 of purchases; the contingency is in the hours only.
    priced = PRICED.model_copy(
        update={
            "purchases": PURCHASES,
            "price": eur(28_500),
            "project_management_share": Decimal("23.1579"),
        }
    )
    # 11,220 for the hours; the purchases cost 6,500, which leaves 10,780 of 28,500.
    costed = EstimateCosted(estimate_version=1, cost=eur(17_720), margin=Decimal("0.378246"))
    outcome = opened().when_consumed(WITH_PURCHASES).then(priced, costed)
    [estimate] = outcome.view["estimates"]
    assert (estimate.price, estimate.purchases) == (eur(28_500), PURCHASES)
    # 1,500 + 80 % of 3,000 + 87.5 % of 2,000 are 5,650, and 11,630 of 28,500 are left.
    cheaper = EstimateCosted(estimate_version=1, cost=eur(16_870), margin=Decimal("0.40807"))
    opened().knowing(CARD, DISCOUNTED).when_consumed(WITH_PURCHASES).then(priced, cheaper)


def test_the_floor_contains_what_purchases_cost():
    for floor, place in (("40.8", "above"), ("40.81", "below")):
        costs = DISCOUNTED.model_copy(update={"floor": Decimal(floor)})
        outcome = opened().knowing(CARD, costs).when_consumed(WITH_PURCHASES)
        outcome.then(like(EstimatePriced, floor=place), like(EstimateCosted))


def test_only_two_different_estimates_are_compared_with_the_floor():
    """Otherwise estimates of one role with ever other purchases would tell its cost rate."""
    dear = COSTS.model_copy(update={"floor": Decimal(48)})
    engagement = opened().knowing(CARD, dear)
    floors = []
    for version, amount in enumerate((0, 1_000, 900, 1_000), start=1):
        estimate = ESTIMATE.model_copy(
            update={
                "version": version,
                "purchases": (bought("Travel", "expenses", amount),) if amount else (),
            }
        )
        outcome = engagement.when_consumed(estimate)
        floors += [
            each.event.floor for each in outcome.published if isinstance(each.event, EstimatePriced)
        ]
        engagement = outcome.after
    assert floors == ["above", "below", "unknown", "below"]
    split = ESTIMATE.model_copy(
        update={"version": 5, "lines": tuple(reversed(ESTIMATE.lines)), "purchases": ()}
    )
    engagement.when_consumed(split).then(
        like(EstimatePriced, floor="above"), like(EstimateCosted, estimate_version=5)
    )


def test_purchases_in_another_currency_are_not_priced():
    foreign = PURCHASES[0].model_copy(update={"amount": usd(1)})
    opened().when_consumed(ESTIMATE.model_copy(update={"purchases": (foreign,)})).then_nothing()


def test_the_cost_of_a_kind_of_purchases_that_is_not_listed_is_unknown():
    newer = PURCHASES[0].model_copy(update={"kind": Unlisted("equipment")})
    assert exact_cost((), COSTS, (newer,)) is None
    assert exact_cost((), None, PURCHASES) is None
    elsewhere = PURCHASES[0].model_copy(update={"amount": usd(100)})
    assert exact_cost((), COSTS, (elsewhere,)) is None


def test_the_cost_of_a_line_contains_its_purchases():
    licence = PlannedPurchase(kind="licence", amount=eur(1_000))
    hours = (RoleHours(role="developer", hours=Decimal(10)),)
    work = fixed_line(hours=hours, purchases=(licence,))
    assert cost_of_line(work, DISCOUNTED) == 500 + 800
    assert cost_of_line(work, COSTS) == 500 + 1_000
    assert cost_of_line(work, None) is None
    resold = fixed_line(hours=(), purchases=(licence,), price=eur(1_200))
    assert cost_of_line(resold, DISCOUNTED) == 800


def test_a_line_at_cost_has_no_margin_on_its_purchases():
    terms = {"line": "travel", "pricing": "at-cost", "kind": "licence"}
    whole = fixed_line(hours=(), **terms)
    assert whole.planned_purchases == (PlannedPurchase(kind="licence", amount=eur(20_000)),)
    assert cost_of_line(whole, DISCOUNTED) == cost_of_line(whole, None) == 20_000
    part = fixed_line(
        hours=(), purchases=(PlannedPurchase(kind="licence", amount=eur(15_000)),), **terms
    )
    assert cost_of_line(part, DISCOUNTED) == 15_000
