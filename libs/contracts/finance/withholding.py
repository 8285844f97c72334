"""Define the events of approved work that is held back from billing or written down."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.channels import FINANCE
from contracts.event import Event
from contracts.finance.works import WorkKind
from contracts.money import NotNegativeTotal
from contracts.values import Day, ExactHours, Identifier, ProjectRole, ShortText, Value


class UnbilledWork(Value):
    """An approved time entry or expense that no invoice and no draft bills, and its worth."""

    kind: WorkKind
    """Time or expense; a time entry and an expense may have one id."""
    entry: Identifier
    """Id of the time entry or expense."""
    on: Day
    """Day of the work, or the day on which the money was spent."""
    role: ProjectRole | None = None
    """Role of the work; null for an expense."""
    hours: ExactHours | None = None
    """Hours of the work; null for an expense."""
    worth: NotNegativeTotal
    """Hours at the contracted rate of `on`, or the expense in the engagement's currency.

    It is rounded for each work, so an invoice line of the same works may differ by the rounding.
    """

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "time") is (self.role is None or self.hours is None):
            raise ValueError("role and hours are required for time, and null for an expense")
        return self


class WorkOfLine(Value):
    """Unbilled works of one contract line."""

    line: Identifier
    """Id of the contract line."""
    works: Annotated[tuple[UnbilledWork, ...], Field(min_length=1, max_length=1_000)]
    """The works, each once."""
    worth: NotNegativeTotal
    """Sum of the works."""


class Reasoned(Value):
    """The reason for which work is not billed."""

    why: ShortText
    """Reason for not billing it."""


class WorkHeld(WorkOfLine, Reasoned, Event, channel=FINANCE):
    """Works are not billed until they are released. Published by Finance.

    A later work-released may name some of them; the others are still held.
    """


class WorkReleased(WorkOfLine, Event, channel=FINANCE):
    """Works that were held can be billed again. Published by Finance.

    Held works that are written down are released first.
    """


class WorkWrittenDown(WorkOfLine, Reasoned, Event, channel=FINANCE):
    """Works are never billed; only the reversal of their approval takes it back.

    Published by Finance, after the release of what was held. Their cost stays.
    """


class WithheldWorkReversed(WorkOfLine, Event, channel=FINANCE):
    """Works that were held or written down are so no more: their approval was reversed.

    Published by Finance.
    """
