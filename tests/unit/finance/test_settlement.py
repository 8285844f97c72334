"""Check that the account is settled only when nothing is open, and that refusals list the rest."""

from cProfile import Profile
from datetime import UTC, date, datetime
from pstats import Stats

from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BillingEventDue,
    InvoiceDrafted,
    InvoiceLineContent,
    MarginMeasured,
)
from contracts.lines import BillingItem, Retainer
from finance.engagement import Engagement
from finance.invoices.decisions import IssueCreditNote
from finance.settlement.decisions import SettleAccount, settlement_view
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import WriteDownWork
from testkit.scenario import Scenario, like, permutations_agree
from tests.amounts import eur
from tests.unit.finance.builders import (
    ADDED,
    HOURLY_SOW,
    TERMINATED,
    accepted,
    allocate,
    amendment,
    contracted,
    credit_issued,
    cut_by,
    expense,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    line_change,
    line_rates,
    lined,
    opened,
    paid_up,
    sow_of,
    time,
)

SETTLE = SettleAccount()
JUNE = date(2026, 6, 2)
AUGUST = date(2026, 8, 3)
LATE = amendment(ADDED, signed_on=AUGUST)
"""Change order of 2,900 EUR, signed on the day on which the account was settled."""


def out() -> Scenario[Engagement]:
    return issued(contracted(), "invoice-start", "2026-00001", date(2026, 4, 1))


def square(engagement: Scenario[Engagement], **amounts: int) -> Scenario[Engagement]:
    for number, (item, amount) in enumerate(amounts.items(), start=2):
        name = f"invoice-{item}"
        engagement = issued(engagement, name, f"2026-{number:05}", JUNE)
        engagement = engagement.after(allocate(name, eur(amount)))
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
        .then(
            AccountSettled(
                billed=eur(20_000),
                paid=eur(20_000),
                written_off=eur(0),
                settled_on=date(2026, 8, 3),
            )
        )
    )
    settled.when(SETTLE).then_nothing()
    settled.when(SettleAccount(settled_on=date(2026, 8, 1))).then_refused(
        "already-recorded", fields={"settled_on"}
    )


def test_a_refused_repetition_names_no_amount_that_the_caller_did_not_give():
    before = AccountSettled(
        billed=eur(19_000), paid=eur(19_000), written_off=eur(0), settled_on=AUGUST
    )
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


def test_an_account_is_settled_on_the_day_of_its_last_movement_where_that_is_tomorrow():
    tomorrow, evening = date(2026, 8, 4), datetime(2026, 8, 3, 20, tzinfo=UTC)
    paid = hearing(out(), TERMINATED).on(evening)
    paid = paid.after(allocate("invoice-start", eur(5_000), received_on=tomorrow))
    today = SettleAccount(settled_on=AUGUST)
    paid.when(today).then_refused(
        "date-before-last-movement", fields=["settled_on"], saying="settled_on: 2026-08-03"
    )
    settled = paid.when(SETTLE)
    assert settled.events[0] == AccountSettled(
        billed=eur(5_000), paid=eur(5_000), written_off=eur(0), settled_on=tomorrow
    )
    settled.after.when(SETTLE).then_nothing()


def calls_of_the_view(lines: int) -> int:
    """Return how many functions the view of the settlement calls, with hourly lines all drafted."""
    every = tuple(
        hourly_line(
            BillingItem(item=f"time-{number}", kind="time", amount=eur(20_000)),
            line=f"work-{number}",
        )
        for number in range(lines)
    )
    invoiced = contracted(sow_of(*every)).published(
        *(
            event
            for number in range(lines)
            for event in (
                BillingEventDue(
                    billing_event=f"due-{number}",
                    line=f"work-{number}",
                    item=f"time-{number}",
                    kind="time",
                    amount=eur(100),
                    due_on=JUNE,
                ),
                InvoiceDrafted(
                    invoice=f"invoice-{number}",
                    billing_event=f"due-{number}",
                    kind="time",
                    lines=lined(
                        f"invoice-{number}",
                        InvoiceLineContent(
                            description="Time", line=f"work-{number}", amount=eur(100)
                        ),
                    ),
                    amount=eur(100),
                    advance_drawn=eur(0),
                ),
            )
        )
    )

    profile = Profile()
    view = profile.runcall(settlement_view, invoiced.state)
    assert len(view.open_points) == lines
    return Stats(profile).total_calls  # type: ignore[attr-defined,no-any-return]


def test_the_work_of_the_view_grows_with_the_lines_and_not_with_their_square():
    assert calls_of_the_view(200) < 10 * calls_of_the_view(25)


def test_a_change_order_reopens_a_settled_account():
    again = hearing(all_paid().after(SETTLE), LATE)
    again.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"billing-item-unbilled"},
        saying="2,900.00 EUR of report (line work) never",
    )
    accepted_late = hearing(again, accepted("report", AUGUST))
    paid = issued(accepted_late, "invoice-report", "2026-00005", AUGUST)
    paid = paid.after(allocate("invoice-report", eur(2_900)))
    paid.when(SETTLE).then(
        AccountSettled(billed=eur(22_900), paid=eur(22_900), written_off=eur(0), settled_on=AUGUST)
    )


def test_a_change_order_after_settling_falls_due_on_its_date():
    entry = BillingItem(item="more", kind="on-date", amount=eur(2_900), due_on=date(2026, 8, 20))
    dated = amendment(line_change(billing=(entry,)), signed_on=AUGUST)
    again = hearing(all_paid().after(SETTLE), dated)
    again.when(SETTLE).then_refused("account-not-settled", missing={"billing-item-unbilled"})
    again.when_deadline("due-more-a1").then(
        like(BillingEventDue, item="more", amount=eur(2_900)), like(InvoiceDrafted)
    )


def test_a_change_order_that_is_not_in_the_budget_yet_keeps_the_account_open():
    unfit = amendment(line_change(line="other"), signed_on=AUGUST)
    hearing(all_paid(), unfit).when(SETTLE).then_refused(
        "account-not-settled", missing={"budget-not-amended"}
    )


def test_an_invoice_issued_after_settling_is_settled_again():
    over = hearing(out(), TERMINATED).on(JUNE)
    paid = over.after(allocate("invoice-start", eur(5_000))).after(SETTLE)
    late = square(hearing(paid, accepted("design")), design=6_000)
    late.when(SETTLE).then(
        like(AccountSettled, billed=eur(11_000)), like(MarginMeasured, as_of=JUNE)
    )


def test_after_a_termination_entries_that_never_fell_due_are_not_billed():
    over = hearing(out(), TERMINATED).on(JUNE)
    over.when(SETTLE).then_refused("account-not-settled", missing={"invoice-unpaid"})
    paid = over.after(allocate("invoice-start", eur(5_000)))
    assert paid.when(SETTLE).events[0] == AccountSettled(
        billed=eur(5_000), paid=eur(5_000), written_off=eur(0), settled_on=JUNE
    )


def test_a_draft_dated_after_the_termination_does_not_prevent_settling():
    dated = out().when_deadline("due-care").then_accepted().on(date(2026, 8, 2))
    paid = dated.after(allocate("invoice-start", eur(5_000)))
    hearing(paid, TERMINATED).when(SETTLE).then_accepted()


def test_an_engagement_that_ended_without_a_contract_is_settled_with_nothing():
    opened().when(SETTLE).then_refused("account-not-settled", missing={"budget-not-set"})
    hearing(opened(), TERMINATED).on(JUNE).when(SETTLE).then(
        AccountSettled(billed=eur(0), paid=eur(0), written_off=eur(0), settled_on=JUNE)
    )


def test_what_a_credit_note_leaves_over_is_no_longer_on_the_invoice():
    over = hearing(out(), TERMINATED).on(JUNE)
    paid = over.after(allocate("invoice-start", eur(5_000)))
    credited = credit_issued(
        paid,
        IssueCreditNote(intent="give-back", invoice="invoice-start", amount=eur(500), why="Late."),
    )
    assert credited.when(SETTLE).events[0] == AccountSettled(
        billed=eur(4_500), paid=eur(4_500), written_off=eur(0), settled_on=JUNE
    )


def test_amounts_billed_beyond_a_reduced_price_are_credited_first():
    less = hearing(out(), cut_by(15_500)).on(JUNE)
    paid = less.after(allocate("invoice-start", eur(5_000)))
    paid.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"billing-beyond-price"},
        saying="500.00 EUR was billed beyond",
    )


def test_amounts_credited_before_the_change_order_are_not_deducted_twice():
    credit = IssueCreditNote(
        intent="give-back", invoice="invoice-start", amount=eur(5_000), why="As agreed."
    )
    less = hearing(
        credit_issued(out(), credit), cut_by(5_000), accepted("design"), accepted("portal")
    )
    due = less.when_deadline("due-care-a1").then_accepted().on(AUGUST)
    paid = square(due, design=6_000, portal=7_000)
    paid = issued(paid, "invoice-care", "2026-00004", AUGUST)
    paid = paid.after(allocate("invoice-care", eur(2_000)))
    paid.when(SETTLE).then(like(AccountSettled, billed=eur(15_000)))


def test_a_time_entry_need_not_be_used_up_but_approved_time_is_billed():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(allocate("invoice-advance", eur(4_000)))
    paid.when(SETTLE).then_refused(
        "account-not-settled", missing={"advance-unused"}, saying="4,000.00 EUR of the advance"
    )
    worked = hearing(paid, time("a", hours=50)).on(JUNE)
    worked.when(SETTLE).then_refused("account-not-settled", missing={"time-unbilled"})
    billed = worked.after(BillTime(month="2026-04"))
    billed.when(SETTLE).then_refused("account-not-settled", missing={"invoice-not-issued"})
    done = square(billed, **{"time-2026-04": 1_000})
    done.when(SETTLE).then(like(AccountSettled, billed=eur(5_000)))


def test_an_advance_pays_covered_time_and_its_rest_is_credited():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(allocate("invoice-advance", eur(4_000)))
    worked = hearing(paid, time("a", hours=30)).on(JUNE)
    worked.when(SETTLE).then_refused(
        "account-not-settled", missing={"advance-unused"}, saying="1,000.00 EUR of the advance"
    )
    rest = eur(1_000)
    credited = credit_issued(
        worked,
        IssueCreditNote(intent="give-back", invoice="invoice-advance", amount=rest, why="Unused."),
    )
    credited.when(SETTLE).then(
        AccountSettled(billed=eur(3_000), paid=eur(3_000), written_off=eur(0), settled_on=JUNE)
    )


def test_the_rest_of_an_advance_is_kept_after_a_termination_unless_credited():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 4, 1))
    paid = advanced.after(allocate("invoice-advance", eur(4_000)))
    over = hearing(paid, time("a", hours=10), TERMINATED).on(JUNE)
    assert over.when(SETTLE).events[0] == AccountSettled(
        billed=eur(4_000), paid=eur(4_000), written_off=eur(0), settled_on=JUNE
    )


WITHOUT = SettleAccount(why_not_billed="The cap was agreed.")


def test_time_beyond_the_cap_is_left_unbilled_for_a_reason_or_written_down():
    time_alone = BillingItem(item="time", kind="time", amount=eur(20_000))
    sow = sow_of(hourly_line(time_alone, rates=line_rates(developer=130)))
    worked = hearing(contracted(sow), time("a", hours=160)).on(JUNE)
    worked.when(SETTLE).then_refused(
        "account-not-settled", saying="19,999.20 EUR on line work is not billed"
    )
    billed = issued(
        worked.after(BillTime(month="2026-04")), "invoice-time-2026-04", "2026-00001", JUNE
    )
    paid = billed.after(allocate("invoice-time-2026-04", eur("19999.20")))
    paid.when(BillTime(month="2026-05")).then_refused("amount-not-billable", missing={"cap-spent"})
    # 160 h at 130 EUR are 20,800.00 EUR.
    beyond = eur("800.80")
    paid.then_work("cap-spent", "work")
    saying = f"{beyond} on line work is beyond its cap of 20,000.00 EUR"
    paid.when(SETTLE).then_refused(
        "account-not-settled", missing={"cap-spent"}, fields=["why_not_billed"], saying=saying
    )
    [point] = paid.view["open_points"]
    assert (point.code, saying in point.sentence) == ("cap-spent", True)
    settled = paid.when(WITHOUT).then(
        like(
            AccountSettled,
            billed=eur("19999.20"),
            not_billed=beyond,
            why_not_billed="The cap was agreed.",
        )
    )
    settled.then_view(settled_without=beyond, open_points=[])
    settled.then_work("cap-spent")
    for again in (SETTLE, WITHOUT):
        settled.when(again).then_nothing()
    other = SettleAccount(why_not_billed="Forgotten.")
    settled.when(other).then_refused("already-recorded", fields=["why_not_billed"])


def by_the_hour() -> Scenario[Engagement]:
    """Return an hourly contract: 50 hours of a cap of 20,000 EUR are billed, paid and settled."""
    time_alone = BillingItem(item="time", kind="time", amount=eur(20_000))
    sow = sow_of(hourly_line(time_alone))
    worked = hearing(contracted(sow), time("a", hours=50)).on(JUNE)
    paid = square(worked.after(BillTime(month="2026-04")), **{"time-2026-04": 5_000})
    return paid.after(SETTLE)


def test_time_approved_after_settling_reopens_the_account_and_is_billed():
    late = by_the_hour().when_consumed(time("late", hours=10))
    assert late.events[-1] == AccountReopened(
        settled_on=JUNE, unbilled=eur(1_000), to_credit=eur(0), outstanding=eur(0)
    )
    late.after.when(SETTLE).then_refused("account-not-settled", missing={"time-unbilled"})
    billed = late.after.after(BillTime(month="2026-06"))
    paid = issued(billed, "invoice-time-2026-06", "2026-00009", AUGUST)
    paid = paid.after(allocate("invoice-time-2026-06", eur(1_000)))
    paid.when(SETTLE).then(
        AccountSettled(billed=eur(6_000), paid=eur(6_000), written_off=eur(0), settled_on=AUGUST)
    )


def test_late_time_reopens_the_account_in_either_order_of_events():
    open_again = hearing(by_the_hour(), time("late", hours=10))
    paid = issued(
        open_again.after(BillTime(month="2026-06")), "invoice-time-2026-06", "2026-00009", AUGUST
    ).after(allocate("invoice-time-2026-06", eur(1_000)))
    settled = AccountSettled(
        billed=eur(6_000), paid=eur(6_000), written_off=eur(0), settled_on=AUGUST
    )
    permutations_agree(paid, settled, time("later", hours=10))


def test_unbillable_work_does_not_reopen_the_account_and_is_included_by_settling_again():
    settled = hearing(by_the_hour(), time("b", hours=150)).after(BillTime(month="2026-05"))
    paid = issued(settled, "invoice-time-2026-05", "2026-00009", AUGUST)
    paid = paid.after(allocate("invoice-time-2026-05", eur(15_000)))
    beyond = hearing(paid, time("beyond", hours=10))
    beyond.when(SETTLE).then_refused("account-not-settled", missing={"cap-spent"})
    written_down = beyond.after(WriteDownWork(entries=("beyond",), why="Not paid."))
    written_down.when(WITHOUT).then(like(AccountSettled, not_billed=None, why_not_billed=None))
    whole = paid.after(SETTLE).on(date(2026, 8, 10))
    for never, left in (
        (time("beyond", hours=10), eur(1_000)),
        (expense("dinner", eur(50)), eur(1_050)),
    ):
        whole = hearing(whole, never)
        whole.then_view(settled_on=AUGUST)
        whole.when(SETTLE).then_refused("account-not-settled", missing={"cap-spent"})
        whole = whole.when(WITHOUT).then(
            AccountSettled(
                billed=eur(20_000),
                paid=eur(20_000),
                written_off=eur(0),
                not_billed=left,
                why_not_billed="The cap was agreed.",
                settled_on=AUGUST,
            )
        )
        whole.when(SETTLE).then_nothing()
    hearing(whole, time("own", billable=False)).when(SETTLE).then_nothing()


def test_a_new_settlement_leads_to_a_new_final_margin():
    over = hearing(by_the_hour(), TERMINATED)
    later = hearing(over, time("none", hours=1, billable=False), time("late", hours=10))
    billed = issued(
        later.after(BillTime(month="2026-06")), "invoice-time-2026-06", "2026-00009", AUGUST
    )
    paid = billed.after(allocate("invoice-time-2026-06", eur(1_000)))
    paid.when(SETTLE).then(like(AccountSettled, billed=eur(6_000)), like(MarginMeasured))


def test_an_account_is_not_settled_in_the_future():
    later = SettleAccount(settled_on=date(2027, 1, 1))
    contracted().when(later).then_refused("date-in-future")


def test_every_line_has_to_be_billed():
    care = fixed_line(
        BillingItem(item="fees", kind="period", amount=eur(1_000)),
        line="care",
        pricing="retainer",
        price=eur(1_000),
        hours=(),
        deliverables=(),
        retainer=Retainer(fee=eur(500), periods=2, starts_on=date(2026, 6, 1)),
    )
    whole = contracted(sow_of(fixed_line(), care))
    paid = paid_up(hearing(whole, accepted("design"), accepted("portal")), AUGUST)
    june = issued(
        paid.when_deadline("due-fees-2026-06").then_accepted(),
        "invoice-fees-2026-06",
        "2026-00008",
        AUGUST,
    ).after(allocate("invoice-fees-2026-06", eur(500)))
    june.when(SETTLE).then_refused(
        "account-not-settled",
        missing={"billing-item-unbilled"},
        saying="500.00 EUR of fees (line care) never fell due",
    )
    july = june.when_deadline("due-fees-2026-07").then_accepted()
    july = issued(july, "invoice-fees-2026-07", "2026-00009", AUGUST)
    july = july.after(allocate("invoice-fees-2026-07", eur(500)))
    july.when(SETTLE).then(like(AccountSettled, billed=eur(21_000)))


def test_work_beyond_an_estimate_may_be_billed_and_settled():
    line = hourly_line(BillingItem(item="time", kind="time", amount=eur(20_000)), estimated=True)
    worked = hearing(contracted(sow_of(line)), time("a", hours=205)).on(JUNE)
    worked.when(SETTLE).then_refused("account-not-settled", missing={"time-unbilled"})
    paid = square(worked.after(BillTime(month="2026-04")), **{"time-2026-04": 20_500})
    paid.when(SETTLE).then(like(AccountSettled, billed=eur(20_500)))


def test_unassigned_work_holds_the_settlement_by_name_until_a_termination():
    settled_but_for_time = hearing(by_the_hour(), time("odd", role="tester", hours=3))
    settled_but_for_time.when(SETTLE).then_refused(
        "account-not-settled", missing={"rate-not-contracted"}, saying="3 h (odd)"
    )
    hearing(settled_but_for_time, TERMINATED).when(SETTLE).then_accepted()
