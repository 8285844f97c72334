"""State of the work in Sales, from the events of Delivery."""

from datetime import date
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
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
    kickoff: Annotated[KickoffHeld | None, Keep(until=(KickoffWithdrawn,))] = None
    status_report: Kept[StatusReportPublished] = None
    on_hold: Annotated[EngagementPutOnHold | None, Keep(until=(EngagementResumed,))] = None
    live: Annotated[SolutionWentLive | None, Keep(until=(GoLiveWithdrawn,))] = None
    recommend: int | None = None
    """The newest answer to the question whether the customer would recommend the company."""
    closed: Kept[EngagementClosed] = None

    @on_event
    def _answered(self, event: SurveyAnswered) -> Self:
        return self if event.recommend is None else self.updated(recommend=event.recommend)

    @property
    def closed_on(self) -> date | None:
        """Return the day on which the engagement was closed, or None."""
        return self.closed.closed_on if self.closed else None
