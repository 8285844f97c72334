"""State of postings: the entries that no month has booked yet, and the balances of those posted.

Balances are confidential, and so are the entries of costs.
"""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.finance import CostAccrued, CostReversed
from contracts.values import Month
from finance.calendar_months import month_of
from finance.postings.balances import Balances, after
from finance.postings.entries import Entry, added, entries_of_cost
from finance.postings.events import PeriodPosted
from finance.provisions.losses import Loss


class Postings(Part):
    """The entries to post with the booking of a month, in the order of their recording.

    What happens more than once to a document on a day is one entry, and so is the cost of a month:
    the state does not grow with entries of time. Costs and revenue by cost are `confidential`.
    `loss` is the expected loss that was posted last, and `balances` what all posted entries left on
    accounts.
    """

    entries: tuple[Entry, ...] = ()
    confidential: tuple[Entry, ...] = ()
    loss: Loss = Loss()
    balances: Balances = {}

    def open_to(self, month: Month) -> tuple[Entry, ...]:
        """Return the entries that the booking of a month posts."""
        return _to(self.entries, month)

    def confidential_to(self, month: Month) -> tuple[Entry, ...]:
        """Return the confidential entries that the booking of a month posts."""
        return _to(self.confidential, month)

    def recorded(self, entry: Entry) -> Self:
        """Return the part with one more entry."""
        return self.updated(entries=added(self.entries, entry))

    def recorded_in_confidence(self, entry: Entry) -> Self:
        """Return the part with one more confidential entry."""
        return self.updated(confidential=added(self.confidential, entry))

    @on_event
    def _costed(self, event: CostAccrued | CostReversed) -> Self:
        entries = self.confidential
        for each in entries_of_cost(event):
            entries = added(entries, each)
        return self.updated(confidential=entries)

    @on_event
    def _posted(self, event: PeriodPosted) -> Self:
        return self.updated(
            entries=_after(self.entries, event.month),
            confidential=_after(self.confidential, event.month),
            loss=event.loss,
            balances=after(self.balances, event.entries),
        )


def _to(entries: tuple[Entry, ...], month: Month) -> tuple[Entry, ...]:
    return tuple(each for each in entries if month_of(each.day) <= month)


def _after(entries: tuple[Entry, ...], month: Month) -> tuple[Entry, ...]:
    return tuple(each for each in entries if month_of(each.day) > month)
