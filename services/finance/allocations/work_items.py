"""State which invoices the customer owes."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.engagement import Engagement

PAY = ItemKind(
    "invoice-unpaid",
    department="finance",
    role="project-accountant",
    command="allocate-payment",
    stream="payment",
    owed_to="finance",
    by_customer=True,
    blocks=("settle-account",),
)
KINDS = (PAY,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the invoices, also from before a take-over, on which something is outstanding."""
    for invoice in state.billing.receivables:
        if invoice.outstanding.amount > 0:
            yield PAY(
                invoice.invoice,
                f"{invoice.outstanding} is outstanding on {invoice.number}",
                since=invoice.issue_on,
                due=invoice.due_on,
            )
