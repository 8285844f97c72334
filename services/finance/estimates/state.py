"""State of Delivery's estimates, with the prices and costs that Finance computed."""

from datetime import date
from typing import Self

from chassis.domain.state import Part, on_event
from contracts.decimals import round_decimal
from contracts.delivery import EstimateEndorsed, EstimateSubmitted
from contracts.event import Recorded
from contracts.finance import EstimateCosted, EstimatePriced
from contracts.money import Money
from contracts.purchases import EstimatedPurchase
from contracts.values import EstimateLine, Percent, Value, Version


class Estimate(Value):
    """Version of the estimate; price and cost are None until they are computed.

    `contingency` is in percent on top of all hours.
    """

    version: Version
    lines: tuple[EstimateLine, ...]
    contingency: Percent
    submitted_on: date
    purchases: tuple[EstimatedPurchase, ...] = ()
    endorsed: bool = False
    price: Money | None = None
    cost: Money | None = None

    @property
    def with_contingency(self) -> tuple[EstimateLine, ...]:
        """Return the lines with contingency in their hours, rounded to 0.01 hour."""
        factor = 1 + self.contingency / 100
        return tuple(
            line.model_copy(update={"hours": round_decimal(line.hours * factor, 2)})
            for line in self.lines
        )


class Estimates(Part):
    """The estimates by version."""

    by_version: dict[int, Estimate] = {}

    @on_event
    def _submitted(self, recorded: Recorded[EstimateSubmitted]) -> Self:
        event = recorded.event
        estimate = Estimate(
            version=event.version,
            lines=event.lines,
            purchases=event.purchases,
            contingency=event.contingency,
            submitted_on=recorded.occurred_at.date(),
        )
        return self.updated(by_version={**self.by_version, event.version: estimate})

    @on_event
    def _endorsed(self, event: EstimateEndorsed) -> Self:
        return self._with(event.version, endorsed=True)

    @on_event
    def _priced(self, event: EstimatePriced) -> Self:
        return self._with(event.estimate_version, price=event.price)

    @on_event
    def _costed(self, event: EstimateCosted) -> Self:
        return self._with(event.estimate_version, cost=event.cost)

    def _with(self, version: int, **fields: object) -> Self:
        known = self.by_version.get(version)
        if known is None:
            return self
        changed = known.model_copy(update=fields)
        return self.updated(by_version={**self.by_version, version: changed})
