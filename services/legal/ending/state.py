"""State of the end of an engagement."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import EngagementClosed
from contracts.event import Recorded
from contracts.legal import EngagementTerminated
from contracts.sales import DealLost, DealReopened, OpportunityImported


class Ending(Part):
    """The termination, loss or closing of an engagement; empty while it is open."""

    terminated: Kept[EngagementTerminated] = None
    lost_on: date | None = None
    closed: Kept[EngagementClosed] = None

    @on_event
    def _lost(self, event: DealLost) -> Self:
        return self.updated(lost_on=event.lost_on)

    @on_event
    def _reopened(self, _: DealReopened) -> Self:
        return self.updated(lost_on=None)

    @on_event
    def _imported(self, recorded: Recorded[OpportunityImported]) -> Self:
        """Set the day of the loss: without a closing day that of the event (UTC)."""
        event = recorded.event
        closed_on = event.closed_on or recorded.occurred_at.date()
        return self.updated(lost_on=closed_on if event.outcome == "lost" else None)

    @property
    def only_terminated(self) -> bool:
        """Return whether the engagement was terminated, and neither lost nor closed."""
        return self.terminated is not None and not (self.lost_on or self.closed)

    @property
    def over(self) -> str | None:
        """Return how the engagement ended, as the end of a sentence, or None while it is open."""
        if self.terminated:
            return f"was terminated on {self.terminated.terminated_on}"
        if self.lost_on:
            return f"was lost on {self.lost_on}"
        if self.closed:
            return f"was closed on {self.closed.closed_on}"
        return None
