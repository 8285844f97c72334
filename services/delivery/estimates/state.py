"""State of the estimates."""

from decimal import Decimal
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import EstimateEndorsed, EstimateSubmitted
from contracts.finance import EstimatePriced
from contracts.sales import EstimateRequested
from contracts.values import PersonId, Value
from delivery.quantities import ZERO


class Estimate(Value):
    """A version of the estimate, and the manager who endorsed it."""

    submitted: EstimateSubmitted
    endorsed_by: PersonId | None = None

    @property
    def hours(self) -> Decimal:
        """Return all estimated hours, without contingency."""
        return sum((line.hours for line in self.submitted.lines), ZERO)

    @property
    def project_management_hours(self) -> Decimal:
        """Return the estimated hours of project management, a part of all hours."""
        lines = self.submitted.lines
        return sum((line.hours for line in lines if line.kind == "project-management"), ZERO)


class Estimates(Part):
    """The request of Sales, the versions of the estimate, and their prices by version."""

    requested: Kept[EstimateRequested] = None
    by_version: dict[int, Estimate] = {}
    prices: Annotated[dict[int, EstimatePriced], Keep("estimate_version")] = {}

    @on_event
    def _submitted(self, event: EstimateSubmitted) -> Self:
        return self._with(event.version, Estimate(submitted=event))

    @on_event
    def _endorsed(self, event: EstimateEndorsed) -> Self:
        estimate = self.by_version[event.version]
        return self._with(event.version, estimate.model_copy(update={"endorsed_by": event.manager}))

    @property
    def newest(self) -> Estimate | None:
        """Return the newest version, or None."""
        return self.by_version[max(self.by_version)] if self.by_version else None

    def _with(self, version: int, estimate: Estimate) -> Self:
        return self.updated(by_version={**self.by_version, version: estimate})
