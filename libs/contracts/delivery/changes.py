"""Define the events of changes of what was agreed."""

from typing import Annotated

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.lines import ScopeChange
from contracts.values import (
    AsNumber,
    CustomerAct,
    Day,
    Identifier,
    PersonId,
    RecordedAct,
    ShortText,
    Text,
    Value,
)


class ChangeRequest(Value):
    """The request of a change of what was agreed."""

    requested_by: PersonId
    """Person who asked for it."""
    description: Text
    """The change that is asked for."""


class ChangeRequested(ChangeRequest, Event, channel=DELIVERY, consumed_by=("legal",)):
    """A change of what was agreed was requested. Published by Delivery."""

    change: Identifier
    """Id of the change within the engagement."""
    requested_on: Day
    """Day of the request."""


class ChangeAssessment(ScopeChange):
    """The effort, the delay and the scope of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    days: Annotated[int, Field(ge=-10_000, le=10_000), AsNumber]
    """Calendar days by which the finish moves; negative where it becomes earlier."""
    risk: Text
    """Risks of the change, in words."""


class ChangeAssessed(ChangeAssessment, Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """Delivery assessed what a change would take; a later assessment replaces this one.

    Published by Delivery. Finance prices each assessment.
    """


class ChangeApproval(CustomerAct):
    """The customer's approval of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    approved_by: PersonId
    """Person of the customer."""


class ChangeApproved(
    ChangeApproval, RecordedAct, Event, channel=DELIVERY, consumed_by=("legal", "finance")
):
    """The customer approved an assessed and priced change, which is now a change order.

    Published by Delivery.
    """

    approved_on: Day
    """Day of the approval."""


class ChangeRejection(Value):
    """The rejection of a change."""

    change: Identifier
    """Id of the change within the engagement."""
    why: ShortText
    """Reason for the rejection."""


class ChangeRejected(ChangeRejection, Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """A change was rejected and will not be made.

    Published by Delivery. An approved change can be rejected until its amendment is signed; a
    signed amendment takes precedence over a rejection.
    """

    rejected_on: Day
    """Day of the rejection."""


class ChangeImplemented(Event, channel=DELIVERY, consumed_by=("legal", "finance")):
    """The work of a change order was completed. Published by Delivery."""

    change: Identifier
    """Id of the change within the engagement."""
    implemented_on: Day
    """Day on which the change was put into use."""
