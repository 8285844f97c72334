"""Check revenue month by month, by one method, never beyond the price."""

from calendar import monthrange
from datetime import date
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.delivery import EngagementClosed
from contracts.event import Event
from contracts.finance import (
    LossProvided,
    LossReleased,
    RevenueByCostRecognised,
    RevenueRecognised,
)
from contracts.lines import BillingItem, ContractLine, Retainer
from contracts.money import Money
from contracts.values import Deliverable, RevenueMethod
from finance.calendar_months import after, end_of
from finance.drafts.decisions import EditInvoice, LineEdit
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote, VoidInvoice
from finance.revenue.balances import contract_asset, contract_liability
from finance.revenue.decisions import RecogniseRevenue
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like
from tests.amounts import eur
from tests.unit.finance.builders import (
    BASELINED,
    ESTIMATE,
    HOURLY_SOW,
    MONDAY,
    NO_HOURS,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TASKS,
    TERMINATED,
    accepted,
    allocate,
    at_acceptance,
    contracted,
    credit_issued,
    cut_by,
    delivered,
    drafts_and_invoices,
    entry,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_rates,
    method,
    opened,
    recognise,
    recognised,
    report,
    sow_of,
    time,
    year_end,
)

ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))


def test_cost_to_cost_earns_the_share_of_the_expected_cost_that_is_spent():
    worked = hearing(
        contracted(),
        time("a", role="architect", hours=40),
        time("b", hours=20, day=date(2026, 5, 4)),
    )
    march = year_end(worked).when(recognise("03")).then(entry("03", 0, 0, "cost-to-cost"))
    april = march.when(recognise("04")).then(
        entry("04", "5704.10", "5704.10", "cost-to-cost")  # 3,200 of 11,220 x 20,000
    )
    april.when(recognise("05")).then(entry("05", "1782.53", "7486.63", "cost-to-cost"))


def test_revenue_by_invoice_rounds_the_value_of_all_unbilled_work_once():
    rated = sow_of(hourly_line(rates=line_rates(architect=140, developer="10.01")))
    worked = hearing(contracted(rated), *(time(entry, hours="0.5") for entry in ("a", "b", "c")))
    # Three times 5.005 are 15.015; rounded one by one they would be 15.03.
    march = year_end(worked).when(recognise("03")).then(entry("03", 0, 0, "as-invoiced"))
    march.when(recognise("04")).then(entry("04", "15.02", "15.02", "as-invoiced"))


def test_work_that_is_billed_earns_what_its_invoices_charge() -> None:
    """Check 5.005 EUR on each of two invoices: 10.02 EUR, not the 10.01 EUR of both."""
    rated = sow_of(hourly_line(ALL_AS_TIME, rates=line_rates(developer="10.01")))
    worked = hearing(contracted(rated), time("a", hours="0.5")).on(date(2026, 5, 4))
    first = issued(
        worked.after(BillTime(month="2026-04")), "invoice-time-2026-04", "1", date(2026, 5, 4)
    )
    june = date(2026, 6, 4)
    more = hearing(first, time("b", hours="0.5", day=date(2026, 5, 5))).on(june)
    both = issued(more.after(BillTime(month="2026-05")), "invoice-time-2026-05", "2", june)
    months = year_end(both).after(recognise("03")).after(recognise("04"))
    all_months = months.when(recognise("05")).then(entry("05", "5.01", "10.02", "as-invoiced"))
    view = all_months.after(recognise("06")).view
    assert (view["contract_asset"], view["contract_liability"]) == (eur(0), eur(0))


def test_what_was_given_back_for_good_is_no_revenue() -> None:
    worked = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))), time("a", hours=10))
    billed = worked.on(date(2026, 5, 4)).after(BillTime(month="2026-04"))
    sent = issued(billed, "invoice-time-2026-04", "1", date(2026, 4, 30))
    note = IssueCreditNote(
        intent="give-back", invoice="invoice-time-2026-04", amount=eur(300), why="Late."
    )
    months = year_end(credit_issued(sent.on(date(2026, 5, 20)), note)).after(recognise("03"))
    april = months.when(recognise("04")).then(entry("04", 1_000, 1_000, "as-invoiced"))
    april.when(recognise("05")).then(entry("05", -300, 700, "as-invoiced"))


def given_back(engagement: Scenario[Engagement], amount: int) -> Scenario[Engagement]:
    """Return the scenario after a part of the first invoice was given back for good on 20 May."""
    return credit_issued(
        engagement.on(date(2026, 5, 20)),
        IssueCreditNote(
            intent="give-back", invoice="invoice-start", amount=eur(amount), why="Late."
        ),
    )


def test_what_was_given_back_of_a_fixed_price_is_no_revenue_from_its_day() -> None:
    sent = issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))
    worked = given_back(hearing(sent, time("a", role="architect", hours=40)), 500)
    april = year_end(worked).after(recognise("03")).after(recognise("04"))
    assert recognised(april, "04") == eur("5704.10")
    may = april.when(recognise("05")).then(entry("05", -500, "5204.10", "cost-to-cost"))
    done = hearing(may, *(accepted(each, date(2026, 6, 3)) for each in ("design", "portal")))
    assert recognised(done.after(recognise("06")), "06") == eur(19_500)


def test_what_was_given_back_of_an_accepted_deliverable_is_no_revenue_from_its_day() -> None:
    sent = issued(at_acceptance(), "invoice-start", "2026-00001", date(2026, 4, 1))
    half = given_back(hearing(sent, accepted("design", date(2026, 4, 20))), 500)
    april = year_end(half).after(recognise("03")).after(recognise("04"))
    april.when(recognise("05")).then(entry("05", -500, 9_500, "at-acceptance"))


def test_more_given_back_than_earned_is_no_negative_revenue() -> None:
    sent = issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))
    may = year_end(given_back(sent, 5_000)).after(recognise("03")).after(recognise("04"))
    march = may.when(recognise("05")).then(entry("05", 0, 0, "cost-to-cost"))
    done = hearing(march, *(accepted(each, date(2026, 6, 3)) for each in ("design", "portal")))
    assert recognised(done.after(recognise("06")), "06") == eur(15_000)


def test_what_an_amendment_takes_off_the_price_is_not_given_back_twice() -> None:
    sent = issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))
    cut = cut_by(2_000, signed_on=date(2026, 6, 1))
    done = hearing(
        given_back(sent, 3_000),
        NO_HOURS,
        cut,
        *(accepted(each, date(2026, 6, 3)) for each in ("design", "portal")),
    )
    months = year_end(done).after(recognise("03")).after(recognise("04")).after(recognise("05"))
    # The customer owes 18,000 less 1,000, which is what 3,000 given back exceed the cut by.
    assert recognised(months.after(recognise("06")), "06") == eur(17_000)


def test_what_was_written_down_on_an_invoice_is_no_revenue_from_its_day() -> None:
    drafted = hearing(at_acceptance(), accepted("design", date(2026, 4, 20)))
    [line] = drafts_and_invoices(drafted)["invoice-start"].lines
    less = LineEdit(invoice_line=line.invoice_line, amount=eur(4_200))
    lowered = drafted.after(EditInvoice(invoice="invoice-start", why="Late.", lines=(less,)))
    sent = issued(lowered, "invoice-start", "2026-00001", date(2026, 5, 4))
    april = year_end(sent).after(recognise("03")).after(recognise("04"))
    april.when(recognise("05")).then(entry("05", -800, 9_200, "at-acceptance"))


def test_what_was_cancelled_to_be_billed_again_stays_revenue() -> None:
    sent = issued(at_acceptance(), "invoice-start", "2026-00001", date(2026, 4, 1))
    half = hearing(sent, accepted("design", date(2026, 4, 20))).on(date(2026, 5, 20))
    note = IssueCreditNote(intent="cancel-and-rebill", invoice="invoice-start", why="Address.")
    april = year_end(credit_issued(half, note)).after(recognise("03")).after(recognise("04"))
    april.when(recognise("05")).then(entry("05", 0, 10_000, "at-acceptance"))


def test_what_was_given_back_of_a_retainer_is_no_revenue_from_its_day() -> None:
    care = fixed_line(
        BillingItem(item="fees", kind="period", amount=eur(3_000)),
        line="care",
        pricing="retainer",
        price=eur(3_000),
        hours=(),
        deliverables=(),
        retainer=Retainer(fee=eur(500), periods=6, starts_on=date(2026, 4, 1)),
    )
    due = contracted(sow_of(care)).when_deadline("due-fees-2026-04").then_accepted()
    sent = issued(due, "invoice-fees-2026-04", "2026-00001", date(2026, 4, 1))
    note = IssueCreditNote(
        intent="give-back", invoice="invoice-fees-2026-04", amount=eur(200), why="Outage."
    )
    months = year_end(credit_issued(sent.on(date(2026, 5, 20)), note))
    april = months.after(recognise("03")).when(recognise("04"))
    may = april.then(entry("04", 500, 500, "over-time", "care")).when(recognise("05"))
    june = may.then(entry("05", 300, 800, "over-time", "care")).when(recognise("06"))
    june.then(entry("06", 500, 1_300, "over-time", "care"))


def test_a_part_of_the_price_is_rounded_once():
    """Check 1/22 of 16,090.91 EUR: exactly 731.405 EUR, less if 1/22 is rounded before."""
    price, first = eur("16090.91"), date(2026, 3, 30)
    spent = hearing(
        contracted(sow_of(fixed_line(price=price))),
        expense("x", eur(510), first, billable=False),
    )
    year_end(spent).after(recognise("03")).then_view(recognised=eur("731.41"))
    names = tuple(f"part-{number}" for number in range(22))
    item = BillingItem(item="all", kind="on-acceptance", amount=price, deliverables=names)
    sow = sow_of(
        fixed_line(item, price=price, deliverables=names),
        deliverables=tuple(Deliverable(deliverable=name, title="Part") for name in names),
    )
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow).then_accepted()
    chosen = papers.after(method("at-acceptance"))
    done = hearing(chosen.on(SIGNED), SOW_SIGNED, accepted(names[0], first))
    year_end(done).after(recognise("03")).then_view(recognised=eur("731.41"))


def test_the_last_measured_cost_at_completion_is_used_from_its_day():
    worked = hearing(
        contracted(),
        BASELINED,
        time("a", role="architect", hours=40),
        report(date(2026, 5, 6), hours_to_complete=110),
    )
    months = year_end(worked).after(recognise("03"))
    april = months.when(recognise("04")).then(entry("04", "5704.10", "5704.10", "cost-to-cost"))
    # 3,200 of 3,200 + 110 h at 68 = 10,680 expected
    april.when(recognise("05")).then(entry("05", "288.41", "5992.51", "cost-to-cost"))


def test_of_two_reports_of_one_day_the_second_corrects_the_first():
    first = report(date(2026, 4, 15), hours_to_complete=110)
    second = report(date(2026, 4, 15), hours_to_complete=300)
    worked = hearing(contracted(), BASELINED, time("a", role="architect", hours=40), first, second)
    # 3,200 of 3,200 + 300 h at 68 = 23,600 expected
    year_end(worked).after(recognise("03")).when(recognise("04")).then(
        entry("04", "2711.86", "2711.86", "cost-to-cost"), like(LossProvided)
    )


def test_once_everything_is_accepted_the_whole_price_is_earned():
    done = hearing(
        contracted(), time("a"), accepted("design"), accepted("portal", date(2026, 6, 3))
    )
    months = year_end(done).after(recognise("03")).after(recognise("04")).after(recognise("05"))
    assert recognised(months, "05") < eur(20_000)
    assert recognised(months.after(recognise("06")), "06") == eur(20_000)


def overrun() -> Scenario[Engagement]:
    """Return a contract whose cost of April, 12,800 EUR, is above the budgeted 11,220 EUR."""
    much = hearing(contracted(), BASELINED, time("a", role="architect", hours=160))
    return year_end(much).when(recognise("03")).then(entry("03", 0, 0, "cost-to-cost"))


def test_more_cost_than_the_forecast_stops_recognition_until_a_newer_one() -> None:
    outdated = overrun().when(recognise("04"), roles=["confidential"])
    outdated.then_refused(
        "revenue-not-measurable", missing={"forecast-outdated"}, saying="out of date"
    )
    # 12,800 of 12,800 + 100 h at 68 = 19,600 expected; the report of May knows the cost of April.
    known = hearing(overrun(), report(date(2026, 5, 6), hours_to_complete=100))
    known.when(recognise("04")).then(entry("04", "13061.22", "13061.22", "cost-to-cost"))


def test_without_the_right_to_costs_a_refusal_does_not_tell_that_cost_exceeds_a_forecast() -> None:
    outdated = overrun().when(recognise("04"))
    outdated.then_refused("revenue-not-measurable", missing={"cost-unknown"})


def test_a_month_that_cannot_be_measured_delays_no_later_one() -> None:
    done = hearing(overrun(), *(accepted(each, date(2026, 6, 3)) for each in ("design", "portal")))
    refused = done.when(recognise("05"), roles=["confidential"])
    refused.then_refused("revenue-not-measurable", missing={"forecast-outdated"})
    june = done.when(recognise("06")).then(entry("06", 20_000, 20_000, "cost-to-cost"))
    june.when(recognise("04")).then_refused("month-recognised")


def test_cost_above_the_forecast_does_not_stop_other_obligations() -> None:
    more = hourly_line(ALL_AS_TIME, line="support", hours=(), deliverables=())
    tasks = tuple(each.model_copy(update={"line": "work"}) for each in TASKS)
    plan = BASELINED.model_copy(update={"tasks": tasks})
    both = hearing(contracted(sow_of(fixed_line(), more)), plan)
    worked = hearing(
        both,
        time("a", role="architect", hours=160, line="work"),
        time("b", hours=10, line="support"),
    )
    march = year_end(worked).after(recognise("03"))
    april = march.when(recognise("04")).then(entry("04", 1_000, 1_000, "as-invoiced", "support"))
    waiting = april.view["waiting_for_costs"]
    assert [each.code for each in waiting] == ["revenue-unrecognised", "forecast-outdated"]
    assert waiting[-1].owed_by == "delivery"
    owed = april.decider.work(april.state, confidential=True)
    assert [each.kind.code for each in owed] == ["forecast-outdated"]
    # All hours to come are of the fixed line: 12,800 of 12,800 + 100 h at 68.
    outcome = april.when_consumed(report(date(2026, 5, 6), hours_to_complete=100))
    assert entry("04", "13061.22", "13061.22", "cost-to-cost") in outcome.events


def test_cost_as_high_as_the_forecast_earns_the_price() -> None:
    """Check a forecast that expects nothing more: all of the work is done."""
    done = hearing(
        contracted(),
        BASELINED,
        time("a", role="architect", hours=160),
        report(date(2026, 4, 30), hours_to_complete=0),
    )
    march = year_end(done).after(recognise("03"))
    march.when(recognise("04")).then(entry("04", 20_000, 20_000, "cost-to-cost"))


def test_time_and_materials_earn_approved_time_at_contracted_rates_and_no_advance():
    hourly = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))
    worked = hearing(
        hourly,
        time("a", role="architect", hours=10),
        expense("x", eur(50)),
        time("b", hours=5, billable=False),
        time("c", hours=300, day=date(2026, 5, 4)),
    )
    march = year_end(worked).when(recognise("03")).then(entry("03", 0, 0, "as-invoiced"))
    april = march.when(recognise("04")).then(entry("04", 1_450, 1_450, "as-invoiced"))
    april.when(recognise("05")).then(entry("05", 18_550, 20_000, "as-invoiced"))


def test_at_acceptance_a_deliverable_earns_an_equal_share_however_it_is_billed() -> None:
    half = hearing(at_acceptance(), accepted("design", date(2026, 5, 4)))
    months = year_end(half).after(recognise("03")).after(recognise("04"))
    # The rest is expected to cost 11,220 EUR for the other 10,000 EUR.
    may = months.when(recognise("05")).then(
        entry("05", 10_000, 10_000, "at-acceptance"), like(LossProvided, amount=eur(1_220))
    )
    whole = hearing(may, accepted("portal", date(2026, 6, 4)))
    whole.when(recognise("06")).then(
        entry("06", 10_000, 20_000, "at-acceptance"), like(LossReleased, amount=eur(1_220))
    )
    dated = BillingItem(item="all", kind="on-date", amount=eur(20_000), due_on=date(2026, 8, 1))
    early = hearing(at_acceptance(dated), accepted("design", date(2026, 3, 30)))
    march = year_end(early).after(recognise("03"))
    assert recognised(march, "03") == eur(10_000)


ALONE = BillingItem(item="rest", kind="on-date", amount=eur(1), due_on=date(2026, 8, 1))


def priced_line(line: str, price: int, *deliverables: str, **more: Any) -> ContractLine:
    """Return a fixed line that is billed on a day, for some deliverables."""
    item = ALONE.model_copy(update={"item": f"of-{line}", "amount": eur(price)})
    return fixed_line(item, line=line, price=eur(price), deliverables=deliverables, **more)


def earned_by_design(*lines: ContractLine) -> Money:
    """Return what the acceptance of the design earns in March."""
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow_of(*lines)).then_accepted()
    chosen = papers.after(method("at-acceptance"))
    done = hearing(chosen.on(SIGNED), SOW_SIGNED, accepted("design", date(2026, 3, 30)))
    return recognised(year_end(done).after(recognise("03")), "03")


def test_at_acceptance_the_price_is_shared_by_lines_by_stand_alone_price() -> None:
    design = priced_line("design", 6_000, "design")
    portal = priced_line("portal", 6_000, "portal")
    assert earned_by_design(design, portal) == eur(6_000)
    # 10,000 of 12,500 EUR alone: the price of 12,000 EUR has a discount that belongs to both lines.
    alone = design.model_copy(update={"stand_alone_price": eur(10_000)})
    other = portal.model_copy(update={"stand_alone_price": eur(2_500)})
    assert earned_by_design(alone, other) == eur(9_600)


def test_at_acceptance_a_line_without_deliverables_is_earned_with_those_of_the_others() -> None:
    design = priced_line("design", 9_000, "design")
    portal = priced_line("portal", 3_000, "portal")
    pm = priced_line("pm", 2_000, kind="project-management")
    # 9,000 of 12,000 of the price of 14,000 EUR
    assert earned_by_design(design, portal, pm) == eur(10_500)
    # A line that names none pays for the portal, which no other line names.
    assert earned_by_design(design, pm) == eur(9_000)


def test_at_acceptance_a_deliverable_that_no_line_names_is_paid_by_all() -> None:
    """Check that one of two deliverables never earns the whole price."""
    assert earned_by_design(priced_line("design", 9_000, "design")) == eur(4_500)


def test_after_a_termination_the_revenue_is_what_the_customer_owes():
    billed = issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 7))
    over = hearing(billed, time("a", role="architect", hours=100), TERMINATED)
    credit = IssueCreditNote(
        intent="give-back", invoice="invoice-start", amount=eur(500), why="Agreed."
    )
    months = year_end(over.on(date(2026, 5, 20)).after(credit))
    april = months.after(recognise("03")).after(recognise("04"))
    assert recognised(april, "04") == eur("14260.25")
    april.when(recognise("05")).then(entry("05", "-9760.25", 4_500, "cost-to-cost"))


def test_a_month_is_recognised_once_in_order_and_when_it_is_over():
    march = contracted().on(date(2026, 4, 1)).after(recognise("03"))
    march.when(recognise("03")).then_refused("month-recognised", saying="next month is 2026-04")
    march.when(recognise("05")).then_refused(
        "month-out-of-order", saying="2026-04 has to be recognised before"
    )
    march.when(recognise("04")).then_refused("month-not-over")
    contracted().when(recognise("02")).then_refused("month-recognised")
    opened().when(recognise("03")).then_refused("budget-not-set")
    with pytest.raises(ValidationError):
        RecogniseRevenue(month="2026-13")


def test_revenue_with_unknown_cost_is_not_recognised():
    unknown = year_end(contracted(costs=False)).when(recognise("03"))
    unknown.then_refused("revenue-not-measurable", missing={"cost-unknown"})
    pilot = hearing(contracted(), time("a", role="pilot"))
    march = year_end(pilot).when(recognise("03")).then(entry("03", 0, 0, "cost-to-cost"))
    march.when(recognise("04")).then_refused("revenue-not-measurable", missing={"cost-unknown"})


def test_time_without_a_contracted_rate_earns_nothing_and_delays_nothing():
    """Check that revenue is what the contract gives a right to (IFRS 15.9)."""
    hourly = hearing(contracted(HOURLY_SOW), time("a", role="tester"), time("b", hours=1))
    march = year_end(hourly).after(recognise("03"))
    march.when(recognise("04")).then(entry("04", 100, 100, "as-invoiced"))


def test_a_closed_engagement_has_earned_its_price():
    closed = hearing(contracted(), time("a"), EngagementClosed(closed_on=date(2026, 3, 25)))
    year_end(closed).when(recognise("03")).then(entry("03", 20_000, 20_000, "cost-to-cost"))


def test_credited_amounts_are_not_earned_once_the_account_is_settled():
    done = delivered()
    done = credit_issued(
        done,
        IssueCreditNote(
            intent="give-back", invoice="invoice-portal", amount=eur(2_000), why="Late."
        ),
    )
    settled = done.after(SettleAccount(settled_on=date(2026, 8, 4)))
    closed = hearing(settled, EngagementClosed(closed_on=date(2026, 8, 5)))
    months = year_end(closed)
    for month in ("03", "04", "05", "06", "07"):
        months = months.after(recognise(month))
    assert recognised(months, "07") == eur(20_000)
    august = months.when(recognise("08"))
    assert august.events[0] == entry("08", -2_000, 18_000, "cost-to-cost")
    margins = august.after.view["margins"]
    assert margins.margin_recognised == margins.margin_billed == margins.margin_forecast


def test_settling_before_the_work_is_done_earns_no_more():
    start = BillingItem(item="start", kind="on-signature", amount=eur(20_000))
    ahead = contracted(sow_of(fixed_line(start)))
    paid = issued(ahead, "invoice-start", "2026-00001", date(2026, 4, 1))
    paid = paid.after(allocate("invoice-start", eur(20_000)))
    working = hearing(paid.after(SettleAccount()), time("a", role="architect", hours=40))
    april = year_end(working).after(recognise("03")).after(recognise("04"))
    assert recognised(april, "04") == eur("5704.10")


def test_contract_asset_and_liability_are_the_two_sides_of_one_difference():
    assert contract_asset(eur(7), eur(5)) == eur(2)
    assert contract_liability(eur(7), eur(5)) == eur(0)
    assert contract_asset(eur(5), eur(7)) == eur(0)
    assert contract_liability(eur(5), eur(7)) == eur(2)


def test_contract_asset_and_liability_are_those_at_the_end_of_the_recognised_month():
    billed = issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))
    billed = billed.on(date(2026, 5, 4))
    billed.then_view(recognised_to=None, contract_asset=None, contract_liability=None)
    march = billed.after(recognise("03"))
    march.then_view(recognised_to="2026-03", contract_asset=eur(0), contract_liability=eur(0))
    april = march.after(recognise("04"))
    april.then_view(contract_asset=eur(0), contract_liability=eur(5_000))
    # What is voided in May was billed at the end of April.
    voided = april.after(VoidInvoice(invoice="invoice-start", why="Wrong."))
    voided.then_view(contract_asset=eur(0), contract_liability=eur(5_000))
    may = voided.on(date(2026, 6, 3)).after(recognise("05"))
    may.then_view(contract_liability=eur(0))


def test_months_follow_each_other_over_the_year():
    assert after("2026-12") == "2027-01"
    assert end_of("2028-02") == date(2028, 2, monthrange(2028, 2)[1])


@settings(max_examples=40)
@any_of(
    st.sampled_from(("cost-to-cost", "as-invoiced", "at-acceptance")),
    st.lists(
        st.one_of(
            st.tuples(
                st.just("work"),
                st.sampled_from(("architect", "developer")),
                st.decimals("0.01", 150, places=2),
                st.integers(0, 16),
            ),
            st.tuples(st.just("report"), st.integers(0, 16), st.integers(0, 500)),
            st.tuples(st.just("accept"), st.sampled_from(("design", "portal")), st.integers(0, 16)),
        ),
        max_size=10,
    ),
)
def test_revenue_never_exceeds_the_price_and_months_add_up(
    name: RevenueMethod, happenings: list[tuple[Any, ...]]
):
    sow = HOURLY_SOW if name == "as-invoiced" else SOW
    papers = opened().when_consumed(ESTIMATE, PROPOSED, sow).then_accepted()
    if name == "at-acceptance":
        papers = papers.after(method(name))
    engagement = hearing(papers.on(SIGNED), SOW_SIGNED, BASELINED)

    def day(week: int) -> date:
        return date.fromordinal(MONDAY.toordinal() + 7 * week)

    for number, happening in enumerate(happenings):
        match happening:
            case ("work", role, hours, week):
                event: Event = time(str(number), role=role, hours=hours, day=day(week))
            case ("report", week, hours):
                event = report(day(week), hours)
            case ("accept", deliverable, week):
                event = accepted(deliverable, day(week))
            case _:
                raise AssertionError(happening)
        engagement = hearing(engagement, event)
    engagement = year_end(engagement)
    total = eur(0)
    for month in ("03", "04", "05", "06", "07", "08", "09"):
        outcome = engagement.when(recognise(month), roles=["confidential"])
        if outcome.refusal is not None:
            # Only cost above the last forecast stops recognition.
            outcome.then_refused("revenue-not-measurable", missing={"forecast-outdated"})
            continue
        engagement = outcome.then_accepted()
        said = next(
            event
            for event in outcome.events
            if isinstance(event, RevenueRecognised | RevenueByCostRecognised)
        )
        total = total + said.amount
        assert total == said.cumulative
        assert eur(0) <= said.cumulative <= eur(20_000)
