"""Approve, issue, void and credit invoices, and record payments and refunds.

An approved draft gets the next number of its year from the register; with the number it is issued,
and due after the contract's payment terms. No invoice gets a number before its draft is approved. A
wrong invoice is voided and drafted again, or credited; what was paid beyond that is refunded.
"""

from collections.abc import Iterable
from datetime import date

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import (
    CreditNoteIssued,
    InvoiceApproved,
    InvoiceIssued,
    InvoiceVoided,
    PaymentOverdue,
    PaymentReceived,
    RefundPaid,
)
from contracts.money import Money, PositiveMoney
from contracts.refusals import RefusalCode
from contracts.values import Day, Identifier, ShortText, days_after
from finance.billing import too_much_due
from finance.state import (
    BillingEvent,
    Engagement,
    Invoice,
    decide,
    least,
    require_open_account,
    require_past,
)
from finance.time_billing import advance_left


class ApproveInvoice(Command):
    """Approve a draft; it gets its number and is issued today unless an earlier day is named."""

    invoice: Identifier
    issue_on: Day | None = None


class VoidInvoice(Command):
    """Void an issued invoice on which nothing was paid or credited; its number stays used.

    Its billing event is drafted again, unless it was an exception, which ends with its invoice. If
    the entry was reduced meanwhile, what is left of it falls due again.
    """

    invoice: Identifier
    why: ShortText
    voided_on: Day | None = None


class IssueCreditNote(Command):
    """Credit part or all of an issued invoice."""

    invoice: Identifier
    amount: PositiveMoney
    why: ShortText
    issued_on: Day | None = None


class RecordPayment(Command):
    """Record a payment on an invoice, received today unless a day is named."""

    invoice: Identifier
    amount: PositiveMoney
    received_on: Day | None = None


class RecordRefund(Command):
    """Record a refund of what was paid beyond an invoice less its credit notes."""

    invoice: Identifier
    amount: PositiveMoney
    paid_on: Day | None = None


@decide.on(ApproveInvoice)
def approve_invoice(
    state: Engagement, command: ApproveInvoice, context: Context
) -> Iterable[Event]:
    """Record the approval if gate 5 is open: the billing event is due by the day of issue.

    Raises Refused where the gate is closed, the invoice is unknown or not a draft, or the day is in
    the future.
    """
    invoice = _invoice(state, command.invoice)
    issue_on = command.issue_on or context.today
    if invoice.stage != "drafted":
        if command.issue_on in {None, invoice.issue_on} and invoice.stage != "voided":
            return
        raise Refused(
            "invoice-not-draft", f"invoice {invoice.invoice} is {invoice.stage}, not a draft"
        )
    require_past(issue_on, context.today, f"invoice {invoice.invoice} is issued")
    gate(
        "amount-not-billable",
        _not_due(state, state.billing_events[invoice.billing_event], issue_on),
    )
    yield InvoiceApproved(invoice=invoice.invoice, amount=invoice.amount, issue_on=issue_on)


@decide.on(VoidInvoice)
def void_invoice(state: Engagement, command: VoidInvoice, context: Context) -> Iterable[Event]:
    """Record that the invoice is void.

    Raises Refused where it is unknown or not issued, the account is settled, something was paid or
    credited on it, or an advance that it billed is drawn down.
    """
    invoice = _invoice(state, command.invoice)
    if invoice.stage == "voided":
        return
    _require_issued(invoice)
    require_open_account(state)
    voided_on = _day(invoice, command.voided_on, context)
    if invoice.payments or invoice.credits:
        raise Refused(
            "invoice-settled-in-part",
            f"invoice {invoice.number} was paid or credited in part: issue a credit note instead",
        )
    _require_advance(state, invoice, invoice.amount)
    billing_event = state.billing_events[invoice.billing_event]
    yield InvoiceVoided(
        invoice=invoice.invoice,
        number=invoice.number or invoice.invoice,
        amount=invoice.amount,
        why=command.why,
        voided_on=voided_on,
        ends_event=billing_event.exception is not None or too_much_due(state, billing_event.item),
    )


@decide.on(IssueCreditNote)
def issue_credit_note(
    state: Engagement, command: IssueCreditNote, context: Context
) -> Iterable[Event]:
    """Record the credit note, up to what is left of the invoice.

    Raises Refused where the invoice is unknown or not issued, the account is settled, the amount is
    too large, or an advance that it billed is drawn down.
    """
    invoice = _invoice(state, command.invoice)
    _require_issued(invoice)
    require_open_account(state)
    issued_on = _day(invoice, command.issued_on, context)
    _require_up_to(command.amount, invoice.amount - invoice.credited, "credit-too-large", invoice)
    _require_advance(state, invoice, command.amount)
    yield CreditNoteIssued(
        credit_note=context.new_id("credit"),
        invoice=invoice.invoice,
        amount=command.amount,
        why=command.why,
        issued_on=issued_on,
    )


@decide.on(RecordPayment)
def record_payment(state: Engagement, command: RecordPayment, context: Context) -> Iterable[Event]:
    """Record the payment, up to what is outstanding on the invoice.

    Raises Refused where the invoice is unknown or not issued, or the amount is too large.
    """
    invoice = _invoice(state, command.invoice)
    _require_issued(invoice)
    received_on = _day(invoice, command.received_on, context)
    _require_up_to(command.amount, invoice.outstanding, "payment-too-large", invoice)
    yield PaymentReceived(invoice=invoice.invoice, amount=command.amount, received_on=received_on)


@decide.on(RecordRefund)
def record_refund(state: Engagement, command: RecordRefund, context: Context) -> Iterable[Event]:
    """Record the refund, up to what was paid beyond the invoice less its credit notes.

    Raises Refused where the invoice is unknown or not issued, or the amount is too large.
    """
    invoice = _invoice(state, command.invoice)
    _require_issued(invoice)
    paid_on = _day(invoice, command.paid_on, context)
    _require_up_to(command.amount, -invoice.outstanding, "refund-too-large", invoice)
    yield RefundPaid(invoice=invoice.invoice, amount=command.amount, paid_on=paid_on)


def overdue(invoice: Invoice, day: date) -> PaymentOverdue | None:
    """Return an event if the invoice is unpaid on a day after its due day, else None."""
    if invoice.due_on is None or day <= invoice.due_on or invoice.outstanding.amount <= 0:
        return None
    return PaymentOverdue(
        invoice=invoice.invoice, due_on=invoice.due_on, outstanding=invoice.outstanding
    )


def issues(state: Engagement, context: Context) -> Iterable[Event]:
    """Issue the invoices that have their number."""
    for invoice in state.invoices.values():
        issue_on, number = invoice.issue_on, invoice.number
        if invoice.stage != "numbered" or issue_on is None or number is None:
            continue
        billing_event = state.billing_events[invoice.billing_event]
        terms = state.contract.payment_terms_days if state.contract else 0
        yield InvoiceIssued(
            invoice=invoice.invoice,
            number=number,
            billing_event=billing_event.billing_event,
            kind=invoice.kind,
            amount=invoice.amount,
            deliverables=billing_event.deliverables,
            lines=invoice.lines,
            issued_on=issue_on,
            due_on=days_after(issue_on, terms),
        )


def lapsed(state: Engagement, billing_event: BillingEvent) -> bool:
    """Return whether the engagement was terminated before the date that makes this due."""
    ended = state.terminated_on
    return ended is not None and billing_event.kind == "on-date" and ended < billing_event.due_on


def _not_due(state: Engagement, billing_event: BillingEvent, issue_on: date) -> Iterable[Missing]:
    if issue_on < billing_event.due_on:
        yield Missing(
            "billing-item-not-due",
            f"{billing_event.item} is due on {billing_event.due_on}, after {issue_on}",
        )
    if lapsed(state, billing_event):
        yield Missing(
            "engagement-terminated",
            f"{billing_event.item} would have been due on {billing_event.due_on}; "
            "the engagement was terminated"
            f" on {state.terminated_on}",
            "legal",
        )


def _invoice(state: Engagement, id: str) -> Invoice:
    invoice = state.invoices.get(id)
    if invoice is None:
        raise Refused("invoice-unknown", f"there is no invoice {id}")
    return invoice


def _require_issued(invoice: Invoice) -> None:
    if invoice.stage != "issued":
        raise Refused(
            "invoice-not-issued", f"invoice {invoice.invoice} is {invoice.stage}, not issued"
        )


def _day(invoice: Invoice, day: date | None, context: Context) -> date:
    """Return the day of an act on an invoice: today unless one is named.

    Raises Refused where it is in the future or before the invoice was issued.
    """
    on = day or context.today
    require_past(on, context.today, f"this happened to invoice {invoice.number}")
    if invoice.issue_on is not None and on < invoice.issue_on:
        raise Refused(
            "date-before-issue",
            f"invoice {invoice.number} was issued on {invoice.issue_on}, after {on}",
        )
    return on


def _require_up_to(amount: Money, most: Money, code: RefusalCode, invoice: Invoice) -> None:
    if amount.currency != most.currency:
        raise Refused(
            "currency-differs", f"the engagement is in {most.currency}, not in {amount.currency}"
        )
    if most < amount:
        most = most if most.amount > 0 else Money.zero(most.currency)
        raise Refused(
            code, f"on invoice {invoice.number} the amount can be {most} at most, not {amount}"
        )


def _require_advance(state: Engagement, invoice: Invoice, amount: Money) -> None:
    """Refuse to credit or void what time billed since has drawn down of an advance."""
    contract = state.contract
    if contract is None or contract.pricing != "time-and-materials":
        return
    left = advance_left(state)
    if invoice.kind in {"on-signature", "on-date"} and left < least(amount, invoice.amount):
        raise Refused(
            "advance-drawn",
            f"{left} of the advances is left; the rest is drawn down by billed time",
        )
