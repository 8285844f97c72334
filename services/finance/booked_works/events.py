"""Internal events of the works of a booked month."""

from chassis.domain.internal import Internal
from finance.booked_works.requests import WorkCost
from finance.work.works import Work


class WorksTaken(Internal):
    """The stream keeps these works from now on."""

    works: tuple[Work, ...]


class CostsKnown(Internal):
    """The costs of works have become known; some may have been given back. Confidential."""

    costs: tuple[WorkCost, ...]

    @property
    def is_confidential(self) -> bool:
        """Return that when a cost became known is confidential."""
        return True


class WorksGivenBack(Internal):
    """The engagement has these works again."""

    works: tuple[Work, ...]
