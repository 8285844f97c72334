"""Define the events of cost."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.channels import FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal
from contracts.values import (
    Conversion,
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


class CostAccrued(Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of an approved time entry or expense was accrued.

    Published by Finance in confidence once the cost rates are known. Time is costed at the rates in
    force on the Monday of its week, an expense in another currency at the exchange rate in force on
    its day.
    """

    entry: Identifier
    """Id of the time entry or of the expense."""
    person: PersonId
    """Person who worked or spent the money."""
    role: ProjectRole | None
    """Null for an expense."""
    kind: CostKind
    """Kind of work, or an expense."""
    week: Week | None
    """Monday of the calendar week; null for an expense."""
    hours: Hours
    """Zero for an expense."""
    cost: NotNegativeTotal
    """Cost of this entry to the company."""
    conversion: Conversion | None = None
    """The amount that was spent in another currency; null where it is in the engagement's."""
    cumulative: NotNegativeTotal
    """Cost of the engagement to date, including this one."""
