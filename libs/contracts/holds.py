"""Keep the days on which work was on hold, after it was resumed.

Delivery approves no work of these days as billable, and the gateway finds it as a disconnect.
"""

from collections.abc import Mapping
from datetime import date

PastHolds = Mapping[date, date]
"""Holds that have ended: the day on which the work continued, by the first day of the hold."""


def after_hold(past: PastHolds, held_on: date, resumed_on: date) -> dict[date, date]:
    """Return the past holds and one more, which counts only if it has a day.

    Delivery lets none begin before the last one ended.
    """
    return {**past, held_on: resumed_on} if held_on < resumed_on else dict(past)


def hold_of(past: PastHolds, day: date) -> tuple[date, date] | None:
    """Return first day of the past hold of a day and the day on which work continued, or None."""
    return next((hold for hold in past.items() if hold[0] <= day < hold[1]), None)
