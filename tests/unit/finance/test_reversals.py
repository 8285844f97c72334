"""Check what follows for drafts, invoices, revenue and account when approved work is reversed."""

from datetime import date
from decimal import Decimal

from chassis.domain.pending import Refusal
from contracts.delivery import ExpenseApproved, TimeApproved
from contracts.finance import (
    AccountReopened,
    AccountSettled,
    BilledWork,
    BilledWorkReversed,
    BillingEventDue,
    CostReversed,
    CreditedWork,
    CreditNoteIssued,
    DayHours,
    DraftWithdrawn,
    InvoiceDrafted,
    InvoiceEdited,
    InvoiceLineContent,
    InvoiceLineTerms,
    InvoiceVoided,
    ReversedWork,
    UnbilledWork,
    WithheldWorkReversed,
)
from contracts.lines import BillingItem
from finance.billing.decisions import BillOutsideSchedule
from finance.billing.events import CreditNoteApproved
from finance.engagement import Engagement
from finance.invoices.decisions import ApproveInvoice, IssueCreditNote, VoidInvoice
from finance.number_series.events import NumberTaken
from finance.settlement.decisions import SettleAccount
from finance.time_billing.decisions import BillTime
from finance.withholding.decisions import HoldWork, WriteDownWork
from testkit.scenario import Scenario, like
from tests.amounts import eur, per_hour
from tests.unit.finance.builders import (
    HOURLY_SOW,
    MONDAY,
    allocate,
    contracted,
    credit_issued,
    entries,
    expense,
    expense_reversed,
    fixed_line,
    hearing,
    hourly_line,
    issued,
    lined,
    recognise,
    sow_of,
    time,
    time_reversed,
)

TUESDAY, WEDNESDAY = date(2026, 4, 7), date(2026, 4, 8)
MAY = date(2026, 5, 4)
APRIL = BillTime(month="2026-04")
INVOICE = "invoice-time-2026-04"
ALL_AS_TIME = BillingItem(item="time", kind="time", amount=eur(20_000))
WEEK = TimeApproved(
    person="dev",
    week=MONDAY,
    entries=(*entries("a"), *entries("b", day=TUESDAY), *entries("c", day=WEDNESDAY)),
)
"""8 h of a developer on three days, 800 EUR each."""
TRAIN = expense("train", eur(50))


def hourly(*lines: BillingItem) -> Scenario[Engagement]:
    return contracted(sow_of(hourly_line(*(lines or (ALL_AS_TIME,))))).on(MAY)


def drafted(*more: TimeApproved | ExpenseApproved) -> Scenario[Engagement]:
    return hearing(hourly(), WEEK, *more).after(APRIL)


def sent(*more: TimeApproved | ExpenseApproved) -> Scenario[Engagement]:
    return issued(drafted(*more), INVOICE, "2026-00001", MAY)


def of(entry: str, day: date, hours: int | None = 8, amount: int = 800) -> BilledWork:
    return BilledWork(
        kind="expense" if hours is None else "time",
        entry=entry,
        on=day,
        person="dev",
        hours=None if hours is None else Decimal(hours),
        amount=eur(amount),
    )


def on_line(entry: str, day: date) -> ReversedWork:
    """Return 8 h of a developer that the line of the invoice bills."""
    line = InvoiceLineContent(
        description="Time", line="work", amount=eur(800), role="developer", rate=per_hour(100)
    )
    [lined_] = lined(INVOICE, line)
    return ReversedWork(
        **dict(of(entry, day)),
        invoice_line=lined_.invoice_line,
        line="work",
        role="developer",
        rate=per_hour(100),
    )


def test_unbilled_work_that_is_reversed_is_not_billed():
    worked = hearing(hourly(), WEEK, TRAIN)
    gone = hearing(worked, time_reversed(WEEK, "a", "c"), expense_reversed(TRAIN))
    [line] = gone.view["unbilled"]
    assert line.unbilled == eur(800)
    gone.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    gone.when(HoldWork(entries=("a",), why="Late.")).then_refused("work-unknown")


def test_a_draft_is_edited_without_the_reversed_work():
    edited = drafted(TRAIN).when_consumed(time_reversed(WEEK, "b"))
    edited.then(
        like(CostReversed, cost=eur(400)),
        InvoiceEdited(
            invoice=INVOICE,
            billing_event="due-time-2026-04",
            kind="time",
            lines=lined(
                INVOICE,
                InvoiceLineContent(
                    description="developer, approved time to 2026-04",
                    line="work",
                    amount=eur(1_600),
                    role="developer",
                    hours=Decimal(16),
                    rate=per_hour(100),
                    days=(
                        DayHours(day=MONDAY, hours=Decimal(8)),
                        DayHours(day=WEDNESDAY, hours=Decimal(8)),
                    ),
                    works=(of("a", MONDAY), of("c", WEDNESDAY)),
                ),
                InvoiceLineContent(
                    description="Expenses to 2026-04",
                    line="work",
                    amount=eur(50),
                    works=(of("train", MONDAY, None, 50),),
                ),
            ),
            amount=eur(1_650),
            advance_drawn=eur(0),
            removed=(of("b", TUESDAY),),
        ),
    )
    due = edited.after.state.billing.events["due-time-2026-04"]
    assert due.amount == eur(1_650)
    assert edited.after.state.work.reversed == {}
    more = edited.after.when_consumed(expense_reversed(TRAIN))
    more.then(like(CostReversed), like(InvoiceEdited, amount=eur(1_600)))
    late = hearing(more.after, time("d", day=TUESDAY))
    late.when(APRIL).then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))


def test_a_draft_without_any_work_left_is_withdrawn():
    gone = drafted().when_consumed(time_reversed(WEEK))
    works = (of("a", MONDAY), of("b", TUESDAY), of("c", WEDNESDAY))
    gone.then(
        like(CostReversed, cost=eur(1_200)),
        DraftWithdrawn(
            invoice=INVOICE, billing_event="due-time-2026-04", amount=eur(2_400), works=works
        ),
    )
    assert gone.after.state.billing.events == {}
    assert gone.after.state.work.reversed == {}


def test_a_draft_that_draws_an_advance_is_withdrawn_and_the_rest_billed_anew():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))
    many = time("many", hours=60)
    billed = hearing(advanced.on(MAY), many).after(APRIL)
    gone = billed.when_consumed(time_reversed(many, "many.2"))
    gone.then(like(CostReversed), like(DraftWithdrawn, amount=eur(2_000)))
    gone.after.then_view(advance_left=eur(4_000))
    gone.after.when(APRIL).then_refused("amount-not-billable", missing={"work-covered-by-advance"})


def test_a_draft_with_a_discount_is_withdrawn_and_the_rest_billed_anew():
    off = fixed_line(
        BillingItem(item="off", kind="on-signature", amount=eur(-2_000), reduces="time"),
        line="discount",
        kind="discount",
        price=eur(-2_000),
        hours=(),
        deliverables=(),
    )
    billed = hearing(contracted(sow_of(hourly_line(ALL_AS_TIME), off)).on(MAY), WEEK).after(APRIL)
    gone = billed.when_consumed(time_reversed(WEEK, "b"))
    gone.then(like(CostReversed), like(DraftWithdrawn, amount=eur(2_160)))
    again = gone.after.when(APRIL)
    again.then(like(BillingEventDue, amount=eur(1_440)), like(InvoiceDrafted))


def test_an_exception_on_a_draft_is_withdrawn_with_its_work():
    terms = InvoiceLineTerms(
        description="Agreed by mail.",
        line="work",
        amount=eur(720),
        role="developer",
        hours=Decimal(8),
        rate=per_hour(90),
    )
    command = BillOutsideSchedule(item="time", lines=(terms,), reason="Agreed.")
    for known in (hearing(hourly(), WEEK).after(command), hearing(hourly().after(command), WEEK)):
        [left] = known.view["unbilled"]
        assert left.unbilled == eur(1_600)
        gone = known.when_consumed(time_reversed(WEEK, "a"))
        gone.then(like(CostReversed), like(DraftWithdrawn, amount=eur(720)))
        [left] = gone.after.view["unbilled"]
        assert left.unbilled == eur(1_600)


def test_reversed_work_on_an_invoice_is_named_until_it_is_credited():
    late = sent().when_consumed(time_reversed(WEEK, "b"))
    late.then(
        like(CostReversed, cost=eur(400)),
        BilledWorkReversed(invoice=INVOICE, works=(on_line("b", TUESDAY),), amount=eur(800)),
    )
    [owed] = late.after.view["to_credit"]
    assert (owed.invoice, owed.number, owed.works, owed.amount) == (
        INVOICE,
        "2026-00001",
        ["b"],
        eur(800),
    )
    assert (owed.reason.code, owed.reason.owed_by) == ("reversed-work-billed", "finance")
    more = late.after.when_consumed(time_reversed(WEEK, "c"))
    more.then(like(CostReversed), like(BilledWorkReversed, works=(on_line("c", WEDNESDAY),)))
    both = more.after
    both.when(SettleAccount()).then_refused(
        "account-not-settled",
        missing={"reversed-work-billed", "invoice-unpaid"},
        saying="bills 1,600.00 EUR for work whose approval was reversed (b, c)",
    )
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=INVOICE, entries=("b", "c"), why="Wrong week."
    )
    credited = both.when(note, by="cora")
    assert credited.after.view["to_credit"] != []
    credited.after.when(note).then_refused("work-not-on-invoice", saying="b, c")
    done = credit_issued(both, note)
    done.then_view(to_credit=[])
    invoice = done.state.billing.invoices[INVOICE]
    assert (invoice.credited, invoice.left) == (eur(1_600), eur(800))
    assert done.state.work.reversed == {}
    paid = done.after(allocate(INVOICE, eur(800)))
    paid.after(SettleAccount())


def test_each_reversal_of_an_entry_that_was_approved_again_is_credited():
    first = hearing(sent(), time_reversed(WEEK, "b"))
    again = TimeApproved(person="dev", week=MONDAY, entries=entries("b", hours=5, day=TUESDAY))
    billed = hearing(first, again).after(APRIL)
    [second] = [each for each in billed.state.billing.invoices if each != INVOICE]
    out = issued(billed, second, "2026-00002", MAY)
    twice = out.when_consumed(time_reversed(again))
    twice.then(
        like(CostReversed, cost=eur(250)),
        like(BilledWorkReversed, invoice=second, amount=eur(500)),
    )
    both = twice.after
    owed = {each.invoice: (each.works, each.amount) for each in both.view["to_credit"]}
    assert owed == {INVOICE: (["b"], eur(800)), second: (["b"], eur(500))}
    for invoice, other in ((INVOICE, second), (second, INVOICE)):
        note = IssueCreditNote(
            intent="cancel-and-rebill", invoice=invoice, entries=("b",), why="Wrong."
        )
        done = credit_issued(both, note)
        assert [each.invoice for each in done.view["to_credit"]] == [other]


def test_what_is_credited_for_works_can_be_billed_for_others():
    capped = hearing(hourly(), time("a", hours=200)).after(APRIL)
    out = issued(capped, INVOICE, "2026-00001", MAY)
    reversed_ = hearing(out, time_reversed(time("a", hours=200), "a.2"), time("new", hours=30))
    reversed_.when(APRIL).then_refused("amount-not-billable", missing={"cap-spent"})
    done = credit_issued(
        reversed_,
        IssueCreditNote(
            intent="cancel-and-rebill", invoice=INVOICE, entries=("a.2",), why="Wrong week."
        ),
    )
    done.when(APRIL).then(like(BillingEventDue, amount=eur(2_400)), like(InvoiceDrafted))
    whole = credit_issued(
        reversed_,
        IssueCreditNote(intent="give-back", invoice=INVOICE, amount=eur(2_400), why="Goodwill."),
    )
    whole.when(APRIL).then_refused("amount-not-billable", missing={"cap-spent"})


def test_a_credit_for_works_restores_what_the_advance_had_paid():
    advanced = issued(contracted(HOURLY_SOW), "invoice-advance", "2026-00001", date(2026, 3, 23))
    many = time("many", hours=60)
    billed = hearing(advanced.on(MAY), many).after(APRIL)
    out = issued(billed, INVOICE, "2026-00002", MAY)
    gone = hearing(out, time_reversed(many, "many", "many.2"))
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=INVOICE, entries=("many", "many.2"), why="Wrong week."
    )
    approved = gone.when(note, by="cora")
    [event] = approved.events
    assert isinstance(event, CreditNoteApproved)
    assert (event.amount, event.advance_restored) == (eur(2_000), eur(2_800))
    done = credit_issued(gone, note)
    done.then_view(advance_left=eur(2_800), to_credit=[])


def test_a_credit_note_names_only_works_that_the_invoice_bills():
    gone = hearing(sent(), time_reversed(WEEK, "b"))
    for entries_, expenses in ((("x",), ()), (("b", "x"), ()), ((), ("b",))):
        note = IssueCreditNote(
            intent="cancel-and-rebill",
            invoice=INVOICE,
            entries=entries_,
            expenses=expenses,
            why="Wrong week.",
        )
        gone.when(note).then_refused("work-not-on-invoice")


def test_an_invoice_with_reversed_work_can_be_voided_and_the_rest_is_billed_anew():
    gone = hearing(sent(), time_reversed(WEEK, "b"))
    void = VoidInvoice(invoice=INVOICE, why="Wrong week.")
    voided = gone.when(void)
    voided.then(like(InvoiceVoided, ends_event=True))
    [event] = voided.events
    assert isinstance(event, InvoiceVoided)
    assert [each.entry for each in event.works] == ["a", "b", "c"]
    voided.after.when(void).then_nothing()
    voided.after.then_view(to_credit=[])
    assert voided.after.state.work.reversed == {}
    again = voided.after.when(APRIL)
    again.then(like(BillingEventDue, amount=eur(1_600)), like(InvoiceDrafted))


def test_an_approved_draft_whose_number_is_refused_is_edited():
    approved = drafted().after(ApproveInvoice(invoice=INVOICE), by="cora")
    gone = approved.when_consumed(time_reversed(WEEK, "b"))
    gone.then(like(CostReversed), like(BilledWorkReversed, amount=eur(800)))
    refused = gone.after.when_outcome(
        f"invoice.{INVOICE}", "1", refused=Refusal("date-before-last-number", "Too early.")
    )
    assert [type(each) for each in refused.events][-1] is InvoiceEdited
    assert refused.after.state.work.reversed == {}


def test_a_settled_account_is_reopened_by_the_reversal_of_billed_work():
    paid = sent().after(allocate(INVOICE, eur(2_400))).after(SettleAccount())
    gone = paid.when_consumed(time_reversed(WEEK, "b"))
    gone.then(
        like(CostReversed),
        like(BilledWorkReversed),
        AccountReopened(settled_on=MAY, unbilled=eur(0), to_credit=eur(800), outstanding=eur(0)),
    )
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=INVOICE, entries=("b",), why="Wrong week."
    )
    done = credit_issued(gone.after, note)
    done.when(SettleAccount()).then(like(AccountSettled, paid=eur(1_600)))


def test_the_account_is_settled_again_after_the_reversal_of_work_that_no_invoice_bills():
    beyond = time("beyond", hours=24, day=TUESDAY)
    worked = hearing(hourly(), time("a", hours=200), beyond).after(APRIL)
    out = issued(worked, INVOICE, "2026-00001", MAY)
    without = SettleAccount(why_not_billed="The cap was agreed.")
    paid = out.after(allocate(INVOICE, eur(20_000))).after(without)
    paid.when(SettleAccount()).then_nothing()
    gone = paid.when_consumed(time_reversed(beyond))
    gone.then(like(CostReversed))
    gone.after.when(SettleAccount()).then(like(AccountSettled, settled_on=MAY))


def test_nothing_is_owed_for_reversed_work_on_an_invoice_that_is_credited_whole():
    credited = credit_issued(
        sent(),
        IssueCreditNote(intent="give-back", invoice=INVOICE, amount=eur(2_400), why="Goodwill."),
    )
    gone = hearing(credited, time_reversed(WEEK, "b"))
    gone.then_view(to_credit=[])
    gone.after(SettleAccount())


def test_the_next_closing_takes_back_the_revenue_of_reversed_work():
    closed = drafted().after(recognise("03")).after(recognise("04"))
    assert closed.state.revenue.recognised("work", "EUR") == eur(2_400)
    gone = hearing(closed, time_reversed(WEEK, "b")).on(date(2026, 6, 1)).after(recognise("05"))
    assert gone.state.revenue.recognised("work", "EUR") == eur(1_600)


def test_held_and_written_down_work_is_gone_when_it_is_reversed():
    both = (
        hearing(hourly(), WEEK)
        .after(HoldWork(entries=("a",), why="Late."))
        .after(WriteDownWork(entries=("b",), why="Goodwill."))
    )
    later = both.when_consumed(time_reversed(WEEK, "a", "b"))
    later.then(
        like(CostReversed),
        WithheldWorkReversed(
            line="work",
            works=tuple(
                UnbilledWork(
                    kind="time",
                    entry=entry,
                    on=day,
                    role="developer",
                    hours=Decimal(8),
                    worth=eur(800),
                )
                for entry, day in (("a", MONDAY), ("b", TUESDAY))
            ),
            worth=eur(1_600),
        ),
    )
    gone = later.after
    assert gone.state.work.reversed == {}
    [shown] = gone.view["withheld"]
    assert (shown.held, shown.written_down) == (eur(0), eur(0))
    assert gone.view["held_work"] == []
    gone.when(HoldWork(entries=("a",), why="Late.")).then_refused("work-unknown")


def test_work_approved_as_cost_is_costed_and_never_billed():
    as_cost = time("a", why_not_billed="Before the signature.")
    worked = hearing(hourly(), as_cost)
    worked.then_view(cost_to_date=eur(400), unassigned=[], unbilled_work=[])
    worked.when(APRIL).then_refused("amount-not-billable", missing={"work-not-approved"})


def test_the_month_of_work_is_that_of_its_day():
    over = TimeApproved(
        person="dev",
        week=date(2026, 4, 27),
        entries=(*entries("april", day=date(2026, 4, 30)), *entries("may", day=date(2026, 5, 1))),
    )
    billed = hearing(hourly(), over).when(APRIL)
    billed.then(like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted))
    billed.after.when(BillTime(month="2026-05")).then(
        like(BillingEventDue, amount=eur(800)), like(InvoiceDrafted)
    )
    closed = hearing(hourly(), over).after(recognise("03")).after(recognise("04"))
    assert closed.state.revenue.recognised("work", "EUR") == eur(800)


def test_an_issued_credit_note_names_its_works():
    gone = hearing(sent(), time_reversed(WEEK, "b"))
    note = IssueCreditNote(
        intent="cancel-and-rebill", invoice=INVOICE, entries=("b",), why="Wrong week."
    )
    approved = gone.when(note, by="cora")
    [request] = approved.requests
    taken = NumberTaken(number=1, on=MAY)
    outcome = approved.after.when_outcome(request.id, request.item, taken)
    outcome.then(like(CreditNoteIssued, amount=eur(800), advance_restored=None))
    [issued_note] = outcome.events
    assert isinstance(issued_note, CreditNoteIssued)
    assert issued_note.works == (CreditedWork(**dict(of("b", TUESDAY))),)
