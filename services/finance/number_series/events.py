"""Internal events of a number series."""

from chassis.domain.internal import Internal
from contracts.values import Day, Version


class NumberTaken(Internal):
    """The next number of the series was taken; no other document ever gets it."""

    number: Version
    """Running number, from 1 without a gap."""
    on: Day
    """Date of the document."""
