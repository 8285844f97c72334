"""Define the events of requested, allocated and released people."""

from typing import Literal

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.values import Day, Identifier, Period, PersonId, ProjectRole, SomeHours


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
