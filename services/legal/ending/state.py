"""State of the end of an engagement."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import EngagementClosed
from contracts.legal import EngagementTerminated
from contracts.sales import (
    DealLost,
    DealReopened,
    OpportunityImported,
    OpportunityImportUpdated,
)


class Ending(Part):
    """The termination, loss or closing of an engagement; empty while it is open."""

    terminated: Kept[EngagementTerminated] = None
    lost: bool = False
    lost_on: date | None = None
    """Day of the loss; None also where the CRM knew none."""
    closed: Kept[EngagementClosed] = None

    @on_event
    def _lost(self, event: DealLost) -> Self:
        return self.updated(lost=True, lost_on=event.lost_on)

    @on_event
    def _reopened(self, _: DealReopened) -> Self:
        return self.updated(lost=False, lost_on=None)

    @on_event
    def _imported(self, event: OpportunityImported) -> Self:
        lost = event.outcome == "lost"
        return self.updated(lost=lost, lost_on=event.closed_on if lost else None)

    @on_event
    def _import_updated(self, event: OpportunityImportUpdated) -> Self:
        lost = event.outcome == "lost" if "outcome" in event.changed else self.lost
        if not event.applied:
            return self
        return self.updated(lost=lost, lost_on=event.closed_on if lost else None)

    @property
    def only_terminated(self) -> bool:
        """Return whether the engagement was terminated, and neither lost nor closed."""
        return self.terminated is not None and not (self.lost or self.closed)

    @property
    def over(self) -> str | None:
        """Return how the engagement ended, as the end of a sentence, or None while it is open."""
        if self.terminated:
            return f"was terminated on {self.terminated.terminated_on}"
        if self.lost:
            return f"was lost on {self.lost_on}" if self.lost_on else "was lost"
        if self.closed:
            return f"was closed on {self.closed.closed_on}"
        return None
