"""Figures of utilisation: billable hours by week over the hours that people were available."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from contracts.decimals import round_decimal
from gateway.portfolio.figures.sums import ZERO, Figures, add
from gateway.view.engagement_view import View

UTILISATION_WEEKS: Final = 4


def utilisation_weeks(today: date) -> list[date]:
    """Return the Mondays of the last four full weeks before a day."""
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in range(1, UTILISATION_WEEKS + 1)]


def add_weeks(figures: Figures, view: View) -> None:
    """Add an engagement's approved billable hours by week."""
    for week, worked in view.delivery.weeks.items():
        add(figures, _name(week), worked.billable)


def utilisation(
    figure: Callable[[str], Decimal], today: date, available_hours: Decimal | None
) -> Decimal | None:
    """Return billable over available hours of `utilisation_weeks`, None where not known.

    `figure` returns a total by its name.
    """
    billable = sum((figure(_name(week)) for week in utilisation_weeks(today)), ZERO)
    return round_decimal(billable / available_hours, 4) if available_hours else None


def _name(week: date) -> str:
    return f"week.{week.isoformat()}"
