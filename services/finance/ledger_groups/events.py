"""Internal events of a group of a ledger."""

from chassis.domain.internal import Internal
from contracts.values import EngagementId, Identifier, Month, ShortText, Version
from finance.ledger_groups.requests import RoundKind
from finance.ledgers.requests import CompanyTotals
from finance.periods.events import OpenItems


class EngagementAdded(Internal):
    """An engagement belongs to the group from now on."""

    engagement: EngagementId


class GroupRoundBegun(Internal):
    """The engagements of the group are asked to check a month, or to book it."""

    company: Identifier
    round: Version
    kind: RoundKind
    month: Month
    accepted: ShortText | None


class EngagementAnswered(Internal):
    """An engagement checked or booked the month, or answered what is missing.

    `totals` are null unless it booked the month in this round.
    """

    engagement: EngagementId
    missing: OpenItems = OpenItems()
    in_confidence: OpenItems = OpenItems()
    totals: CompanyTotals | None = None


class GroupAnswered(Internal):
    """All engagements of the group have answered the round."""

    round: Version
