"""State of the work's progress in Finance, from the events of Delivery."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import (
    DeliverableAccepted,
    EngagementClosed,
    KickoffHeld,
    ManagerAssigned,
    SolutionWentLive,
)
from contracts.values import Identifier


class Progress(Part):
    """Manager, kickoff, go-live and closing, and the day of acceptance by deliverable."""

    manager: Kept[ManagerAssigned] = None
    kickoff: Kept[KickoffHeld] = None
    accepted: dict[Identifier, date] = {}
    live: Kept[SolutionWentLive] = None
    closed: Kept[EngagementClosed] = None

    @on_event
    def _accepted(self, event: DeliverableAccepted) -> Self:
        return self.updated(accepted={**self.accepted, event.deliverable: event.accepted_on})

    @property
    def closed_on(self) -> date | None:
        """Return the day on which the engagement was closed, or None."""
        return self.closed.closed_on if self.closed else None
