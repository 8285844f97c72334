"""Number documents: each series gives the numbers 1, 2, 3, ... without a gap.

Taking a number is a request of the engagement that issues the document. A request has one outcome,
however often it is repeated, so no document gets two numbers, and no number is used again.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from contracts.event import Event
from finance.number_series.events import NumberTaken
from finance.number_series.requests import TakeNumber
from finance.number_series.state import NumberSeries

capability = Capability[NumberSeries](__name__)


@capability.decide(TakeNumber, by=None, opens=True)
def take_number(state: NumberSeries, command: TakeNumber, context: Context) -> Iterable[Event]:
    """Take the next number; raises Refused where it would not follow the order of days."""
    if command.follow_days and state.latest is not None and command.on < state.latest:
        raise Refused(
            "date-before-known",
            f"numbers of this series follow the order of days, and the last is of {state.latest},"
            f" after {command.on}: without a number an invoice stays a draft, and a credit note is"
            " not issued",
        )
    yield NumberTaken(number=state.used + 1, on=command.on)


class NumberSeriesFields(ViewModel):
    """A number series: how many numbers are taken, and the latest date of their documents."""

    used: int
    latest: date | None


@capability.view
def number_series_view(state: NumberSeries) -> NumberSeriesFields:
    """Return the view of a series."""
    return NumberSeriesFields(used=state.used, latest=state.latest)
