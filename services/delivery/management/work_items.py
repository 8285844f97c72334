"""State that an engagement waits for its manager."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

ASSIGN = ItemKind(
    "manager-not-assigned",
    department="delivery",
    role="pmo-director",
    command="assign-manager",
    owed_to="sales",
    blocks=("submit-proposal", "endorse-estimate"),
)
KINDS = (ASSIGN,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield that a manager is to be assigned, from the opening of the opportunity on."""
    deal = state.deal
    if deal.opened is not None and state.manager is None and not state.is_over:
        sentence = "no engagement manager is assigned"
        yield ASSIGN("manager", sentence, since=deal.opened_on, to_person=deal.opened.owner)
