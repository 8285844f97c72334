"""Keep the days on which work was on hold, after it was resumed.

Delivery approves no work of these days as billable, and the gateway finds it as a disconnect.
"""

from collections.abc import Mapping
from datetime import date

PastHolds = Mapping[date, date]
"""Holds that have ended: the day on which the work continued, by the first day of the hold."""


def after_hold(past: PastHolds, held_on: date, resumed_on: date) -> dict[date, date]:
    """Return the past holds and one more, which counts only if it has a day.

    It corrects those that were recorded before: a hold in which it begins ends the day before, and
    one that begins on its first day is replaced. A hold that begins during it and ends later stays:
    together they hold all their days.
    """
    kept = {
        first: min(until, held_on) if first < held_on else until
        for first, until in past.items()
        if first != held_on and not (held_on < first and until <= resumed_on)
    }
    return {**kept, held_on: resumed_on} if held_on < resumed_on else kept


def hold_of(past: PastHolds, day: date) -> tuple[date, date] | None:
    """Return first day of the past hold of a day and the day on which work continued, or None.

    Of several, it is the one that began first.
    """
    return min((hold for hold in past.items() if hold[0] <= day < hold[1]), default=None)
