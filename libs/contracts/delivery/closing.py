"""Define the events of going live, of the post-implementation review and of closing."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import Correction, Day, ShortText, TotalHours, Value


class SolutionWentLive(Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The customer started to use the solution. Published by Delivery."""

    live_on: Day
    """First day of use."""


class GoLiveWithdrawn(Correction, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """A go-live that was recorded by mistake was withdrawn. Published by Delivery."""

    live_on: Day
    """First day of use that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""


class PirFindings(Value):
    """The findings of a post-implementation review."""

    went_well: Annotated[tuple[ShortText, ...], Field(max_length=100)]
    """Things that went well, each in one line."""
    went_badly: Annotated[tuple[ShortText, ...], Field(max_length=100)]
    """Things that went badly, each in one line."""


class PirHeld(PirFindings, Event, channel=DELIVERY):
    """The post-implementation review (PIR) took place. Published by Delivery."""

    held_on: Day
    """Day of the review."""
    sold_hours: TotalHours
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours
    """Approved hours."""


class EngagementClosed(Event, channel=DELIVERY, consumed_by=("sales", "legal", "finance")):
    """The engagement was closed: everything is accepted, settled and reviewed (gate 7).

    Published by Delivery.
    """

    closed_on: Day
    """Day on which it was closed."""
    sold_hours: TotalHours = Decimal(0)
    """Hours of the estimate under the won proposal, without contingency and changes."""
    delivered_hours: TotalHours = Decimal(0)
    """Approved hours."""
