"""State which requests for people wait for an allocation."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from contracts.counting import counted
from delivery.engagement import Engagement

ALLOCATE = ItemKind(
    "request-not-staffed",
    department="delivery",
    role="pmo-director",
    command="allocate-resource",
    owed_to="delivery",
)
KINDS = (ALLOCATE,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the requests without people; each is due on its first day."""
    resources = state.resources
    for name, wanted in resources.requested.items():
        if not resources.allocated.get(name) and not state.is_over:
            yield ALLOCATE(
                name,
                f"no person is allocated to {counted(wanted.hours, 'hour')} of {wanted.role}"
                f" from {wanted.starts_on} to {wanted.finishes_on}",
                since=resources.requested_on.get(name),
                due=wanted.starts_on,
                to_person=state.manager,
            )
