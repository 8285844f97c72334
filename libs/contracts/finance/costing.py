"""Define the events of cost."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import (
    Conversion,
    Day,
    DistinctBy,
    Hours,
    Identifier,
    PersonId,
    ProjectRole,
    Value,
    Week,
)
from contracts.vocabularies import OPEN, Unlisted


class LineCost(Value):
    """The cost of the hours and purchases of a contract line."""

    line: Identifier
    """Id of the contract line."""
    cost: Money
    """Cost to the company; negative where a change takes hours away."""


LineCosts = Annotated[tuple[LineCost, ...], Field(max_length=200), DistinctBy("line")]
"""Costs of different lines, at most 200."""


CostKind = Annotated[Literal["delivery", "project-management", "expense"] | Unlisted, OPEN]
"""Kind of work, or an expense."""


class CostedWork(Value):
    """The cost of an approved time entry or expense."""

    entry: Identifier
    """Id of the time entry or of the expense."""
    day: Day
    """Day of the work, or the day on which the money was spent."""
    role: ProjectRole | None
    """Null for an expense."""
    kind: CostKind
    """Kind of work, or an expense."""
    hours: Hours
    """Zero for an expense."""
    cost: NotNegativeTotal
    """Cost of the entry to the company."""
    conversion: Conversion | None = None
    """The amount that was spent in another currency; null where it is in the engagement's."""


class CostOfWeek(Value):
    """The cost of a person's entries in a week, or of one expense."""

    person: PersonId
    """Person who worked or spent the money."""
    week: Week | None
    """Monday of the calendar week; null for an expense."""
    entries: Annotated[
        tuple[CostedWork, ...], Field(min_length=1, max_length=200), DistinctBy("entry")
    ]
    """The entries with their cost; a single one for an expense."""
    cost: NotNegativeTotal
    """Sum of the entries."""
    cumulative: NotNegativeTotal
    """Cost of the engagement to date, after this event."""


class CostAccrued(CostOfWeek, Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of approved time entries of a person's week, or of an expense, was accrued.

    Published by Finance in confidence once the cost rates are known. Time is costed at the rates in
    force on the day of the work, an expense in another currency at the exchange rate in force on
    its day. Entries whose cost is known later follow in an event of their own.
    """


class CostReversed(CostOfWeek, Event, channel=FINANCE_CONFIDENTIAL):
    """The accrued cost of entries, or of an expense, was reversed with their approval.

    Published by Finance in confidence. Entries whose cost was never accrued are not among them.
    """
