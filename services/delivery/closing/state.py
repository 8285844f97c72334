"""State of the end of an engagement."""

from decimal import Decimal
from typing import Annotated, Self

from chassis.domain.state import Keep, Kept, Part, on_event
from contracts.delivery import (
    EngagementClosed,
    ExpenseApproved,
    GoLiveWithdrawn,
    PirHeld,
    SolutionWentLive,
    TimeApproved,
)
from contracts.event import Recorded
from contracts.finance import AccountReopened, AccountSettled, BudgetAmended, InvoiceIssued
from delivery.quantities import ZERO


class Closing(Part):
    """Go-live, review, settlement and closing.

    `settled_heard` is the number of Delivery's last event that Finance had processed when it
    settled the account; 0 while it never has. `billable` has the hours of approved billable work (0
    for an expense) by the number of the approval event.
    """

    live: Annotated[SolutionWentLive | None, Keep(until=(GoLiveWithdrawn,))] = None
    review: Kept[PirHeld] = None
    settled: Annotated[
        AccountSettled | None, Keep(until=(BudgetAmended, InvoiceIssued, AccountReopened))
    ] = None
    settled_heard: int = 0
    billable: dict[int, Decimal] = {}
    closed: Kept[EngagementClosed] = None

    @on_event
    def _settled(self, recorded: Recorded[AccountSettled]) -> Self:
        return self.updated(settled_heard=recorded.heard.get("delivery", 0))

    @on_event
    def _approved(self, recorded: Recorded[TimeApproved | ExpenseApproved]) -> Self:
        event = recorded.event
        if not event.billable:
            return self
        hours = event.hours if isinstance(event, TimeApproved) else ZERO
        return self.updated(billable={**self.billable, recorded.sequence: hours})

    @property
    def approved_since_settlement(self) -> tuple[Decimal, ...]:
        """Return the hours of each approval that Finance had not processed when it settled."""
        return tuple(
            hours for approval, hours in self.billable.items() if approval > self.settled_heard
        )
