"""State of the estimates."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from chassis.domain.state import Keep, KeepDay, Kept, Part
from contracts.delivery import EstimateEndorsed, EstimateSubmitted
from contracts.finance import EstimatePriced
from contracts.sales import EstimateRequested
from contracts.values import EstimateLine, LineKind
from delivery.quantities import ZERO


class Estimates(Part):
    """The request of Sales, and the versions of the estimate with endorsements and prices."""

    requested: Kept[EstimateRequested] = None
    requested_on: Annotated[date | None, KeepDay((EstimateRequested,))] = None
    submitted: Annotated[dict[int, EstimateSubmitted], Keep("version")] = {}
    submitted_on: Annotated[dict[int, date], KeepDay((EstimateSubmitted,), "version")] = {}
    endorsed: Annotated[dict[int, EstimateEndorsed], Keep("version")] = {}
    priced: Annotated[dict[int, EstimatePriced], Keep("estimate_version")] = {}

    @property
    def newest(self) -> EstimateSubmitted | None:
        """Return the newest version, or None."""
        return self.submitted[max(self.submitted)] if self.submitted else None

    @property
    def to_price(self) -> tuple[EstimateLine, ...]:
        """Return the lines of the newest version while Finance has not priced it."""
        newest = self.newest
        return newest.lines if newest and newest.version not in self.priced else ()


def hours_of(estimate: EstimateSubmitted, kind: LineKind | None = None) -> Decimal:
    """Return the hours of an estimate, or of its lines of one kind, without contingency."""
    lines = (line for line in estimate.lines if kind is None or line.kind == kind)
    return sum((line.hours for line in lines), ZERO)
