"""Define the events of deliverables: submission, acceptance and rejection."""

from typing import Literal, Self

from pydantic import model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    ContentHash,
    Correction,
    CustomerAct,
    Day,
    Identifier,
    PersonId,
    RecordedAct,
    Text,
    Version,
)


class DeliverableSubmitted(Event, channel=DELIVERY):
    """A deliverable was submitted to the customer for acceptance. Published by Delivery."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Counts the submissions of this deliverable from 1."""
    content_hash: ContentHash
    """Hash of the content that was submitted."""
    submitted_on: Day
    """Day of the submission."""


class DeliverableAcceptance(CustomerAct):
    """The customer's acceptance of a deliverable."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission that was accepted."""


AcceptanceMode = Literal["by-customer", "on-behalf", "deemed"]


class DeliverableAccepted(
    DeliverableAcceptance, RecordedAct, Event, channel=DELIVERY, consumed_by=("finance",)
):
    """A submission of a deliverable is accepted. Published by Delivery."""

    how: AcceptanceMode = "by-customer"
    """`by-customer`: by a person of the customer. `on-behalf`: recorded for that person. `deemed`:
    the customer did not decide within the days that the contract gives.
    """
    accepted_by: PersonId | None
    """Person of the customer; null where the submission is deemed accepted."""
    accepted_on: Day
    """Day of the acceptance."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.accepted_by is None) != (self.how == "deemed"):
            raise ValueError("accepted_by is needed unless how is deemed, and only then")
        if (self.recorded_for is not None) != (self.how == "on-behalf"):
            raise ValueError("recorded_for is needed where how is on-behalf, and only there")
        return self


class AcceptanceWithdrawal(Correction):
    """The withdrawal of an acceptance that was recorded by mistake."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission whose acceptance is withdrawn."""


class AcceptanceWithdrawn(AcceptanceWithdrawal, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An acceptance that was recorded by mistake was withdrawn. Published by Delivery.

    The submission waits for the customer again. What Finance has not invoiced on the acceptance is
    no longer due.
    """

    accepted_on: Day
    """Day of the acceptance that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class DeliverableRejection(CustomerAct):
    """The customer's rejection of a deliverable."""

    deliverable: Identifier
    """Id of the deliverable within the engagement."""
    submission: Version
    """Number of the submission that was rejected."""
    rejected_by: PersonId
    """Person of the customer."""
    why: Text
    """Fault of the deliverable."""


class DeliverableRejected(DeliverableRejection, RecordedAct, Event, channel=DELIVERY):
    """The customer rejected a submission of a deliverable. Published by Delivery."""

    rejected_on: Day
    """Day of the rejection."""
