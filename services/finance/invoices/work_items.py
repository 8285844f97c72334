"""State which drafts of invoices wait for a controller's approval (gate 5)."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.billing.schedule import lapsed
from finance.engagement import Engagement

APPROVE = ItemKind(
    "invoice-not-approved",
    department="finance",
    role="controller",
    command="approve-invoice",
    owed_to="finance",
    blocks=("settle-account",),
)
KINDS = (APPROVE,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the drafts, from the day on which they fell due on; without lapsed ones."""
    for invoice in state.billing.live:
        due = state.billing.events[invoice.billing_event]
        if invoice.stage != "drafted" or lapsed(state, due):
            continue
        notes = [f"an exception: {due.exception}"] if due.exception else []
        notes += (
            [f"its number was refused: {invoice.number_refused[-1]}"]
            if (invoice.number_refused)
            else []
        )
        more = f" ({'; '.join(notes)})" if notes else ""
        sentence = f"draft {invoice.invoice} over {invoice.amount} waits for approval{more}"
        yield APPROVE(invoice.invoice, sentence, since=due.due_on)
