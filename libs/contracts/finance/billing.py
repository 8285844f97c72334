"""Define the event of an amount that became due for invoicing."""

from typing import Annotated

from pydantic import Field

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.lines import BillingKind
from contracts.money import PositiveMoney
from contracts.values import Day, Identifier, ShortText


class BillingEventDue(Event, channel=FINANCE):
    """An amount became due for invoicing: an entry of the billing schedule, or time and expenses.

    Published by Finance. An invoice is drafted for every billing event.
    """

    billing_event: Identifier
    """Id of the billing event; after a withdrawn draft it may be used again."""
    line: Identifier
    """Id of the contract line."""
    item: Identifier
    """Id of the entry of the billing schedule."""
    kind: BillingKind
    """The condition that made the amount due, as in the billing schedule."""
    amount: PositiveMoney
    """Amount to be invoiced without tax, after discounts and any advance that is drawn down."""
    due_on: Day
    """Day on which the amount became due for invoicing; not the day by which to pay."""
    deliverables: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    """Ids of the deliverables that the entry of the billing schedule names."""
    exception: ShortText | None = None
    """Reason for billing before the schedule makes it due, or at other than contracted rates.

    Null where the contract makes the amount due.
    """
