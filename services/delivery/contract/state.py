"""State of the contract in Delivery, from the events of Legal and Finance, and its review."""

from datetime import date
from typing import Annotated

from chassis.domain.state import Keep, Kept, Part
from contracts.delivery import SowReviewed
from contracts.finance import BudgetAmended, BudgetSet
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EarlyStartAuthorised,
    EngagementTerminated,
    SowDrafted,
    SowSigned,
)
from contracts.vocabularies import Unlisted


class Contract(Part):
    """Statements of work, early starts, amendments by the change they are for, and the budget.

    The expiry of an early start needs no event: its authorisation contains the last day.
    """

    drafted: Annotated[dict[int, SowDrafted], Keep("version")] = {}
    reviews: Annotated[dict[int, SowReviewed], Keep("version")] = {}
    signed: Kept[SowSigned] = None
    early_starts: Annotated[tuple[EarlyStartAuthorised, ...], Keep()] = ()
    amendments_drafted: Annotated[dict[str, AmendmentDrafted], Keep("change")] = {}
    amendments: Annotated[dict[str, AmendmentSigned], Keep("change")] = {}
    budget: Kept[BudgetSet] = None
    budget_amended: Annotated[dict[str, BudgetAmended], Keep("change")] = {}
    terminated: Kept[EngagementTerminated] = None

    @property
    def statement(self) -> SowDrafted | None:
        """Return the content of the signed statement of work, or None."""
        return self.drafted.get(self.signed.version) if self.signed else None

    @property
    def early_start_until(self) -> date | None:
        """Return the last day of the authorised early starts; None where there are none."""
        return max((start.expires_on for start in self.early_starts), default=None)

    @property
    def bills_time(self) -> bool:
        """Return whether the contract or an amendment bills approved time and expenses.

        An entry that falls due on a condition that this release does not know may bill them.
        """
        budgets = (self.budget, *self.budget_amended.values())
        return any(
            item.kind == "time" or isinstance(item.kind, Unlisted)
            for budget in budgets
            if budget
            for item in budget.billing_schedule
        )

    @property
    def descoped(self) -> frozenset[str]:
        """Return the deliverables that signed amendments removed and no later one added again."""
        gone: set[str] = set()
        for amendment in self.amendments.values():
            gone -= {each.deliverable for each in amendment.deliverables_added}
            gone |= set(amendment.deliverables_descoped)
        return frozenset(gone)
