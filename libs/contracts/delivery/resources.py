"""Define the events of requested, allocated and released people."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import (
    AsNumber,
    Day,
    Identifier,
    Period,
    PersonId,
    ProjectRole,
    SomeHours,
    TotalHours,
    Version,
)


class ResourcePeriod(Period):
    """Hours of a role in a period."""

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    hours: SomeHours
    """Hours in the whole period."""


class ResourceRequested(ResourcePeriod, Event, channel=DELIVERY):
    """The engagement requested hours of a role in a period. Published by Delivery."""

    request: Identifier
    """Id of the request for a person, within the engagement."""


Commitment = Literal["soft", "hard"]
"""A hard allocation is binding; a soft one may be replaced."""


class ResourceAllocated(ResourcePeriod, Event, channel=DELIVERY):
    """A person was allocated to a resource request, or their allocation to it was changed.

    Published by Delivery. Hours and period are those of the allocation, and replace those of an
    earlier one of the same person to the same request.
    """

    request: Identifier
    """Id of the request that the person is allocated to."""
    person: PersonId
    """Person who is allocated."""
    commitment: Commitment
    """A hard allocation is binding; a soft one may be replaced."""


class ResourceReleased(Event, channel=DELIVERY):
    """A person was released from a resource request.

    Published by Delivery, also for every allocated person when the deal is lost or the contract is
    terminated. Closing an engagement releases no one: an allocation ends with its period.
    """

    request: Identifier
    """Id of the request for a person, within the engagement."""
    person: PersonId
    """Person who is released."""
    released_on: Day
    """Day from which the person is free."""


class BeyondHours(Period):
    """Days between which a person is allocated for more hours than the person has."""

    allocated: TotalHours
    """Hours of the allocations, over all engagements, that lie wholly in the period."""
    available: TotalHours
    """Hours that the person has in the period, without holidays and leave."""
    engagements: Annotated[int, Field(ge=1, le=10_000), AsNumber]
    """Number of engagements with these allocations."""


class WorkloadMeasured(Event, channel=DELIVERY):
    """The allocations of a person over all engagements exceed their hours, or no longer do.

    Published by Delivery in each engagement with one of the allocations, when it begins, changes
    and ends.
    """

    person: PersonId
    """Person who is allocated."""
    revision: Version
    """Counts what engagements were told about the person; it replaces what has a lower one."""
    beyond: BeyondHours | None
    """The period in which the hours are exceeded most; null where they no longer are."""
