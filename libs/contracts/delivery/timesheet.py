"""Define the events of time entries and expenses."""

from contracts.channels import DELIVERY
from contracts.event import Event
from contracts.money import PositiveMoney
from contracts.values import (
    Day,
    Hours,
    Identifier,
    LineKind,
    PersonId,
    ProjectRole,
    ShortText,
    Value,
    Week,
    YesNo,
)


class TimeEntry(Value):
    """Hours on one task in one week."""

    role: ProjectRole
    """Role on the engagement, such as `architect`."""
    task: Identifier
    """Id of a task of the plan, or `initiation` or `project-management` before a baseline."""
    week: Week
    """Monday of the calendar week."""
    hours: Hours
    """Hours worked."""
    billable: YesNo = True
    """True if the hours can be billed to the customer."""


class TimeOfPerson(TimeEntry):
    """Hours of a person on one task in one week."""

    entry: Identifier
    """Id of the time entry."""
    person: PersonId
    """Person who worked; another person may have submitted the entry (see `actor`)."""


class TimeSubmitted(TimeOfPerson, Event, channel=DELIVERY):
    """A time entry was submitted for approval: a person's hours on one task in one week.

    Published by Delivery.
    """


class TimeApproved(TimeOfPerson, Event, channel=DELIVERY, consumed_by=("finance",)):
    """A time entry was approved. Contains the full entry.

    Published by Delivery. Finance accrues its cost and, where it is billable, bills it.
    """

    kind: LineKind = "delivery"
    """Kind of work, as the plan has it for the task."""
    line: Identifier | None = None
    """Id of the contract line, as the plan has it for the task; null where it names none."""


class TimeRejection(Value):
    """The rejection of a time entry."""

    entry: Identifier
    """Id of the time entry."""
    why: ShortText
    """Reason for the rejection."""


class TimeRejected(TimeRejection, Event, channel=DELIVERY):
    """A time entry was rejected; its hours are neither billed nor counted as cost.

    Published by Delivery. An entry is decided once: corrected hours are an entry with another id.
    """


class Expense(Value):
    """An expense of a person for the engagement."""

    person: PersonId
    """Person who spent the money."""
    amount: PositiveMoney
    """Amount in the currency of the expense, which may differ from the engagement's."""
    description: ShortText
    """Purpose of the expense."""
    spent_on: Day
    """Day of the expense."""
    billable: YesNo = True
    """True if the customer pays it."""
    line: Identifier | None = None
    """Id of the contract line that it is for; null where Finance finds the line by its kind."""


class ExpenseApproved(Expense, Event, channel=DELIVERY, consumed_by=("finance",)):
    """An expense of a person for the engagement was approved. Published by Delivery."""

    expense: Identifier
    """Id of the expense within the engagement."""
