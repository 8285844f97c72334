"""Define the events of expenses: submitted by who spent the money, approved by another person."""

from typing import Annotated, Literal

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import Day, Identifier, PersonId, ReceiptHash, ShortText, Value, YesNo
from contracts.vocabularies import OPEN, Unlisted

ExpenseCategory = Annotated[
    Literal["travel", "accommodation", "meals", "materials", "software", "subcontractor", "other"]
    | Unlisted,
    OPEN,
]
"""Category of an expense."""


class ExpenseDetails(Value):
    """An expense for the engagement, without who spent the money."""

    amount: PositiveMoney
    """Amount in the currency of the expense, which may differ from the engagement's."""
    description: ShortText
    """Purpose of the expense."""
    category: ExpenseCategory
    """Category of the expense."""
    spent_on: Day
    """Day of the expense."""
    receipt: ReceiptHash | None = None
    """Hash of the file that was uploaded as a receipt; null where there is none."""
    billable: YesNo = True
    """True if the customer pays it."""
    line: Identifier | None = None
    """Id of the contract line that it is for; null where Finance finds the line by its kind."""


class Expense(ExpenseDetails):
    """An expense of a person for the engagement."""

    expense: Identifier
    """Id of the expense within the engagement."""
    person: PersonId
    """Person who spent the money."""


class ExpenseSubmitted(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense was submitted for approval.

    Published by Delivery. It replaces what was submitted before under the same id and is not
    decided.
    """


class ExpenseWithdrawn(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A submitted expense was taken back by who submitted it, before it was decided.

    Published by Delivery.
    """


class ExpenseApproved(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense was approved by another person. Published by Delivery."""

    why_not_billed: ShortText | None = None
    """Why a billable expense that nothing covers was approved as cost; null where it is covered.

    The expense is not billable then.
    """


class ExpenseRejected(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense was rejected; it is neither billed nor counted as cost. Published by Delivery."""

    why: ShortText
    """Reason for the rejection."""


class ExpenseReversed(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An approved expense was wrong and is taken back whole.

    Published by Delivery. Finance reverses its cost; what was billed is credited.
    """

    why: ShortText
    """Reason of the reversal."""
    reversed_on: Day
    """Day on which the mistake was found."""
