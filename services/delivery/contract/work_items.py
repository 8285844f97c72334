"""State which version of the statement of work waits for Delivery's review."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

REVIEW = ItemKind(
    "delivery-review-missing",
    department="delivery",
    role="engagement-manager",
    command="review-sow",
    owed_to="legal",
    blocks=("approve-sow", "send-sow", "record-signature"),
)
KINDS = (REVIEW,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the newest version of the statement of work, until it is reviewed or one is signed."""
    contract = state.contract
    if not contract.drafted or contract.signed or state.is_over:
        return
    newest = max(contract.drafted)
    if newest not in contract.reviews:
        yield REVIEW(
            f"sow-{newest}",
            f"Delivery has not reviewed version {newest} of the statement of work",
            since=contract.drafted_on.get(newest),
            person=state.manager,
        )
