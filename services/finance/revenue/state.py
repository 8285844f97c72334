"""State of the recognised revenue."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.finance import RevenueRecognised
from contracts.money import Money


class Revenue(Part):
    """The recognised revenue by month."""

    months: Annotated[dict[str, RevenueRecognised], Keep(by="month")] = {}

    @property
    def last(self) -> RevenueRecognised | None:
        """Return the revenue of the last recognised month, or None before the first."""
        return self.months[max(self.months)] if self.months else None

    def recognised(self, currency: str) -> Money:
        """Return all recognised revenue; `currency` is that of the engagement."""
        return self.last.cumulative if self.last else Money.zero(currency)
