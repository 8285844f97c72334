"""Check payments, refunds and overdue invoices."""

from datetime import UTC, date, datetime

from contracts.finance import (
    PaymentOverdue,
    PaymentReceived,
    RefundPaid,
)
from finance.engagement import Engagement
from finance.payments.decisions import RecordPayment, RecordRefund
from testkit.scenario import Scenario
from tests.amounts import eur, usd
from tests.unit.finance.builders import APRIL_1, contracted, credit, drafts_and_invoices, pay, sent


def drafted() -> Scenario[Engagement]:
    return contracted().on(APRIL_1)


def test_payments_do_not_exceed_the_amount_owed():
    half = (
        sent()
        .when(pay(2_000, received_on=APRIL_1), by="petra")
        .then(PaymentReceived(invoice="invoice-start", amount=eur(2_000), received_on=APRIL_1))
    )
    half.then_view(outstanding=eur(3_000))
    half.when(pay(3_001)).then_refused("payment-too-large", saying="3,000.00 EUR at most")
    whole = half.after(pay(3_000))
    whole.then_view(outstanding=eur(0), paid=eur(5_000))
    whole.when(pay("0.01")).then_refused("payment-too-large", saying="0.00 EUR at most")


def test_payments_have_the_currency_and_a_possible_day():
    dollars = RecordPayment(invoice="invoice-start", amount=usd(1))
    sent().when(dollars).then_refused("currency-differs")
    sent().when(pay(1, received_on=date(2026, 4, 2))).then_refused("date-in-future")
    sent().when(pay(1, received_on=date(2026, 3, 31))).then_refused("date-before-issue")
    drafted().when(pay(1)).then_refused("invoice-not-issued", saying="is drafted")


def test_an_overpayment_after_a_credit_note_is_refunded():
    back = RecordRefund(invoice="invoice-start", amount=eur(1_000))
    owed = sent().after(pay(5_000)).after(credit(1_000))
    sent().after(pay(5_000)).when(back).then_refused("refund-too-large")
    owed.when(back, by="cora").then(
        RefundPaid(invoice="invoice-start", amount=eur(1_000), paid_on=APRIL_1)
    )
    owed.after(back).then_view(paid=eur(4_000))
    owed.after(back).when(back).then_refused("refund-too-large", saying="0.00 EUR at most")


def test_an_invoice_is_overdue_the_day_after_its_due_day_for_what_is_unpaid():
    some = sent().after(pay(2_000))
    midnight = datetime(2026, 5, 2, tzinfo=UTC)
    some.then_deadlines(overdue_invoice_start=midnight, due_care=date(2026, 8, 1))
    late = some.when_deadline("overdue-invoice-start").then(
        PaymentOverdue(invoice="invoice-start", due_on=date(2026, 5, 1), outstanding=eur(3_000))
    )
    late.then_view(overdue=True)
    assert drafts_and_invoices(late)["invoice-start"].overdue
    late.then_deadlines(due_care=date(2026, 8, 1))
    late.after(pay(3_000)).then_view(overdue=False)


def test_a_paid_invoice_is_never_overdue():
    sent().after(pay(5_000)).then_deadlines(due_care=date(2026, 8, 1))
