"""What the clock tells Finance: that an entry's date has come, or that an invoice is unpaid.

The clock tells a deadline once. What a change order has left of an entry that fell due before falls
due anew, on the date of old: so an entry's deadline has another name after each amendment.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from chassis.domain.decider import Context, Deadline, DeadlinePassed
from chassis.domain.ids import derived_id
from contracts.event import Event
from contracts.finance import BillingEventDue
from finance.billing import event_of
from finance.invoicing import overdue
from finance.state import Engagement, Invoice, decide


def deadlines(state: Engagement) -> Iterable[Deadline]:
    """Entries of the schedule on their date, invoices the day after they are due (00:00 UTC)."""
    for due in _dated(state):
        yield Deadline(_of_entry(state, due), datetime.combine(due.due_on, time(), UTC))
    for invoice in _chased(state):
        if invoice.due_on is not None:
            late = datetime.combine(invoice.due_on + timedelta(days=1), time(), UTC)
            yield Deadline(_of_invoice(invoice), late)


@decide.on(DeadlinePassed)
def deadline_passed(
    state: Engagement, command: DeadlinePassed, context: Context
) -> Iterable[Event]:
    """Say what the date brought, unless something else happened meanwhile."""
    for due in _dated(state):
        if _of_entry(state, due) == command.deadline:
            yield due
    for invoice in _chased(state):
        late = overdue(invoice, command.at.date())
        if late and _of_invoice(invoice) == command.deadline:
            yield late


def _dated(state: Engagement) -> Iterable[BillingEventDue]:
    """What is not due yet of entries on a date and will be, for all that is known."""
    if state.budget is None or state.settled_on is not None:
        return
    for item in state.budget.schedule:
        if item.kind != "on-date" or item.due_on is None:
            continue
        ended = state.terminated_on is not None and state.terminated_on < item.due_on
        due = None if ended else event_of(state, item, item.due_on)
        if due:
            yield due


def _chased(state: Engagement) -> Iterable[Invoice]:
    return (one for one in state.issued() if one.outstanding.amount > 0 and not one.overdue)


def _of_entry(state: Engagement, due: BillingEventDue) -> str:
    amendments = len(state.amended)
    return derived_id(due.billing_event, f"a{amendments}") if amendments else due.billing_event


def _of_invoice(invoice: Invoice) -> str:
    return derived_id("overdue", invoice.invoice)
