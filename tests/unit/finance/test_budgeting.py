"""Check that the budget follows the signed statement of work, and each signed amendment."""

from datetime import date
from decimal import Decimal

from hypothesis import given as any_of
from hypothesis import strategies as st

from contracts.finance import (
    BillingEventDue,
    BudgetAmended,
    BudgetCosted,
    BudgetSet,
    InvoiceDrafted,
    RevenueMethodChosen,
)
from contracts.money import Money
from contracts.values import BillingItem, EstimateLine, Margin
from finance.budgeting.decisions import ChooseRevenueMethod
from finance.budgeting.schedule import schedule_after
from finance.pending.decisions import CatchUp
from testkit.scenario import like
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    COSTS,
    ESTIMATE,
    HOURLY_SOW,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    contracted,
    eur,
    opened,
    rates,
    usd,
)

CHOSEN = ChooseRevenueMethod(method="at-acceptance", why="One delivery at the end.")
BUDGET = BudgetSet(
    price=eur(20_000),
    hours=(
        EstimateLine(phase="Analysis", role="architect", hours=Decimal(44)),
        EstimateLine(phase="Build", role="developer", hours=Decimal(88)),
        EstimateLine(
            phase="Build", role="project-manager", hours=Decimal(33), kind="project-management"
        ),
    ),
    revenue_method="cost-to-cost",
    billing_schedule=SOW.billing_schedule,
)
COSTED = BudgetCosted(
    cost=eur(11_220),
    margin_sold=Margin(revenue=eur(20_000), cost=eur(11_220), margin=Decimal("0.439")),
)
DUE, DRAFTED = like(BillingEventDue, item="start"), like(InvoiceDrafted, amount=eur(5_000))


def nothing(item: str) -> Money:
    """Return zero: no entry is invoiced yet."""
    return eur(0)


def papers():
    return opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted().on(SIGNED)


def test_the_signature_sets_the_budget_from_the_signed_version():
    papers().when_consumed(SOW_SIGNED).then(BUDGET, COSTED, DUE, DRAFTED)


def test_the_budget_follows_the_signed_version_and_not_the_latest():
    newer = SOW.model_copy(update={"version": 2, "price": eur(30_000)})
    papers().consumed(newer).when_consumed(SOW_SIGNED).then(BUDGET, COSTED, DUE, DRAFTED)


def test_the_budget_is_set_once_its_last_source_is_known():
    late = opened().when_consumed(SOW_SIGNED, SOW, PROPOSED).then_nothing()
    assert BUDGET in late.when_consumed(ESTIMATE).events


def test_time_and_materials_are_recognised_as_invoiced():
    contracted(HOURLY_SOW).then_view(
        budget__revenue_method="as-invoiced",
        budget__rates={rate.role: rate.rate for rate in HOURLY_SOW.rates},
    )


def test_a_method_is_chosen_before_the_budget_and_recorded_in_it():
    chosen = (
        papers()
        .when(CHOSEN, by="cora")
        .then(RevenueMethodChosen(method="at-acceptance", why="One delivery at the end."))
    )
    chosen.when(CHOSEN).then_nothing()
    held = BUDGET.model_copy(update={"revenue_method": "at-acceptance"})
    chosen.when_consumed(SOW_SIGNED).then(held, COSTED, DUE, DRAFTED).when(CHOSEN).then_nothing()


def test_a_method_is_never_switched_and_has_to_fit_the_pricing():
    contracted().when(CHOSEN).then_refused("method-fixed", saying="cost-to-cost")
    opened().when(CHOSEN).then_refused("sow-unknown")
    invoiced = ChooseRevenueMethod(method="as-invoiced", why="Simple.")
    papers().when(invoiced).then_refused("method-does-not-fit", saying="fixed-price")
    opened().consumed(HOURLY_SOW).when(invoiced).then_accepted()
    papers().consumed(TERMINATED).when(CHOSEN).then_refused("engagement-over")


def test_a_contract_in_another_currency_sets_no_budget():
    dollars = SOW.model_copy(update={"price": usd(20_000)})
    opened().consumed(ESTIMATE, PROPOSED, dollars).when_consumed(
        SOW_SIGNED
    ).then_accepted().then_view(budget=None)


def test_an_amendment_is_in_price_and_schedule_once_its_change_is_priced():
    amended = BudgetAmended(
        change="CR-1",
        amendment="A-CR-1",
        price=eur(22_900),
        hours_delta=Decimal(30),
        billing_schedule=(*SOW.billing_schedule, *AMENDMENT.billing_schedule),
    )
    waits = contracted().when_consumed(AMENDMENT).then_nothing()
    outcome = waits.when_consumed(ASSESSED)
    assert amended in outcome.events
    contracted().when_consumed(ASSESSED).then_accepted().when_consumed(AMENDMENT).then(amended)


def test_amendments_are_applied_in_the_order_they_were_signed():
    other = AMENDMENT.model_copy(
        update={"amendment": "A-CR-2", "change": "CR-2", "price_delta": eur(100)}
    )
    second = ASSESSED.model_copy(update={"change": "CR-2"})
    waits = contracted().when_consumed(AMENDMENT, other, second).then_accepted()
    waits.then_view(budget__price=eur(20_000))
    outcome = waits.when_consumed(ASSESSED)
    prices = [event.price for event in outcome.events if isinstance(event, BudgetAmended)]
    assert prices == [eur(22_900), eur(23_000)]


def test_roles_that_an_amendment_adds_are_contracted_from_then_on():
    after = contracted(HOURLY_SOW).when_consumed(ASSESSED, AMENDMENT).then_accepted()
    contracted_rates = (*HOURLY_SOW.rates, *rates(tester=90))
    after.then_view(budget__rates={rate.role: rate.rate for rate in contracted_rates})


def test_unscheduled_increases_of_an_amendment_are_billed_as_the_contract_bills():
    bare = AMENDMENT.model_copy(update={"billing_schedule": ()})
    schedule = schedule_after(
        SOW.billing_schedule, bare, hourly=False, invoiced=nothing, credited=nothing
    )
    assert schedule[-1].kind == "on-acceptance"
    assert schedule[-1].deliverables == ("report",)
    hourly = schedule_after(
        HOURLY_SOW.billing_schedule, bare, hourly=True, invoiced=nothing, credited=nothing
    )
    assert (hourly[-1].kind, hourly[-1].amount) == ("time", eur(2_900))
    nothing_added = bare.model_copy(update={"deliverables_added": ()})
    dated = schedule_after(
        SOW.billing_schedule, nothing_added, hourly=False, invoiced=nothing, credited=nothing
    )
    assert (dated[-1].kind, dated[-1].due_on) == ("on-date", date(2026, 8, 7))


def test_a_price_cut_reduces_descoped_entries_and_then_the_last_ones():
    cut = AMENDMENT.model_copy(
        update={
            "price_delta": eur(-8_500),
            "billing_schedule": (),
            "deliverables_added": (),
            "deliverables_descoped": ("design",),
        }
    )
    schedule = schedule_after(
        SOW.billing_schedule, cut, hourly=False, invoiced=nothing, credited=nothing
    )
    assert [(item.item, item.amount) for item in schedule] == [
        ("start", eur(5_000)),
        ("portal", eur(6_500)),
    ]


def test_an_entry_with_the_id_of_another_gets_a_new_id():
    again = AMENDMENT.billing_schedule[0].model_copy(update={"item": "start"})
    amendment = AMENDMENT.model_copy(update={"billing_schedule": (again,)})
    schedule = schedule_after(
        SOW.billing_schedule, amendment, hourly=False, invoiced=nothing, credited=nothing
    )
    assert schedule[-1].item == "start-A-CR-1"


def test_a_price_cut_reduces_invoiced_amounts_last():
    billed = {"care": eur(2_000), "portal": eur(4_000)}

    def after(cut: int) -> list[tuple[str, Money]]:
        amendment = AMENDMENT.model_copy(
            update={
                "price_delta": eur(-cut),
                "billing_schedule": (),
                "deliverables_added": (),
            }
        )
        schedule = schedule_after(
            SOW.billing_schedule,
            amendment,
            hourly=False,
            invoiced=lambda item: billed.get(item, eur(0)),
            credited=nothing,
        )
        return [(item.item, item.amount) for item in schedule]

    spared = [("portal", eur(4_000)), ("care", eur(2_000))]
    assert after(4_000) == [("start", eur(5_000)), ("design", eur(5_000)), *spared]
    assert after(14_000) == spared
    assert after(15_000) == [("portal", eur(4_000)), ("care", eur(1_000))]


def test_a_price_cut_reduces_credited_amounts_once():
    invoiced = {"start": eur(5_000), "portal": eur(4_000)}
    credited = {"start": eur(3_000)}

    def less(
        schedule: tuple[BillingItem, ...], amount: int, *descoped: str
    ) -> tuple[BillingItem, ...]:
        cut = {"price_delta": eur(-amount), "deliverables_descoped": descoped}
        bare: dict[str, object] = {"billing_schedule": (), "deliverables_added": ()}
        return schedule_after(
            schedule,
            AMENDMENT.model_copy(update=cut | bare),
            hourly=False,
            invoiced=lambda item: invoiced.get(item, eur(0)),
            credited=lambda item: credited.get(item, eur(0)),
        )

    def amounts(schedule: tuple[BillingItem, ...]) -> list[int]:
        return [int(item.amount.amount) for item in schedule]

    once = less(SOW.billing_schedule, 2_500)
    assert amounts(once) == [2_500, 6_000, 7_000, 2_000]
    assert amounts(less(once, 2_500)) == [2_000, 6_000, 7_000]
    assert amounts(less(SOW.billing_schedule, 6_000, "design")) == [5_000, 7_000, 2_000]
    assert amounts(less(SOW.billing_schedule, 14_500, "design")) == [2_000, 3_500]


cents = st.integers(1, 10_000_000).map(lambda amount: eur(str(Decimal(amount) / 100)))


@any_of(
    st.lists(cents, min_size=1, max_size=6),
    st.lists(
        st.tuples(st.integers(-3_000_000, 3_000_000), st.lists(cents, max_size=3), st.booleans()),
        max_size=4,
    ),
)
def test_the_schedule_always_adds_up_to_the_price(
    amounts: list[Money], changes: list[tuple[int, list[Money], bool]]
):
    schedule = tuple(
        BillingItem(item=f"i{place}", kind="time", amount=amount)
        for place, amount in enumerate(amounts)
    )
    price = Money.total(amounts, "EUR")
    for place, (delta, listed, hourly) in enumerate(changes):
        amendment = AMENDMENT.model_copy(
            update={
                "amendment": f"A-{place}",
                "price_delta": eur(str(Decimal(delta) / 100)),
                "billing_schedule": tuple(
                    BillingItem(item=f"i{number}", kind="time", amount=amount)
                    for number, amount in enumerate(listed)
                ),
            }
        )
        price = price + amendment.price_delta
        schedule = schedule_after(
            schedule, amendment, hourly=hourly, invoiced=nothing, credited=nothing
        )
        if price.amount < 0:
            assert schedule == ()
            return
        assert Money.total((item.amount for item in schedule), "EUR") == price
        assert all(item.amount.amount > 0 for item in schedule)
        assert len({item.item for item in schedule}) == len(schedule)


def test_the_budget_is_costed_once_cost_rates_are_known():
    without = contracted(costs=False).then_view(budget_cost=None)
    outcome = without.knowing(COSTS).when(CatchUp())
    assert COSTED in outcome.events
