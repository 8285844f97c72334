"""The view of the sale, the work and their end; Finance decides nothing about them."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from finance.engagement import Engagement

capability = Capability[Engagement](__name__)


class ProgressFields(ViewModel):
    """Sale and work in the view of an engagement; `ended` is lost, terminated, closed, or null."""

    title: str | None
    currency: str | None
    manager: str | None
    kicked_off_on: date | None
    live_on: date | None
    ended: str | None


@capability.view
def progress_view(state: Engagement) -> ProgressFields:
    """Return sale and work for the view of an engagement."""
    opened = state.opportunity.opened or state.importing.opportunity
    progress = state.progress
    return ProgressFields(
        title=opened.title if opened else None,
        currency=state.currency,
        manager=progress.manager.manager if progress.manager else None,
        kicked_off_on=progress.kickoff.held_on if progress.kickoff else None,
        live_on=progress.live.live_on if progress.live else None,
        ended=state.end[0] if state.end else None,
    )
