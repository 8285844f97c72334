"""Internal events of a bank account."""

from typing import Annotated

from pydantic import Field

from chassis.domain.internal import Internal
from contracts.money import ItemMoney, Money, PositiveMoney
from contracts.values import Day, Identifier, ShortText, Text, Value, Version
from finance.payments.requests import Payer, PaymentId

MOST_DETAILS = 2_000
"""Maximum number of details of a statement."""


class Detail(Payer):
    """One transaction of an entry."""

    amount: ItemMoney
    """Amount in the currency of the account; negative where it left the account."""


class EntryTerms(Value):
    """Entry of a statement: one amount of the bank, which may hold several transactions."""

    entry: ShortText
    """Reference that the bank gave to the entry; two entries may have the same."""
    booked_on: Day
    """Booking day; in a preview, the day on which it is expected to be booked."""
    value_on: Day
    """Value day."""
    details: Annotated[tuple[Detail, ...], Field(min_length=1, max_length=MOST_DETAILS)]
    """The transactions, in the order of the bank; their amounts add up to that of the entry."""

    @property
    def amount(self) -> Money:
        """Return the amount of the entry."""
        currency = self.details[0].amount.currency
        return Money.total((each.amount for each in self.details), currency)


class TakenEntry(EntryTerms):
    """A booked entry that was taken."""

    balance: ItemMoney
    """Balance after the entry."""
    statement: Identifier
    """Id of the first statement that had the entry."""


class NewPayment(Value):
    """A payment of the last statement."""

    payment: PaymentId
    amount: PositiveMoney
    reference: Text | None


class StatementTaken(Internal):
    """New entries of a statement were taken."""

    statement: Identifier
    number: Version | None
    opening: ItemMoney
    closing: ItemMoney
    entries: tuple[TakenEntry, ...]
    payments: tuple[NewPayment, ...]
    previews: tuple[EntryTerms, ...]
