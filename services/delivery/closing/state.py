"""State of the end of an engagement."""

from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    EngagementClosed,
    ExpenseApproved,
    ExpenseReversed,
    GoLiveWithdrawn,
    PirHeld,
    SolutionWentLive,
    TimeApproved,
    TimeReversed,
)
from contracts.event import Recorded
from contracts.finance import AccountReopened, AccountSettled, BudgetAmended, InvoiceIssued


class Closing(Part):
    """Go-live, review, settlement and closing.

    `settled_heard` is the number of Delivery's last event that Finance had processed when it
    settled the account, 0 while it never has; `last_billable` that of the last event by which
    billable work was approved or reversed.
    """

    live: Annotated[SolutionWentLive | None, Keep(until=(GoLiveWithdrawn,))] = None
    review: Kept[PirHeld] = None
    settled: Annotated[
        AccountSettled | None, Keep(until=(BudgetAmended, InvoiceIssued, AccountReopened))
    ] = None
    settled_heard: int = 0
    last_billable: int = 0
    closed: Kept[EngagementClosed] = None

    @on_event
    def _settled(self, recorded: Recorded[AccountSettled]) -> Self:
        return self.updated(settled_heard=recorded.heard.get("delivery", 0))

    @on_event
    def _time(self, recorded: Recorded[TimeApproved | TimeReversed]) -> Self:
        billable = any(each.billable for each in recorded.event.entries)
        return self.updated(last_billable=recorded.sequence) if billable else self

    @on_event
    def _expense(self, recorded: Recorded[ExpenseApproved | ExpenseReversed]) -> Self:
        billable = recorded.event.billable
        return self.updated(last_billable=recorded.sequence) if billable else self
