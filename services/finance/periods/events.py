"""Internal events of an engagement about its accounting periods."""

from chassis.domain.internal import Internal
from contracts.values import Identifier, Month, ShortText


class RegisteredWithLedger(Internal):
    """The ledger of the company that sells knows the engagement."""

    company: Identifier


class PeriodChecked(Internal):
    """It was looked up what is missing before a month may be closed.

    `items` are the first sentences, some of them confidential; `count` is the number of all.
    """

    month: Month
    items: tuple[str, ...]
    count: int


class OpenItemsAccepted(Internal):
    """A controller accepted that the month is booked although something is missing.

    `items` are the first sentences, some of them confidential; `count` is the number of all.
    """

    month: Month
    why: ShortText
    items: tuple[str, ...]
    count: int
