"""Internal events of an engagement about its accounting periods."""

from collections.abc import Iterable
from typing import Self

from chassis.domain.commands import Missing
from chassis.domain.internal import Internal
from contracts.channels import Department
from contracts.values import Identifier, Month, ShortText, Value

MOST_ITEMS = 20
"""Number of missing items that are kept; the others are counted."""


class OpenItem(Value):
    """A missing item; `owed_by` is None where no department has to act."""

    code: str
    sentence: str
    owed_by: Department | None = None


class OpenItems(Value):
    """Missing items: the first ones, and the number of all."""

    items: tuple[OpenItem, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, missing: Iterable[Missing]) -> Self:
        """Return the first missing items, and the number of all."""
        every = tuple(missing)
        first = (
            OpenItem(code=each.code, sentence=each.sentence, owed_by=each.owed_by)
            for each in every[:MOST_ITEMS]
        )
        return cls(items=tuple(first), count=len(every))


class RegisteredWithLedger(Internal):
    """The ledger of the company that sells knows the engagement.

    `closed_to` is the last month that the company closed without it.
    """

    company: Identifier
    closed_to: Month | None = None


class PeriodChecked(Internal):
    """It was looked up what is missing before a month may be closed."""

    month: Month
    missing: OpenItems
    in_confidence: OpenItems


class BookedWithOpenItems(Internal):
    """The month is booked although something is missing.

    `why` is the controller's reason; null where what is missing is confidential, and the controller
    may not see it. `items` are the first ones, some of them confidential.
    """

    month: Month
    why: ShortText | None
    items: tuple[OpenItem, ...]
    count: int
