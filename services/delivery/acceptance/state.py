"""State of the acceptance of deliverables."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import DeliverableAccepted, DeliverableRejected, DeliverableSubmitted
from contracts.values import Value


class Submission(Value):
    """The latest submission of a deliverable, and the customer's decision on it."""

    submitted: DeliverableSubmitted
    accepted: DeliverableAccepted | None = None
    rejected: DeliverableRejected | None = None


class Acceptance(Part):
    """The latest submissions by deliverable."""

    submissions: dict[str, Submission] = {}

    @on_event
    def _submitted(self, event: DeliverableSubmitted) -> Self:
        return self._with(event.deliverable, Submission(submitted=event))

    @on_event
    def _accepted(self, event: DeliverableAccepted) -> Self:
        submission = self.submissions[event.deliverable]
        return self._with(event.deliverable, submission.model_copy(update={"accepted": event}))

    @on_event
    def _rejected(self, event: DeliverableRejected) -> Self:
        submission = self.submissions[event.deliverable]
        return self._with(event.deliverable, submission.model_copy(update={"rejected": event}))

    def _with(self, deliverable: str, submission: Submission) -> Self:
        return self.updated(submissions={**self.submissions, deliverable: submission})
