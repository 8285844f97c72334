"""State of the changes."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, KeepDay, Part, on_event
from contracts.delivery import (
    ChangeApproved,
    ChangeAssessed,
    ChangeImplemented,
    ChangeRejected,
    ChangeRequested,
)
from contracts.event import Recorded
from contracts.finance import ChangePriced


class Changes(Part):
    """The changes and their prices, by the change's id.

    `assessed_at` is the number of the last assessment event of a change, `priced_at` that of
    Delivery's last event that Finance had processed when it set the price: together they tell
    whether the price is for the last assessment.
    """

    requested: Annotated[dict[str, ChangeRequested], Keep("change")] = {}
    assessed: Annotated[dict[str, ChangeAssessed], Keep("change")] = {}
    assessed_at: dict[str, int] = {}
    priced: Annotated[dict[str, ChangePriced], Keep("change")] = {}
    priced_at: dict[str, int] = {}
    priced_on: Annotated[dict[str, date], KeepDay((ChangePriced,), "change")] = {}
    approved: Annotated[dict[str, ChangeApproved], Keep("change")] = {}
    rejected: Annotated[dict[str, ChangeRejected], Keep("change")] = {}
    implemented: Annotated[dict[str, ChangeImplemented], Keep("change")] = {}

    @on_event
    def _assessed(self, recorded: Recorded[ChangeAssessed]) -> Self:
        at = {**self.assessed_at, recorded.event.change: recorded.sequence}
        return self.updated(assessed_at=at)

    @on_event
    def _priced(self, recorded: Recorded[ChangePriced]) -> Self:
        at = {**self.priced_at, recorded.event.change: recorded.heard.get("delivery", 0)}
        return self.updated(priced_at=at)

    def is_priced(self, change: str) -> bool:
        """Return whether Finance has priced the change's last assessment."""
        assessed_at = self.assessed_at.get(change)
        return assessed_at is not None and self.priced_at.get(change, -1) >= assessed_at
