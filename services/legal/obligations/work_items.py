"""State which obligations of the contract are open, each for its party and person."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from legal.engagement import Engagement

MEET = ItemKind(
    "obligation-open",
    department="legal",
    role="contract-manager",
    command="meet-obligation",
    owed_to="customer",
    blocks=("close-engagement",),
)
MEET_BY_CUSTOMER = ItemKind(
    "obligation-open",
    department="legal",
    role="contract-manager",
    command="meet-obligation",
    owed_to="legal",
    by_customer=True,
    blocks=("close-engagement",),
)
KINDS = (MEET, MEET_BY_CUSTOMER)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the obligations that are neither met nor withdrawn, also after a termination."""
    if state.ending.over and not state.ending.only_terminated:
        return
    for each in state.obligations.open:
        kind = MEET if each.owed_by == "company" else MEET_BY_CUSTOMER
        yield kind(
            each.obligation,
            f"{each.text} (clause {each.clause})"[:200],
            since=each.recorded_on,
            due=each.due_on,
            person=each.person,
        )
