"""State of the settlement of the account."""

from datetime import date
from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import ExpenseApproved, ExpenseReversed, TimeApproved, TimeReversed
from contracts.finance import AccountReopened, AccountSettled, BudgetAmended, InvoiceIssued


class Settlement(Part):
    """The settlement that is in force, and whether billable work was approved or reversed since."""

    settled: Kept[AccountSettled] = None
    work_since: bool = False

    @on_event
    def _settled(self, event: AccountSettled) -> Self:
        return self.updated(work_since=False)

    @on_event
    def _reopened(self, event: AccountReopened | BudgetAmended | InvoiceIssued) -> Self:
        """Reopen the account: price, schedule or invoices are not those that were settled."""
        return self.updated(settled=None, work_since=False)

    @on_event
    def _worked(
        self, event: TimeApproved | TimeReversed | ExpenseApproved | ExpenseReversed
    ) -> Self:
        """Note billable work: Delivery waits for a settlement that includes it."""
        if isinstance(event, TimeApproved | TimeReversed):
            billable = any(each.billable for each in event.entries)
        else:
            billable = event.billable
        return self.updated(work_since=True) if billable and self.settled else self

    @property
    def settled_on(self) -> date | None:
        """Return the day of the settlement; None while the account is open."""
        return self.settled.settled_on if self.settled else None
