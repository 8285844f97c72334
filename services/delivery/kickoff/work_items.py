"""State that a signed contract waits for its kickoff."""

from collections.abc import Iterator

from chassis.domain.work_items import ItemKind, WorkItem
from delivery.engagement import Engagement

HOLD = ItemKind(
    "kickoff-not-held",
    department="delivery",
    role="engagement-manager",
    command="hold-kickoff",
    owed_to="customer",
    blocks=("go-live",),
)
KINDS = (HOLD,)


def items(state: Engagement) -> Iterator[WorkItem]:
    """Yield the kickoff, from the signature on; work that was taken over has begun."""
    signed = state.contract.signed
    begun = state.kickoff.held or state.importing.taken_over
    if signed and not begun and not state.is_over:
        sentence = f"the contract was signed on {signed.signed_on}, and no kickoff was held"
        yield HOLD("kickoff", sentence, since=signed.signed_on, person=state.manager)
