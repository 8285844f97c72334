"""State of the import: the baseline and progress that were taken over."""

from datetime import date
from decimal import Decimal
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts import finance
from contracts.delivery import EngagementImported


class Importing(Part):
    """The baseline and progress that were taken over for an imported opportunity.

    `balances_to` is the last day that the opening balances of Finance include.
    """

    taken_over: Kept[EngagementImported] = None
    balances_to: date | None = None

    @on_event
    def _balances(self, event: finance.EngagementImported) -> Self:
        return self.updated(balances_to=event.as_of)

    @property
    def included_to(self) -> date | None:
        """Return the last day whose hours are in the totals that were taken over, or None."""
        days = [self.balances_to, self.taken_over.as_of if self.taken_over else None]
        return max((day for day in days if day is not None), default=None)

    @property
    def hours(self) -> Decimal:
        """Return the hours to date that were taken over."""
        taken_over = self.taken_over.hours if self.taken_over else ()
        return sum((each.hours for each in taken_over), Decimal(0))
