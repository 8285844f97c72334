"""Check that an expected loss is provided at once, used up with the cost, and zero at the end."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import pytest

from contracts.delivery import EngagementClosed, PlanBaselined
from contracts.event import Event
from contracts.finance import (
    LossProvided,
    LossReleased,
    PeriodCosted,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.lines import BillingItem, NewLine
from contracts.values import PlannedTask
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote
from finance.periods.requests import BookPeriod
from testkit.scenario import Scenario
from tests.amounts import eur
from tests.unit.finance.builders import (
    BASELINED,
    REPORT,
    TERMINATED,
    TRAVEL,
    accepted,
    amendment,
    assessed,
    contracted,
    credit_issued,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    line_rates,
    recognise,
    report,
    role_hours,
    scope,
    sow_of,
    time,
    time_reversed,
    year_end,
)

MAY_6 = date(2026, 5, 6)


def of_hours(hours: int) -> PlanBaselined:
    """Return a plan of one task, whose hours cost 50 EUR each."""
    task = PlannedTask(
        task="t1",
        title="Build",
        phase="Build",
        starts_on=date(2026, 4, 6),
        finishes_on=date(2026, 7, 31),
        hours=role_hours(developer=hours),
    )
    return BASELINED.model_copy(update={"tasks": (task,)})


def over_three_months(
    price: int, costs: tuple[int, int, int], to_come: tuple[int, int]
) -> tuple[list[PeriodCosted], Scenario[Engagement]]:
    """Return the booked months of a contract with these costs; they are the years of a source.

    `to_come` is the estimated cost to complete at the end of the first two months. In the third,
    everything is accepted.
    """
    item = BillingItem(
        item="all", kind="on-acceptance", amount=eur(price), deliverables=("design", "portal")
    )
    hours = (costs[0] + to_come[0]) // 50
    line = fixed_line(item, price=eur(price), hours=role_hours(developer=hours))
    engagement = hearing(contracted(sow_of(line)), of_hours(hours))
    booked = []
    for number, cost in enumerate(costs):
        month = f"{4 + number:02}"
        day = date(2026, 4 + number, 28)
        events: list[Event] = [expense(f"x{number}", eur(cost), day, billable=False)]
        if number < len(to_come):
            events.append(report(day, hours_to_complete=to_come[number] // 50))
        else:
            events += [accepted(each, day) for each in ("design", "portal")]
        engagement = hearing(engagement, *events).on(date(2026, 5 + number, 3))
        if not number:
            engagement = engagement.after(recognise("03"))
        engagement = engagement.after(recognise(month))
        booking = engagement.when(BookPeriod(company="us", month=f"2026-{month}", accepted="So."))
        booked += [each for each in booking.events if isinstance(each, PeriodCosted)]
        engagement = booking.then_accepted()
    return booked, engagement


def profits(months: Iterable[PeriodCosted]) -> list[Decimal]:
    return [(each.recognised_by_cost - each.cost - each.loss).amount for each in months]


def test_a_year_with_an_overall_loss() -> None:
    """Check Kieso, Weygandt, Warfield, *Intermediate Accounting*, problem 18 (long-term contract).

    A price of 1,950,000; costs to date 150,000, 1,200,000, 2,100,000; to come 1,350,000, 800,000.
    Profit of 45,000, then losses of 95,000 (75,000 of the year, 20,000 still to come) and 100,000.
    """
    booked, end = over_three_months(1_950_000, (150_000, 1_050_000, 900_000), (1_350_000, 800_000))
    assert profits(booked) == [45_000, -95_000, -100_000]
    assert [each.loss for each in booked] == [eur(0), eur(20_000), eur(-20_000)]
    assert [each.expected_loss for each in end.view["expected_losses"]] == [eur(0)]
    margin = booked[1].margin
    assert margin is not None
    assert margin.revenue - margin.cost == eur(-95_000)


def test_a_year_with_a_loss_but_no_overall_loss() -> None:
    """Check "Indiana Co.", Spiceland, *Intermediate Accounting* (in thousands).

    A price of 164,000; costs of 39,000, 66,000 and the rest; to come 81,000, then 51,000. Revenue
    of 53,300, then 57,085 (57,080 with the percentage rounded): the second year loses 8,915, and
    no loss is to come.
    """
    booked, _ = over_three_months(164_000, (39_000, 66_000, 51_000), (81_000, 51_000))
    assert [each.recognised_by_cost for each in booked[:2]] == [eur(53_300), eur("57084.62")]
    assert [each.loss for each in booked] == [eur(0)] * 3


def losing() -> Scenario[Engagement]:
    """Return a contract of 20,000 EUR that cost 3,200 EUR by 20 April, with 400 h at 68 to come."""
    worked = hearing(contracted(), BASELINED, time("a", role="architect", hours=40))
    return hearing(worked, report(date(2026, 4, 20), hours_to_complete=400))


def kept(
    scenario: Scenario[Engagement],
) -> dict[str | None, tuple[Decimal | int, Decimal | int, Decimal | int]]:
    """Return loss, write-down and provision by amendment."""
    return {
        each.amendment: (
            each.expected_loss.amount,
            each.asset_written_down.amount,
            each.provision.amount,
        )
        for each in scenario.view["expected_losses"]
    }


def test_a_forecast_at_a_loss_is_provided_for_with_its_report() -> None:
    """Check EAC 30,400 on a price of 20,000 EUR: of 10,400, the cost to date is 3,200."""
    engagement = losing()
    assert kept(engagement) == {None: (7_200, 0, 7_200)}
    # April earns 3,200 / 30,400 x 20,000 = 2,105.26, which is not billed: it is written down first.
    march = year_end(engagement).after(recognise("03"))
    april = march.when(recognise("04"))
    [provided] = [each for each in april.events if isinstance(each, LossProvided)]
    assert (provided.month, provided.as_of) == ("2026-04", date(2026, 4, 30))
    assert provided.amount == eur("2105.26")
    assert provided.cost_to_come == eur(27_200)
    assert provided.revenue_to_come == eur("17894.74")
    kept_now = Decimal("9305.26"), Decimal("2105.26"), Decimal(7_200)
    assert kept(april.after) == {None: kept_now}
    measured = hearing(april.after, report(MAY_6, hours_to_complete=400))
    margin = measured.view["margins"].margin_recognised
    assert margin.revenue - margin.cost == eur(-10_400)


def test_the_loss_of_a_month_counts_in_it_also_if_a_later_report_is_measured() -> None:
    later = hearing(losing(), report(MAY_6, hours_to_complete=400)).on(date(2026, 5, 8))
    april = later.after(recognise("03")).after(recognise("04"))
    booking = april.when(BookPeriod(company="us", month="2026-04", accepted="So."))
    [costed] = [each for each in booking.events if isinstance(each, PeriodCosted)]
    assert costed.loss == eur("9305.26")
    assert costed.recognised_by_cost - costed.cost - costed.loss == eur(-10_400)
    assert kept(booking.after)[None][0] == Decimal("9305.26")


def test_what_is_measured_after_a_month_was_booked_counts_in_the_next_one() -> None:
    worked = hearing(contracted(), BASELINED, time("a", role="architect", hours=40))
    april = worked.on(date(2026, 5, 3)).after(recognise("03")).after(recognise("04"))
    booked = april.after(BookPeriod(company="us", month="2026-04", accepted="So."))
    outcome = booked.when_consumed(report(date(2026, 4, 30), hours_to_complete=400))
    [provided] = [each for each in outcome.events if isinstance(each, LossProvided)]
    assert (provided.month, provided.as_of) == ("2026-05", date(2026, 4, 30))


def test_a_provision_is_used_up_as_the_cost_comes() -> None:
    spent = time("b", hours=100, day=date(2026, 5, 4))
    april = year_end(hearing(losing(), spent)).after(recognise("03")).after(recognise("04"))
    may = april.when(recognise("05"))
    [released] = [each for each in may.events if isinstance(each, LossReleased)]
    # 5,000 of cost came, and 5,000 / 30,400 x 20,000 = 3,289.48 of revenue.
    assert released.amount == eur("1710.52")
    assert released.expected_loss == eur("7594.74")


def test_a_better_forecast_releases_a_provision() -> None:
    better = hearing(losing(), report(MAY_6, hours_to_complete=110))
    assert kept(better) == {None: (0, 0, 0)}


@pytest.mark.parametrize("ends", [(TERMINATED,), (EngagementClosed(closed_on=date(2026, 5, 15)),)])
def test_at_the_end_nothing_is_provided_for(ends: tuple[Event, ...]) -> None:
    assert kept(hearing(losing(), *ends)) == {None: (0, 0, 0)}


def test_what_is_accepted_costs_no_more_whatever_the_forecast_said() -> None:
    done = hearing(losing(), *(accepted(each, MAY_6) for each in ("design", "portal")))
    may = year_end(done).after(recognise("03")).after(recognise("04")).after(recognise("05"))
    assert kept(may) == {None: (0, 0, 0)}


def test_only_the_unbilled_part_of_revenue_is_written_down() -> None:
    sent = issued(losing(), "invoice-start", "2026-00001", date(2026, 4, 30))
    april = year_end(sent).after(recognise("03")).after(recognise("04"))
    assert kept(april) == {None: (Decimal("9305.26"), 0, Decimal("9305.26"))}


def test_what_was_given_up_of_the_price_makes_the_loss_larger() -> None:
    sent = issued(losing(), "invoice-start", "2026-00001", date(2026, 4, 21))
    note = IssueCreditNote(
        intent="give-back", invoice="invoice-start", amount=eur(1_000), why="Late."
    )
    back = credit_issued(sent.on(date(2026, 4, 25)), note)
    april = year_end(back).after(recognise("03")).after(recognise("04"))
    # 27,200 to come, less 19,000 and 1,105.26 that is recognised
    assert kept(april)[None][0] == Decimal("9305.26")


def test_work_below_its_cost_by_time_and_materials_is_provided_for() -> None:
    """Check 10 EUR an hour for work that costs 50: each remaining hour loses 40."""
    line = hourly_line(
        BillingItem(item="time", kind="time", amount=eur(1_000)),
        price=eur(1_000),
        estimated=True,
        rates=line_rates(developer=10),
        hours=role_hours(developer=100),
    )
    worked = hearing(contracted(sow_of(line)), of_hours(100), time("a", hours=20))
    measured = hearing(worked, report(date(2026, 4, 20), hours_to_complete=50))
    # 2,500 to come for 500 EUR, and 200 for what is done, which no month recognised yet
    assert kept(measured) == {None: (1_800, 0, 1_800)}
    april = year_end(measured).after(recognise("03")).after(recognise("04"))
    assert kept(april) == {None: (2_000, 200, 1_800)}


def test_an_amendment_that_is_a_contract_of_its_own_has_a_loss_of_its_own() -> None:
    """Check that a profit of the contract does not hide the loss of another one."""
    new = NewLine(title="Reports", pricing="fixed")
    more = assessed(scope("reports", new=new, architect=10, added=(REPORT,)))
    priced = hearing(contracted(), BASELINED, more)
    change = line_change(1_450, line="reports", new=new, added=(REPORT,))
    assert priced.view["changes"][0].price is not None
    price = priced.view["changes"][0].price
    signed = hearing(priced, amendment(change.model_copy(update={"price_delta": price})))
    budget = signed.state.budget
    assert budget is not None
    assert budget.history[-1].treatment == "separate"
    plan = of_hours(150)
    tasks = (
        plan.tasks[0].model_copy(update={"line": "work"}),
        plan.tasks[0].model_copy(
            update={"task": "t2", "line": "reports", "hours": role_hours(developer=50)}
        ),
    )
    replanned = plan.model_copy(update={"version": 2, "tasks": tasks, "changes": ("CR-1",)})
    measured = hearing(signed, replanned, report(MAY_6, hours_to_complete=200))
    # 50 h at 50 EUR for the price of the reports; 150 h at 50 EUR for 20,000 EUR
    assert kept(measured) == {"A-CR-1": (2_500 - price.amount, 0, 2_500 - price.amount)}


def test_while_a_cost_is_unknown_no_loss_is_measured() -> None:
    unknown = hearing(
        contracted(), BASELINED, time("a", role="pilot"), report(date(2026, 4, 20), 400)
    )
    assert kept(unknown) == {}


def travelling() -> Scenario[Engagement]:
    """Return a fixed price of 10,000 EUR and 2,040 of travel, of which 400 are spent.

    100 hours cost 5,000 EUR, and 300 hours are to come at 50 EUR.
    """
    line = fixed_line(price=eur(10_000), hours=role_hours(developer=200))
    engagement = hearing(contracted(sow_of(line, TRAVEL)), of_hours(200))
    spent = expense("x", eur(400), date(2026, 4, 20), line="travel")
    worked = time("a", hours=100)
    return hearing(engagement, worked, spent, report(date(2026, 4, 28), hours_to_complete=300))


def test_purchases_to_come_are_cost_of_their_own_line_once() -> None:
    engagement = travelling()
    # 300 x 50 and 2,040 - 400 of travel to come, for 12,040 of which nothing is recognised yet
    assert kept(engagement) == {None: (4_600, 0, 4_600)}
    april = year_end(engagement).after(recognise("03")).when(recognise("04"))
    earned = {
        each.obligation: each.amount
        for each in april.events
        if isinstance(each, RevenueRecognised | RevenueByCostRecognised)
    }
    # 10,000 x 5,000 / (5,000 + 15,000): the travel to come is no cost of the fixed price
    assert earned == {"fixed": eur(2_500), "travel": eur(400)}
    # The whole contract loses 22,040 - 12,040 = 10,000, of which 5,400 - 2,900 are lost by now.
    assert kept(april.after) == {None: (7_500, 2_900, 4_600)}


def test_late_and_reversed_work_of_before_a_forecast_is_not_to_come() -> None:
    late = time("late", role="architect", hours=10)
    first = time("a", role="architect", hours=40)
    for engagement in (losing(), year_end(losing()).after(recognise("03")).after(recognise("04"))):
        known = kept(engagement)
        assert known[None][0] > 0
        assert kept(hearing(engagement, late)) == known
        assert kept(hearing(engagement, time_reversed(first))) == known


def test_a_correction_of_time_makes_no_loss_of_a_profit() -> None:
    first = time("a", role="architect", hours=40)
    worked = hearing(contracted(), BASELINED, first)
    profit = hearing(worked, report(date(2026, 4, 20), hours_to_complete=1))
    april = year_end(profit).after(recognise("03")).after(recognise("04"))
    assert kept(april) == {}
    assert kept(hearing(april, time_reversed(first))) == {}


def test_a_margin_contains_the_loss_that_follows_from_its_report() -> None:
    march = year_end(losing()).after(recognise("03"))
    april = hearing(march.after(recognise("04")), report(date(2026, 4, 30), hours_to_complete=100))
    found = april.view["margins"].margin_recognised
    # AC 3,200 and 100 x 68 to come cost less than the price: nothing is expected to be lost.
    assert kept(april) == {None: (0, 0, 0)}
    assert found.cost == eur(3_200)


def test_a_loss_that_cannot_be_measured_stays_what_it_was() -> None:
    engagement = hearing(losing(), report(MAY_6, hours_to_complete=400))
    unknown = hearing(engagement, time("u", role="wizard", day=date(2026, 5, 5)))
    april = year_end(unknown).after(recognise("03")).after(recognise("04"))
    assert kept(unknown) == kept(engagement)
    # April's loss changes with its revenue. What May adds to it does, too, so that the sum stays.
    assert april.state.provisions.loss_to("2026-04").expected == Decimal("9305.26")
    assert kept(april) == kept(engagement)


def test_the_forecast_margin_is_without_what_was_given_up() -> None:
    sent = issued(losing(), "invoice-start", "2026-00001", date(2026, 4, 21))
    note = IssueCreditNote(
        intent="give-back", invoice="invoice-start", amount=eur(1_000), why="Late."
    )
    back = credit_issued(sent.on(date(2026, 4, 25)), note)
    found = hearing(back, report(date(2026, 4, 28), hours_to_complete=400)).view["margins"]
    assert found.margin_forecast.revenue == eur(19_000)


def test_the_forecast_margin_is_on_the_price_that_is_signed_by_its_day() -> None:
    change = amendment(line_change(-10_000), signed_on=date(2026, 4, 10))
    cut = hearing(losing(), assessed(scope()), change)
    found = hearing(cut, report(date(2026, 4, 28), hours_to_complete=100)).view["margins"]
    assert found.margin_forecast.revenue == eur(10_000)
