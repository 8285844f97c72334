"""Internal events of the works of a booked month."""

from chassis.domain.internal import Internal
from finance.work.works import Work


class WorksTaken(Internal):
    """The stream keeps these works from now on."""

    works: tuple[Work, ...]


class WorksGivenBack(Internal):
    """The engagement has these works again."""

    works: tuple[Work, ...]
