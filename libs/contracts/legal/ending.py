"""Define the event of a terminated contract."""

from typing import Annotated, Literal

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.values import Day, PersonId, Text, Value
from contracts.vocabularies import OPEN, Unlisted

TerminationReason = Annotated[
    Literal["convenience", "breach", "insolvency", "mutual"] | Unlisted, OPEN
]


class Termination(Value):
    """Why a contract was terminated."""

    reason: TerminationReason
    """Reason of the end of the contract."""
    comment: Text | None = None
    """Further explanation; null where there is none."""


class EngagementTerminated(
    Termination, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """The contract was terminated before the work was finished. Published by Legal."""

    terminated_on: Day
    """Last day of the contract."""
    decided_by: PersonId | None = None
    """Person who decided; null where it is not known."""
