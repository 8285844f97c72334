"""State which drafts of invoices wait for a controller's approval, or are held (gate 5)."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.billing.schedule import lapsed
from finance.billing.state import Invoice
from finance.engagement import Engagement

APPROVE = ItemKind(
    "invoice-not-approved",
    department="finance",
    role="controller",
    command="approve-invoice",
    owed_to="finance",
    blocks=("settle-account",),
)
APPROVE_EXCEPTION = ItemKind(
    "exception-not-approved",
    department="finance",
    role="controller",
    command="approve-invoice",
    owed_to="finance",
    blocks=("settle-account",),
)
"""Draft outside the schedule, which who requested it cannot approve."""
RELEASE = ItemKind(
    "invoice-held",
    department="finance",
    role="project-accountant",
    command="release-invoice",
    owed_to="finance",
    blocks=("approve-invoice", "settle-account"),
)
KINDS = (APPROVE, APPROVE_EXCEPTION, RELEASE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the drafts, from the day on which they fell due on; without lapsed ones."""
    for invoice in state.billing.live:
        due = state.billing.events[invoice.billing_event]
        if invoice.stage != "drafted" or lapsed(state, due):
            continue
        draft = f"draft {invoice.invoice} over {invoice.amount}"
        if invoice.held:
            yield RELEASE(
                invoice.invoice,
                f"{draft} is held: {invoice.held.why}",
                since=state.billing.held_on.get(invoice.invoice),
            )
        elif due.exception:
            requested = state.billing.requested_by.get(due.billing_event, ())
            by = f", requested by {', '.join(requested)}" if requested else ""
            yield APPROVE_EXCEPTION(
                invoice.invoice,
                f"{draft} waits for the approval of an exception{by}: {due.exception}"
                f"{_refused(invoice)}",
                since=due.due_on,
                not_by=requested,
            )
        else:
            sentence = f"{draft} waits for approval{_refused(invoice)}"
            yield APPROVE(invoice.invoice, sentence, since=due.due_on)


def _refused(invoice: Invoice) -> str:
    """Return why the invoice got no number at the last approval; empty where it was not refused."""
    return (
        f" (its number was refused: {invoice.number_refused[-1]})" if invoice.number_refused else ""
    )
