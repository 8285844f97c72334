"""Record payments and refunds, and what is overdue.

What was paid beyond an invoice less its credit notes is refunded.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.ids import derived_id
from contracts.decimals import canonical_decimal
from contracts.event import Event
from contracts.finance import InvoiceMovement, PaymentOverdue, PaymentReceived, RefundPaid
from contracts.money import Money
from contracts.values import Day
from finance.billing.state import Invoice
from finance.engagement import Engagement, Stage
from finance.policies import day_since_issue, require_at_most, require_issued
from finance.roles import ACCOUNTING, CONTROLLING
from finance.time_billing.unbilled import advances_left

capability = Capability[Engagement](__name__)


class RecordPayment(InvoiceMovement, Command):
    """Record a payment on an invoice, received today unless a day is named.

    If the invoice is dated tomorrow, it is received on that day unless one is named.
    """

    received_on: Day | None = None


class RecordRefund(InvoiceMovement, Command):
    """Record a refund of what was paid beyond an invoice less its credit notes."""

    paid_on: Day | None = None


@capability.decide(RecordPayment, by=ACCOUNTING)
def record_payment(state: Engagement, command: RecordPayment, context: Context) -> Iterable[Event]:
    """Record the payment, up to what is outstanding on the invoice.

    Raises Refused where the invoice is unknown or not issued, or the amount is too large.
    """
    invoice = require_issued(state, command.invoice)
    received_on = day_since_issue(invoice, "received_on", command, context)
    require_at_most(command.amount, invoice.outstanding, "payment-too-large", invoice)
    yield PaymentReceived(**{**dict(command), "received_on": received_on})


@capability.decide(RecordRefund, by=CONTROLLING)
def record_refund(state: Engagement, command: RecordRefund, context: Context) -> Iterable[Event]:
    """Record the refund, up to what was paid beyond the invoice less its credit notes.

    Raises Refused where the invoice is unknown or not issued, or the amount is too large.
    """
    invoice = require_issued(state, command.invoice)
    paid_on = day_since_issue(invoice, "paid_on", command, context)
    require_at_most(command.amount, -invoice.outstanding, "refund-too-large", invoice)
    yield RefundPaid(**{**dict(command), "paid_on": paid_on})


@capability.deadlines
def due_days(state: Engagement) -> Iterable[Deadline]:
    """Yield the unpaid invoices, on the day after they are due (00:00 UTC)."""
    for invoice, due_on in _unpaid(state):
        late = datetime.combine(due_on + timedelta(days=1), time(), UTC)
        yield Deadline(_deadline(invoice), late)


@capability.decide(DeadlinePassed, by=None)
def due_day_passed(state: Engagement, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    """Record what is overdue, unless it was paid or credited meanwhile."""
    for invoice, due_on in _unpaid(state):
        if _deadline(invoice) == command.deadline and due_on < command.at.date():
            yield PaymentOverdue(
                invoice=invoice.invoice, due_on=due_on, outstanding=invoice.outstanding
            )


def _unpaid(state: Engagement) -> Iterable[tuple[Invoice, date]]:
    """Yield the issued invoices that are unpaid and not known to be overdue, with their due day."""
    for invoice in state.billing.issued:
        if invoice.outstanding.amount > 0 and not invoice.overdue and invoice.due_on is not None:
            yield invoice, invoice.due_on


def _deadline(invoice: Invoice) -> str:
    return derived_id("overdue", invoice.invoice)


class PaymentFields(ViewModel):
    """Billed and paid amounts, and the rest of advances, in the view of an engagement."""

    billed: Money | None
    paid: Money | None
    outstanding: Money | None
    advance_left: Money | None
    overdue: bool


class EngagementRow(ViewModel):
    """Columns of the list of engagements; amounts are decimals in the engagement's currency."""

    stage: Stage
    currency: str | None
    billed: str | None
    outstanding: str | None
    overdue: bool


@capability.view
def payments_view(state: Engagement) -> PaymentFields:
    """Return what was billed and paid for the view of an engagement."""
    billing, currency = state.billing, state.currency
    return PaymentFields(
        billed=billing.billed(currency) if currency else None,
        paid=billing.paid(currency) if currency else None,
        outstanding=billing.outstanding(currency) if currency else None,
        advance_left=advances_left(state) if currency else None,
        overdue=any(invoice.overdue for invoice in billing.issued),
    )


@capability.row
def engagement_row(state: Engagement) -> EngagementRow:
    """Return the columns of the list of engagements."""
    figures = payments_view(state)
    billed, outstanding = figures.billed, figures.outstanding
    return EngagementRow(
        stage=state.stage,
        currency=state.currency,
        billed=canonical_decimal(billed.amount) if billed else None,
        outstanding=canonical_decimal(outstanding.amount) if outstanding else None,
        overdue=figures.overdue,
    )
