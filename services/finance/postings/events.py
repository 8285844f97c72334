"""Internal event of an engagement about the entries that it posted."""

from chassis.domain.internal import Internal
from contracts.money import Currency
from contracts.values import Month
from finance.postings.entries import Entry
from finance.provisions.losses import Loss


class PeriodPosted(Internal):
    """The entries of a booked month were posted, with late ones of months before. Confidential.

    `base_currency` is that of the company's books, and `loss` the expected loss to the end of the
    month.
    """

    month: Month
    base_currency: Currency
    loss: Loss
    entries: tuple[Entry, ...]

    @property
    def is_confidential(self) -> bool:
        """Return that costs are confidential, and so is what an entry leaves on an account."""
        return True
