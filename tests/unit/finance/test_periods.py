"""Check the accounting periods of an engagement: each entry is booked once, and never changes."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.delivery import (
    ApprovedEntry,
    ExpenseRejected,
    ExpenseSubmitted,
    ExpenseWithdrawn,
    TimeApproved,
    TimeEntry,
    TimeRejected,
    TimeSubmitted,
)
from contracts.finance import BookedTotals, MarginMeasured, PeriodBooked, PeriodCosted
from contracts.lines import BillingItem
from contracts.money import Money
from contracts.sales import DealLost
from contracts.values import Margin
from finance.drafts.decisions import EditInvoice
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote, RejectInvoice, VoidInvoice
from finance.ledgers.events import EngagementRegistered
from finance.ledgers.requests import RegisterEngagement
from finance.moved_works.events import WorksLeft
from finance.pending.decisions import CatchUp
from finance.periods.events import (
    BookedWithOpenItems,
    OpenItem,
    OpenItems,
    PeriodChecked,
    RegisteredWithLedger,
)
from finance.periods.requests import BookPeriod, CheckPeriod
from finance.postings.events import PeriodPosted
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import WriteDownWork
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from testkit.matchers import Like, like
from testkit.scenario import Outcome, Scenario
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    APRIL_1,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    HOURLY_SOW,
    ID,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    WON,
    accepted,
    contracted,
    credit,
    credit_issued,
    entries,
    exchange,
    expense,
    expense_reversed,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_rates,
    opened,
    pay,
    recognise,
    report,
    sent,
    sow_of,
    spent_of,
    time,
    time_reversed,
)
from tests.unit.finance.month_streams import MonthStreams
from tests.weeks import withdrawn

RATE = exchange("1.25", date(2026, 1, 2))
"""Rate of the engagement's currency to that of the company's books."""
MAY_4, MAY_31, JUNE_4 = date(2026, 5, 4), date(2026, 5, 31), date(2026, 6, 4)
LAST, FIRST = date(2026, 4, 30), date(2026, 5, 1)
WHY = "The customer's answer comes next month."


def book(month: str, *, accept: bool = True, company: str = "us") -> BookPeriod:
    accepted = WHY if accept else None
    return BookPeriod(company=company, month=f"2026-{month}", accepted=accepted)


def booked(month: str, **amounts: Any) -> PeriodBooked:
    """Return a booking of a month of 2026, in which amounts that are not given are zero.

    Invoices and credit notes are without tax. What is owed follows from the other amounts.
    """
    names = (*BookedTotals.model_fields, "receivables_before", "unbilled")
    terms: dict[str, Any] = {**dict.fromkeys(names, eur(0)), "hours": Decimal(0)}
    terms |= {"unbilled_unknown": 0, **amounts}
    terms |= {f"{name}_gross": terms[name] for name in ("billed", "credited")}
    more = terms["receivables_before"] + terms["taken_over"] + terms["billed_gross"]
    owed = more - terms["credited_gross"] - terms["paid"] - terms["written_off"]
    terms |= {"company": "us", "month": f"2026-{month}", "receivables": owed}
    return PeriodBooked.model_validate(terms)


BOOKED = (like(PeriodBooked), like(PeriodCosted), like(MarginMeasured))


def costed(month: str, cost: int, by_cost: int = 0, openly: int = 0) -> Like:
    """Return the pattern of the cost of a booked month of 2026, without contract balances."""
    booked = costed_event(month, cost, by_cost, openly)
    fields = {name: value for name, value in booked if name != "contracts"}
    return like(PeriodCosted, **fields)


def costed_event(month: str, cost: int, by_cost: int = 0, openly: int = 0) -> PeriodCosted:
    revenue = by_cost + openly
    ratio = round(Decimal(revenue - cost) / revenue, 6) if revenue else None
    return PeriodCosted(
        month=f"2026-{month}",
        cost=eur(cost),
        recognised_by_cost=eur(by_cost),
        recognised=eur(openly),
        loss=eur(0),
        contracts=(),
        uncosted=0,
        margin=Margin(revenue=eur(revenue), cost=eur(cost), margin=ratio),
    )


def after_booking(scenario: Scenario[Engagement], month: str) -> Scenario[Engagement]:
    return scenario.when(book(month)).then_accepted()


def hourly(*, costs: bool = True) -> Scenario[Engagement]:
    item = BillingItem(item="time", kind="time", amount=eur(20_000))
    return contracted(sow_of(hourly_line(item, price=eur(20_000))), costs=costs).on(MAY_4)


# ---- the ledger ------------------------------------------------------------------------------


def test_an_engagement_registers_with_the_ledger_of_its_company_once():
    won = opened().when_consumed(ESTIMATE, PROPOSED, WON)
    (request,) = won.requests
    assert (request.stream, request.command) == ("ledger:us", "register-engagement")
    assert RegisterEngagement.model_validate_json(request.content).engagement == ID
    known = registered(won.then_accepted(), None).then(RegisteredWithLedger(company="us"))
    assert not known.when_consumed(SOW).requests


def registered(scenario: Scenario[Engagement], closed_to: str | None) -> Outcome[Engagement]:
    answer = EngagementRegistered(engagement=ID, group=1, closed_to=closed_to)
    return scenario.when_outcome("register", "us", answer)


def test_nothing_is_dated_in_a_month_that_the_company_closed_before():
    late = registered(contracted().on(JUNE_4), "2026-04").then_accepted()
    approve = ApproveInvoice(invoice="invoice-start", issue_on=date(2026, 4, 30))
    late.when(approve).then_refused(
        "date-in-booked-month", fields=["issue_on"], saying="the first open day is 2026-05-01"
    )
    late.after(approve.model_copy(update={"issue_on": date(2026, 5, 1)}))
    late.when(recognise("04")).then_refused("date-in-booked-month")
    may = late.after(recognise("05"))
    assert may.view["recognised_to"] == "2026-05"


# ---- totals ----------------------------------------------------------------------------------


def test_a_booking_holds_what_was_recorded_since_the_last_one():
    known = sent().knowing(CARD, COSTS, RATE)
    april = hearing(known.on(MAY_4), time("a", role="architect", hours=40))
    april = april.after(pay(2_000))
    april.when(book("04")).then(
        BookedWithOpenItems(month="2026-04", why=WHY, items=(_revenue("2026-03"),), count=1),
        booked("04", billed=eur(5_000), paid=eur(2_000), hours=Decimal(40)),
        costed("04", 3_200),
        like(PeriodPosted),
        like(MarginMeasured),
        like(WorksLeft),
    )
    months = MonthStreams()
    closed = months.after(after_booking(april, "04"))
    credited = credit_issued(closed.on(MAY_31), credit(4_000))
    gone = time_reversed(time("a", role="architect", hours=40))
    may = months.after(hearing(credited, gone)).on(JUNE_4)
    may.when(book("05")).then(
        like(BookedWithOpenItems),
        booked(
            "05",
            receivables_before=eur(3_000),
            credited=eur(4_000),
            paid=eur(-1_000),
            hours=Decimal(-40),
        ),
        costed("05", -3_200),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def _revenue(month: str) -> OpenItem:
    sentence = f"the revenue of fixed in {month} is not recognised"
    return OpenItem(code="revenue-unrecognised", sentence=sentence, owed_by="finance")


def _draft(sentence: str) -> OpenItem:
    return OpenItem(code="invoice-not-issued", sentence=sentence, owed_by="finance")


def _uncosted(sentence: str) -> OpenItem:
    return OpenItem(code="work-uncosted", sentence=sentence, owed_by="finance")


def test_a_month_is_booked_once():
    scenario = after_booking(sent().on(MAY_4), "04")
    for month in ("04", "03"):
        scenario.when(book(month)).then_nothing()
    later = hearing(scenario, time("late", day=date(2026, 4, 7)))
    later.when(book("04")).then_nothing()
    later.then_view(booked_to="2026-04", periods=[booked("04", billed=eur(5_000))])


def test_the_ledger_of_another_company_books_nothing():
    sent().on(MAY_4).when(book("04", company="de")).then_nothing()
    sent().on(MAY_4).when(CheckPeriod(company="de", month="2026-04")).then_nothing()


def test_late_entries_of_a_booked_month_are_in_the_next_booking():
    scenario = after_booking(contracted().on(MAY_4), "04")
    late = hearing(scenario, time("late", hours=8, day=date(2026, 4, 7)))
    late.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", hours=Decimal(8)),
        costed("05", 400),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def test_a_month_may_be_left_out_where_the_engagement_was_registered_later():
    scenario = after_booking(sent().on(MAY_4), "04")
    after_booking(scenario, "07").then_view(booked_to="2026-07")


def test_unbilled_work_is_stated_as_it_is_at_the_booking():
    worked = hearing(hourly().on(MAY_4), time("a", hours=8, role="architect"))
    unbilled = {"hours": Decimal(8), "unbilled": eur(1_120)}
    booking = worked.when(book("04")).then(
        like(BookedWithOpenItems),
        booked("04", **unbilled),
        costed("04", 640),
        like(PeriodPosted),
        like(MarginMeasured),
    )
    billed = hearing(booking, time("b", hours=2, role="architect"))
    billed.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", hours=Decimal(2), unbilled=eur(1_400)),
        costed("05", 160),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def test_work_that_is_written_down_is_not_unbilled_and_that_without_a_rate_is_unknown():
    worked = hearing(hourly().on(MAY_4), time("a", hours=8), time("b", hours=2))
    worked = hearing(worked, time("no-rate", role="tester", hours=3))
    written_down = worked.after(WriteDownWork(entries=("a",), why="Goodwill."))
    written_down.when(book("04")).then(
        like(BookedWithOpenItems),
        booked("04", hours=Decimal(13), unbilled=eur(200), unbilled_unknown=1),
        like(PeriodCosted),
        like(PeriodPosted),
        like(MarginMeasured),
        like(WorksLeft),
    )


def hourly_pair(**rates: int | str) -> Scenario[Engagement]:
    """Return an engagement with two lines by time and materials at the same rates."""
    lines = (
        hourly_line(
            BillingItem(item=f"time-{name}", kind="time", amount=eur(20_000)),
            line=name,
            rates=line_rates(**rates),
        )
        for name in ("first", "second")
    )
    return contracted(sow_of(*lines)).on(MAY_4)


def test_work_whose_worth_is_not_known_is_counted_and_missing():
    pair = hourly_pair(developer=100)
    known = hearing(pair, expense("train", eur(100), line="first"))
    dinner = expense("dinner", usd(70), line="first")
    unknown = hearing(known, dinner, expense("taxi", eur(30)))
    (_, booking, *_) = unknown.when(book("04")).events
    assert isinstance(booking, PeriodBooked)
    assert (booking.unbilled, booking.unbilled_unknown) == (eur(100), 2)

    def codes(month: str) -> set[str]:
        return codes_of(missing(unknown, book(month, accept=False)))

    assert {"exchange-rate-missing", "work-unassigned"} <= codes("04")
    assert "work-unassigned" not in codes("03")


@pytest.mark.parametrize("is_hourly", [True, False])
def test_work_of_an_early_start_is_unknown_until_the_contract_is_signed(is_hourly: bool) -> None:
    sow = HOURLY_SOW if is_hourly else SOW
    deal = opened().when_consumed(ESTIMATE, PROPOSED, WON, sow).then_accepted()
    early = (
        time("a", hours=8, day=date(2026, 2, 9)),
        expense("train", eur(50), on=date(2026, 2, 10)),
    )
    never = time("free", hours=2, day=date(2026, 2, 9), billable=False)
    worked = hearing(deal.on(date(2026, 3, 2)), *early, never)
    assert codes_of(missing(worked, book("02", accept=False))) == {"budget-not-set"}
    assert missing(worked, book("02", accept=False))[0].sentence.startswith("2 approved works")
    worked.when(book("01", accept=False)).then(like(PeriodBooked), like(PeriodCosted))
    february = booking(worked.when(book("02")))
    assert (february.unbilled, february.unbilled_unknown) == (eur(0), 2)
    signed = hearing(after_booking(worked, "02").on(SIGNED), SOW_SIGNED).on(APRIL_1)
    march = booking(signed.when(book("03")))
    assert (march.unbilled, march.unbilled_unknown) == (eur(850 if is_hourly else 0), 0)


def test_work_of_an_early_start_is_not_missing_once_the_deal_is_lost() -> None:
    known = opened().knowing(CARD, COSTS, RATE)
    worked = hearing(known.on(date(2026, 3, 2)), WON, time("a", day=date(2026, 2, 9)))
    lost = hearing(worked, DealLost(reason="price", lost_on=date(2026, 3, 1)))
    lost.when(book("02", accept=False)).then(
        like(PeriodBooked, unbilled_unknown=1), like(PeriodCosted), like(PeriodPosted)
    )


def test_unbilled_work_is_rounded_by_line_as_on_invoices():
    pair = hourly_pair(developer="0.335")
    both = (time(name, hours=1, line=name) for name in ("first", "second"))
    (_, booking, *_) = hearing(pair, *both).when(book("04")).events
    assert isinstance(booking, PeriodBooked)
    assert booking.unbilled == eur("0.68")


def test_an_expense_in_another_currency_is_booked_once_it_is_converted():
    dinner = expense("dinner", usd(70))
    waiting = hearing(contracted().on(MAY_4), expense("train", eur(100)), dinner)
    april = waiting.when(book("04")).then(
        like(BookedWithOpenItems),
        booked("04", expenses=eur(100)),
        like(PeriodCosted, uncosted=1, margin=None),
        like(PeriodPosted),
        like(MarginMeasured),
        like(WorksLeft),
    )
    rate = exchange("1.25", date(2026, 3, 2))
    converted = hearing(april.knowing(CARD, COSTS, rate).on(JUNE_4), time("a"))
    may = converted.when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", expenses=eur(56), hours=Decimal(8)),
        costed("05", 456),
        like(PeriodPosted),
        like(MarginMeasured),
    )
    assert may.state.periods.unbooked == {}
    reversed_ = hearing(may, expense_reversed(dinner))
    (left,) = reversed_.state.periods.unbooked.values()
    assert left.expenses == {"EUR": Decimal(-56)}


def test_an_expense_that_is_reversed_before_its_conversion_is_booked_nowhere():
    dinner = expense("dinner", usd(70))
    scenario = after_booking(hearing(contracted().on(MAY_4), dinner), "04")
    assert hearing(scenario, expense_reversed(dinner)).state.periods.unbooked == {}


def test_the_margin_is_unknown_while_the_cost_of_work_is():
    worked = hearing(contracted(costs=False).on(MAY_4), time("a"))
    outcome = worked.when(book("04"))
    [costs] = (each for each in outcome.events if isinstance(each, PeriodCosted))
    assert (costs.margin, costs.cost) == (None, eur(0))


def test_the_margin_is_that_of_all_revenue():
    worked = hearing(contracted(), time("a", role="architect", hours=40)).on(MAY_4)
    done = worked.after(recognise("03")).after(recognise("04"))
    outcome = done.when(book("04"))
    (costs,) = (each for each in outcome.events if isinstance(each, PeriodCosted))
    assert costs.margin is not None
    assert costs.margin.revenue == costs.recognised_by_cost == done.view["recognised"]
    assert costs.recognised == eur(0)
    after_booking(done, "04").on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems), like(PeriodBooked), costed("05", 0), like(MarginMeasured)
    )


def test_the_margin_contains_revenue_that_does_not_follow_from_cost():
    billed = issued(hourly_advance(), "invoice-advance", "2026-00001", APRIL_1)
    worked = hearing(billed, time("a", role="architect", hours=8)).on(MAY_4)
    done = worked.after(recognise("03")).after(recognise("04"))
    booking, costs, margins = (each.event for each in done.when(book("04")).published)
    assert isinstance(booking, PeriodBooked)
    assert isinstance(costs, PeriodCosted)
    assert isinstance(margins, MarginMeasured)
    assert margins.margin_recognised is not None
    assert margins.margin_recognised.revenue == booking.recognised
    assert costed("04", 640, openly=int(booking.recognised.amount)).matches(costs)
    assert booking.recognised == done.view["recognised"] > eur(0)


def test_an_invoice_that_is_voided_after_its_booking_is_taken_off_the_next_one():
    april = after_booking(sent().on(MAY_4), "04")
    void = VoidInvoice(invoice="invoice-start", why="Wrong.", voided_on=MAY_31)
    april.on(JUNE_4).after(void).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", receivables_before=eur(5_000), billed=eur(-5_000)),
        costed("05", 0),
        like(PeriodPosted),
        like(MarginMeasured),
    )


# ---- the day decides which booking has an entry ----------------------------------------------

WEEK = date(2026, 4, 27)


def of_week(**hours: int) -> TimeApproved:
    """Return the approval of a week across April and May: hours by name and day, such as `a30`."""
    every = (
        entries(name, hours=each, day=date(2026, 4 if int(name[1:]) > 26 else 5, int(name[1:])))
        for name, each in hours.items()
    )
    return TimeApproved(person="dev", week=WEEK, entries=tuple(e for of in every for e in of))


def test_each_booked_month_has_margins_of_its_last_day_with_the_last_forecast():
    worked = hearing(sent(), BASELINED, time("a", role="architect", hours=40))
    told = hearing(worked, report(date(2026, 4, 20))).on(MAY_4)
    done = told.after(recognise("03")).after(recognise("04"))
    april = measured(done.when(book("04")))
    assert (april.as_of, april.month, april.report) == (date(2026, 4, 30), "2026-04", None)
    assert april.margin_billed == Margin(
        revenue=eur(5_000), cost=eur(3_200), margin=Decimal("0.36")
    )
    assert april.margin_recognised is not None
    assert april.margin_recognised.revenue == done.view["recognised"]
    assert april.forecast_on == date(2026, 4, 20)
    assert april.margin_forecast == told.view["margins"].margin_forecast
    late = time("late", role="architect", hours=10, day=date(2026, 4, 7))
    may = measured(hearing(after_booking(done, "04"), late).on(JUNE_4).when(book("05")))
    assert may.margin_billed is not None
    assert (may.margin_billed.revenue, may.margin_billed.cost) == (eur(5_000), eur(4_000))


def test_a_month_without_the_cost_of_some_work_has_no_margin_on_what_was_billed():
    no_rate = hearing(sent(), time("a", role="designer", hours=8)).on(MAY_4)
    april = measured(no_rate.when(book("04")))
    assert (april.margin_billed, april.margin_recognised) == (None, None)
    assert april.margin_sold is not None
    later = hearing(sent(), time("a", role="designer", hours=8, day=date(2026, 5, 3))).on(MAY_4)
    assert measured(later.when(book("04"))).margin_billed is not None


def measured(outcome: Outcome[Engagement]) -> MarginMeasured:
    (found,) = (each for each in outcome.events if isinstance(each, MarginMeasured))
    return found


def booking(outcome: Outcome[Engagement]) -> PeriodBooked:
    (found,) = (each for each in outcome.events if isinstance(each, PeriodBooked))
    return found


def costs(outcome: Outcome[Engagement]) -> PeriodCosted:
    (found,) = (each for each in outcome.events if isinstance(each, PeriodCosted))
    return found


def test_a_week_across_two_months_is_split_between_their_bookings():
    worked = hearing(hourly(), of_week(a29=8, a30=4, a1=6))
    april = worked.when(book("04"))
    april.then(
        like(BookedWithOpenItems),
        booked("04", hours=Decimal(12), unbilled=eur(1_200)),
        costed("04", 600),
        like(PeriodPosted),
        like(MarginMeasured),
    )
    april.after.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", hours=Decimal(6), unbilled=eur(1_800)),
        costed("05", 300),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def test_what_is_dated_in_the_next_month_waits_for_its_booking():
    start = issued(contracted(), "invoice-start", "2026-00007", date(2026, 5, 2))
    paid = start.on(MAY_4).after(pay(2_000, received_on=date(2026, 5, 3)))
    worked = hearing(paid, time("a"), time("b", day=date(2026, 5, 1)))
    spent = hearing(worked, expense("train", eur(90), date(2026, 5, 2)))
    april = spent.when(book("04"))
    april.then(
        like(BookedWithOpenItems),
        booked("04", hours=Decimal(8)),
        costed("04", 400),
        like(PeriodPosted),
        like(MarginMeasured),
        like(WorksLeft),
    )
    view = april.after.view
    assert (view["unbooked"].billed, view["unbooked"].paid) == (eur(5_000), eur(2_000))
    (only,) = view["unbooked_by_month"]
    assert only.month == "2026-05"
    assert dict(only) == {**dict(view["unbooked"]), "month": "2026-05"}
    april.after.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", billed=eur(5_000), paid=eur(2_000), hours=Decimal(8), expenses=eur(90)),
        costed("05", 490),
        like(PeriodPosted),
        like(MarginMeasured),
        like(WorksLeft),
    )


def test_the_view_shows_what_each_booking_would_contain():
    worked = hearing(hourly(costs=False), of_week(a30=4, a1=6))
    shown = {each.month: each.hours for each in worked.view["unbooked_by_month"]}
    assert shown == {"2026-04": 4, "2026-05": 6}
    # What is late counts for the first month that is not booked; cost alone shows no month.
    april = hearing(after_booking(worked, "04"), time("late", hours=2))
    shown = {each.month: each.hours for each in april.view["unbooked_by_month"]}
    assert shown == {"2026-05": 8}
    assert april.view["unbooked"].hours == 8
    may = after_booking(april.on(JUNE_4), "05").knowing(CARD, COSTS).after(CatchUp())
    assert may.state.periods.unbooked_to().cost == 600
    assert may.view["unbooked_by_month"] == []


def test_an_approval_that_is_reversed_before_its_month_is_booked_is_not_in_it():
    worked = hearing(hourly(), of_week(a30=4, a1=6))
    gone = hearing(worked, time_reversed(of_week(a30=4, a1=6)))
    assert gone.state.periods.unbooked == {}
    assert booking(gone.when(book("04"))).hours == 0


def test_cost_of_the_next_month_that_is_not_known_leaves_the_margin_of_this_one_known():
    known = hearing(hourly(), time("a"))
    worked = hearing(known, time("b", "wizard", day=date(2026, 5, 1)))
    april = costs(worked.when(book("04")))
    assert costed("04", 400).matches(april)
    assert costs(after_booking(worked, "04").on(JUNE_4).when(book("05"))).margin is None


def test_cost_that_becomes_known_after_the_booking_is_in_the_next_one():
    worked = hearing(hourly(costs=False), of_week(a30=4, a1=6))
    april = after_booking(worked, "04").knowing(CARD, COSTS).on(JUNE_4).after(CatchUp())
    assert costs(april.when(book("05"))).cost == eur(500)


def bill(month: str) -> BillTime:
    return BillTime(month=f"2026-{month}")


def billed_on(scenario: Scenario[Engagement], number: int, on: date) -> Scenario[Engagement]:
    """Return the scenario after the only draft was issued, dated `on`."""
    (draft,) = (each for each in scenario.state.billing.live if each.stage == "drafted")
    return issued(scenario, draft.invoice, f"2026-{number:05}", on)


def unbilled(scenario: Scenario[Engagement], month: str) -> Money:
    return booking(scenario.when(book(month))).unbilled


def test_work_on_an_invoice_of_the_next_month_is_unbilled_at_the_end_of_this_one():
    worked = hearing(hourly(), time("a", hours=8), time("b", hours=2, day=date(2026, 5, 1)))
    may = billed_on(worked.after(bill("05")), 1, MAY_4)
    assert may.view["unbilled"][0].unbilled == eur(0)
    april = booking(may.when(book("04")))
    assert (april.unbilled, april.billed, april.receivables) == (eur(800), eur(0), eur(0))
    after = booking(after_booking(may, "04").on(JUNE_4).when(book("05")))
    assert (after.unbilled, after.billed, after.receivables) == (eur(0), eur(1_000), eur(1_000))


def voided(scenario: Scenario[Engagement]) -> Scenario[Engagement]:
    """Return the scenario after the only invoice was voided in May, and its new draft rejected."""
    (invoice,) = scenario.state.billing.issued
    void = VoidInvoice(invoice=invoice.invoice, why="Wrong.")
    drafted = scenario.on(MAY_4).after(void)
    (draft,) = drafted.state.billing.live
    return drafted.after(RejectInvoice(invoice=draft.invoice, why="Wrong."))


def test_what_a_later_credit_note_or_voiding_makes_unbilled_was_billed_at_the_months_end():
    april = billed_on(hearing(hourly().on(LAST), time("a")).after(bill("04")), 1, LAST)
    credited = credit_issued(
        april.on(MAY_4),
        IssueCreditNote(
            intent="cancel-and-rebill", invoice="invoice-time-2026-04", entries=("a",), why="Rate."
        ),
    )
    for later in (credited, voided(april)):
        redrafted = later.after(bill("05"))
        again = billed_on(redrafted, 2, MAY_4)
        for scenario in (later, redrafted, again):
            assert unbilled(scenario, "04") == eur(0)
        may = after_booking(later, "04").on(JUNE_4)
        assert booking(may.when(book("05"))).unbilled == eur(800)


def test_what_is_written_down_after_a_later_voiding_is_not_unbilled():
    april = billed_on(hearing(hourly().on(LAST), time("a")).after(bill("04")), 1, LAST)
    written_down = voided(april).after(WriteDownWork(entries=("a",), why="Goodwill."))
    assert unbilled(written_down, "04") == eur(0)
    assert unbilled(after_booking(written_down, "04").on(JUNE_4), "05") == eur(0)


def test_a_part_that_is_billed_anew_after_the_months_end_is_as_it_was_at_it():
    work = hearing(hourly().on(LAST), time("a", hours=8)).after(bill("04"))
    draft = work.state.billing.invoices["invoice-time-2026-04"]
    less = EditInvoice.model_validate(
        {
            "invoice": draft.invoice,
            "lines": [{"invoice_line": draft.lines[0].invoice_line, "hours": 3}],
            "why": "As agreed.",
        }
    )
    april = billed_on(work.after(less), 1, LAST)
    anew = billed_on(voided(april).after(bill("05")), 2, MAY_4)
    expected = eur(800) - april.view["invoices"][0].amount
    assert unbilled(april, "04") == unbilled(anew, "04") == expected > eur(0)


def test_work_whose_invoice_is_dated_after_the_next_booking_does_not_leave():
    worked = hearing(hourly(), time("a"))
    june = billed_on(worked.after(bill("04")), 1, date(2026, 6, 2))
    months = MonthStreams()
    april = months.after(after_booking(june, "04"))
    assert not months.works("2026-04")
    assert unbilled(april, "05") == eur(800)
    may = months.after(after_booking(april, "05"))
    assert set(months.works("2026-04")) == {"time:a"}
    assert unbilled(may, "06") == eur(0)


def test_work_of_the_next_month_whose_worth_is_not_known_is_counted_there():
    pair = hourly_pair(developer=100)
    unknown = hearing(pair, expense("taxi", eur(30)), expense("late", eur(30), MAY_4))
    assert booking(unknown.when(book("04"))).unbilled_unknown == 1
    assert booking(unknown.when(book("05"))).unbilled_unknown == 2


# ---- what is missing -------------------------------------------------------------------------


def test_what_is_missing_is_listed_and_must_be_accepted():
    worked = hearing(contracted(costs=False), time("a"), accepted("design", APRIL_1)).on(MAY_4)
    items = (
        _draft("draft invoice-start over 5,000.00 EUR, due 2026-03-20, is not approved"),
        _draft("draft invoice-design over 6,000.00 EUR, due 2026-04-01, is not approved"),
    )
    costs = (
        _uncosted("8 h of developer on 2026-04-06 (a) have no cost"),
        _revenue("2026-03"),
    )

    def found(
        month: str, missing: tuple[OpenItem, ...], confidential: tuple[OpenItem, ...]
    ) -> PeriodChecked:
        return PeriodChecked(
            month=month,
            missing=OpenItems(items=missing, count=len(missing)),
            in_confidence=OpenItems(items=confidential, count=len(confidential)),
        )

    check = CheckPeriod(company="us", month="2026-04")
    checked = worked.when(check).then(found("2026-04", items, costs))
    checked.when(book("04", accept=False)).then(found("2026-04", items, costs))
    # What is of later days is not missing.
    march = CheckPeriod(company="us", month="2026-03")
    checked.when(march).then(found("2026-03", items[:1], costs[1:]))
    booked_ = after_booking(checked, "04")
    booked_.when(check).then_nothing()
    (accepted_,) = booked_.view["booked_with_open_items"]
    every = BookedWithOpenItems(month="2026-04", why=WHY, items=(*items, *costs), count=4)
    assert accepted_ == every


def test_what_is_missing_in_confidence_prevents_no_booking():
    worked = hearing(hourly(costs=False).knowing(CARD, RATE), time("a"))
    done = worked.after(recognise("03")).after(recognise("04"))
    outcome = done.when(book("04", accept=False))
    assert like(BookedWithOpenItems, why=None).matches(outcome.events[0])
    assert isinstance(outcome.events[1], PeriodBooked)
    (open_,) = outcome.after.view["booked_with_open_items"]
    assert open_.items == (_uncosted("8 h of developer on 2026-04-06 (a) have no cost"),)


def test_nothing_is_accepted_where_nothing_is_missing():
    done = sent().knowing(CARD, COSTS, RATE).on(MAY_4).after(recognise("03")).after(recognise("04"))
    done.when(CheckPeriod(company="us", month="2026-04")).then_nothing()
    done.when(book("04", accept=False)).then(
        like(PeriodBooked), like(PeriodCosted), like(PeriodPosted), like(MarginMeasured)
    )
    done.when(book("04", accept=True)).then(
        like(PeriodBooked), like(PeriodCosted), like(PeriodPosted), like(MarginMeasured)
    )


def test_an_exchange_rate_without_which_nothing_can_be_posted_is_missing() -> None:
    done = hearing(sent().on(MAY_4), time("a")).after(recognise("03")).after(recognise("04"))
    check = CheckPeriod(company="us", month="2026-04")
    sentence = "the exchange rate EUR to USD on {} is missing: {} no amounts in USD".format
    (checked,) = done.when(check).events
    assert isinstance(checked, PeriodChecked)
    (missing_rate,) = checked.missing.items
    assert (missing_rate.code, missing_rate.owed_by) == ("exchange-rate-missing", "finance")
    assert missing_rate.sentence == sentence("2026-04-01", "1 posting has")
    confidential = [each for each in checked.in_confidence.items if "exchange" in each.code]
    assert [each.sentence for each in confidential] == [sentence("2026-04-30", "2 postings have")]
    done.knowing(CARD, COSTS, RATE).when(check).then_nothing()


def test_costs_are_missing_in_the_confidential_view_only():
    worked = hearing(contracted(costs=False), time("a"))
    assert {each.code for each in worked.view["missing_to_close"]} == {"invoice-not-issued"}
    codes = {each.code for each in worked.view["missing_costs_to_close"]}
    assert codes == {"work-uncosted", "revenue-unrecognised"}


def submitted(revision: int, *days: int) -> TimeSubmitted:
    given = (entries(f"w-{day}", hours=8, day=date(2026, 4, day)) for day in days)
    waiting = [TimeEntry(**_submitted(each)) for (each,) in given]
    return TimeSubmitted(
        person="dev", week=date(2026, 4, 27), entries=tuple(waiting), revision=revision
    )


def _submitted(approved: ApprovedEntry) -> dict[str, Any]:
    return approved.model_dump(exclude={"kind", "line"})


def waiting(scenario: Scenario[Engagement], month: str) -> list[str]:
    check = CheckPeriod(company="us", month=f"2026-{month}")
    items = missing(scenario.on(MAY_4), check)
    assert all(each.owed_by == "delivery" for each in items if "time" in each.code)
    return [each.sentence for each in items if "approval" in each.sentence]


def missing(
    scenario: Scenario[Engagement], command: CheckPeriod | BookPeriod
) -> tuple[OpenItem, ...]:
    (checked,) = scenario.when(command).events
    assert isinstance(checked, PeriodChecked)
    return checked.missing.items


def codes_of(items: Iterable[OpenItem]) -> set[str]:
    return {each.code for each in items}


def test_time_that_waits_for_approval_is_missing():
    sent_in = hearing(contracted(), submitted(1, 27, 28, 30))
    assert waiting(sent_in, "04") == ["24 h of dev up to 2026-04-30 wait for approval"]
    assert waiting(sent_in, "03") == []
    week = date(2026, 4, 27)
    approval = TimeApproved(person="dev", week=week, entries=entries("w-27", day=date(2026, 4, 27)))
    first = hearing(sent_in, approval)
    assert waiting(first, "04") == ["16 h of dev up to 2026-04-30 wait for approval"]
    # Submitted again, the week replaces what still waits.
    again = hearing(first, submitted(2, 28))
    assert waiting(again, "04") == ["8 h of dev up to 2026-04-28 wait for approval"]
    left = submitted(2, 28)
    rejected = TimeRejected(person="dev", week=week, entries=left.entries, why="Another task.")
    for ends in (rejected, withdrawn(left)):
        done = hearing(again, ends)
        assert waiting(done, "04") == []
        assert done.state.periods.waiting == {}
    found = missing(again.on(MAY_4), book("04", accept=False))
    assert codes_of(found) == {"time-waiting", "invoice-not-issued"}


def test_an_expense_that_waits_for_approval_is_missing_until_it_is_decided():
    spent = expense("hotel", usd(80), date(2026, 4, 29))
    submitted_ = ExpenseSubmitted(**spent_of(spent))
    sent_in = hearing(contracted(), submitted_)
    sentence = "80.00 USD spent by dev on 2026-04-29 (hotel) wait for approval"
    assert waiting(sent_in, "04") == [sentence]
    assert waiting(sent_in, "03") == []
    dearer = submitted_.model_copy(update={"amount": usd(90)})
    assert waiting(hearing(sent_in, dearer), "04") == [sentence.replace("80", "90")]
    assert "expense-waiting" in {each.code for each in sent_in.view["missing_to_close"]}
    decided = (
        spent,
        ExpenseRejected(**spent_of(spent), why="Private."),
        ExpenseWithdrawn(**spent_of(spent)),
    )
    for event in decided:
        done = hearing(sent_in, event)
        assert waiting(done, "04") == []
        assert done.state.periods.waiting_expenses == {}
    found = missing(sent_in.on(MAY_4), book("04", accept=False))
    assert sentence in {each.sentence for each in found}


def test_the_view_lists_what_the_next_month_waits_for():
    def codes(scenario: Scenario[Engagement]) -> set[str]:
        return {each.code for each in scenario.view["missing_to_close"]}

    sent_in = hearing(contracted().on(MAY_4), submitted(1, 27))
    assert "time-waiting" in codes(sent_in)
    assert "time-waiting" in codes(after_booking(sent_in, "03"))
    assert "time-waiting" not in codes(after_booking(sent_in, "02"))


def test_the_first_items_are_listed_and_the_others_counted():
    approvals = (time(f"t{number}") for number in range(25))
    dinners = (expense(f"dinner-{number}", usd(70)) for number in range(25))
    worked = hearing(contracted(costs=False), *approvals, *dinners).on(MAY_4)
    (checked,) = worked.when(CheckPeriod(company="us", month="2026-04")).events
    assert isinstance(checked, PeriodChecked)
    assert (len(checked.missing.items), checked.missing.count) == (20, 26)
    assert (len(checked.in_confidence.items), checked.in_confidence.count) == (20, 26)
    assert missing(worked, book("04", accept=False)) == checked.missing.items
    accepted_, *_ = worked.when(book("04")).events
    assert like(BookedWithOpenItems, items=checked.missing.items, count=52).matches(accepted_)


def test_an_exchange_rate_is_missing_in_the_month_of_the_expense():
    dinner = expense("dinner", usd(70), MAY_4)
    spent = hearing(contracted().on(JUNE_4), dinner)

    def codes(month: str) -> set[str]:
        return codes_of(missing(spent, book(month, accept=False)))

    assert "exchange-rate-missing" in codes("05")
    assert "work-uncosted" not in codes("05")
    assert "exchange-rate-missing" not in codes("04")


def test_approved_time_that_finance_did_not_see_submitted_leaves_nothing_waiting():
    assert hearing(contracted(), time("a")).state.periods.waiting == {}


def test_a_forecast_that_is_older_than_cost_is_missing():
    measured = hearing(contracted(), BASELINED, time("a"), report(date(2026, 4, 20)))
    check = CheckPeriod(company="us", month="2026-04")

    def outdated(scenario: Scenario[Engagement]) -> bool:
        (checked,) = scenario.on(MAY_4).when(check).events
        assert isinstance(checked, PeriodChecked)
        items = [each.sentence for each in checked.in_confidence.items]
        return "the last forecast is of 2026-04-20, and cost of days after it is accrued" in items

    assert not outdated(measured)
    assert not outdated(hearing(measured, time("later", day=date(2026, 5, 1))))
    assert outdated(hearing(measured, time("late", day=date(2026, 4, 21))))


def test_a_month_waits_for_the_numbers_of_its_documents():
    approved = contracted().on(date(2026, 4, 30)).after(ApproveInvoice(invoice="invoice-start"))
    pending = approved.on(MAY_4)
    assert codes_of(missing(pending, book("04"))) >= {"invoice-not-issued"}
    pending.when(book("03")).then(
        like(BookedWithOpenItems), like(PeriodBooked), like(PeriodCosted), like(MarginMeasured)
    )
    credited = sent().on(date(2026, 4, 30)).after(credit(100)).on(MAY_4)
    assert codes_of(missing(credited, book("04"))) >= {"credit-note-not-issued"}


# ---- days ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (ApproveInvoice(invoice="invoice-design"), "issue_on"),
        (VoidInvoice(invoice="invoice-start", why="Wrong."), "voided_on"),
        (
            IssueCreditNote(
                intent="give-back", invoice="invoice-start", amount=eur(1), why="Goodwill."
            ),
            "issued_on",
        ),
        (WriteOffInvoice(invoice="invoice-start", why="Insolvent."), "written_off_on"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.named(),
)
def test_no_document_is_dated_in_a_booked_month(command: Any, field: str):
    scenario = hearing(sent(), accepted("design", APRIL_1)).on(MAY_4)
    before, on_first = (command.model_copy(update={field: day}) for day in (LAST, FIRST))
    scenario.when(before).then_accepted()
    closed = after_booking(scenario, "04")
    closed.when(before).then_refused(
        "date-in-booked-month", fields={field}, saying="the first open day is 2026-05-01"
    )
    closed.when(on_first).then_accepted()
    closed.when(command).then_accepted()


def test_no_write_off_is_reversed_on_a_day_of_a_booked_month():
    scenario = sent().on(APRIL_1).after(WriteOffInvoice(invoice="invoice-start", why="Insolvent."))
    (known,) = scenario.state.billing.invoices["invoice-start"].write_offs
    closed = after_booking(scenario.on(MAY_4), "04")
    reverse = ReverseWriteOff(write_off=known, why="Paid after all.", reversed_on=LAST)
    closed.when(reverse).then_refused("date-in-booked-month", fields={"reversed_on"})
    closed.after(reverse.model_copy(update={"reversed_on": FIRST}))


def test_a_payment_that_arrived_in_a_booked_month_is_in_the_next_booking():
    closed = after_booking(sent().on(MAY_4), "04")
    paid = closed.after(pay(2_000, received_on=LAST, bank_charge=eur(15)))
    paid.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", receivables_before=eur(5_000), paid=eur(2_015)),
        costed("05", 0),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def test_what_is_written_off_is_owed_no_more_until_it_is_reversed():
    written = after_booking(sent().on(MAY_4), "04").after(
        WriteOffInvoice(invoice="invoice-start", amount=eur(500), why="Insolvent.")
    )
    terms = {"receivables_before": eur(5_000), "written_off": eur(500)}
    written.on(JUNE_4).when(book("05")).then(
        like(BookedWithOpenItems),
        booked("05", **terms),
        costed("05", 0),
        like(PeriodPosted),
        like(MarginMeasured),
    )
    (known,) = written.state.billing.invoices["invoice-start"].write_offs
    may = after_booking(written.on(JUNE_4), "05")
    back = may.after(ReverseWriteOff(write_off=known, why="Paid after all."))
    terms = {"receivables_before": eur(4_500), "written_off": eur(-500)}
    back.on(date(2026, 7, 2)).when(book("06")).then(
        like(BookedWithOpenItems),
        booked("06", **terms),
        costed("06", 0),
        like(PeriodPosted),
        like(MarginMeasured),
    )


def test_what_was_recorded_before_the_booking_may_be_repeated():
    void = VoidInvoice(invoice="invoice-start", why="Wrong.", voided_on=LAST)
    closed = after_booking(sent().on(LAST).after(void).on(MAY_4), "04")
    closed.when(void).then_nothing()
    approve = ApproveInvoice(invoice="invoice-start", issue_on=APRIL_1)
    after_booking(sent().on(MAY_4), "04").when(approve).then_nothing()


def test_revenue_that_a_booked_month_lacks_is_recognised_in_the_next_one():
    billed = issued(hourly_advance(), "invoice-advance", "2026-00001", APRIL_1).on(JUNE_4)
    closed = after_booking(billed, "04")
    for month in ("03", "04"):
        closed.when(recognise(month)).then_refused("date-in-booked-month", fields={"month"})
    caught_up = closed.after(recognise("05"))
    in_order = billed.after(recognise("03")).after(recognise("04")).after(recognise("05"))
    assert caught_up.view["recognised"] == in_order.view["recognised"]
    caught_up.when(recognise("05")).then_refused("month-recognised")


def test_revenue_that_is_missing_is_named_by_the_month_in_which_it_can_be_recognised():
    open_, in_confidence = hourly_advance(), sent()
    for scenario, confidential in ((open_, False), (in_confidence, True)):
        later = after_booking(scenario.on(JUNE_4), "04")
        (checked,) = later.when(CheckPeriod(company="us", month="2026-05")).events
        assert isinstance(checked, PeriodChecked)
        found = checked.in_confidence if confidential else checked.missing
        named = [each.sentence for each in found.items if each.code == "revenue-unrecognised"]
        assert named
        assert all("in 2026-05" in each for each in named)
        done = later.after(recognise("05")).when(CheckPeriod(company="us", month="2026-05"))
        assert not any("is not recognised" in f"{each}" for each in done.events)


def test_a_settled_account_misses_no_revenue_of_later_months():
    item = BillingItem(item="start", kind="on-signature", amount=eur(20_000))
    start = contracted(sow_of(fixed_line(item)))
    invoiced = issued(start, "invoice-start", "2026-00007", APRIL_1)
    done = hearing(invoiced, accepted("design", LAST), accepted("portal", LAST)).on(LAST)
    done = done.after(pay(20_000))

    def missing_revenue(scenario: Scenario[Engagement]) -> list[str]:
        items = scenario.on(date(2026, 7, 3)).view["missing_costs_to_close"]
        return [each.sentence for each in items if each.code == "revenue-unrecognised"]

    open_ = "the revenue of fixed in 2026-06 is not recognised"
    booked_ = after_booking(after_booking(done.on(JUNE_4), "04"), "05")
    assert missing_revenue(booked_) == [open_]
    settled = done.after(SettleAccount())
    assert missing_revenue(settled)
    # What is missing of the month of the settlement is missing later, too, until it is recognised.
    booked_ = after_booking(after_booking(settled.on(JUNE_4), "04"), "05")
    assert missing_revenue(booked_) == [open_]
    recognised_ = settled.on(MAY_4).after(recognise("03")).after(recognise("04"))
    assert missing_revenue(recognised_) == []
    assert missing_revenue(after_booking(recognised_, "04")) == []


def hourly_advance() -> Scenario[Engagement]:
    return contracted(sow_of(hourly_line()))
