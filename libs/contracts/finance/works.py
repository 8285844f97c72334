"""Define the works that invoices bill: approved time entries and expenses."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.money import Money, NotNegativeTotal, PositiveTotal, Rate
from contracts.values import Day, ExactHours, Identifier, PersonId, ProjectRole, Value

MOST_WORKS = 5_000
"""Maximum number of works on one invoice."""

WorkKind = Literal["time", "expense"]
"""Kind of an approved work; a time entry and an expense may have one id."""


class BilledWork(Value):
    """An approved time entry or expense that a line of an invoice bills, in full or in part."""

    kind: WorkKind
    """Time or expense; a time entry and an expense may have one id."""
    entry: Identifier
    """Id of the time entry or expense."""
    on: Day
    """Day of the work, or the day on which the money was spent."""
    person: PersonId
    """Id of the person who worked, or spent the money."""
    hours: ExactHours | None = None
    """Hours of it that the line bills; null for an expense."""
    amount: NotNegativeTotal
    """Its part of the amount of the line, which is hours times rate, rounded once."""
    written_down: PositiveTotal | None = None
    """Its part of what the line writes down; null where that is nothing."""

    @property
    def whole(self) -> Money:
        """Return the amount with what is written down of it."""
        return self.amount if self.written_down is None else self.amount + self.written_down

    @property
    def key(self) -> str:
        """Return the id with the kind: ``time:`` or ``expense:`` and the id."""
        return f"{self.kind}:{self.entry}"


class CreditedWork(BilledWork):
    """Work that a credit note takes off a line of an invoice, in full or in part.

    With the intent `cancel-and-rebill`, `hours` and `amount`, with what is `written_down`, are
    unbilled again, unless the approval of the work was reversed.
    """

    given_back: PositiveTotal | None = None
    """Its other part, which earlier credit notes gave back for good; null where there is none.

    It stays on the invoice and is never billed again.
    """
    given_back_hours: ExactHours | None = None
    """Hours of that part; null for an expense, and where there is none."""


class ReversedWork(BilledWork):
    """Work that a line of an invoice bills and whose approval was reversed."""

    invoice_line: Identifier
    """Id of the line of the invoice."""
    line: Identifier
    """Id of the contract line on which the invoice bills it."""
    role: ProjectRole | None = None
    """Role of the work; null for an expense."""
    rate: Rate | None = None
    """Rate per hour at which the invoice bills it; null where the line of the invoice has none."""


CreditedWorks = Annotated[tuple[CreditedWork, ...], Field(max_length=MOST_WORKS)]
"""Works that a credit note takes off a line of an invoice; at most 5,000."""
BilledWorks = Annotated[tuple[BilledWork, ...], Field(max_length=MOST_WORKS)]
"""Works that an invoice, or a line of it, bills; at most 5,000."""
