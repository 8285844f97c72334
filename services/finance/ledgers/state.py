"""State of the ledger of a company: the number of engagements, the closing, and closed months."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
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
from finance.posting_exports.events import PostingsExported


class Closing(Value):
    """A month that is being closed.

    `waiting` are the groups that have not answered the round, `open` the number of engagements that
    miss something, by group, and `open_in_confidence` the number of those that miss something that
    discloses costs. `accepted` are the reasons for closing the month although something is missing;
    those in `accepted_in_confidence` were given while nothing was missing openly. `rounds` are
    those in which engagements were asked to book, `booked` and `totals` are those of all rounds.
    """

    month: Month
    waiting: frozenset[int]
    open: dict[int, int] = {}
    open_in_confidence: dict[int, int] = {}
    is_booking: bool = False
    accepted: tuple[ShortText, ...] = ()
    accepted_in_confidence: tuple[ShortText, ...] = ()
    rounds: tuple[int, ...] = ()
    booked: int = 0
    totals: TotalsByCurrency = {}


class ClosedMonth(Value):
    """A closed month: the number of bookings, their totals, and why open items were accepted.

    `rounds` are those in which engagements were asked to book.
    """

    month: Month
    booked: int
    totals: TotalsByCurrency
    accepted: tuple[ShortText, ...]
    accepted_in_confidence: tuple[ShortText, ...]
    rounds: tuple[int, ...]


class Ledger(Part):
    """The ledger of a company; `round` counts the times that its engagements were asked.

    `withdrawn` is the last closing that was withdrawn, until the next one is started.
    """

    company: str
    engagements: int = 0
    groups: int = 0
    round: int = 0
    closing: Closing | None = None
    withdrawn: Annotated[ClosingWithdrawn | None, Keep(until=(ClosingStarted,))] = None
    closed: dict[Month, ClosedMonth] = {}
    exported: Annotated[dict[Month, PostingsExported], Keep(by="month")] = {}
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
        changed: dict[str, object] = {
            "waiting": frozenset(range(1, event.groups + 1)),
            "open": {},
            "open_in_confidence": {},
            "is_booking": True,
            "rounds": (*self.closing.rounds, event.round),
        }
        if event.accepted is not None:
            field = "accepted" if self.closing.open else "accepted_in_confidence"
            reasons = (*getattr(self.closing, field), event.accepted)
            changed[field] = tuple(dict.fromkeys(reasons))
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
            "open": _with(self.closing.open, event.group, event.open),
            "open_in_confidence": _with(
                self.closing.open_in_confidence, event.group, event.open_in_confidence
            ),
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
            accepted_in_confidence=self.closing.accepted_in_confidence,
            rounds=self.closing.rounds,
        )
        return self.updated(closing=None, closed={**self.closed, event.month: month})


def _with(known: dict[int, int], group: int, engagements: int) -> dict[int, int]:
    """Return numbers of engagements by group with that of one more, if it is not 0."""
    return {**known, group: engagements} if engagements else known
