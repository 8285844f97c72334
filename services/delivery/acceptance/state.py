"""State of the acceptance of deliverables."""

from typing import Annotated

from chassis.domain.state import Keep, Part
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
    accepted: Annotated[
        dict[str, DeliverableAccepted], Keep("deliverable", until=(AcceptanceWithdrawn,))
    ] = {}
    withdrawn: Annotated[dict[str, AcceptanceWithdrawn], Keep("deliverable")] = {}
    rejections: Annotated[dict[str, DeliverableRejected], Keep("deliverable")] = {}

    def rejected(self, deliverable: str) -> DeliverableRejected | None:
        """Return the rejection of the latest submission, or None."""
        submitted, rejected = self.submitted.get(deliverable), self.rejections.get(deliverable)
        latest = submitted and rejected and submitted.submission == rejected.submission
        return rejected if latest else None
