"""Internal events of a ledger."""

from chassis.domain.internal import Internal
from contracts.values import EngagementId, Month, ShortText, Version
from finance.ledgers.requests import CompanyTotals


class EngagementRegistered(Internal):
    """An engagement of the company was added to a group.

    `closed_to` is the last month that is closed, or being booked, without it.
    """

    engagement: EngagementId
    group: Version
    closed_to: Month | None = None


class ClosingStarted(Internal):
    """The closing of a month was started: engagements are asked what is missing."""

    month: Month
    round: Version
    groups: int


class ClosingWithdrawn(Internal):
    """The month is open again."""

    month: Month
    why: ShortText


class BookingStarted(Internal):
    """Engagements are asked to book the month; `accepted` says why something may be missing."""

    month: Month
    round: Version
    groups: int
    accepted: ShortText | None


class GroupNoted(Internal):
    """All engagements of a group have answered a round."""

    group: Version
    open: int
    open_in_confidence: int = 0
    booked: int
    totals: tuple[CompanyTotals, ...]


class PeriodClosed(Internal):
    """All engagements booked the month: it is closed for ever."""

    month: Month
