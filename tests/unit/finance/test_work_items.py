"""Each work item of Finance: it appears when something waits, and its command makes it go."""

from datetime import date

from chassis.domain.work_items import Party
from contracts.delivery import GoLiveWithdrawn, SolutionWentLive
from contracts.event import Event
from contracts.lines import BillingItem
from contracts.reference import CostRatesPublished
from finance.billing.decisions import BillOutsideSchedule
from finance.contract.decisions import ReviewSow
from finance.engagement import Engagement
from finance.invoices.decisions import (
    ApproveInvoice,
    HoldInvoice,
    IssueCreditNote,
    ReleaseInvoice,
)
from finance.pending.decisions import CatchUp
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, ReleaseWork, WriteDownWork
from testkit.scenario import Scenario
from tests.amounts import eur, usd
from tests.unit.finance.builders import (
    APRIL_1,
    ASSESSED,
    BASELINED,
    CARD,
    COSTS,
    ESTIMATE,
    ESTIMATED,
    HOURLY_SOW,
    MONDAY,
    PROPOSED,
    SIGNED,
    SOW,
    SOW_SIGNED,
    TERMINATED,
    WON,
    accepted,
    amendment,
    contracted,
    credit_issued,
    delivered,
    exchange,
    expense,
    expense_reversed,
    hearing,
    hourly_line,
    issued,
    line_change,
    newest_invoice,
    opened,
    pay,
    report,
    sow_of,
    time,
    time_reversed,
)
from tests.unit.finance.test_taken_over import owing, taken_over
from tests.unit.finance.test_time_billing import two_lines
from tests.unit.finance.test_withholding import HOLD, worked

MAY_4 = date(2026, 5, 4)
AUGUST_4 = date(2026, 8, 4)
ACCOUNTANT = Party("finance", "project-accountant")
ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))


def hourly(*events: Event) -> Scenario[Engagement]:
    """Return a contract by time and materials, after these events."""
    return hearing(contracted(sow_of(hourly_line(ALL_AS_TIME))), *events).on(MAY_4)


def test_the_newest_statement_of_work_waits_for_the_review_until_it_is_signed() -> None:
    drafted = hearing(opened(), ESTIMATE, PROPOSED, WON, SOW)
    drafted.then_work("finance-review-missing", "sow-1", since=ESTIMATED)
    drafted.after(ReviewSow(version=1, verdict="approved")).then_work("finance-review-missing")
    contracted().then_work("finance-review-missing")


def test_an_estimate_without_listed_rates_waits_for_the_rate_card() -> None:
    waits = hearing(opened(card=False), ESTIMATE)
    waits.then_work("estimate-not-priced", "estimate-1", since=ESTIMATED)
    waits.knowing(CARD, COSTS).after(CatchUp()).then_work("estimate-not-priced")
    hearing(waits, PROPOSED, WON).then_work("estimate-not-priced")


def test_a_change_without_rates_waits_for_the_rate_card() -> None:
    waits = hearing(contracted(card=False), ASSESSED)
    waits.then_work("change-not-priced", "CR-1", since=SIGNED)
    waits.knowing(CARD, COSTS).after(CatchUp()).then_work("change-not-priced")


def test_a_signed_contract_whose_draft_is_unknown_waits_for_the_budget() -> None:
    waits = hearing(opened(), SOW_SIGNED)
    waits.then_work("budget-not-set", "budget", since=SIGNED)
    hearing(waits, SOW).then_work("budget-not-set")


def test_an_amendment_that_does_not_fit_waits_for_the_budget() -> None:
    unknown = amendment(line_change(line="other"))
    waits = hearing(contracted(), ASSESSED, unknown)
    waits.then_work("budget-not-amended", "budget", since=unknown.signed_on)
    hearing(contracted(), ASSESSED, amendment(line_change())).then_work("budget-not-amended")


def test_work_beyond_the_cap_waits_until_it_is_written_down_or_the_cap_is_raised() -> None:
    capped = contracted(sow_of(hourly_line(ALL_AS_TIME, estimated=False)))
    first, second = time("a", hours=195), time("b", hours=10, day=date(2026, 4, 13))
    hearing(capped, first).then_work("cap-spent")
    beyond = hearing(capped.on(MAY_4), first, second)
    beyond.then_work("cap-spent", "work", since=date(2026, 4, 13))
    [item] = [each for each in beyond.work if each.kind.code == "cap-spent"]
    assert item.sentence.startswith("approved work over 500.00 EUR on line work is beyond its cap")
    assert "request-change" in item.sentence
    raised = hearing(beyond, ASSESSED, amendment(line_change()))
    raised.then_work("cap-spent")
    billed = beyond.after(BillTime(month="2026-04"))
    billed.then_work("cap-spent", "work", since=date(2026, 4, 13))
    rest = WriteDownWork(entries=("b",), why="Beyond the cap.")
    billed.after(rest).then_work("cap-spent")
    estimate = contracted(sow_of(hourly_line(ALL_AS_TIME, estimated=True)))
    hearing(estimate, first, second).then_work("cap-spent")


def test_a_draft_waits_for_the_controller_since_it_fell_due() -> None:
    drafted = contracted()
    drafted.then_work("invoice-not-approved", "invoice-start", since=SIGNED)
    approved = drafted.on(APRIL_1).after(ApproveInvoice(invoice="invoice-start"), by="cora")
    approved.then_work("invoice-not-approved")
    later = hearing(contracted(), accepted("design", MAY_4))
    later.then_work("invoice-not-approved", "invoice-start", "invoice-design")


def test_a_draft_outside_the_schedule_says_why() -> None:
    terms = {"description": "Design", "line": "work", "amount": eur(6_000)}
    early = BillOutsideSchedule.model_validate(
        {"item": "design", "lines": [terms], "reason": "Year end."}
    )
    drafted = contracted().after(early, by="cora")
    name = newest_invoice(drafted)
    drafted.then_work("invoice-not-approved", "invoice-start")
    on = drafted.moment.date()
    drafted.then_work("exception-not-approved", name, since=on, not_by=("cora",))
    [item] = [each for each in drafted.work if each.about == name]
    assert item.sentence.endswith("an exception, requested by cora: Year end.")
    approve = ApproveInvoice(invoice=name)
    drafted.when(approve, by="cora").then_refused("approver-is-author")
    drafted.after(approve, by="carl").then_work("exception-not-approved")


def test_a_held_draft_waits_for_its_release_and_not_for_its_approval() -> None:
    held = contracted().on(APRIL_1).after(HoldInvoice(invoice="invoice-start", why="Disputed."))
    held.then_work("invoice-not-approved").then_work(
        "invoice-held", "invoice-start", since=APRIL_1, due=None
    )
    [item] = [each for each in held.work if each.kind.code == "invoice-held"]
    assert item.sentence.endswith("is held: Disputed.")
    released = held.after(ReleaseInvoice(invoice="invoice-start"))
    released.then_work("invoice-held").then_work("invoice-not-approved", "invoice-start")


def test_the_account_waits_for_its_settlement_from_the_go_live_on_and_after_later_work() -> None:
    delivered().then_work("account-not-settled")
    live = delivered().consumed(SolutionWentLive(live_on=AUGUST_4))
    live.then_work("account-not-settled", "account", since=AUGUST_4, owed_by=ACCOUNTANT)
    not_yet = GoLiveWithdrawn(live_on=AUGUST_4, why="Not yet.", withdrawn_on=AUGUST_4)
    live.consumed(not_yet).then_work("account-not-settled")
    settled = live.on(AUGUST_4).after(SettleAccount(), by="petra")
    settled.then_work("account-not-settled")
    again = settled.consumed(time("late", role="architect"))
    again.then_work("account-not-settled", "account")
    again.after(SettleAccount(), by="petra").then_work("account-not-settled")


def test_the_account_of_a_terminated_contract_waits_for_its_settlement() -> None:
    ended = contracted().consumed(TERMINATED)
    ended.then_work("account-not-settled", "account", since=TERMINATED.terminated_on)
    opened().consumed(TERMINATED).then_work("account-not-settled")


def test_an_issued_invoice_is_owed_by_the_customer_until_it_is_paid() -> None:
    waits = issued(contracted(), "invoice-start", "2026-00001", APRIL_1)
    waits.then_work("invoice-unpaid", "invoice-start", since=APRIL_1, due=date(2026, 5, 1))
    [item] = waits.work
    assert (item.owed_by.department, item.is_overdue(MAY_4)) == ("customer", True)
    part = waits.after(pay(2_000))
    part.then_work("invoice-unpaid", "invoice-start")
    whole = part.after(pay(3_000))
    whole.then_work("invoice-unpaid")


def test_an_invoice_from_before_a_take_over_is_owed_by_the_customer() -> None:
    [item] = [each for each in taken_over(owing()).work if each.kind.code == "invoice-unpaid"]
    [invoice] = taken_over(owing()).state.billing.opening.values()
    assert item.about == invoice.invoice
    assert (item.since, item.due) == (invoice.issue_on, invoice.due_on)


def test_approved_work_waits_to_be_billed_by_the_end_of_its_month() -> None:
    waits = hourly(time("a"), time("b", day=date(2026, 4, 7)))
    waits.then_work("time-unbilled", "work", since=MONDAY, due=date(2026, 4, 30))
    assert "1,600.00 EUR" in waits.work[0].sentence
    waits.after(BillTime(month="2026-04")).then_work("time-unbilled")


def test_work_beyond_the_cap_does_not_wait_to_be_billed() -> None:
    capped = sow_of(hourly_line(ALL_AS_TIME.model_copy(update={"amount": eur(20_000)})))
    spent = hearing(contracted(capped), time("a", hours=200)).on(MAY_4)
    spent.then_work("time-unbilled", "work")
    billed = spent.after(BillTime(month="2026-04"))
    hearing(billed, time("b")).then_work("time-unbilled")


def test_held_work_waits_for_its_release() -> None:
    held = worked().after(HOLD)
    held.then_work("work-held", "work", since=MAY_4)
    held.then_work("time-unbilled", "work")
    held.after(ReleaseWork(entries=("a",))).then_work("work-held")
    written = held.after(WriteDownWork(entries=("a",), why="Goodwill."), by="cora")
    written.then_work("work-held")
    both = held.after(HoldWork(entries=("b",), why="Disputed."))
    both.then_work("work-held", "work").then_work("time-unbilled")


def test_an_invoice_that_bills_reversed_work_waits_for_a_credit_note() -> None:
    approval = time("a")
    billed = hourly(approval).after(BillTime(month="2026-04"))
    name = newest_invoice(billed)
    sent = issued(billed, name, "2026-00001", MAY_4)
    reversed_ = hearing(sent, time_reversed(approval))
    reversed_.then_work("reversed-work-billed", name, since=MAY_4)
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=name, entries=("a",), why="Another engagement."
    )
    credit_issued(reversed_, note).then_work("reversed-work-billed")


def test_work_that_no_line_pays_for_is_owed_by_who_can_name_one() -> None:
    waits = hourly(time("a", role="tester"), time("b", role="tester"))
    waits.then_work("rate-not-contracted", "work", since=MONDAY)
    [item] = waits.work
    assert item.owed_by.department == "legal"
    assert item.sentence.endswith(", and 1 more")
    hourly(time("a"), time("b")).then_work("rate-not-contracted")


def test_an_expense_that_several_lines_could_bill_is_owed_by_the_manager() -> None:
    spent = expense("x", eur(50))
    waits = hearing(two_lines(), spent)
    waits.then_work("work-unassigned", "work", since=MONDAY)
    assert {each.owed_by.department for each in waits.work if each.about == "work"} == {"delivery"}
    hearing(waits, expense_reversed(spent)).then_work("work-unassigned")


def test_an_expense_in_another_currency_waits_for_the_exchange_rate() -> None:
    waits = hourly(expense("dinner", usd(70)))
    sentence = f"1 expense needs the rate of USD, from {MONDAY} on"
    waits.then_work("exchange-rate-missing", "USD", since=MONDAY, sentence=sentence)
    known = waits.knowing(CARD, COSTS, exchange("1.25", date(2026, 3, 2))).after(CatchUp())
    known.then_work("exchange-rate-missing")


def test_what_waits_for_costs_is_stated_in_confidence_only() -> None:
    waits = hearing(contracted(HOURLY_SOW, costs=False), time("a"))
    confidential = {
        each.kind.code: each.since for each in waits.decider.work(waits.state, confidential=True)
    }
    assert confidential == {"work-uncosted": MONDAY, "cost-unknown": SIGNED}
    open_items = waits.decider.work(waits.state, confidential=False)
    assert not {each.kind.code for each in open_items} & confidential.keys()
    assert not any("cost" in each.sentence for each in open_items)
    rates: CostRatesPublished = COSTS
    known = waits.knowing(CARD, rates).after(CatchUp())
    assert known.decider.work(known.state, confidential=True) == ()


def test_a_status_report_waits_for_costs_in_confidence() -> None:
    measured = hearing(contracted(), BASELINED, report(date(2026, 4, 20)))
    measured.then_work("report-not-measured")
    waits = hearing(contracted(costs=False), BASELINED, report(date(2026, 4, 20)))
    waits.then_work("report-not-measured", "cost", since=date(2026, 4, 20))
    waits.knowing(CARD, COSTS).after(CatchUp()).then_work("report-not-measured")
