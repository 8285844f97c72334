"""Check that the account is settled only when nothing is open, and that refusals list the rest."""

from datetime import date

from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BillingEventDue,
    InvoiceDrafted,
    MarginMeasured,
)
from contracts.values import BillingItem
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote
from finance.payments.decisions import RecordPayment, RecordRefund
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from testkit.scenario import Scenario, like, permutations_agree
from tests.unit.finance.builders import (
    AMENDMENT,
    ASSESSED,
    HOURLY_SOW,
    TERMINATED,
    accepted,
    contracted,
    credit_issued,
    eur,
    expense,
    hearing,
    issued,
    opened,
    paid_up,
    rates,
    time,
)

SETTLE = SettleAccount()
JUNE = date(2026, 6, 2)
AUGUST = date(2026, 8, 3)
LATE = AMENDMENT.model_copy(update={"signed_on": AUGUST})
"""Change order of 2,900 EUR, signed on the day on which the account was settled."""


def out() -> Scenario[Engagement]:
    return issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))


def square(engagement: Scenario[Engagement], **amounts: int) -> Scenario[Engagement]:
    for number, (item, amount) in enumerate(amounts.items(), start=2):
        name = f"invoice-{item}"
        engagement = issued(engagement, name, f"2026-{number:05}", JUNE)
        engagement = engagement.after(RecordPayment(invoice=name, amount=eur(amount)))
    return engagement


def test_the_refusal_lists_everything_that_is_open():
    half = hearing(out(), accepted("design")).on(JUNE)
    half.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"invoice-not-issued", "invoice-unpaid", "billing-item-unbilled"},
        saying="5,000.00 EUR is outstanding on 2026-00001",
    )


def all_paid() -> Scenario[Engagement]:
    """Return a contract with everything accepted, invoiced and paid."""
    return paid_up(hearing(contracted(), accepted("design"), accepted("portal")), AUGUST)


def test_an_account_with_nothing_open_is_settled_once():
    settled = (
        all_paid()
        .when(SETTLE, by="petra")
        .then(AccountSettled(billed=eur(20_000), paid=eur(20_000), settled_on=date(2026, 8, 3)))
    )
    settled.when(SETTLE).then_nothing()
    settled.when(SettleAccount(settled_on=date(2026, 8, 1))).then_refused(
        "already-recorded", fields={"settled_on"}
    )


def test_a_refused_repetition_names_no_amount_that_the_caller_did_not_give():
    before = AccountSettled(billed=eur(19_000), paid=eur(19_000), settled_on=AUGUST)
    settled = all_paid().published(before)
    settled.when(SETTLE).then_nothing()
    settled.when(SettleAccount(settled_on=date(2026, 8, 1))).then_refused(
        "already-recorded", fields={"settled_on"}
    )


def test_an_account_is_not_settled_before_its_last_movement():
    before = SettleAccount(settled_on=date(2026, 5, 15))
    all_paid().when(before).then_refused("date-before-last-movement", saying="on 2026-08-03")
    late = all_paid().on(date(2026, 8, 10))
    late.when(SettleAccount(settled_on=AUGUST)).then(like(AccountSettled, settled_on=AUGUST))


def test_a_change_order_reopens_a_settled_account():
    again = hearing(all_paid().after(SETTLE), ASSESSED, LATE)
    again.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"billing-item-unbilled"},
        saying="2,900.00 EUR of report never",
    )
    accepted_late = hearing(again, accepted("report", AUGUST))
    paid = issued(accepted_late, "invoice-report", "2026-00005", AUGUST)
    paid = paid.after(RecordPayment(invoice="invoice-report", amount=eur(2_900)))
    paid.when(SETTLE).then(AccountSettled(billed=eur(22_900), paid=eur(22_900), settled_on=AUGUST))


def test_a_change_order_after_settling_falls_due_on_its_date():
    entry = BillingItem(item="more", kind="on-date", amount=eur(2_900), due_on=date(2026, 8, 20))
    dated = LATE.model_copy(update={"deliverables_added": (), "billing_schedule": (entry,)})
    again = hearing(all_paid().after(SETTLE), ASSESSED, dated)
    again.when(SETTLE).then_refused("account-not-settled", missing={"billing-item-unbilled"})
    again.when_deadline("due-more-a1").then(
        like(BillingEventDue, item="more", amount=eur(2_900)), like(InvoiceDrafted)
    )


def test_a_change_order_that_is_not_in_the_budget_yet_keeps_the_account_open():
    unpriced = hearing(all_paid(), LATE)
    unpriced.when(SETTLE).then_refused("account-not-settled", missing={"budget-not-amended"})


def test_an_invoice_issued_after_settling_is_settled_again():
    over = hearing(out(), TERMINATED).on(JUNE)
    paid = over.after(RecordPayment(invoice="invoice-start", amount=eur(5_000))).after(SETTLE)
    late = square(hearing(paid, accepted("design")), design=6_000)
    late.when(SETTLE).then(
        like(AccountSettled, billed=eur(11_000)), like(MarginMeasured, as_of=JUNE)
    )


def test_after_a_termination_entries_that_never_fell_due_are_not_billed():
    over = hearing(out(), TERMINATED).on(JUNE)
    over.when(SETTLE).then_refused("account-not-settled", missing={"invoice-unpaid"})
    paid = over.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    assert paid.when(SETTLE).events[0] == AccountSettled(
        billed=eur(5_000), paid=eur(5_000), settled_on=JUNE
    )


def test_a_draft_dated_after_the_termination_does_not_prevent_settling():
    dated = out().when_deadline("due-care").then_accepted().on(date(2026, 8, 2))
    paid = dated.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    hearing(paid, TERMINATED).when(SETTLE).then_accepted()


def test_an_engagement_that_ended_without_a_contract_is_settled_with_nothing():
    opened().when(SETTLE).then_refused("account-not-settled", missing={"budget-not-set"})
    hearing(opened(), TERMINATED).on(JUNE).when(SETTLE).then(
        AccountSettled(billed=eur(0), paid=eur(0), settled_on=JUNE)
    )


def test_an_open_refund_prevents_settling():
    over = hearing(out(), TERMINATED).on(JUNE)
    paid = over.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    credited = credit_issued(
        paid, IssueCreditNote(invoice="invoice-start", amount=eur(500), why="Late.")
    )
    credited.when(SETTLE).then_refused(
        "account-not-settled", missing={"refund-owed"}, saying="500.00 EUR is to be refunded"
    )
    refunded = credited.after(RecordRefund(invoice="invoice-start", amount=eur(500)))
    assert refunded.when(SETTLE).events[0] == AccountSettled(
        billed=eur(4_500), paid=eur(4_500), settled_on=JUNE
    )


def test_amounts_billed_beyond_a_reduced_price_are_credited_first():
    cut = AMENDMENT.model_copy(
        update={"price_delta": eur(-15_500), "billing_schedule": (), "deliverables_added": ()}
    )
    less = hearing(out(), ASSESSED, cut).on(JUNE)
    paid = less.after(RecordPayment(invoice="invoice-start", amount=eur(5_000)))
    paid.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"billing-beyond-price"},
        saying="500.00 EUR was billed beyond",
    )


def test_amounts_credited_before_the_change_order_are_not_deducted_twice():
    credit = IssueCreditNote(invoice="invoice-start", amount=eur(5_000), why="As agreed.")
    cut = AMENDMENT.model_copy(
        update={"price_delta": eur(-5_000), "billing_schedule": (), "deliverables_added": ()}
    )
    less = hearing(
        credit_issued(out(), credit), ASSESSED, cut, accepted("design"), accepted("portal")
    )
    due = less.when_deadline("due-care-a1").then_accepted().on(AUGUST)
    paid = square(due, design=6_000, portal=7_000)
    paid = issued(paid, "invoice-care", "2026-00004", AUGUST)
    paid = paid.after(RecordPayment(invoice="invoice-care", amount=eur(2_000)))
    paid.when(SETTLE).then(like(AccountSettled, billed=eur(15_000)))


def test_a_time_entry_need_not_be_used_up_but_approved_time_is_billed():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(RecordPayment(invoice="invoice-advance", amount=eur(4_000)))
    paid.when(SETTLE).then_refused(
        "account-not-settled", missing={"advance-unused"}, saying="4,000.00 EUR of the advance"
    )
    worked = hearing(paid, time("a", hours=50)).on(JUNE)
    worked.when(SETTLE).then_refused("account-not-settled", missing={"time-unbilled"})
    billed = worked.after(BillTime(month="2026-04"))
    billed.when(SETTLE).then_refused("account-not-settled", missing={"invoice-not-issued"})
    done = square(billed, **{"time-2026-04": 1_000})
    done.when(SETTLE).then(like(AccountSettled, billed=eur(5_000)))


def test_an_advance_pays_covered_time_and_its_rest_is_credited_and_refunded():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(RecordPayment(invoice="invoice-advance", amount=eur(4_000)))
    worked = hearing(paid, time("a", hours=30)).on(JUNE)
    worked.when(SETTLE).then_refused(
        "account-not-settled", missing={"advance-unused"}, saying="1,000.00 EUR of the advance"
    )
    rest = eur(1_000)
    credited = credit_issued(
        worked, IssueCreditNote(invoice="invoice-advance", amount=rest, why="Unused.")
    )
    credited.after(RecordRefund(invoice="invoice-advance", amount=rest)).when(SETTLE).then(
        AccountSettled(billed=eur(3_000), paid=eur(3_000), settled_on=JUNE)
    )


def test_the_rest_of_an_advance_is_kept_after_a_termination_unless_credited():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(RecordPayment(invoice="invoice-advance", amount=eur(4_000)))
    over = hearing(paid, time("a", hours=10), TERMINATED).on(JUNE)
    assert over.when(SETTLE).events[0] == AccountSettled(
        billed=eur(4_000), paid=eur(4_000), settled_on=JUNE
    )


def test_time_beyond_the_cap_does_not_prevent_settling():
    time_alone = BillingItem(item="time", kind="time", amount=eur(20_000))
    sow = HOURLY_SOW.model_copy(
        update={"rates": rates(developer=130), "billing_schedule": (time_alone,)}
    )
    worked = hearing(contracted(sow), time("a", hours=160)).on(JUNE)
    worked.when(SETTLE).then_refused("account-not-settled", saying="19,999.20 EUR is not billed")
    billed = issued(
        worked.after(BillTime(month="2026-04")), "invoice-time-2026-04", "2026-00001", JUNE
    )
    paid = billed.after(RecordPayment(invoice="invoice-time-2026-04", amount=eur("19999.20")))
    paid.when(BillTime(month="2026-05")).then_refused("amount-not-billable", missing={"cap-spent"})
    paid.when(SETTLE).then(like(AccountSettled, billed=eur("19999.20")))


def by_the_hour() -> Scenario[Engagement]:
    """Return an hourly contract: 50 hours of a cap of 20,000 EUR are billed, paid and settled."""
    time_alone = BillingItem(item="time", kind="time", amount=eur(20_000))
    sow = HOURLY_SOW.model_copy(update={"billing_schedule": (time_alone,)})
    worked = hearing(contracted(sow), time("a", hours=50)).on(JUNE)
    paid = square(worked.after(BillTime(month="2026-04")), **{"time-2026-04": 5_000})
    return paid.after(SETTLE)


def test_time_approved_after_settling_reopens_the_account_and_is_billed():
    late = by_the_hour().when_consumed(time("late", hours=10))
    assert late.events[-1] == AccountReopened(settled_on=JUNE, unbilled=eur(1_000))
    late.after.when(SETTLE).then_refused("account-not-settled", missing={"time-unbilled"})
    billed = late.after.after(BillTime(month="2026-06"))
    paid = issued(billed, "invoice-time-2026-06", "2026-00009", AUGUST)
    paid = paid.after(RecordPayment(invoice="invoice-time-2026-06", amount=eur(1_000)))
    paid.when(SETTLE).then(AccountSettled(billed=eur(6_000), paid=eur(6_000), settled_on=AUGUST))


def test_late_time_reopens_the_account_in_either_order_of_events():
    open_again = hearing(by_the_hour(), time("late", hours=10))
    paid = issued(
        open_again.after(BillTime(month="2026-06")), "invoice-time-2026-06", "2026-00009", AUGUST
    ).after(RecordPayment(invoice="invoice-time-2026-06", amount=eur(1_000)))
    settled = AccountSettled(billed=eur(6_000), paid=eur(6_000), settled_on=AUGUST)
    permutations_agree(paid, settled, time("later", hours=10))


def test_unbillable_work_does_not_reopen_the_account_and_is_included_by_settling_again():
    settled = hearing(by_the_hour(), time("b", hours=150)).after(BillTime(month="2026-05"))
    paid = issued(settled, "invoice-time-2026-05", "2026-00009", AUGUST)
    paid = paid.after(RecordPayment(invoice="invoice-time-2026-05", amount=eur(15_000)))
    whole = paid.after(SETTLE).on(date(2026, 8, 10))
    for never in (time("beyond", hours=10), expense("dinner", eur(50))):
        whole = hearing(whole, never)
        whole.then_view(settled_on=AUGUST)
        whole = whole.when(SETTLE).then(
            AccountSettled(billed=eur(20_000), paid=eur(20_000), settled_on=AUGUST)
        )
        whole.when(SETTLE).then_nothing()
    hearing(whole, time("own", billable=False)).when(SETTLE).then_nothing()


def test_a_new_settlement_leads_to_a_new_final_margin():
    over = hearing(by_the_hour(), TERMINATED)
    later = hearing(over, time("none", hours=1, billable=False), time("late", hours=10))
    billed = issued(
        later.after(BillTime(month="2026-06")), "invoice-time-2026-06", "2026-00009", AUGUST
    )
    paid = billed.after(RecordPayment(invoice="invoice-time-2026-06", amount=eur(1_000)))
    paid.when(SETTLE).then(like(AccountSettled, billed=eur(6_000)), like(MarginMeasured))


def test_an_account_is_not_settled_in_the_future():
    later = SettleAccount(settled_on=date(2027, 1, 1))
    contracted().when(later).then_refused("date-in-future")
