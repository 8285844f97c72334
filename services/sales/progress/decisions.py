"""The view of the work's progress; Sales decides nothing about it."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.delivery import EngagementPutOnHold, StatusReportPublished
from contracts.values import PersonId, TotalDays
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class DeliveryView(ViewModel):
    """Progress of the work against the promised dates.

    `late_by_days` is the forecast finish less the promised finish, in calendar days; negative where
    it is early. `would_recommend` is the newest answer in a survey, 0 to 10.
    """

    manager: PersonId | None
    managed_since: date | None
    kicked_off_on: date | None
    promised_finish: date | None
    forecast_finish: date | None
    late_by_days: TotalDays | None
    status_report: StatusReportPublished | None
    on_hold: EngagementPutOnHold | None
    live_on: date | None
    would_recommend: int | None
    closed_on: date | None


class DeliveryFields(ViewModel):
    """The work in the view of an engagement."""

    delivery: DeliveryView


class ManagerColumn(ViewModel):
    """The engagement manager in the list."""

    manager: PersonId | None


@capability.view
def progress_view(state: Engagement) -> DeliveryFields:
    """Return the progress of the work for the view of an engagement."""
    progress, promised = state.progress, state.promised_finish
    manager, report = progress.manager, progress.status_report
    forecast = report.forecast_finish if report else None
    return DeliveryFields(
        delivery=DeliveryView(
            manager=manager.manager if manager else None,
            managed_since=manager.assigned_on if manager else None,
            kicked_off_on=progress.kickoff.held_on if progress.kickoff else None,
            promised_finish=promised,
            forecast_finish=forecast,
            late_by_days=(forecast - promised).days if forecast and promised else None,
            status_report=report,
            on_hold=progress.on_hold,
            live_on=progress.live.live_on if progress.live else None,
            would_recommend=progress.recommend,
            closed_on=progress.closed_on,
        )
    )


@capability.row
def progress_row(state: Engagement) -> ManagerColumn:
    """Return the manager for the list of engagements."""
    manager = state.progress.manager
    return ManagerColumn(manager=manager.manager if manager else None)
