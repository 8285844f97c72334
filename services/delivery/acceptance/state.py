"""State of the acceptance of deliverables."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Part, on_event
from contracts.delivery import (
    AcceptanceWithdrawn,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableSubmitted,
)


class Acceptance(Part):
    """The latest submission and decisions on each deliverable, by its id.

    After an acceptance there is no further submission, unless it is withdrawn.
    """

    submitted: Annotated[dict[str, DeliverableSubmitted], Keep("deliverable")] = {}
    accepted: Annotated[dict[str, DeliverableAccepted], Keep("deliverable")] = {}
    withdrawn: Annotated[dict[str, AcceptanceWithdrawn], Keep("deliverable")] = {}
    rejections: Annotated[dict[str, DeliverableRejected], Keep("deliverable")] = {}

    @on_event
    def _not_accepted(self, event: AcceptanceWithdrawn) -> Self:
        rest = {name: each for name, each in self.accepted.items() if name != event.deliverable}
        return self.updated(accepted=rest)

    def rejected(self, deliverable: str) -> DeliverableRejected | None:
        """Return the rejection of the latest submission, or None."""
        submitted, rejected = self.submitted.get(deliverable), self.rejections.get(deliverable)
        latest = submitted and rejected and submitted.submission == rejected.submission
        return rejected if latest else None
