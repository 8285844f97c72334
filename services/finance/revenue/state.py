"""State of the recognised revenue. Partly confidential: revenue by cost reveals the cost."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import RevenueByCostRecognised, RevenueRecognised
from contracts.money import Money
from contracts.values import Identifier, Month


class Revenue(Part):
    """The cumulative revenue by obligation and month."""

    cumulative: dict[Identifier, dict[Month, Money]] = {}

    @on_event
    def _recognised(self, event: RevenueRecognised | RevenueByCostRecognised) -> Self:
        months = {**self.cumulative.get(event.obligation, {}), event.month: event.cumulative}
        return self.updated(cumulative={**self.cumulative, event.obligation: months})

    @property
    def months(self) -> tuple[Month, ...]:
        """Return the months in which revenue of any obligation was recognised, the last first."""
        months = {month for of_obligation in self.cumulative.values() for month in of_obligation}
        return tuple(sorted(months, reverse=True))

    @property
    def last_month(self) -> Month | None:
        """Return the last month in which revenue of any obligation was recognised, or None."""
        return max(self.months, default=None)

    def last_month_of(self, obligation: str) -> Month | None:
        """Return the last recognised month of an obligation, or None before the first."""
        return max(self.cumulative.get(obligation, {}), default=None)

    def recognised(self, obligation: str, currency: str) -> Money:
        """Return all recognised revenue of an obligation; `currency` is that of the engagement."""
        months = self.cumulative.get(obligation, {})
        return months[max(months)] if months else Money.zero(currency)
