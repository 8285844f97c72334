"""State of the contract in Delivery, from the events of Legal and Finance, and its review."""

from datetime import date
from typing import Annotated

from chassis.domain.state import Keep, KeepDay, Kept, Part
from contracts.delivery import AmendmentReviewed, SowReviewed
from contracts.finance import BudgetAmended, BudgetSet
from contracts.legal import (
    AmendmentDrafted,
    AmendmentSigned,
    EarlyStartAuthorised,
    EngagementImported,
    EngagementTerminated,
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
    SowDrafted,
    SowSigned,
)
from contracts.lines import HOURLY, ContractLine, changed_lines


class Contract(Part):
    """Statements of work, early starts, amendments by the change they are for, and the budget.

    `imported` is the contract that Legal took over of an engagement under way; it is as good as a
    signed statement of work.
    The expiry of an early start needs no event: its authorisation contains the last day.
    """

    drafted: Annotated[dict[int, SowDrafted], Keep("version")] = {}
    drafted_on: Annotated[dict[int, date], KeepDay((SowDrafted,), "version")] = {}
    reviews: Annotated[dict[int, SowReviewed], Keep("version")] = {}
    signed: Kept[SowSigned] = None
    imported: Kept[EngagementImported] = None
    early_starts: Annotated[tuple[EarlyStartAuthorised, ...], Keep()] = ()
    amendments_drafted: Annotated[dict[str, AmendmentDrafted], Keep("change")] = {}
    amendment_reviews: Annotated[dict[str, AmendmentReviewed], Keep("amendment")] = {}
    amendments: Annotated[dict[str, AmendmentSigned], Keep("change")] = {}
    budget: Kept[BudgetSet] = None
    budget_amended: Annotated[dict[str, BudgetAmended], Keep("change")] = {}
    obligations: Annotated[
        dict[str, ObligationRecorded | ObligationReopened],
        Keep("obligation", until=(ObligationMet, ObligationWithdrawn)),
    ] = {}
    """The open obligations of both parties, by id."""
    terminated: Kept[EngagementTerminated] = None

    @property
    def statement(self) -> SowDrafted | None:
        """Return the content of the signed statement of work, or None."""
        return self.drafted.get(self.signed.version) if self.signed else None

    @property
    def terms(self) -> SowDrafted | EngagementImported | None:
        """Return the content of the signed statement of work or of the contract taken over."""
        return self.statement or self.imported

    @property
    def signed_on(self) -> date | None:
        """Return the day of the signature, or None."""
        known = self.signed or self.imported
        return known.signed_on if known else None

    @property
    def lines(self) -> tuple[ContractLine, ...]:
        """Return the lines of the signed contract, with signed amendments applied."""
        return self.lines_of(date.max)

    def lines_of(self, day: date) -> tuple[ContractLine, ...]:
        """Return the lines as they are now, without those that were added after a day."""
        lines = self.statement.lines if self.statement else ()
        if self.statement is None and self.imported is not None:
            lines = self.imported.scheduled_lines
        later: set[str] = set()
        for amendment in self.amendments.values():
            before = {each.line for each in lines}
            lines = changed_lines(lines, amendment.changes)
            if amendment.signed_on > day:
                later |= {each.line for each in lines} - before
        return tuple(each for each in lines if each.line not in later)

    @property
    def early_start_until(self) -> date | None:
        """Return the last day of the authorised early starts; None where there are none."""
        return max((start.expires_on for start in self.early_starts), default=None)

    @property
    def bills_time(self) -> bool:
        """Return whether a line of the budget bills approved time and expenses."""
        budgets = (self.budget, *self.budget_amended.values())
        return any(line.pricing in HOURLY for budget in budgets if budget for line in budget.lines)

    @property
    def descoped(self) -> frozenset[str]:
        """Return the deliverables that signed amendments removed and no later one added again."""
        gone: set[str] = set()
        for amendment in self.amendments.values():
            gone -= {each.deliverable for each in amendment.deliverables_added}
            gone |= set(amendment.deliverables_removed)
        return frozenset(gone)
