"""State which changes wait for their assessment and for the decision of the customer (gate 6)."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement
from delivery.policies import change_not_priced

ASSESS = ItemKind(
    "change-not-assessed",
    department="delivery",
    role="engagement-manager",
    command="assess-change",
    owed_to="delivery",
    blocks=("approve-change", "implement-change"),
)
APPROVE = ItemKind(
    "change-not-approved",
    department="delivery",
    role="engagement-manager",
    command="approve-change",
    owed_to="delivery",
    by_customer=True,
    blocks=("draft-amendment", "baseline-plan", "implement-change"),
)
KINDS = (ASSESS, APPROVE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the changes that are not decided, once they are requested, or assessed and priced."""
    changes = state.changes
    for name, requested in changes.requested.items():
        if name in changes.approved or name in changes.rejected or state.is_over:
            continue
        missing = {each.code: each.sentence for each in change_not_priced(state, name)}
        if not missing:
            yield APPROVE(
                name,
                f"the customer has not decided on change {name}",
                since=changes.priced_on.get(name),
                to_person=state.manager,
            )
        elif sentence := missing.get("change-not-assessed"):
            yield ASSESS(
                name,
                sentence,
                since=requested.requested_on,
                person=state.manager,
                to_person=requested.requested_by,
            )
