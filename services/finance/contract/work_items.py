"""State which version of the statement of work waits for Finance's review."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from finance.engagement import Engagement

REVIEW = ItemKind(
    "finance-review-missing",
    department="finance",
    role="project-accountant",
    command="review-sow",
    owed_to="legal",
    blocks=("approve-sow", "send-sow", "record-signature"),
)
KINDS = (REVIEW,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the newest version of the statement of work, until it is reviewed or one is signed."""
    contract = state.contract
    if not contract.sows or contract.signed or state.end:
        return
    newest = max(contract.sows)
    if newest not in contract.reviews:
        yield REVIEW(
            f"sow-{newest}",
            f"Finance has not reviewed version {newest} of the statement of work",
            since=contract.drafted_on.get(newest),
        )
