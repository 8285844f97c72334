"""The view of the work's progress and of the engagement's end; Finance decides nothing about it."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from finance.engagement import Engagement

capability = Capability[Engagement](__name__)


class ProgressFields(ViewModel):
    """The work in the view of an engagement; `ended` is lost, terminated, closed, or null."""

    manager: str | None
    kicked_off_on: date | None
    live_on: date | None
    ended: str | None


@capability.view
def progress_view(state: Engagement) -> ProgressFields:
    """Return the progress of the work for the view of an engagement."""
    progress = state.progress
    return ProgressFields(
        manager=progress.manager.manager if progress.manager else None,
        kicked_off_on=progress.kickoff.held_on if progress.kickoff else None,
        live_on=progress.live.live_on if progress.live else None,
        ended=state.end[0] if state.end else None,
    )
