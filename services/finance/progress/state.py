"""State of the work's progress in Finance, from the events of Delivery."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    AcceptanceWithdrawn,
    DeliverableAccepted,
    EngagementClosed,
    EngagementImported,
    GoLiveWithdrawn,
    KickoffHeld,
    KickoffWithdrawn,
    ManagerAssigned,
    SolutionWentLive,
)
from contracts.values import Identifier


class Progress(Part):
    """Manager, kickoff, go-live and closing, and the day of acceptance by deliverable.

    `withdrawn` has the day of withdrawal of acceptances that were not recorded again. `before` are
    the deliverables that were accepted before the engagement was taken over.
    """

    manager: Kept[ManagerAssigned] = None
    kickoff: Annotated[KickoffHeld | None, Keep(until=(KickoffWithdrawn,))] = None
    accepted: dict[Identifier, date] = {}
    withdrawn: dict[Identifier, date] = {}
    before: frozenset[Identifier] = frozenset()
    live: Annotated[SolutionWentLive | None, Keep(until=(GoLiveWithdrawn,))] = None
    closed: Kept[EngagementClosed] = None

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        before = {
            each.deliverable: each.accepted_on
            for each in event.deliverables
            if each.accepted_on is not None
        }
        here = {name: day for name, day in self.accepted.items() if name not in self.before}
        return self.updated(accepted={**before, **here}, before=frozenset(before))

    @on_event
    def _accepted(self, event: DeliverableAccepted) -> Self:
        return self.updated(
            accepted={**self.accepted, event.deliverable: event.accepted_on},
            withdrawn=_without(self.withdrawn, event.deliverable),
        )

    @on_event
    def _acceptance_withdrawn(self, event: AcceptanceWithdrawn) -> Self:
        return self.updated(
            accepted=_without(self.accepted, event.deliverable),
            withdrawn={**self.withdrawn, event.deliverable: event.withdrawn_on},
        )

    @property
    def closed_on(self) -> date | None:
        """Return the day on which the engagement was closed, or None."""
        return self.closed.closed_on if self.closed else None


def _without(days: dict[Identifier, date], deliverable: str) -> dict[Identifier, date]:
    return {name: day for name, day in days.items() if name != deliverable}
