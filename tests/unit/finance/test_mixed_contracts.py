"""Check a contract of several lines from its signature through changes to its end."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from contracts.delivery import EngagementClosed
from contracts.event import Event
from contracts.finance import (
    AccountSettled,
    ChangePriced,
    RevenueRecognised,
)
from contracts.lines import BillingItem, LineScopeChange, NewLine, Retainer
from contracts.money import Money
from contracts.values import RoleHours
from finance.engagement import Engagement
from finance.pending.decisions import CatchUp
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario
from tests.amounts import eur
from tests.unit.finance.builders import (
    BASELINED,
    CARD,
    COSTS,
    REPORT,
    TASKS,
    accepted,
    allocate,
    amendment,
    assessed,
    contracted,
    drafts_and_invoices,
    entry,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    line_rates,
    progress,
    recognise,
    report,
    role_hours,
    scope,
    sow_of,
    time,
    year_end,
)

FIXED = fixed_line(line="build", hours=role_hours(architect=40, developer=160))
CAPPED = hourly_line(
    BillingItem(item="time", kind="time", amount=eur(6_000)),
    line="support",
    price=eur(6_000),
    hours=role_hours(developer=60),
    rates=line_rates(developer=100),
    deliverables=(),
)
RETAINER = fixed_line(
    BillingItem(item="fees", kind="period", amount=eur(3_000)),
    line="care",
    pricing="retainer",
    price=eur(3_000),
    hours=(),
    deliverables=(),
    retainer=Retainer(fee=eur(500), periods=6, starts_on=date(2026, 4, 1)),
)
THREE = sow_of(FIXED, CAPPED, RETAINER)


def of_support(month: str, amount: int | str, cumulative: int | str) -> Event:
    return entry(month, amount, cumulative, "as-invoiced", "support")


def of_care(month: str, amount: int | str, cumulative: int | str) -> Event:
    return entry(month, amount, cumulative, "over-time", "care")


def of_build(month: str, amount: int | str, cumulative: int | str) -> Event:
    return entry(month, amount, cumulative, "cost-to-cost")


def prices(engagement: Scenario[Engagement]) -> dict[str, Money]:
    """Return the prices of the lines; they add up to the price, and so do their schedules."""
    budget = engagement.view["budget"]
    assert budget.price == Money.total((each.price for each in budget.lines), "EUR")
    assert budget.price == Money.total((each.amount for each in budget.schedule), "EUR")
    return {each.line: each.price for each in budget.lines}


def signed_as_priced(
    engagement: Scenario[Engagement], change: str, *changes: LineScopeChange
) -> Scenario[Engagement]:
    """Return the scenario after a change was priced by Finance and signed at that price."""
    outcome = engagement.when_consumed(assessed(*changes, change=change))
    [priced] = [event for event in outcome.events if isinstance(event, ChangePriced)]
    return hearing(outcome.after, amendment(*priced.changes, change=change))


def test_a_change_that_adds_and_one_that_takes_a_third_away_keep_every_line_consistent():
    engagement = contracted(THREE)
    assert prices(engagement) == {"build": eur(20_000), "support": eur(6_000), "care": eur(3_000)}
    more = signed_as_priced(
        engagement,
        "CR-1",
        scope("build", developer=8, architect=2, added=(REPORT,)),
        scope("support", developer=6),
    )
    assert prices(more) == {"build": eur(21_100), "support": eur(6_600), "care": eur(3_000)}
    # A third of the hours of both lines: 14 + 56 of 210 planned hours, and 22 hours at 100 EUR.
    less = signed_as_priced(
        more,
        "CR-2",
        scope("build", architect=-14, developer=-56, removed=("portal",)),
        scope("support", developer=-22),
    )
    assert prices(less) == {"build": eur("14066.67"), "support": eur(4_400), "care": eur(3_000)}
    view = less.view["budget"]
    assert (view.signed_price, view.price) == (eur(29_000), eur("21466.67"))
    assert [each.hours for each in view.lines] == [
        {"architect": Decimal(28), "developer": Decimal(112)},
        {"developer": Decimal(44)},
        {},
    ]
    # The cost follows: 10,200 + 700 + 300 less 1,120 + 2,800 + 1,100 EUR.
    assert less.view["change_costs"] == {"CR-1": eur(860), "CR-2": eur(-5_020)}
    assert [each.left for each in view.schedule if each.item == "portal"] == []
    assert less.view["waiting"] == []


def at_work() -> Scenario[Engagement]:
    """Return the contract of three lines with work on two of them in April."""
    return hearing(
        contracted(THREE),
        time("a", role="architect", hours=10, line="build"),
        time("b", hours=20, line="support"),
        time("c", hours=16),
    )


def test_each_obligation_earns_by_its_own_method():
    march = year_end(at_work()).when(recognise("03"))
    march.then(of_support("03", 0, 0), of_care("03", 0, 0), of_build("03", 0, 0))
    # 800 of 11,200 EUR expected x 20,000; 36 h at 100; one month of 500
    april = march.after.when(recognise("04"))
    april.then(
        of_support("04", 3_600, 3_600),
        of_care("04", 500, 500),
        of_build("04", "1428.57", "1428.57"),
    )
    shown = april.after.then_view(recognised=eur("5528.57"), recognised_to="2026-04")
    open_revenue = {each.obligation: each.recognised for each in shown.view["obligations"]}
    assert open_revenue == {"fixed": None, "support": eur(3_600), "care": eur(500)}
    assert shown.view["revenue_by_cost"] == {"fixed": eur("1428.57")}


def test_the_cost_to_come_is_shared_by_the_remaining_hours_of_the_tasks():
    tasks = (
        TASKS[0].model_copy(update={"line": "build"}),
        TASKS[1].model_copy(update={"line": "build"}),
        TASKS[1].model_copy(
            update={"task": "t3", "line": "support", "hours": role_hours(developer=60)}
        ),
    )
    measured = hearing(
        at_work(),
        BASELINED.model_copy(update={"tasks": tasks}),
        progress("t1", 25),
        report(date(2026, 4, 20), hours_to_complete=200),
    )
    # 200 h at 13,200 / 210 EUR are to come, 140 of 200 remaining hours for the fixed line: 8,800.
    april = year_end(measured).after(recognise("03")).when(recognise("04"))
    assert april.events[-1] == of_build("04", "1666.67", "1666.67")


def without_hours_of_the_fixed_line(
    *events: Event, hours: tuple[RoleHours, ...] = ()
) -> Scenario[Engagement]:
    """Return the contract of three lines, reported by a plan that has hours of support alone."""
    support = TASKS[1].model_copy(update={"line": "support", "hours": role_hours(developer=60)})
    build = TASKS[0].model_copy(update={"line": "build", "hours": hours})
    plan = BASELINED.model_copy(update={"tasks": (build, support)})
    reported = hearing(at_work(), plan, report(date(2026, 4, 20), hours_to_complete=40), *events)
    return year_end(reported).after(recognise("03"))


@pytest.mark.parametrize("hours", [(), role_hours(architect=0)])
def test_a_plan_without_hours_of_a_fixed_line_does_not_tell_that_nothing_is_to_come(
    hours: tuple[RoleHours, ...],
):
    # The budget counts, as without a report: 800 of 11,200 EUR x 20,000.
    april = without_hours_of_the_fixed_line(hours=hours).when(recognise("04"))
    assert of_build("04", "1428.57", "1428.57") in april.events


def test_cost_above_the_budget_of_a_line_without_planned_hours_asks_for_a_plan_with_them():
    more = time("d", role="architect", hours=150, line="build")
    april = without_hours_of_the_fixed_line(more).after(recognise("04"))
    (waits,) = (
        each for each in april.view["waiting_for_costs"] if each.code == "forecast-outdated"
    )
    assert waits.owed_by == "delivery"
    assert "baseline a plan with hours for its lines" in waits.sentence


def test_revenue_by_cost_waits_for_costs_and_delays_no_other():
    unknown = contracted(THREE, costs=False).consumed(time("b", hours=20, line="support"))
    march = (
        year_end(unknown).when(recognise("03")).then(of_support("03", 0, 0), of_care("03", 0, 0))
    )
    april = march.when(recognise("04"))
    april.then(of_support("04", 2_000, 2_000), of_care("04", 500, 500))
    waits = april.after.then_view(recognised_to=None)
    codes = {each.code for each in waits.view["waiting_for_costs"]}
    assert codes == {"work-uncosted", "cost-unknown", "revenue-unrecognised"}
    known = waits.knowing(CARD, COSTS).when(CatchUp())
    assert known.events[-2:] == (of_build("03", 0, 0), of_build("04", 0, 0))
    known.after.then_view(recognised_to="2026-04", recognised=eur(2_500))


def test_a_changed_fee_is_earned_in_the_months_to_come():
    terms = Retainer(fee=eur(700), periods=6, starts_on=date(2026, 4, 1))
    raised = amendment(line_change(1_200, line="care", retainer=terms), signed_on=date(2026, 6, 10))
    months = year_end(hearing(contracted(THREE), raised))
    for month in ("03", "04", "05"):
        months = months.after(recognise(month))
    # 4,200 less 1,000 earned, in four months
    june = months.when(recognise("06"))
    assert of_care("06", 800, 1_800) in june.events
    months = june.after
    for month in ("07", "08", "09"):
        months = months.after(recognise(month))
    [care] = [each for each in months.view["obligations"] if each.obligation == "care"]
    assert care.recognised == eur(4_200)


def test_a_retainer_that_is_paid_ahead_is_earned_by_its_months():
    ahead = BillingItem(item="ahead", kind="on-signature", amount=eur(3_000))
    start = BillingItem(item="start", kind="on-signature", amount=eur(20_000))
    both = contracted(
        sow_of(
            FIXED.model_copy(update={"billing": (start,)}),
            RETAINER.model_copy(update={"billing": (ahead,)}),
        )
    )
    for number, (invoice, amount) in enumerate({"start": 20_000, "ahead": 3_000}.items(), start=1):
        both = issued(both, f"invoice-{invoice}", f"2026-{number:05}", date(2026, 4, 1))
        both = both.after(allocate(f"invoice-{invoice}", eur(amount)))
    done = hearing(both, *(accepted(each, date(2026, 4, 20)) for each in ("design", "portal")))
    settled = year_end(done.on(date(2026, 4, 30)).after(SettleAccount()))
    for month in ("03", "04", "05"):
        settled = settled.after(recognise(month))
    settled.then_view(recognised=eur(21_000), contract_liability=eur(2_000), contract_asset=eur(0))


def test_a_new_line_has_revenue_from_the_month_of_its_signature_that_is_not_recognised():
    new = NewLine(title="Training", pricing="time-and-materials")
    april = hearing(contracted(THREE), assessed(scope("training", new=new, tester=10)))
    april = april.on(date(2026, 5, 1)).after(recognise("03")).after(recognise("04"))
    change = line_change(900, line="training", new=new, rates=line_rates(tester=90))
    worked = time("t", role="tester", hours=4, day=date(2026, 4, 27))
    joined = hearing(april, amendment(change), worked)
    may = joined.on(date(2026, 6, 1)).when(recognise("05"))
    of_training = RevenueRecognised(
        month="2026-05",
        obligation="training",
        method="as-invoiced",
        amount=eur(360),
        cumulative=eur(360),
    )
    assert of_training in may.events


def test_the_forecast_margin_adds_fixed_prices_and_work_to_come_by_line():
    tasks = (
        TASKS[0].model_copy(update={"line": "build"}),
        TASKS[1].model_copy(update={"line": "support", "hours": role_hours(developer=60)}),
    )
    planned = hearing(at_work(), BASELINED.model_copy(update={"tasks": tasks}))
    # 3,600 EUR are worked on the line; 60 of 100 planned hours are its own: 15 h are to come.
    measured = hearing(planned, report(date(2026, 4, 20), hours_to_complete=25))
    forecast = measured.view["margins"].margin_forecast
    assert forecast.revenue == eur(20_000) + eur(3_000) + eur(3_600) + eur(1_500)
    capped = hearing(planned, report(date(2026, 4, 20), hours_to_complete=2_000))
    assert capped.view["margins"].margin_forecast.revenue == eur(29_000)
    # Once the other task is done, all hours to complete are on the line.
    rest = hearing(planned, progress("t1", 100), report(date(2026, 4, 20), hours_to_complete=20))
    expected = rest.view["margins"].margin_forecast.revenue
    assert expected == eur(20_000) + eur(3_000) + eur(3_600) + eur(2_000)


def test_a_contract_with_a_fixed_and_an_hourly_line_lives_to_its_closing():
    worked = hearing(
        contracted(sow_of(FIXED, CAPPED)),
        time("a", role="architect", hours=10, line="build"),
        time("b", hours=30),
        accepted("design", date(2026, 5, 4)),
        accepted("portal", date(2026, 6, 1)),
    )
    more = signed_as_priced(worked, "CR-1", scope("support", developer=10))
    cut = signed_as_priced(more, "CR-2", scope("build", developer=-20))
    assert prices(cut) == {"build": eur(18_000), "support": eur(7_000)}
    june = cut.on(date(2026, 6, 2)).after(BillTime(month="2026-06"))
    number = 0
    while drafts := [
        each.invoice for each in drafts_and_invoices(june).values() if each.stage == "drafted"
    ]:
        number += 1
        june = issued(june, drafts[0], f"2026-{number:05}", date(2026, 6, 2))
        owed = drafts_and_invoices(june)[drafts[0]].outstanding
        june = june.after(allocate(drafts[0], owed))
    settled = june.when(SettleAccount())
    assert settled.events[0] == AccountSettled(
        billed=eur(21_000), paid=eur(21_000), written_off=eur(0), settled_on=date(2026, 6, 2)
    )
    closed = year_end(hearing(settled.after, EngagementClosed(closed_on=date(2026, 6, 3))))
    for month in ("03", "04", "05", "06"):
        closed = closed.after(recognise(month))
    closed.then_view(recognised=eur(21_000), contract_asset=eur(0), contract_liability=eur(0))
    margins = closed.view["margins"]
    assert margins.margin_recognised == margins.margin_billed == margins.margin_forecast


lines = st.sampled_from(("build", "support"))


@settings(max_examples=30)
@any_of(
    st.lists(
        st.one_of(
            st.tuples(st.just("change"), lines, st.integers(-900_000, 900_000)),
            st.tuples(st.just("accept"), st.sampled_from(("design", "portal")), st.just(0)),
            st.tuples(st.just("work"), lines, st.integers(1, 40)),
            st.tuples(st.just("bill"), lines, st.just(0)),
        ),
        max_size=10,
    )
)
def test_the_budget_is_always_the_signed_price_with_the_signed_changes(
    happenings: list[tuple[str, str, int]],
):
    engagement = contracted(THREE).on(date(2026, 12, 31))
    expected = eur(29_000)
    for number, (what, name, amount) in enumerate(happenings):
        match what:
            case "change":
                delta = Decimal(amount) / 100
                before = engagement.view["budget"].price
                change = line_change(delta, line=name)
                engagement = hearing(engagement, amendment(change, change=f"CR-{number}"))
                if engagement.view["budget"].price != before:
                    expected = expected + eur(delta)
            case "accept":
                engagement = hearing(engagement, accepted(name))
            case "work":
                role = "architect" if name == "build" else "developer"
                work = time(str(number), role=role, hours=amount, line=name)
                engagement = hearing(engagement, work)
            case _:
                engagement = engagement.when(BillTime(month="2026-12")).after
        assert engagement.view["budget"].price == expected
        by_line = prices(engagement)
        billed = dict.fromkeys(by_line, eur(0))
        for invoice in engagement.state.billing.live:
            if invoice.stage == "drafted":
                for line in invoice.lines:
                    billed[line.line] = billed[line.line] + line.amount
        assert all(total <= by_line[line] for line, total in billed.items())


def test_an_unknown_cost_does_not_delay_the_revenue_of_a_line_that_is_added():
    new = NewLine(title="Training", pricing="time-and-materials")
    change = line_change(900, line="training", new=new, rates=line_rates(tester=90))
    unknown = contracted(costs=False).consumed(assessed(scope("training", new=new, tester=10)))
    year = year_end(unknown)
    year.when(recognise("03")).then_refused("revenue-not-measurable", missing={"cost-unknown"})
    worked = time("t", role="tester", hours=4, day=date(2026, 4, 27))
    added = hearing(year, amendment(change), worked)
    added.when(recognise("05")).then_refused("month-out-of-order", saying="2026-04 has to be")
    april = added.when(recognise("04")).then(entry("04", 360, 360, "as-invoiced", "training"))
    known = april.knowing(CARD, COSTS).after(CatchUp())
    known.then_view(recognised_to="2026-04")
