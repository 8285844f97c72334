"""Check invoices: approved, numbered, issued, paid; voided, credited, refunded, overdue."""

from datetime import UTC, date, datetime

from contracts.finance import (
    BillingEventDue,
    CreditNoteIssued,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceLine,
    InvoiceNumbered,
    InvoiceVoided,
    PaymentOverdue,
    PaymentReceived,
    RefundPaid,
)
from finance.billing import BillOutsideSchedule
from finance.invoicing import (
    ApproveInvoice,
    IssueCreditNote,
    RecordPayment,
    RecordRefund,
    VoidInvoice,
)
from finance.settling import billed, outstanding, paid
from finance.state import Engagement
from testkit.scenario import Scenario, like
from tests.unit.finance.life import (
    ID,
    SIGNED,
    TERMINATED,
    accepted,
    contracted,
    eur,
    hearing,
    issued,
    usd,
)

APRIL_1 = date(2026, 4, 1)
APPROVE = ApproveInvoice(invoice="invoice-start")
NUMBERED = InvoiceNumbered(
    engagement=ID, invoice="invoice-start", number="2026-00007", issue_on=APRIL_1
)


def drafted() -> Scenario[Engagement]:
    return contracted().on(APRIL_1)


def out() -> Scenario[Engagement]:
    return issued(contracted(), "invoice-start", "2026-00007", APRIL_1)


def pay(amount: int | str, **more: object) -> RecordPayment:
    return RecordPayment.model_validate({"invoice": "invoice-start", "amount": eur(amount), **more})


def credit(amount: int | str) -> IssueCreditNote:
    return IssueCreditNote(invoice="invoice-start", amount=eur(amount), why="Goodwill.")


VOID = VoidInvoice(invoice="invoice-start", why="Wrong address.")


def test_an_approved_draft_is_numbered_and_issued():
    approved = (
        drafted()
        .when(APPROVE, by="cora")
        .then(InvoiceApproved(invoice="invoice-start", amount=eur(5_000), issue_on=APRIL_1))
    )
    approved.when_consumed(NUMBERED).then(
        InvoiceIssued(
            invoice="invoice-start",
            number="2026-00007",
            billing_event="due-start",
            kind="on-signature",
            amount=eur(5_000),
            lines=(InvoiceLine(description="On signature", amount=eur(5_000)),),
            issued_on=APRIL_1,
            due_on=date(2026, 5, 1),
        )
    )


def test_no_invoice_is_issued_before_its_draft_is_approved():
    drafted().when_consumed(NUMBERED).then_nothing()


def test_approving_again_changes_nothing_and_another_day_is_refused():
    approved = drafted().after(APPROVE)
    approved.when(APPROVE).then_nothing()
    other = ApproveInvoice(invoice="invoice-start", issue_on=SIGNED)
    approved.when(other).then_refused("invoice-not-draft")
    out().when(APPROVE).then_nothing()


def test_an_invoice_is_issued_neither_before_it_is_due_nor_in_the_future():
    at = ApproveInvoice(invoice="invoice-start", issue_on=date(2026, 3, 19))
    drafted().when(at).then_refused(
        "amount-not-billable",
        missing={"billing-item-not-due"},
        saying="due on 2026-03-20, after 2026-03-19",
    )
    future = ApproveInvoice(invoice="invoice-start", issue_on=date(2026, 4, 2))
    drafted().when(future).then_refused("date-in-future")
    drafted().when(ApproveInvoice(invoice="tea")).then_refused("invoice-unknown")


def test_after_a_termination_only_accepted_work_is_invoiced():
    dated = drafted().when_deadline("due-care").then_accepted().on(date(2026, 8, 2))
    over = hearing(dated, TERMINATED, accepted("design"))
    over.when(ApproveInvoice(invoice="invoice-care")).then_refused(
        "amount-not-billable", missing={"engagement-terminated"}
    )
    over.when(ApproveInvoice(invoice="invoice-design")).then(like(InvoiceApproved))


def test_payments_do_not_exceed_the_amount_owed():
    half = (
        out()
        .when(pay(2_000, received_on=APRIL_1), by="petra")
        .then(PaymentReceived(invoice="invoice-start", amount=eur(2_000), received_on=APRIL_1))
    )
    assert outstanding(half.state) == eur(3_000)
    half.when(pay(3_001)).then_refused("payment-too-large", saying="3,000.00 EUR at most")
    whole = half.after(pay(3_000))
    assert outstanding(whole.state) == eur(0)
    assert paid(whole.state) == eur(5_000)
    whole.when(pay("0.01")).then_refused("payment-too-large", saying="0.00 EUR at most")


def test_payments_have_the_currency_and_a_possible_day():
    dollars = RecordPayment(invoice="invoice-start", amount=usd(1))
    out().when(dollars).then_refused("currency-differs")
    out().when(pay(1, received_on=date(2026, 4, 2))).then_refused("date-in-future")
    out().when(pay(1, received_on=date(2026, 3, 31))).then_refused("date-before-issue")
    drafted().when(pay(1)).then_refused("invoice-not-issued", saying="is drafted")


def test_a_void_invoice_keeps_its_number_and_is_drafted_again():
    void = (
        out()
        .when(VOID, by="cora")
        .then(
            InvoiceVoided(
                invoice="invoice-start",
                number="2026-00007",
                amount=eur(5_000),
                why="Wrong address.",
                voided_on=APRIL_1,
                ends_event=False,
            ),
            like(InvoiceDrafted, invoice="invoice-start-2", billing_event="due-start"),
        )
    )
    assert billed(void.state) == eur(0)
    void.when(VOID).then_nothing()
    void.when(APPROVE).then_refused("invoice-not-draft", saying="is voided")
    assert billed(issued(void, "invoice-start-2", "2026-00008", APRIL_1).state) == eur(5_000)


def test_an_exception_ends_with_its_invoice():
    line = InvoiceLine(description="Work", amount=eur(6_000))
    exception = BillOutsideSchedule(item="design", lines=(line,), reason="Year end.")
    with_it = out().after(exception)
    name = list(with_it.state.invoices)[-1]
    sent = issued(with_it, name, "2026-00008", APRIL_1)
    void = sent.when(VoidInvoice(invoice=name, why="Not accepted.")).then(like(InvoiceVoided))
    void.when_consumed(accepted("design")).then(
        like(BillingEventDue, item="design", amount=eur(6_000)),
        like(InvoiceDrafted),
    )


def test_a_paid_or_credited_invoice_cannot_be_voided():
    out().after(pay(1)).when(VOID).then_refused("invoice-settled-in-part")
    out().after(credit(1)).when(VOID).then_refused("invoice-settled-in-part")
    drafted().when(VOID).then_refused("invoice-not-issued")


def test_a_credit_note_does_not_exceed_the_rest_of_the_invoice():
    some = out().when(credit(1_000), by="cora")
    note = some.events[0]
    assert isinstance(note, CreditNoteIssued)
    assert note.credit_note.startswith("credit-")
    assert (billed(some.after.state), outstanding(some.after.state)) == (eur(4_000), eur(4_000))
    some.after.when(credit(4_001)).then_refused("credit-too-large", saying="4,000.00 EUR at most")


def test_an_overpayment_after_a_credit_note_is_refunded():
    back = RecordRefund(invoice="invoice-start", amount=eur(1_000))
    owed = out().after(pay(5_000)).after(credit(1_000))
    out().after(pay(5_000)).when(back).then_refused("refund-too-large")
    owed.when(back, by="cora").then(
        RefundPaid(invoice="invoice-start", amount=eur(1_000), paid_on=APRIL_1)
    )
    assert paid(owed.after(back).state) == eur(4_000)
    owed.after(back).when(back).then_refused("refund-too-large", saying="0.00 EUR at most")


def test_an_invoice_is_overdue_the_day_after_its_due_day_for_what_is_unpaid():
    some = out().after(pay(2_000))
    midnight = datetime(2026, 5, 2, tzinfo=UTC)
    some.then_deadlines(overdue_invoice_start=midnight, due_care=date(2026, 8, 1))
    late = some.when_deadline("overdue-invoice-start").then(
        PaymentOverdue(invoice="invoice-start", due_on=date(2026, 5, 1), outstanding=eur(3_000))
    )
    assert late.state.invoices["invoice-start"].overdue
    late.then_deadlines(due_care=date(2026, 8, 1))
    assert not late.after(pay(3_000)).state.invoices["invoice-start"].overdue


def test_a_paid_invoice_is_never_overdue():
    out().after(pay(5_000)).then_deadlines(due_care=date(2026, 8, 1))
