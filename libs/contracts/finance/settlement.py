"""Define the events of settled accounts."""

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.money import NotNegativeTotal
from contracts.values import Day, ShortText


class AccountSettled(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """The account was settled: nothing is left to invoice, and no invoice is open.

    Published by Finance; again where billable work was approved since that cannot be billed any
    more.
    """

    billed: NotNegativeTotal
    """Invoices issued, less voided ones and credit notes; without tax and opening balances."""
    paid: NotNegativeTotal
    """Amount that customers paid, also what banks kept; with tax, without opening balances."""
    written_off: NotNegativeTotal
    """Amounts on invoices that the customer does not have to pay; with tax."""
    not_billed: NotNegativeTotal | None = None
    """Worth of approved work beyond the caps of its lines, which stays unbilled; null for none."""
    why_not_billed: ShortText | None = None
    """Reason for which that work stays unbilled; null for none."""
    settled_on: Day
    """Day of the settlement."""


class AccountReopened(Event, channel=FINANCE, consumed_by=("delivery", "legal")):
    """A settled account was reopened: time or expenses approved since can be billed.

    Published by Finance. Also where the approval of billed work was reversed since, a payment
    was taken back, or a write-off reversed.
    """

    settled_on: Day
    """Day of the settlement that no longer holds."""
    unbilled: NotNegativeTotal
    """Approved time and expenses that can be billed now, at contracted rates."""
    to_credit: NotNegativeTotal
    """Amount billed for work whose approval was reversed, and not credited."""
    outstanding: NotNegativeTotal
    """Amount outstanding on invoices, since a payment was taken back or a write-off reversed."""
