"""Define the events of what the customer has to provide, and of delays it causes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    AsNumber,
    Correction,
    Day,
    DocumentHash,
    Identifier,
    PersonId,
    ShortText,
    Text,
    Value,
)


class CustomerInput(Value):
    """Something that the customer has to provide."""

    description: ShortText
    """The thing that the customer has to provide."""
    requested_from: PersonId
    """Contact of the customer who is asked for it."""
    due_on: Day
    """Day by which it is needed."""
    blocks: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    """Ids of the tasks and milestones of the plan that wait for it."""


class CustomerInputRequested(CustomerInput, Event, channel=DELIVERY):
    """The customer was asked to provide something by a day. Published by Delivery."""

    input: Identifier
    """Id of the input within the engagement."""
    requested_on: Day
    """Day of the request."""


class ReceivedInput(Value):
    """The arrival of a requested input."""

    input: Identifier
    """Id of the input within the engagement."""
    evidence: DocumentHash | None = None
    """Hash of what was received; null where it is no document."""


class CustomerInputReceived(ReceivedInput, Event, channel=DELIVERY):
    """The customer provided a requested input. Published by Delivery."""

    received_on: Day
    """Day on which it was received."""


class CustomerDelay(Value):
    """Days that the customer cost the engagement, by a late input or at a milestone."""

    days: Annotated[int, Field(ge=1, le=10_000), AsNumber]
    """Calendar days by which the work was delayed."""
    cause: ShortText
    """Cause of the delay, on the side of the customer."""
    input: Identifier | None = None
    """Id of the input that was late; null where a milestone is named."""
    milestone: Identifier | None = None
    """Id of the milestone that was delayed; null where an input is named."""
    evidence: Text
    """Proof of the delay in words: letters, minutes, reminders."""

    @model_validator(mode="after")
    def _about_one(self) -> Self:
        if (self.input is None) == (self.milestone is None):
            raise ValueError("either input or milestone is needed")
        return self


class CustomerDelayRecorded(CustomerDelay, Event, channel=DELIVERY):
    """A delay that the customer caused was recorded, with its proof. Published by Delivery."""

    delay: Identifier
    """Id of the delay within the engagement."""
    recorded_on: Day
    """Day on which it was recorded."""


class CustomerInputCorrection(Correction):
    """The correction of a wrong record of an input of the customer, or of its arrival."""

    input: Identifier
    """Id of the input within the engagement."""


class CustomerInputReopened(CustomerInputCorrection, Event, channel=DELIVERY):
    """An input that was recorded as received by mistake has not come. Published by Delivery.

    It is open again, as it was requested.
    """

    received_on: Day
    """Day of the arrival that is taken back."""
    reopened_on: Day
    """Day on which the record was corrected."""


class CustomerInputWithdrawn(CustomerInputCorrection, Event, channel=DELIVERY):
    """The request of an input was withdrawn: it was recorded by mistake. Published by Delivery."""

    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class CustomerDelayWithdrawal(Correction):
    """The withdrawal of a delay that was recorded by mistake."""

    delay: Identifier
    """Id of the delay within the engagement."""


class CustomerDelayWithdrawn(CustomerDelayWithdrawal, Event, channel=DELIVERY):
    """A delay that was recorded by mistake was withdrawn. Published by Delivery."""

    withdrawn_on: Day
    """Day on which the record was withdrawn."""
