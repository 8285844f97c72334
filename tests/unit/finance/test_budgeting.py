"""Check that the budget follows the signed statement of work, and each signed amendment."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from contracts.finance import (
    BillingEventDue,
    BudgetAmended,
    BudgetCosted,
    BudgetSet,
    InvoiceDrafted,
    LineCost,
    RevenueMethodChosen,
)
from contracts.legal import AmendmentSigned
from contracts.lines import (
    BillingItem,
    ContractLine,
    NewLine,
    PerformanceObligation,
    Retainer,
    total_price,
)
from contracts.money import Money
from contracts.values import Margin, RevenueMethod
from finance.budgeting.decisions import ChooseRevenueMethod
from finance.budgeting.obligations import obligations_of
from finance.budgeting.schedule import amended_lines
from finance.pending.decisions import CatchUp
from testkit.scenario import like
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    ADDED,
    AMENDMENT,
    ASSESSED,
    COSTS,
    ESTIMATE,
    HOURLY_SOW,
    PROPOSED,
    REPORT,
    REPORT_ENTRY,
    SCHEDULE,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    amendment,
    assessed,
    contracted,
    cut_by,
    fixed_line,
    hearing,
    hourly_line,
    line_change,
    line_rates,
    method,
    opened,
    scope,
    sow_of,
)

CHOSEN = method("at-acceptance")


def fixed_obligation(method: RevenueMethod = "cost-to-cost", *lines: str) -> PerformanceObligation:
    return PerformanceObligation(obligation="fixed", lines=lines or ("work",), method=method)


BUDGET = BudgetSet(price=eur(20_000), lines=SOW.lines, obligations=(fixed_obligation(),))
COSTED = BudgetCosted(
    cost=eur(11_220),
    lines=(LineCost(line="work", cost=eur(11_220)),),
    margin_sold=Margin(revenue=eur(20_000), cost=eur(11_220), margin=Decimal("0.439")),
)
DUE, DRAFTED = like(BillingEventDue, item="start"), like(InvoiceDrafted, amount=eur(5_000))


def papers():
    return opened().when_consumed(ESTIMATE, PROPOSED, SOW).then_accepted().on(SIGNED)


def test_the_signature_sets_the_budget_from_the_signed_version():
    papers().when_consumed(SOW_SIGNED).then(BUDGET, COSTED, DUE, DRAFTED)


def test_the_budget_follows_the_signed_version_and_not_the_latest():
    newer = sow_of(fixed_line(price=eur(30_000)), version=2)
    papers().consumed(newer).when_consumed(SOW_SIGNED).then(BUDGET, COSTED, DUE, DRAFTED)


def test_the_budget_is_set_once_its_last_source_is_known_and_needs_no_estimate():
    late = opened().when_consumed(SOW_SIGNED).then_nothing()
    assert late.when_consumed(SOW).events[0] == BUDGET


def test_the_budget_does_not_wait_for_cost_rates():
    without = contracted(costs=False).then_view(budget_cost=None, budget__price=eur(20_000))
    outcome = without.knowing(COSTS).when(CatchUp())
    assert COSTED in outcome.events


def test_a_contract_whose_lines_do_not_add_up_sets_no_budget():
    wrong = SOW.model_copy(update={"price": eur(19_000)})
    unset = opened().consumed(wrong).when_consumed(SOW_SIGNED).then_nothing()
    unset.then_view(budget=None)
    assert [each.code for each in unset.view["waiting"]] == ["budget-not-set"]


def test_time_and_materials_are_recognised_as_invoiced():
    contracted(HOURLY_SOW).then_view(
        budget__obligations=[
            PerformanceObligation(obligation="work", lines=("work",), method="as-invoiced")
        ]
    )


def retainer_line(line: str = "care", fee: int = 500, periods: int = 6) -> ContractLine:
    return fixed_line(
        BillingItem(item="fees", kind="period", amount=eur(fee * periods)),
        line=line,
        pricing="retainer",
        price=eur(fee * periods),
        hours=(),
        deliverables=(),
        retainer=Retainer(fee=eur(fee), periods=periods, starts_on=date(2026, 5, 1)),
    )


def test_fixed_lines_are_one_obligation_and_every_other_line_is_its_own():
    discount = fixed_line(
        BillingItem(item="off", kind="on-date", amount=eur(-100), reduces="care", due_on=SIGNED),
        line="discount",
        kind="discount",
        price=eur(-100),
        hours=(),
        deliverables=(),
    )
    lines = (
        discount,
        fixed_line(),
        hourly_line(line="fixed", rates=line_rates(architect=1)),
        retainer_line("care"),
        fixed_line(line="manage", kind="project-management"),
        fixed_line(line="travel", pricing="at-cost", kind="expenses"),
    )
    groups = {each.obligation: each for each in obligations_of(lines, {})}
    assert {name: each.lines for name, each in groups.items()} == {
        "fixed": ("work", "manage", "discount"),
        "fixed-2": ("fixed",),
        "care": ("care",),
        "travel": ("travel",),
    }
    assert [each.method for each in groups.values()] == [
        "cost-to-cost",
        "as-invoiced",
        "over-time",
        "as-invoiced",
    ]


def test_a_line_whose_id_is_that_of_the_fixed_obligation_founds_another_one():
    hourly = hourly_line(line="fixed")
    groups = {each.obligation: each.lines for each in obligations_of((hourly, fixed_line()), {})}
    assert groups == {"fixed-2": ("fixed",), "fixed": ("work",)}


def test_a_discount_on_a_line_that_is_not_fixed_belongs_to_its_obligation():
    discount = fixed_line(
        BillingItem(item="off", kind="on-signature", amount=eur(-100), reduces="time"),
        line="discount",
        kind="discount",
        price=eur(-100),
        hours=(),
        deliverables=(),
    )
    [only] = obligations_of((discount, hourly_line()), {})
    assert (only.obligation, only.lines) == ("work", ("work", "discount"))


def test_a_method_is_chosen_before_the_budget_and_recorded_in_it():
    chosen = (
        papers()
        .when(CHOSEN, by="cora")
        .then(RevenueMethodChosen(obligation="fixed", method="at-acceptance", why="Short."))
    )
    chosen.when(CHOSEN).then_nothing()
    held = BUDGET.model_copy(update={"obligations": (fixed_obligation("at-acceptance"),)})
    chosen.when_consumed(SOW_SIGNED).then(held, COSTED, DUE, DRAFTED).when(CHOSEN).then_nothing()


def test_a_method_is_never_switched_and_has_to_fit_the_pricing():
    contracted().when(CHOSEN).then_refused("method-fixed", saying="cost-to-cost")
    opened().when(CHOSEN).then_refused("sow-unknown")
    papers().when(method("as-invoiced")).then_refused("method-does-not-fit", saying="fixed")
    papers().when(method("over-time")).then_refused("method-does-not-fit", saying="fixed")
    hourly = opened().consumed(HOURLY_SOW)
    hourly.when(CHOSEN).then_refused("obligation-unknown")
    of_work = ChooseRevenueMethod(obligation="work", method="as-invoiced", why="Simple.")
    hourly.when(of_work).then_accepted()
    over_time = of_work.model_copy(update={"method": "over-time"})
    hourly.when(over_time).then_refused("method-does-not-fit", saying="time-and-materials")
    papers().consumed(TERMINATED).when(CHOSEN).then_refused("engagement-over")


def test_a_choice_that_does_not_fit_the_signed_version_is_not_applied():
    chosen = papers().after(CHOSEN)
    hourly = hourly_line(line="fixed", rates=line_rates(architect=1, developer=1))
    later = chosen.consumed(sow_of(hourly, version=2))
    signed = later.when_consumed(SOW_SIGNED.model_copy(update={"version": 2}))
    [budget] = [event for event in signed.events if isinstance(event, BudgetSet)]
    assert [each.method for each in budget.obligations] == ["as-invoiced"]


def test_a_contract_in_another_currency_sets_no_budget():
    dollars = sow_of(
        fixed_line(BillingItem(item="all", kind="on-signature", amount=usd(5)), price=usd(5))
    )
    opened().consumed(ESTIMATE, PROPOSED, dollars).when_consumed(
        SOW_SIGNED
    ).then_accepted().then_view(budget=None)


def test_an_amendment_is_in_lines_price_and_schedule():
    amended = BudgetAmended(
        change="CR-1",
        amendment="A-CR-1",
        price=eur(22_900),
        lines=(
            fixed_line(
                *SCHEDULE,
                REPORT_ENTRY,
                price=eur(22_900),
                deliverables=("design", "portal", "report"),
            ),
        ),
        obligations=(fixed_obligation(),),
        signed_on=AMENDMENT.signed_on,
        unnamed_work_from=AMENDMENT.signed_on,
        treatment="catch-up",
        why="It changes fixed lines, which are one obligation (IFRS 15.21(b)).",
    )
    contracted().when_consumed(AMENDMENT).then(amended)
    contracted().when_consumed(ASSESSED).then_accepted().when_consumed(AMENDMENT).then(amended)


def test_amendments_are_applied_in_the_order_they_were_signed():
    other = amendment(line_change(100), change="CR-2")
    outcome = contracted().when_consumed(AMENDMENT, other)
    prices = [event.price for event in outcome.events if isinstance(event, BudgetAmended)]
    assert prices == [eur(22_900), eur(23_000)]


def test_an_amendment_that_does_not_fit_the_lines_waits_and_delays_no_other():
    unknown = amendment(line_change(line="other"), change="CR-9")
    deep = cut_by(30_000, change="CR-8")
    waits = contracted().when_consumed(unknown, deep).then_nothing()
    assert [each.code for each in waits.view["waiting"]] == ["budget-not-amended"] * 2
    waits.when_consumed(AMENDMENT).then(like(BudgetAmended, price=eur(22_900)))


def more_hours_alone() -> AmendmentSigned:
    new = NewLine(title="Training", pricing="fixed")
    return amendment(line_change(line="training", new=new, price=2_000))


def test_new_lines_at_the_price_of_finance_are_a_separate_contract():
    new = NewLine(title="Training", pricing="fixed")
    priced = hearing(contracted(), assessed(scope("training", new=new, developer=20)))  # at 100 EUR
    amended = priced.when_consumed(more_hours_alone())
    [event] = [each for each in amended.events if isinstance(each, BudgetAmended)]
    assert event.treatment == "separate"
    assert [(each.obligation, each.lines) for each in event.obligations] == [
        ("fixed", ("work",)),
        ("fixed-A-CR-1", ("training",)),
    ]
    dearer = amendment(line_change(line="training", new=new, price=2_001))
    joined = priced.when_consumed(dearer)
    assert like(
        BudgetAmended,
        treatment="catch-up",
        obligations=(fixed_obligation("cost-to-cost", "work", "training"),),
    ).matches(joined.events[0])


def test_an_amendment_of_new_lines_waits_for_its_price_in_either_order():
    new = NewLine(title="Training", pricing="fixed")
    waits = contracted().when_consumed(more_hours_alone()).then_nothing()
    both = waits.when_consumed(assessed(scope("training", new=new, developer=20)))
    [event] = [each for each in both.events if isinstance(each, BudgetAmended)]
    assert event.treatment == "separate"


def test_changes_of_hours_and_retainers_are_prospective():
    mixed = sow_of(hourly_line(), retainer_line())
    longer = line_change(
        1_500,
        line="care",
        retainer=Retainer(fee=eur(500), periods=9, starts_on=date(2026, 5, 1)),
    )
    contracted(mixed).when_consumed(amendment(line_change(100), longer)).then(
        like(BudgetAmended, treatment="prospective")
    )


def test_roles_that_an_amendment_adds_are_contracted_from_then_on():
    added = ADDED.model_copy(update={"rates": line_rates(tester=90)})
    after = hearing(contracted(HOURLY_SOW), amendment(added))
    [line] = after.view["budget"].lines
    assert line.rates == [*HOURLY_SOW.lines[0].rates, *line_rates(tester=90)]


def nothing(item: str) -> Money:
    """Return zero: no entry is invoiced yet."""
    return eur(0)


def schedule_after(line: ContractLine, signed: AmendmentSigned) -> tuple[BillingItem, ...]:
    [after] = amended_lines((line,), signed, invoiced=nothing, given_back=nothing)
    assert after.billed == after.price
    return after.billing


def test_unscheduled_increases_of_an_amendment_are_billed_as_the_line_bills():
    bare = amendment(line_change(added=(REPORT,)))
    schedule = schedule_after(fixed_line(), bare)
    assert schedule[-1].kind == "on-acceptance"
    assert schedule[-1].deliverables == ("report",)
    hourly = schedule_after(hourly_line(), bare)
    assert (hourly[-1].kind, hourly[-1].amount) == ("time", eur(2_900))
    dated = schedule_after(fixed_line(), amendment(line_change()))
    assert (dated[-1].kind, dated[-1].due_on) == ("on-date", date(2026, 8, 7))
    terms = Retainer(fee=eur(600), periods=6, starts_on=date(2026, 5, 1))
    raised = amendment(line_change(600, line="care", retainer=terms))
    [months] = schedule_after(retainer_line(), raised)
    assert (months.kind, months.amount) == ("period", eur(3_600))


def test_a_price_cut_reduces_descoped_entries_and_then_the_last_ones():
    schedule = schedule_after(fixed_line(), cut_by(8_500, "design"))
    assert [(item.item, item.amount) for item in schedule] == [
        ("start", eur(5_000)),
        ("portal", eur(6_500)),
    ]


def test_what_a_cut_leaves_of_a_removed_deliverable_is_billed_with_the_others():
    design = schedule_after(fixed_line(), cut_by(1_000, "design"))[1]
    assert (design.item, design.amount, design.kind) == ("design", eur(5_000), "on-acceptance")
    assert design.deliverables == ("portal",)
    neither = schedule_after(fixed_line(), cut_by(1_000, "design", "portal"))
    assert [(item.kind, item.due_on) for item in neither if item.item in {"design", "portal"}] == [
        ("on-date", date(2026, 8, 7)),
        ("on-date", date(2026, 8, 7)),
    ]


def test_a_price_cut_reduces_the_entries_of_its_line_only():
    lines = (fixed_line(), retainer_line())
    shorter = Retainer(fee=eur(500), periods=4, starts_on=date(2026, 5, 1))
    cut = amendment(line_change(-1_000, line="care", retainer=shorter))
    work, care = amended_lines(lines, cut, invoiced=nothing, given_back=nothing)
    assert work == lines[0]
    assert [(item.item, item.amount) for item in care.billing] == [("fees", eur(2_000))]


def test_an_entry_with_the_id_of_another_gets_a_new_id():
    again = REPORT_ENTRY.model_copy(update={"item": "start"})
    schedule = schedule_after(fixed_line(), amendment(line_change(billing=(again,))))
    assert schedule[-1].item == "start-A-CR-1"


def test_a_price_cut_reduces_invoiced_amounts_last():
    billed = {"care": eur(2_000), "portal": eur(4_000)}

    def after(cut: int) -> list[tuple[str, Money]]:
        [line] = amended_lines(
            (fixed_line(),),
            cut_by(cut),
            invoiced=lambda item: billed.get(item, eur(0)),
            given_back=nothing,
        )
        return [(item.item, item.amount) for item in line.billing]

    spared = [("portal", eur(4_000)), ("care", eur(2_000))]
    assert after(4_000) == [("start", eur(5_000)), ("design", eur(5_000)), *spared]
    assert after(14_000) == spared
    assert after(15_000) == [("portal", eur(4_000)), ("care", eur(1_000))]


def test_a_price_cut_reduces_what_was_given_back_once():
    invoiced = {"start": eur(5_000), "portal": eur(4_000)}
    given_back = {"start": eur(3_000)}

    def less(line: ContractLine, amount: int, *descoped: str) -> ContractLine:
        [after] = amended_lines(
            (line,),
            cut_by(amount, *descoped),
            invoiced=lambda item: invoiced.get(item, eur(0)),
            given_back=lambda item: given_back.get(item, eur(0)),
        )
        return after

    def amounts(line: ContractLine) -> list[int]:
        return [int(item.amount.amount) for item in line.billing]

    once = less(fixed_line(), 2_500)
    assert amounts(once) == [2_500, 6_000, 7_000, 2_000]
    assert amounts(less(once, 2_500)) == [2_000, 6_000, 7_000]
    assert amounts(less(fixed_line(), 6_000, "design")) == [5_000, 7_000, 2_000]
    assert amounts(less(fixed_line(), 14_500, "design")) == [2_000, 3_500]


def discount_line(amount: int, reduces: str) -> ContractLine:
    item = BillingItem(
        item="off",
        kind="on-acceptance",
        amount=eur(amount),
        reduces=reduces,
        deliverables=("portal",),
    )
    return fixed_line(
        item, line="off", kind="discount", price=eur(amount), hours=(), deliverables=()
    )


def test_a_discount_follows_its_price_and_reduces_an_entry_that_exists():
    lines = (fixed_line(), discount_line(-1_000, "portal"))
    more = amendment(line_change(-500, line="off"))
    _, off = amended_lines(lines, more, invoiced=nothing, given_back=nothing)
    assert [(item.amount, item.reduces) for item in off.billing] == [
        (eur(-1_000), "portal"),
        (eur(-500), "care"),
    ]
    gone = cut_by(7_000, "portal")
    _, off = amended_lines(lines, gone, invoiced=nothing, given_back=nothing)
    assert [(item.amount, item.reduces) for item in off.billing] == [(eur(-1_000), "care")]
    paid = {"care": eur(2_000)}
    _, off = amended_lines(
        lines, more, invoiced=lambda item: paid.get(item, eur(0)), given_back=nothing
    )
    assert off.billing[-1].reduces == "portal"
    much = amendment(line_change(-18_500, line="off"))
    _, off = amended_lines(lines, much, invoiced=nothing, given_back=nothing)
    assert [(item.amount, item.reduces) for item in off.billing[1:]] == [
        (eur(-2_000), "care"),
        (eur(-6_000), "portal"),
        (eur(-6_000), "design"),
        (eur(-4_500), "start"),
    ]
    most = amendment(line_change(-19_001, line="off"))
    with pytest.raises(ValueError, match="less than the discounts"):
        amended_lines(lines, most, invoiced=nothing, given_back=nothing)
    less = amendment(line_change(1_000, line="off"))
    _, off = amended_lines(lines, less, invoiced=nothing, given_back=nothing)
    assert off.billing == ()


cents = st.integers(1, 10_000_000).map(lambda amount: eur(str(Decimal(amount) / 100)))


@any_of(
    st.lists(cents, min_size=1, max_size=6),
    st.lists(
        st.tuples(st.integers(-3_000_000, 3_000_000), st.lists(cents, max_size=3)), max_size=4
    ),
    st.booleans(),
)
def test_the_schedule_of_a_line_always_adds_up_to_its_price(
    amounts: list[Money], changes: list[tuple[int, list[Money]]], hourly: bool
):
    build = hourly_line if hourly else fixed_line
    schedule = tuple(
        BillingItem(item=f"i{place}", kind="on-signature", amount=amount)
        for place, amount in enumerate(amounts)
    )
    other = fixed_line(line="other")
    line = build(*schedule, price=Money.total(amounts, "EUR"))
    for place, (delta, listed) in enumerate(changes):
        signed = amendment(
            line_change(
                Decimal(delta) / 100,
                billing=tuple(
                    BillingItem(item=f"i{number}", kind="on-signature", amount=amount)
                    for number, amount in enumerate(listed)
                ),
            ),
            amendment=f"A-{place}",
        )
        price = line.price + signed.price_delta
        if price.amount < 0:
            with pytest.raises(ValueError, match="must not be negative"):
                amended_lines((line, other), signed, invoiced=nothing, given_back=nothing)
            return
        line, same = amended_lines((line, other), signed, invoiced=nothing, given_back=nothing)
        assert same == other
        assert line.price == line.billed == price
        assert total_price((line, other), "EUR") == price + eur(20_000)
        assert all(item.amount.amount > 0 for item in line.billing)
        assert len({item.item for item in line.billing}) == len(line.billing)
