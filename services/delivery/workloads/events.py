"""Internal events of a workload."""

from chassis.domain.internal import Internal
from contracts.delivery import BeyondHours
from contracts.values import EngagementId, Hours, Identifier, Period, Value, Version


class Allocated(Period):
    """Hours for which a person is allocated between two days, both included."""

    hours: Hours
    """Hours in the whole period."""


class AllocationNoted(Internal):
    """An engagement allocated the person, changed the allocation, or released the person."""

    engagement: EngagementId
    """Engagement that the person is allocated to."""
    request: Identifier
    """Id of the request within the engagement."""
    number: Version
    """Number of the change among those of the engagement's allocations."""
    allocated: Allocated | None
    """The hours and days; null where nothing is left after a release."""


class Told(Value):
    """Statement to an engagement about the allocations of the person."""

    engagement: EngagementId
    """Engagement that is told."""
    beyond: BeyondHours | None
    """Hours beyond those that the person has; null where there are none."""


class EngagementsTold(Internal):
    """Engagements are told whether the person is allocated beyond their hours."""

    revision: Version
    """Counts what was told about the person from 1."""
    told: tuple[Told, ...]
    """The engagements for which it has changed."""
