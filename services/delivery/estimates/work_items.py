"""State which estimates wait for their submission and for the endorsement of the manager."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

SUBMIT = ItemKind(
    "estimate-not-submitted",
    department="delivery",
    role="engagement-manager",
    command="submit-estimate",
    owed_to="sales",
    blocks=("draft-proposal",),
)
ENDORSE = ItemKind(
    "estimate-not-endorsed",
    department="delivery",
    role="engagement-manager",
    command="endorse-estimate",
    owed_to="sales",
    blocks=("submit-proposal",),
)
KINDS = (SUBMIT, ENDORSE)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the requested estimate, or the newest one without an endorsement, until the deal."""
    estimates, newest, manager = state.estimates, state.estimates.newest, state.manager
    if estimates.requested is None or state.deal.won or state.is_over:
        return
    owner = state.deal.opened.owner if state.deal.opened else None
    if newest is None:
        yield SUBMIT(
            "estimate",
            "Sales requested an estimate",
            since=estimates.requested_on,
            person=manager,
            to_person=owner,
        )
        return
    endorsed = estimates.endorsed.get(newest.version)
    if manager is not None and (endorsed is None or endorsed.manager != manager):
        yield ENDORSE(
            f"estimate-{newest.version}",
            f"estimate {newest.version} is not endorsed by the engagement manager",
            since=estimates.submitted_on.get(newest.version),
            person=manager,
            to_person=owner,
        )
