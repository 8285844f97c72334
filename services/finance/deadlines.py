"""Define Finance's deadlines: dates of billing entries, and due days of invoices.

A deadline passes only once. After an amendment, what remains of an entry that already fell due
falls due again on the same date, so the name of an entry's deadline contains the number of
amendments.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.ids import derived_id
from contracts.event import Event
from contracts.finance import BillingEventDue
from finance.billing import event_of
from finance.invoicing import overdue
from finance.state import Engagement, Invoice, decide


def deadlines(state: Engagement) -> Iterable[Deadline]:
    """Yield dated entries on their date, and invoices the day after they are due (00:00 UTC)."""
    for due in _dated_entries(state):
        yield Deadline(_entry_deadline(state, due), datetime.combine(due.due_on, time(), UTC))
    for invoice in _unpaid(state):
        if invoice.due_on is not None:
            late = datetime.combine(invoice.due_on + timedelta(days=1), time(), UTC)
            yield Deadline(_invoice_deadline(invoice), late)


@decide.on(DeadlinePassed)
def deadline_passed(
    state: Engagement, command: DeadlinePassed, context: Context
) -> Iterable[Event]:
    """Record what fell due or is overdue, unless something changed meanwhile."""
    for due in _dated_entries(state):
        if _entry_deadline(state, due) == command.deadline:
            yield due
    for invoice in _unpaid(state):
        late = overdue(invoice, command.at.date())
        if late and _invoice_deadline(invoice) == command.deadline:
            yield late


def _dated_entries(state: Engagement) -> Iterable[BillingEventDue]:
    """Yield the billing events of dated entries that are not due yet, as far as is known."""
    if state.budget is None or state.settled_on is not None:
        return
    for item in state.budget.schedule:
        if item.kind != "on-date" or item.due_on is None:
            continue
        ended = state.terminated_on is not None and state.terminated_on < item.due_on
        due = None if ended else event_of(state, item, item.due_on)
        if due:
            yield due


def _unpaid(state: Engagement) -> Iterable[Invoice]:
    return (one for one in state.issued() if one.outstanding.amount > 0 and not one.overdue)


def _entry_deadline(state: Engagement, due: BillingEventDue) -> str:
    amendments = len(state.amended)
    return derived_id(due.billing_event, f"a{amendments}") if amendments else due.billing_event


def _invoice_deadline(invoice: Invoice) -> str:
    return derived_id("overdue", invoice.invoice)
