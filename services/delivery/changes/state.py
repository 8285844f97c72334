"""State of the changes."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
)
from contracts.event import Recorded
from contracts.finance import ChangePriced
from contracts.money import Money
from contracts.values import Value


class Change(Value):
    """A change and its progress; `assessed_at` is the number of its last assessment event."""

    requested: ChangeRequested
    assessed: ChangeAssessed | None = None
    assessed_at: int = 0
    approved: ChangeApproved | None = None
    rejected: ChangeRejected | None = None
    implemented: ChangeImplemented | None = None


class ChangePrice(Value):
    """The price of a change, and `heard`: how far Finance had processed Delivery's channel.

    `heard` is the number of Delivery's last event that Finance had processed when it set the price,
    which identifies the assessment that the price is for.
    """

    price: Money
    heard: int


class Changes(Part):
    """The changes and their prices, by the change's id."""

    by_id: dict[str, Change] = {}
    prices: dict[str, ChangePrice] = {}

    @on_event
    def _requested(self, event: ChangeRequested) -> Self:
        return self.updated(by_id={**self.by_id, event.change: Change(requested=event)})

    @on_event
    def _assessed(self, recorded: Recorded[ChangeAssessed]) -> Self:
        event = recorded.event
        return self._with(event.change, assessed=event, assessed_at=recorded.sequence)

    @on_event
    def _priced(self, recorded: Recorded[ChangePriced]) -> Self:
        heard = recorded.heard.get("delivery", 0)
        price = ChangePrice(price=recorded.event.price, heard=heard)
        return self.updated(prices={**self.prices, recorded.event.change: price})

    @on_event
    def _approved(self, event: ChangeApproved) -> Self:
        return self._with(event.change, approved=event)

    @on_event
    def _rejected(self, event: ChangeRejected) -> Self:
        return self._with(event.change, rejected=event)

    @on_event
    def _implemented(self, event: ChangeImplemented) -> Self:
        return self._with(event.change, implemented=event)

    def is_priced(self, change: Change) -> bool:
        """Return whether Finance has priced the change's last assessment."""
        price = self.prices.get(change.requested.change)
        return bool(price and change.assessed and price.heard >= change.assessed_at)

    def _with(self, id: str, **fields: object) -> Self:
        change = self.by_id[id].model_copy(update=fields)
        return self.updated(by_id={**self.by_id, id: change})
