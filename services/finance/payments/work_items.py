"""State that a payment waits for its customer, or for the invoices that it pays."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.payments.state import Payment

ASSIGN = ItemKind(
    "payment-unassigned",
    department="finance",
    role="project-accountant",
    command="assign-account",
    owed_to="customer",
    blocks=("allocate-payment",),
)
ALLOCATE = ItemKind(
    "payment-unallocated",
    department="finance",
    role="project-accountant",
    command="allocate-payment",
    owed_to="customer",
)
KINDS = (ASSIGN, ALLOCATE)


def items(state: Payment) -> Iterator[WorkItem]:
    """Yield what an accountant owes: the customer of the payment, and what the rest is for."""
    if state.recorded is None or not state.unallocated.amount or state.returning:
        return
    known, since = state.known, state.known.received_on
    if state.account is None:
        sentence = f"it is not known which customer {known.amount} is from"
        yield ASSIGN(state.payment, sentence, since=since)
    else:
        sentence = f"{state.unallocated} of {known.amount} is on no invoice"
        yield ALLOCATE(state.payment, sentence, since=since)
