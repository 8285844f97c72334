"""Check the prices and costs of changes."""

from decimal import Decimal

from contracts.finance import (
    BudgetAmended,
    ChangeCosted,
    ChangePriced,
)
from contracts.values import PricedLine, RoleHours
from finance.pending.decisions import CatchUp
from testkit.scenario import like
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    CARD,
    COSTS,
    HOURLY_SOW,
    contracted,
    eur,
    opened,
    per_hour,
    rates,
)


def test_a_change_above_the_maximum_of_a_contract_item_is_not_priced():
    dear = CARD.model_copy(update={"rates": rates(tester=10**8)})
    line = RoleHours(role="tester", hours=Decimal(1_000_000))
    change = ASSESSED.model_copy(update={"lines": (line,)})
    contracted().knowing(dear, COSTS).when_consumed(change).then_nothing()


def test_a_change_is_priced_at_contracted_rates_and_by_the_card_only_where_there_is_none():
    priced = contracted(HOURLY_SOW).when_consumed(
        ASSESSED.model_copy(
            update={
                "lines": (
                    RoleHours(role="architect", hours=Decimal(10)),
                    RoleHours(role="tester", hours=Decimal(10)),
                    RoleHours(role="project-manager", hours=Decimal(5)),
                )
            }
        )
    )
    priced.then(
        ChangePriced(
            change="CR-1",
            lines=(
                PricedLine(
                    role="architect", hours=Decimal(10), rate=per_hour(140), amount=eur(1_400)
                ),
                PricedLine(role="tester", hours=Decimal(10), rate=per_hour(90), amount=eur(900)),
                PricedLine(
                    role="project-manager",
                    kind="project-management",
                    hours=Decimal(5),
                    rate=per_hour(180),
                    amount=eur(900),
                ),
            ),
            price=eur(3_200),
        ),
        like(ChangeCosted, change="CR-1", cost=eur(1_750), margin=Decimal("0.453125")),
    )


def test_a_change_without_hours_costs_the_customer_nothing():
    descoped = ASSESSED.model_copy(update={"lines": (), "deliverables_descoped": ("portal",)})
    contracted().when_consumed(descoped).then(
        ChangePriced(change="CR-1", lines=(), price=eur(0)),
        ChangeCosted(change="CR-1", cost=eur(0), margin=None),
    )


def test_a_change_waits_for_the_contract_and_its_next_assessment_is_priced_again():
    opened().when_consumed(ASSESSED).then_nothing()
    once = contracted().when_consumed(ASSESSED).then_accepted()
    less = ASSESSED.model_copy(update={"lines": (RoleHours(role="tester", hours=Decimal(1)),)})
    once.when_consumed(less).then(
        like(ChangePriced, price=eur(90)), like(ChangeCosted, cost=eur(45))
    )


def test_a_new_assessment_is_priced_even_if_the_last_one_could_not_be():
    misspelt = ASSESSED.model_copy(update={"lines": (RoleHours(role="tsetre", hours=Decimal(1)),)})
    waits = contracted().when_consumed(misspelt).then_nothing()
    waits.when(CatchUp()).then_refused("inputs-missing", missing={"change-not-priced"})
    priced = waits.when_consumed(ASSESSED)
    priced.then(like(ChangePriced, price=eur(2_900)), like(ChangeCosted, cost=eur(1_450)))
    priced.after.when(CatchUp()).then_nothing()


def test_a_new_assessment_is_costed_even_if_the_last_one_could_not_be():
    partial = COSTS.model_copy(update={"rates": rates(architect=80, developer=50)})
    uncosted = contracted().knowing(CARD, partial).when_consumed(ASSESSED)
    less = ASSESSED.model_copy(update={"lines": ASSESSED.lines[:1]})
    uncosted.then(like(ChangePriced, price=eur(2_900))).when_consumed(less).then(
        like(ChangePriced, price=eur(2_000)), like(ChangeCosted, cost=eur(1_000))
    )


def test_an_assessment_without_a_price_keeps_the_price_of_the_last_one():
    once = contracted().when_consumed(ASSESSED).then_accepted()
    unknown = ASSESSED.model_copy(update={"lines": (RoleHours(role="pilot", hours=Decimal(1)),)})
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
    less = ASSESSED.model_copy(update={"lines": ASSESSED.lines[:1]})
    both = uncosted.knowing(CARD, COSTS).when_consumed(less)
    both.then(
        like(ChangeCosted, cost=eur(1_450)),
        like(ChangePriced, price=eur(2_000)),
        like(ChangeCosted, cost=eur(1_000)),
    ).then_view(change_costs={"CR-1": eur(1_000)})
