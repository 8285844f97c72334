"""Number documents: each series gives the numbers 1, 2, 3, ... without a gap.

Taking a number is a request of the engagement that issues the document. A request has one outcome,
however often it is repeated, so no document gets two numbers, and no number is used again.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from finance.number_series.events import DayOrderSet, NumberTaken
from finance.number_series.requests import TakeNumber
from finance.number_series.state import NumberSeries
from finance.roles import CONTROLLING

capability = Capability[NumberSeries](__name__)


class SetDayOrder(Command):
    """Set whether a number may only be taken for a document that is not dated before another one.

    By default it may: the last invoices of a month are often sent in the next one.
    """

    required: bool


@capability.decide(TakeNumber, by=None, opens=True)
def take_number(state: NumberSeries, command: TakeNumber, context: Context) -> Iterable[Event]:
    """Take the next number; raises Refused where it would not follow the order of days."""
    if state.day_order and state.latest is not None and command.on < state.latest:
        raise Refused(
            "date-before-known",
            f"numbers of this series follow the order of days, and the last is of {state.latest},"
            f" after {command.on}",
        )
    yield NumberTaken(number=state.used + 1, on=command.on)


@capability.decide(SetDayOrder, by=CONTROLLING, opens=True)
def set_day_order(state: NumberSeries, command: SetDayOrder, context: Context) -> Iterable[Event]:
    """Record whether order matters from now on; the same again changes nothing."""
    if command.required != state.day_order:
        yield DayOrderSet(required=command.required)


class NumberSeriesFields(ViewModel):
    """A number series: how many numbers are taken, and the latest date of their documents."""

    used: int
    latest: date | None
    day_order: bool


@capability.view
def number_series_view(state: NumberSeries) -> NumberSeriesFields:
    """Return the view of a series."""
    return NumberSeriesFields(used=state.used, latest=state.latest, day_order=state.day_order)
