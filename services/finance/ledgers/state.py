"""State of the ledger of a company: the number of engagements, the closing, and closed months."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.reference import LedgerPublished
from contracts.values import Month, ShortText, Value
from finance.ledgers.events import (
    BookingStarted,
    ClosingStarted,
    ClosingWithdrawn,
    EngagementRegistered,
    GroupNoted,
    PeriodClosed,
)
from finance.ledgers.requests import TotalsByCurrency, added


class Closing(Value):
    """A month that is being closed.

    `waiting` are the groups that have not answered the round, `open` the number of engagements that
    miss something, by group. `booked` and `totals` are those of all rounds.
    """

    month: Month
    waiting: frozenset[int]
    open: dict[int, int] = {}
    is_booking: bool = False
    accepted: tuple[ShortText, ...] = ()
    booked: int = 0
    totals: TotalsByCurrency = {}

    @property
    def open_count(self) -> int:
        """Return the number of engagements that miss something."""
        return sum(self.open.values())


class ClosedMonth(Value):
    """A closed month: the number of bookings, their totals, and what was accepted and why."""

    month: Month
    booked: int
    totals: TotalsByCurrency
    accepted: tuple[ShortText, ...]


class Ledger(Part):
    """The ledger of a company; `round` counts the times that its engagements were asked."""

    company: str
    engagements: int = 0
    groups: int = 0
    round: int = 0
    closing: Closing | None = None
    closed: dict[Month, ClosedMonth] = {}
    published: Kept[LedgerPublished] = None

    @property
    def last_closed(self) -> Month | None:
        """Return the last closed month, or None before the first."""
        return max(self.closed, default=None)

    @on_event
    def _registered(self, event: EngagementRegistered) -> Self:
        groups = max(self.groups, event.group)
        return self.updated(engagements=self.engagements + 1, groups=groups)

    @on_event
    def _started(self, event: ClosingStarted) -> Self:
        waiting = frozenset(range(1, event.groups + 1))
        return self.updated(round=event.round, closing=Closing(month=event.month, waiting=waiting))

    @on_event
    def _withdrawn(self, event: ClosingWithdrawn) -> Self:
        return self.updated(closing=None)

    @on_event
    def _booking(self, event: BookingStarted) -> Self:
        if self.closing is None:
            return self
        more = () if event.accepted is None else (event.accepted,)
        changed = {
            "waiting": frozenset(range(1, event.groups + 1)),
            "open": {},
            "is_booking": True,
            "accepted": (*self.closing.accepted, *more),
        }
        closing = self.closing.model_copy(update=changed)
        return self.updated(round=event.round, closing=closing)

    @on_event
    def _noted(self, event: GroupNoted) -> Self:
        if self.closing is None:
            return self
        totals = self.closing.totals
        for each in event.totals:
            totals = added(totals, each)
        changed = {
            "waiting": self.closing.waiting - {event.group},
            "open": {**self.closing.open, **({event.group: event.open} if event.open else {})},
            "booked": self.closing.booked + event.booked,
            "totals": totals,
        }
        return self.updated(closing=self.closing.model_copy(update=changed))

    @on_event
    def _closed(self, event: PeriodClosed) -> Self:
        if self.closing is None:
            return self
        month = ClosedMonth(
            month=event.month,
            booked=self.closing.booked,
            totals=self.closing.totals,
            accepted=self.closing.accepted,
        )
        return self.updated(closing=None, closed={**self.closed, event.month: month})
