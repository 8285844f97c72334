"""Test that Finance goes on with an engagement that was taken over: it counts balances once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chassis.domain.ids import derived
from contracts import delivery, legal
from contracts.finance import (
    BudgetCosted,
    BudgetSet,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    PeriodBooked,
    RevenueRecognised,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.lines import LineRate, PerformanceObligation
from contracts.money import Money
from contracts.refusals import RefusalCode
from finance.allocations.requests import GiveBackAllocation
from finance.engagement import Engagement
from finance.importing.decisions import ImportEngagement
from finance.invoices.decisions import IssueCreditNote, VoidInvoice
from finance.periods.requests import BookPeriod
from finance.revenue.decisions import RecogniseRevenue
from finance.service import ENGAGEMENT
from finance.settlement.decisions import SettleAccount, open_points
from finance.time_billing.decisions import BillTime
from finance.write_offs.decisions import ReverseWriteOff, WriteOffInvoice
from testkit.scenario import Scenario, given, like
from tests.amounts import eur, per_hour, usd
from tests.invoices import UNTAXED
from tests.unit.finance.builders import (
    COSTS,
    ID,
    NO_HOURS,
    REQUESTED,
    accepted,
    allocate,
    amendment,
    hearing,
    issued,
    line_change,
    time,
)
from tests.unit.imported import IMPORTED

TODAY = date(2026, 4, 8)


def euros(amount: int | str) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


BUILD = {
    "line": "build",
    "title": "Order desk",
    "pricing": "fixed",
    "price": euros(90_000),
    "hours": [{"role": "developer", "hours": 600}],
    "deliverables": ["design", "portal"],
    "billing": [
        {"item": "start", "kind": "on-signature", "amount": euros(30_000)},
        {
            "item": "design",
            "kind": "on-acceptance",
            "amount": euros(20_000),
            "deliverables": ["design"],
        },
        {
            "item": "portal",
            "kind": "on-acceptance",
            "amount": euros(40_000),
            "deliverables": ["portal"],
        },
    ],
}
WORK = {
    "line": "work",
    "title": "Support",
    "pricing": "time-and-materials",
    "price": euros(20_000),
    "rates": [{"role": "developer", "rate": euros(100)}],
}
CARE = {
    "line": "care",
    "title": "Care",
    "pricing": "retainer",
    "price": euros(12_000),
    "retainer": {"fee": euros(1_000), "periods": 12, "starts_on": "2026-01-01"},
}
CONTRACT = legal.EngagementImported.model_validate(
    {
        "source": "crm",
        "external_id": "A1",
        "company": "us",
        "customer": "acme",
        "lines": [BUILD, WORK, CARE],
        "price": euros(122_000),
        "signed_on": "2025-12-15",
        "effective_on": "2026-01-01",
        "starts_on": "2026-01-01",
        "finishes_on": "2026-12-31",
        "payment_terms_days": 30,
        "content_hash": f"sha256:{'c' * 64}",
    }
)
PROGRESS = delivery.EngagementImported.model_validate(
    {
        "source": "crm",
        "external_id": "A1",
        "as_of": "2026-03-31",
        "baselined_on": "2026-01-12",
        "deliverables": [
            {"deliverable": "design", "title": "Design", "accepted_on": "2026-03-02"},
            {"deliverable": "portal", "title": "Portal"},
        ],
        "complete": 55,
    }
)
BALANCES = {
    "build": (90_000, 50_000, 50_000, "at-acceptance", 20_000),
    "work": (20_000, 6_000, 6_000, "as-invoiced", 6_000),
    "care": (12_000, 3_000, 3_000, "over-time", 3_000),
}


RECEIVABLE: dict[str, Any] = {
    "number": "R 2026/17",
    "gross": euros(2_380),
    "open": euros(1_190),
    "issued_on": "2026-03-10",
    "due_on": "2026-04-09",
}


def importing(
    as_of: str = "2026-03-31", *receivables: dict[str, Any], **lines: dict[str, Any]
) -> ImportEngagement:
    """Return the command; `lines` replace fields of a line's balance."""
    balances = [
        {
            "line": name,
            "price": euros(price),
            "billed": euros(billed),
            "paid": euros(paid),
            "method": method,
            "recognised": euros(recognised),
            **lines.get(name, {}),
        }
        for name, (price, billed, paid, method, recognised) in BALANCES.items()
    ]
    sums = {
        field: euros(sum(each[field]["amount"] for each in balances))
        for field in ("price", "billed", "paid")
    }
    return ImportEngagement.model_validate(
        {
            "source": "crm",
            "external_id": "A1",
            "as_of": as_of,
            "lines": balances,
            "cost_to_date": euros(25_000),
            "receivables": receivables,
            **sums,
        }
    )


def sold() -> Scenario[Engagement]:
    published = given(ENGAGEMENT, ID, records=[*UNTAXED, COSTS])
    return published.consumed(IMPORTED, CONTRACT).on(TODAY)


def taken_over(command: ImportEngagement | None = None) -> Scenario[Engagement]:
    """Return an engagement that all departments took over on 8 April, as of 31 March."""
    return hearing(sold().after(command or importing()), PROGRESS)


def due(scenario: Scenario[Engagement]) -> dict[str, tuple[Money, Money]]:
    """Return what fell due and what is left, by entry of the schedule."""
    return {each.item: (each.due, each.left) for each in scenario.view["budget"].schedule}


def drafts(scenario: Scenario[Engagement]) -> dict[str, Money]:
    return {each.invoice: each.amount for each in scenario.view["invoices"]}


def test_the_budget_is_set_by_contract_and_balances() -> None:
    waiting = sold()
    codes = [each.code for each in waiting.view["waiting"]]
    assert codes == ["engagement-not-imported"]
    scenario = taken_over()
    assert scenario.view["waiting"] == []
    assert scenario.state.company == "us"
    assert scenario.state.money == "EUR"
    assert [each.method for each in scenario.view["obligations"]] == [
        "at-acceptance",
        "as-invoiced",
        "over-time",
    ]


def test_what_was_billed_before_is_not_billed_again() -> None:
    scenario = taken_over()
    assert drafts(scenario) == {}
    assert due(scenario) == {
        "start": (eur(30_000), eur(0)),
        "design": (eur(20_000), eur(0)),
        "portal": (eur(0), eur(40_000)),
        "work": (eur(6_000), eur(14_000)),
        "care": (eur(3_000), eur(9_000)),
    }


def test_entries_that_were_not_billed_are_billed_when_they_fall_due() -> None:
    scenario = hearing(taken_over(), accepted("portal"))
    assert drafts(scenario) == {"invoice-portal": eur(40_000)}
    assert due(scenario)["portal"] == (eur(40_000), eur(0))


def test_the_entries_that_were_billed_can_be_named() -> None:
    entries = [{"item": "start", "amount": euros(30_000)}, {"item": "portal", "amount": euros(100)}]
    build = {"billed": euros(30_100), "paid": euros(30_100), "entries": entries}
    scenario = taken_over(importing(build=build))
    assert drafts(scenario) == {"invoice-design": eur(20_000)}  # it was accepted, and not billed
    assert due(scenario)["portal"] == (eur(100), eur(39_900))


def test_a_retainer_goes_on_with_the_first_month_that_was_not_billed() -> None:
    scenario = taken_over()
    scenario = scenario.when_deadline("due-care-2026-04").then_accepted()
    assert drafts(scenario) == {"invoice-care-2026-04": eur(1_000)}
    scenario.then_deadlines(due_care_2026_05=date(2026, 5, 1))


def test_time_is_billed_up_to_what_is_left_of_the_cap() -> None:
    worked = hearing(taken_over(), time("a", hours=150, line="work"))
    billed = worked.on(date(2026, 5, 2)).after(BillTime(month="2026-04"))
    assert drafts(billed) == {"invoice-work-2026-04": eur(14_000)}
    (line,) = billed.view["unbilled"]
    assert (line.unbilled, line.beyond_cap) == (eur(1_000), eur(1_000))


def test_due_on_the_terms_of_the_contract_by_the_company_that_sells() -> None:
    scenario = hearing(taken_over(), accepted("portal"))
    scenario = issued(scenario, "invoice-portal", "2026-00001", date(2026, 5, 5))
    (invoice,) = scenario.view["invoices"]
    assert invoice.due_on == date(2026, 6, 4)


def recognised(scenario: Scenario[Engagement], month: str) -> dict[str, tuple[Money, Money]]:
    outcome = scenario.when(RecogniseRevenue(month=month))
    outcome.then_accepted()
    return {
        each.obligation: (each.amount, each.cumulative)
        for each in outcome.events
        if isinstance(each, RevenueRecognised)
    }


def test_revenue_continues_after_the_balances() -> None:
    worked = hearing(taken_over(), time("a", hours=150, line="work"), accepted("portal"))
    may = worked.on(date(2026, 6, 1))
    may.when(RecogniseRevenue(month="2026-03")).then_refused("month-recognised")
    assert recognised(may, "2026-04") == {
        "fixed": (eur(25_000), eur(25_000)),  # the design earns half of 90,000, less 20,000 before
        "work": (eur(14_000), eur(14_000)),
        "care": (eur(1_000), eur(1_000)),
    }
    after = may.after(RecogniseRevenue(month="2026-04"))
    assert recognised(after, "2026-05")["fixed"] == (eur(45_000), eur(70_000))


def test_a_month_that_the_balances_contain_in_part_is_recognised_as_a_whole() -> None:
    scenario = taken_over(importing("2026-03-20")).on(date(2026, 5, 1))
    assert recognised(scenario, "2026-03")["care"] == (eur(0), eur(0))


def test_revenue_waits_for_that_of_before() -> None:
    unknown = taken_over(importing(work={"recognised": None})).on(date(2026, 5, 1))
    unknown.when(RecogniseRevenue(month="2026-04")).then_refused(
        "revenue-not-measurable", missing={"revenue-unknown"}
    )


def by_cost(**more: Any) -> ImportEngagement:
    """Return balances of a single obligation by cost: half of 30,000 EUR are spent."""
    build = {"method": "cost-to-cost", "recognised": euros(45_000)}
    command = importing(build=build)
    return command.model_copy(update={"cost_to_date": eur(15_000), **more})


FIXED_ONLY = CONTRACT.model_copy(update={"lines": CONTRACT.lines[:1], "price": eur(90_000)})


def fixed_only(**more: Any) -> Scenario[Engagement]:
    command = by_cost()
    only = {"price": eur(90_000), "billed": eur(50_000), "paid": eur(50_000)}
    command = command.model_copy(update={"lines": command.lines[:1], **only, **more})
    published = (
        given(ENGAGEMENT, ID, records=[*UNTAXED, COSTS]).consumed(IMPORTED, FIXED_ONLY).on(TODAY)
    )
    return hearing(published.after(command), PROGRESS)


def test_revenue_by_cost_contains_the_cost_of_before() -> None:
    # 600 hours at 50 EUR are budgeted: 15,000 + 7,500 of 30,000 EUR earn 67,500 EUR.
    worked = hearing(fixed_only(), time("a", hours=150)).on(date(2026, 5, 1))
    after = worked.after(RecogniseRevenue(month="2026-04"))
    assert after.view["revenue_by_cost"] == {"fixed": eur(22_500)}
    assert after.view["contract_asset"] == eur(17_500)  # 67,500 recognised, 50,000 billed


@pytest.mark.parametrize("unknown", ["cost", "revenue"])
def test_revenue_by_cost_waits_for_the_cost_of_before(unknown: str) -> None:
    scenario = fixed_only(cost_to_date=None)
    if unknown == "revenue":
        lines = [each.model_copy(update={"recognised": None}) for each in by_cost().lines[:1]]
        scenario = fixed_only(lines=tuple(lines))
    worked = hearing(scenario, time("a", hours=150)).on(date(2026, 5, 1))
    worked.when(RecogniseRevenue(month="2026-04")).then_refused(
        "revenue-not-measurable", missing={"cost-unknown"}
    )


def test_cost_of_before_belongs_to_an_obligation_by_its_recognised_part() -> None:
    # Half of the price was recognised, so half of the 30,000 EUR of budgeted cost were spent.
    command = by_cost(cost_to_date=eur(19_000))
    worked = hearing(taken_over(command), time("a", hours=150, line="build"))
    after = worked.on(date(2026, 5, 1)).after(RecogniseRevenue(month="2026-04"))
    assert after.view["revenue_by_cost"] == {"fixed": eur(22_500)}


def test_fixed_lines_keep_their_methods() -> None:
    more = CONTRACT.lines[0].model_copy(update={"line": "more", "billing": ()})
    lines = (CONTRACT.lines[0], more)
    contract = CONTRACT.model_copy(update={"lines": lines, "price": eur(180_000)})
    command = importing()
    first = command.lines[0]
    second = first.model_copy(
        update={"line": "more", "method": "cost-to-cost", "recognised": eur(1)}
    )
    both = {"price": eur(180_000), "billed": eur(100_000), "paid": eur(100_000)}
    command = command.model_copy(update={"lines": (first, second), **both})
    scenario = given(ENGAGEMENT, ID).consumed(IMPORTED, contract).on(TODAY).after(command)
    assert scenario.state.budget is not None
    assert scenario.state.budget.obligations == (
        PerformanceObligation(obligation="more", lines=("more",), method="cost-to-cost"),
        PerformanceObligation(obligation="fixed", lines=("build",), method="at-acceptance"),
    )


def test_an_amendment_raises_the_cap() -> None:
    rate = LineRate(role="tester", rate=per_hour(80))
    raised = amendment(line_change(5_000, line="work", rates=(rate,)))
    scenario = hearing(taken_over(), REQUESTED, NO_HOURS)
    amended = scenario.when_consumed(raised).then_accepted()
    assert amended.state.budget is not None
    assert amended.state.budget.price == eur(127_000)
    worked = hearing(amended, time("a", hours=200, line="work"))
    billed = worked.on(date(2026, 5, 2)).after(BillTime(month="2026-04"))
    assert sum(each.amount for each in drafts(billed).values()) == Decimal(19_000)


def test_what_was_billed_before_is_taken_from_a_lower_price_last() -> None:
    cut = amendment(line_change(-30_000, line="build"))
    scenario = hearing(taken_over(), REQUESTED, NO_HOURS, cut)
    assert due(scenario)["start"] == (eur(30_000), eur(0))
    assert due(scenario)["portal"] == (eur(0), eur(10_000))


def settling(scenario: Scenario[Engagement]) -> set[RefusalCode]:
    return {each.code for each in open_points(scenario.state)}


def test_the_account_is_settled_with_the_balances_of_before() -> None:
    only = importing().lines[0].model_copy(update={"method": "at-acceptance"})
    scenario = fixed_only(lines=(only,), cost_to_date=eur(15_000))
    assert settling(scenario) == {"billing-item-unbilled"}
    done = hearing(scenario, accepted("portal"))
    done = issued(done, "invoice-portal", "2026-00001", date(2026, 5, 5))
    assert settling(done) == {"invoice-unpaid"}
    unpaid = fixed_only(paid=eur(49_000), lines=(only.model_copy(update={"paid": eur(49_000)}),))
    assert "opening-balance-unpaid" in settling(unpaid)


def owing(**changed: Any) -> ImportEngagement:
    """Return balances of which 1,000 EUR, with tax 1,190 EUR, are owed on an invoice."""
    return importing("2026-03-31", {**RECEIVABLE, **changed}, build={"paid": euros(49_000)})


BEFORE = f"opening-{derived('R 2026/17')}"


def open_of(scenario: Scenario[Engagement]) -> tuple[Money, Money, Money, bool]:
    [shown] = scenario.view["opening_receivables"]
    return shown.paid, shown.written_off, shown.outstanding, shown.overdue


def test_a_payment_is_allocated_to_an_invoice_from_before() -> None:
    scenario = taken_over(owing())
    assert scenario.view["outstanding"] == eur(1_190)
    assert settling(scenario) >= {"invoice-unpaid"}
    part = scenario.when(allocate(BEFORE, eur(1_000), bank_charge=eur(5)))
    part.then(like(PaymentAllocated, invoice=BEFORE, amount=eur(1_000), bank_charge=eur(5)))
    assert open_of(part.after) == (eur(1_005), eur(0), eur(185), False)
    assert part.after.view["paid"] == part.after.view["gross"] == eur(0), "billed here"
    assert part.after.state.periods.unbooked_to().paid == 1_005
    rest = part.after.after(allocate(BEFORE, eur(150), written_off=eur(50)))
    assert open_of(rest) == (eur(1_155), eur(35), eur(0), False)
    assert "invoice-unpaid" not in settling(rest)
    assert "opening-balance-unpaid" not in settling(rest)
    rest.when(allocate(BEFORE, eur(1))).then_refused("invoice-paid")
    whole = scenario.after(allocate(BEFORE, eur(2_000)))
    assert open_of(whole) == (eur(1_190), eur(0), eur(0), False), "the payment keeps the rest"


def test_a_payment_of_an_invoice_from_before_is_taken_back_with_its_write_off() -> None:
    taken = allocate(BEFORE, eur(1_150), written_off=eur(40))
    scenario = taken_over(owing()).after(taken)
    assert open_of(scenario)[2] == eur(0)
    back = GiveBackAllocation(allocation=taken.allocation, why="No cover.", deallocated_on=TODAY)
    returned = scenario.when(back)
    returned.then(like(PaymentDeallocated, invoice=BEFORE), like(WriteOffReversed, amount=eur(40)))
    assert open_of(returned.after) == (eur(0), eur(0), eur(1_190), False)


def test_an_invoice_from_before_is_overdue_and_written_off() -> None:
    scenario = taken_over(owing())
    late = scenario.when_deadline(f"overdue-{BEFORE}")
    late.then(PaymentOverdue(invoice=BEFORE, due_on=date(2026, 4, 9), outstanding=eur(1_190)))
    assert late.after.view["overdue"]
    lost = late.after.when(WriteOffInvoice(invoice=BEFORE, why="Insolvent."))
    lost.then(like(WriteOffRecorded, amount=eur(1_190)))
    assert open_of(lost.after) == (eur(0), eur(1_190), eur(0), False)
    assert not lost.after.view["overdue"]
    [known] = lost.after.view["write_offs"]
    again = lost.after.after(ReverseWriteOff(write_off=known.write_off, why="They pay."))
    assert open_of(again) == (eur(0), eur(0), eur(1_190), False)


def test_an_invoice_from_before_is_fixed_once_it_was_paid_here() -> None:
    paid = taken_over(owing()).after(allocate(BEFORE, eur(1_000)))
    corrections = (owing(open=euros(1_191)), owing(number="R 2026/18"), importing())
    for correction in corrections:
        command = correction.model_copy(update={"why": "It was wrong."})
        paid.when(command).then_refused("receivable-fixed", fields={"receivables"})
        taken_over(owing()).when(command).then_accepted()
    other = owing(number="R 2026/18").receivables
    more = owing().model_copy(update={"receivables": (*owing().receivables, *other), "why": "Two."})
    shown = paid.after(more).view["opening_receivables"]
    assert [each.outstanding for each in shown] == [eur(190), eur(1_190)]


def test_bookings_contain_what_was_owed_at_the_take_over_and_its_corrections() -> None:
    def book(scenario: Scenario[Engagement], month: str) -> tuple[Money, Money, Money, Money]:
        command = BookPeriod(company="us", month=month, accepted="Late.")
        [event] = (each for each in scenario.when(command).events if isinstance(each, PeriodBooked))
        return event.receivables_before, event.taken_over, event.paid, event.receivables

    paid = taken_over(owing()).after(allocate(BEFORE, eur(1_000)))
    assert book(paid, "2026-04") == (eur(0), eur(1_190), eur(1_000), eur(190))
    closed = taken_over(owing()).after(BookPeriod(company="us", month="2026-04", accepted="Late."))
    correction = owing(open=euros(1_200)).model_copy(update={"why": "Another amount."})
    later = closed.after(correction).after(allocate(BEFORE, eur(1_200)))
    assert book(later, "2026-05") == (eur(1_190), eur(10), eur(1_200), eur(0))


def test_invoices_from_before_are_no_invoices_of_here() -> None:
    scenario = taken_over(owing())
    scenario.when(VoidInvoice(invoice=BEFORE, why="Wrong.")).then_refused("invoice-unknown")
    note = IssueCreditNote(intent="give-back", invoice=BEFORE, amount=eur(1), why="Goodwill.")
    scenario.when(note).then_refused("invoice-unknown")
    assert scenario.view["invoices"] == []


def test_nothing_is_corrected_after_the_settlement() -> None:
    only = importing().lines[0]
    scenario = fixed_only(lines=(only,))
    scenario = hearing(scenario, accepted("portal"))
    scenario = issued(scenario, "invoice-portal", "2026-00001", date(2026, 5, 5))
    paid = allocate("invoice-portal", eur(40_000), received_on=date(2026, 5, 5))
    settled = scenario.after(paid).after(SettleAccount())
    fields = {"lines": (only,), "price": eur(90_000), "billed": eur(50_000), "paid": eur(50_000)}
    command = importing("2026-03-30").model_copy(update={**fields, "why": "Another day."})
    settled.when(command).then_refused("account-settled")


def test_a_corrected_contract_sets_the_budget_again_until_it_is_amended() -> None:
    title = CONTRACT.lines[0].model_copy(update={"title": "Another title"})
    lines = (title, *CONTRACT.lines[1:])
    corrected = CONTRACT.model_copy(update={"lines": lines, "why": "A title was wrong."})
    again = taken_over().when_consumed(corrected)
    again.then(like(BudgetSet, lines=corrected.scheduled_lines), like(BudgetCosted))
    again.after.when_consumed(corrected).then_nothing()
    amended = hearing(taken_over(), REQUESTED, NO_HOURS, amendment(line_change(1, line="build")))
    assert not any(isinstance(each, BudgetSet) for each in amended.when_consumed(corrected).events)


def test_a_contract_that_the_balances_contradict_sets_no_budget() -> None:
    dearer = CONTRACT.lines[2].model_copy(update={"price": eur(12_001)})
    corrected = CONTRACT.model_copy(
        update={"lines": (*CONTRACT.lines[:2], dearer), "why": "A fee was wrong."}
    )
    scenario = hearing(taken_over(), corrected)
    assert [each.code for each in scenario.view["waiting"]] == ["field-differs"]
    assert scenario.state.budget is not None
    assert scenario.state.budget.price == eur(122_000)


def test_a_method_is_never_switched_once_revenue_was_recognised() -> None:
    scenario = taken_over().on(date(2026, 5, 1)).after(RecogniseRevenue(month="2026-04"))
    switched = by_cost(why="Another method.")
    scenario.when(switched).then_refused("method-fixed", saying="lines: ")
    taken_over().when(switched).then_accepted()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"item": "starts", "amount": euros(50_000)}], "billing-item-unknown"),
        (
            [
                {"item": "start", "amount": euros(30_001)},
                {"item": "design", "amount": euros(19_999)},
            ],
            "amount-beyond-schedule",
        ),
    ],
)
def test_entries_are_those_of_the_contract(
    entries: list[dict[str, Any]], code: RefusalCode
) -> None:
    command = importing(build={"entries": entries})
    sold().when(command).then_refused("balances-differ", missing={code}, fields={"lines"})


def test_balances_in_another_currency_are_refused() -> None:
    lines = [
        each.model_copy(update={name: usd(0) for name in ("billed", "paid", "recognised")})
        for each in importing().lines
    ]
    much = usd(90_000)
    priced = [each.model_copy(update={"price": much, "billed": much}) for each in lines]
    sums = {"price": much * 3, "billed": much * 3, "paid": usd(0), "cost_to_date": None}
    other = importing().model_copy(update={"lines": tuple(priced), **sums})
    sold().when(other).then_refused("currency-differs", saying="price: ")
