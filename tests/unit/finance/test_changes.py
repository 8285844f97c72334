"""Check the prices and costs of changes."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.finance import BudgetAmended, ChangeCosted, ChangePriced, LineCost
from contracts.lines import (
    BillingItem,
    LineChange,
    LineScopeChange,
    NewLine,
    Retainer,
)
from contracts.money import Money
from finance.pending.decisions import CatchUp
from testkit.scenario import like
from tests.amounts import (
    eur,
    per_hour,
)
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    CARD,
    COSTS,
    HOURLY_SOW,
    MONDAY,
    amendment,
    assessed,
    contracted,
    fixed_line,
    hearing,
    hourly_line,
    line_change,
    line_rates,
    opened,
    rates,
    scope,
    sow_of,
)

NEXT_MONDAY = MONDAY + timedelta(days=7)
TRAINING = NewLine(title="Training", pricing="time-and-materials")
CARE = fixed_line(
    BillingItem(item="fees", kind="period", amount=eur(3_000)),
    line="care",
    pricing="retainer",
    price=eur(3_000),
    hours=(),
    deliverables=(),
    retainer=Retainer(fee=eur(500), periods=6, starts_on=MONDAY),
)


def test_a_change_above_the_maximum_of_a_contract_item_is_not_priced():
    dear = CARD.model_copy(update={"rates": rates(tester=10**8)})
    change = assessed(scope(tester=1_000_000))
    contracted().knowing(dear, COSTS).when_consumed(change).then_nothing()


def test_a_change_is_priced_at_the_rates_of_the_line_and_by_the_card_where_there_is_none():
    change = scope(architect=10, tester=10, project_manager=5)
    contracted(HOURLY_SOW).when_consumed(assessed(change)).then(
        ChangePriced(
            change="CR-1",
            changes=(
                line_change(
                    3_200,  # 1,400 + 900 + 900
                    hours=change.hours,
                    rates=line_rates(tester=90),
                ),
            ),
            price=eur(3_200),
        ),
        ChangeCosted(
            change="CR-1",
            cost=eur(1_750),
            lines=(LineCost(line="work", cost=eur(1_750)),),
            margin=Decimal("0.453125"),
        ),
    )


def test_a_change_without_hours_costs_the_customer_nothing():
    contracted().when_consumed(assessed(scope(removed=("portal",)))).then(
        like(ChangePriced, changes=(line_change(0, removed=("portal",)),), price=eur(0)),
        like(ChangeCosted, cost=eur(0), margin=None),
    )


def price_of(change: LineScopeChange) -> Money | None:
    """Return the price of a change of the usual fixed line, or None where it is unknown."""
    outcome = contracted(sow_of(fixed_line(), CARE)).when_consumed(assessed(change))
    prices = [event.price for event in outcome.events if isinstance(event, ChangePriced)]
    return prices[0] if prices else None


def test_hours_taken_away_lower_the_price_and_the_cost():
    change = scope(developer=-20, tester=5)
    contracted(sow_of(hourly_line(rates=line_rates(developer=100)))).when_consumed(
        assessed(change)
    ).then(
        like(ChangePriced, price=eur(-1_550)),  # -2,000 + 450 by the card
        like(ChangeCosted, cost=eur(-775), margin=Decimal("0.5")),
    )


def test_scope_is_taken_from_a_fixed_line_in_proportion_to_its_price_per_planned_hour():
    assert price_of(scope(developer=-33)) == eur(-4_000)  # 33 of 165 planned hours
    assert price_of(scope(architect=-44, developer=-88, project_manager=-33)) == eur(-20_000)
    assert price_of(scope(developer=-500)) == eur(-20_000)
    with_a_rate = sow_of(fixed_line(rates=line_rates(developer=110)))
    contracted(with_a_rate).when_consumed(assessed(scope(developer=-33))).then(
        like(ChangePriced, price=eur(-3_630)), like(ChangeCosted)
    )


def test_the_rate_of_the_day_of_the_assessment_counts():
    later = line_rates(developer=120)[0].model_copy(update={"from_day": MONDAY})
    line = hourly_line(rates=(*line_rates(developer=100), later))
    known = contracted(sow_of(line))
    for day, price in ((MONDAY.replace(day=5), 1_000), (MONDAY, 1_200)):
        known.on(day).when_consumed(assessed(scope(developer=10))).then(
            like(ChangePriced, price=eur(price)), like(ChangeCosted)
        )


def test_rates_alone_are_priced_at_nothing_and_kept():
    line = hourly_line(rates=line_rates(developer=100))
    raised = line_rates(developer=110)[0].model_copy(update={"from_day": NEXT_MONDAY})
    change = scope().model_copy(update={"rates": (raised,)})
    contracted(sow_of(line)).when_consumed(assessed(change)).then(
        like(
            ChangePriced,
            price=eur(0),
            changes=(LineChange(**{**dict(change), "price_delta": eur(0)}),),
        ),
        like(ChangeCosted),
    )
    other = raised.model_copy(update={"rate": per_hour(110, "USD")})
    in_dollars = scope().model_copy(update={"rates": (other,)})
    assert price_of(in_dollars) is None


def test_hours_are_priced_at_the_rate_that_their_change_gives():
    line = hourly_line(rates=line_rates(developer=100))
    for first_day, price in ((None, 1_100), (MONDAY, 1_100), (NEXT_MONDAY, 1_000)):
        raised = line_rates(developer=110)[0].model_copy(update={"from_day": first_day})
        change = scope(developer=10).model_copy(update={"rates": (raised,)})
        known = contracted(sow_of(line)).on(MONDAY)
        known.when_consumed(assessed(change)).then(
            like(ChangePriced, price=eur(price)), like(ChangeCosted)
        )


def test_a_new_line_is_priced_by_the_card_and_agrees_its_rates_where_it_bills_by_the_hour():
    change = scope("training", new=TRAINING, developer=10)
    contracted().when_consumed(assessed(change)).then(
        like(
            ChangePriced,
            price=eur(1_000),
            changes=(
                line_change(
                    1_000,
                    line="training",
                    hours=change.hours,
                    new=TRAINING,
                    rates=line_rates(developer=100),
                ),
            ),
        ),
        like(ChangeCosted, lines=(LineCost(line="training", cost=eur(500)),)),
    )


@pytest.mark.parametrize(
    "change",
    [
        scope("care", developer=10),
        scope("training", new=TRAINING),
        scope("off", new=NewLine(title="Off", kind="discount", pricing="fixed"), developer=1),
        scope("more", new=NewLine(title="Care", pricing="retainer"), developer=1),
        scope("unknown", developer=1),
        scope("work", new=TRAINING, developer=1),
        scope(pilot=1),
    ],
)
def test_a_price_that_cannot_be_known_is_unknown(change: LineScopeChange):
    assert price_of(change) is None


def test_a_change_of_a_retainer_is_costed_once_its_amendment_has_a_price():
    waits = contracted(sow_of(fixed_line(), CARE)).when_consumed(
        assessed(scope("care", developer=10))
    )
    raised = Retainer(fee=eur(600), periods=6, starts_on=MONDAY)
    signed = amendment(line_change(600, line="care", retainer=raised))
    hearing(waits.then_nothing(), signed).then_view(change_costs={"CR-1": eur(500)})


def test_a_change_waits_for_the_contract_and_its_next_assessment_is_priced_again():
    opened().when_consumed(ASSESSED).then_nothing()
    once = contracted().when_consumed(ASSESSED).then_accepted()
    less = assessed(scope(tester=1))
    once.when_consumed(less).then(
        like(ChangePriced, price=eur(90)), like(ChangeCosted, cost=eur(45))
    )


def test_a_new_assessment_is_priced_even_if_the_last_one_could_not_be():
    misspelt = assessed(scope(tsetre=1))
    waits = contracted().when_consumed(misspelt).then_nothing()
    waits.when(CatchUp()).then_nothing()
    assert [each.code for each in waits.view["waiting"]] == ["change-not-priced"]
    priced = waits.when_consumed(ASSESSED)
    priced.then(like(ChangePriced, price=eur(2_900)), like(ChangeCosted, cost=eur(1_450)))
    priced.after.when(CatchUp()).then_nothing()


def test_a_new_assessment_is_costed_even_if_the_last_one_could_not_be():
    partial = COSTS.model_copy(update={"rates": rates(architect=80, developer=50)})
    uncosted = contracted().knowing(CARD, partial).when_consumed(ASSESSED)
    less = assessed(scope(developer=20))
    uncosted.then(like(ChangePriced, price=eur(2_900))).when_consumed(less).then(
        like(ChangePriced, price=eur(2_000)), like(ChangeCosted, cost=eur(1_000))
    )


def test_an_assessment_without_a_price_keeps_the_price_of_the_last_one():
    once = contracted().when_consumed(ASSESSED).then_accepted()
    unknown = assessed(scope(pilot=1))
    kept = once.when_consumed(unknown).then_nothing()
    kept.then_view(change_costs={"CR-1": eur(1_450)})
    assert [each.price for each in kept.view["changes"]] == [eur(2_900), None]
    outcome = kept.when_consumed(AMENDMENT)
    assert [each.price for each in outcome.events if isinstance(each, BudgetAmended)] == [
        eur(22_900)
    ]


def test_a_cost_belongs_to_the_assessment_that_is_priced_and_not_to_a_newer_one():
    partial = COSTS.model_copy(update={"rates": rates(architect=80, developer=50)})
    uncosted = contracted().knowing(CARD, partial).when_consumed(ASSESSED).then_accepted()
    less = assessed(scope(developer=20))
    both = uncosted.knowing(CARD, COSTS).when_consumed(less)
    both.then(
        like(ChangeCosted, cost=eur(1_450)),
        like(ChangePriced, price=eur(2_000)),
        like(ChangeCosted, cost=eur(1_000)),
    ).then_view(change_costs={"CR-1": eur(1_000)})
