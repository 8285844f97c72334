"""State which inputs the customer owes."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

RECEIVE = ItemKind(
    "input-not-received",
    department="delivery",
    role="engagement-manager",
    command="receive-customer-input",
    owed_to="delivery",
    by_customer=True,
)
KINDS = (RECEIVE,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the inputs that were requested and are neither received nor withdrawn."""
    for each in state.customer_inputs.valid:
        if each.input not in state.customer_inputs.received and not state.is_over:
            waiting = f"; {', '.join(each.blocks)} waits for it" if each.blocks else ""
            yield RECEIVE(
                each.input,
                f"input {each.input} ({each.description}) is not received{waiting}",
                since=each.requested_on,
                due=each.due_on,
                person=each.requested_from,
                to_person=state.manager,
            )
