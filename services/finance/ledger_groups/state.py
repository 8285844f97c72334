"""State of a group of a ledger: its engagements, and the round that they are asked in."""

from typing import Self

from chassis.domain.state import Part, on_event
from finance.ledger_groups.events import (
    EngagementAdded,
    EngagementAnswered,
    GroupAnswered,
    GroupRoundBegun,
)
from finance.ledgers.requests import TotalsByCurrency, added
from finance.periods.events import OpenItems


class LedgerGroup(Part):
    """Some engagements of a company, in the order of registration.

    `waiting` are those that have not answered the round, `open` those that miss something, and
    `open_in_confidence` those that miss something that discloses costs. `booked` and `totals` are
    those of the round. `answered` is the last round that all have answered.
    """

    group: str
    engagements: tuple[str, ...] = ()
    round: GroupRoundBegun | None = None
    waiting: frozenset[str] = frozenset()
    open: dict[str, OpenItems] = {}
    open_in_confidence: dict[str, OpenItems] = {}
    booked: int = 0
    totals: TotalsByCurrency = {}
    answered: int = 0

    @property
    def number(self) -> int:
        """Return the number of the group in its ledger."""
        return int(self.group.rpartition(".")[2])

    @on_event
    def _added(self, event: EngagementAdded) -> Self:
        return self.updated(engagements=(*self.engagements, event.engagement))

    @on_event
    def _begun(self, event: GroupRoundBegun) -> Self:
        waiting = frozenset(self.engagements)
        return self.updated(
            round=event, waiting=waiting, open={}, open_in_confidence={}, booked=0, totals={}
        )

    @on_event
    def _engagement(self, event: EngagementAnswered) -> Self:
        totals = self.totals if event.totals is None else added(self.totals, event.totals)
        return self.updated(
            waiting=self.waiting - {event.engagement},
            open=_with(self.open, event.engagement, event.missing),
            open_in_confidence=_with(
                self.open_in_confidence, event.engagement, event.in_confidence
            ),
            booked=self.booked + (event.totals is not None),
            totals=totals,
        )

    @on_event
    def _answered(self, event: GroupAnswered) -> Self:
        return self.updated(answered=event.round)


def _with(known: dict[str, OpenItems], engagement: str, items: OpenItems) -> dict[str, OpenItems]:
    """Return missing items by engagement with those of one more, if it misses any."""
    return {**known, engagement: items} if items.count else known
