"""Keep which deliverables are submitted, accepted and rejected."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from contracts import delivery
from contracts.event import Recorded
from gateway.formatting import day, words
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, Ref, ref


@dataclass(slots=True)
class SubmittedDeliverable:
    """A deliverable's last submission and whether the customer accepted it."""

    status: str
    submission: int
    on: date
    said: Ref


class Fields(Protocol):
    """Fields of the section that these steps change."""

    deliverables: dict[str, SubmittedDeliverable]


steps = PartSteps[Fields]()

steps.describe(
    delivery.DeliverableSubmitted,
    lambda event, names: (
        f"{names.title(event.deliverable)} submitted for acceptance on {day(event.submitted_on)} "
        f"(submission {event.submission})."
    ),
)


@steps.on(delivery.DeliverableSubmitted)
def _submitted(section: Fields, recorded: Recorded[delivery.DeliverableSubmitted]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = SubmittedDeliverable(
        "submitted", event.submission, event.submitted_on, ref(recorded)
    )


steps.describe(
    delivery.DeliverableAccepted,
    lambda event, names: (
        f"{names.title(event.deliverable)} accepted"
        f"{if_given(' by {}', event.accepted_by, names.person)} on {day(event.accepted_on)} "
        f"({words(event.how)})."
    ),
)


@steps.on(delivery.DeliverableAccepted)
def _accepted(section: Fields, recorded: Recorded[delivery.DeliverableAccepted]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = SubmittedDeliverable(
        "accepted", event.submission, event.accepted_on, ref(recorded)
    )


steps.describe(
    delivery.AcceptanceWithdrawn,
    lambda event, names: (
        f"Acceptance of {names.title(event.deliverable)} on {day(event.accepted_on)} withdrawn on "
        f"{day(event.withdrawn_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.AcceptanceWithdrawn)
def _acceptance_withdrawn(
    section: Fields, recorded: Recorded[delivery.AcceptanceWithdrawn]
) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = SubmittedDeliverable(
        "submitted", event.submission, event.withdrawn_on, ref(recorded)
    )


steps.describe(
    delivery.DeliverableRejected,
    lambda event, names: (
        f"{names.title(event.deliverable)} rejected by {names.person(event.rejected_by)} on "
        f"{day(event.rejected_on)}: “{event.why}”"
    ),
)


@steps.on(delivery.DeliverableRejected)
def _rejected(section: Fields, recorded: Recorded[delivery.DeliverableRejected]) -> None:
    event = recorded.event
    section.deliverables[event.deliverable] = SubmittedDeliverable(
        "rejected", event.submission, event.rejected_on, ref(recorded)
    )
