"""Define the events of the kickoff meeting."""

from typing import Annotated

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import Correction, Day, PersonId, Value


class Attendance(Value):
    """The people at a meeting."""

    attendees: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=200)]
    """People who attended."""


class KickoffHeld(Attendance, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """The kickoff meeting took place. Published by Delivery."""

    held_on: Day
    """Day of the kickoff meeting."""


class KickoffWithdrawn(Correction, Event, channel=DELIVERY, consumed_by=("sales", "finance")):
    """A kickoff that was recorded by mistake was withdrawn. Published by Delivery.

    The engagement has had no kickoff until another is recorded.
    """

    held_on: Day
    """Day of the kickoff that is withdrawn."""
    withdrawn_on: Day
    """Day on which the record was withdrawn."""
