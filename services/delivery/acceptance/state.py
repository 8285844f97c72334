"""State of the acceptance of deliverables."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import (
    AcceptanceWithdrawn,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableSubmitted,
    EngagementImported,
)


class Acceptance(Part):
    """The latest submission and decisions on each deliverable, by its id.

    After an acceptance there is no further submission, unless it is withdrawn. `before` are the
    deliverables that the customer had accepted before the engagement was taken over.
    """

    submitted: Annotated[dict[str, DeliverableSubmitted], Keep("deliverable")] = {}
    accepted: Annotated[
        dict[str, DeliverableAccepted], Keep("deliverable", until=(AcceptanceWithdrawn,))
    ] = {}
    withdrawn: Annotated[dict[str, AcceptanceWithdrawn], Keep("deliverable")] = {}
    rejections: Annotated[dict[str, DeliverableRejected], Keep("deliverable")] = {}
    before: frozenset[str] = frozenset()

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        done = (each.deliverable for each in event.deliverables if each.accepted_on is not None)
        return self.updated(before=frozenset(done))

    def is_accepted(self, deliverable: str) -> bool:
        """Return whether the customer accepted a deliverable, here or before the take-over."""
        return deliverable in self.accepted or deliverable in self.before

    def rejected(self, deliverable: str) -> DeliverableRejected | None:
        """Return the rejection of the latest submission, or None."""
        submitted, rejected = self.submitted.get(deliverable), self.rejections.get(deliverable)
        latest = submitted and rejected and submitted.submission == rejected.submission
        return rejected if latest else None
