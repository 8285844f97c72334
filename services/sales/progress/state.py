"""State of the work in Sales, from the events of Delivery."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import (
    EngagementClosed,
    EngagementPutOnHold,
    EngagementResumed,
    GoLiveWithdrawn,
    KickoffHeld,
    KickoffWithdrawn,
    ManagerAssigned,
    SolutionWentLive,
    StatusReportPublished,
    SurveyAnswered,
)


class Progress(Part):
    """Manager, kickoff, last status report, hold, go-live, survey and closing."""

    manager: Kept[ManagerAssigned] = None
    kickoff: Kept[KickoffHeld] = None
    status_report: Kept[StatusReportPublished] = None
    on_hold: Kept[EngagementPutOnHold] = None
    live: Kept[SolutionWentLive] = None
    recommend: int | None = None
    """The newest answer to the question whether the customer would recommend the company."""
    closed: Kept[EngagementClosed] = None

    @on_event
    def _resumed(self, event: EngagementResumed) -> Self:
        return self.updated(on_hold=None)

    @on_event
    def _kickoff_withdrawn(self, _: KickoffWithdrawn) -> Self:
        return self.updated(kickoff=None)

    @on_event
    def _not_live(self, _: GoLiveWithdrawn) -> Self:
        return self.updated(live=None)

    @on_event
    def _answered(self, event: SurveyAnswered) -> Self:
        return self if event.recommend is None else self.updated(recommend=event.recommend)

    @property
    def closed_on(self) -> date | None:
        """Return the day on which the engagement was closed, or None."""
        return self.closed.closed_on if self.closed else None
