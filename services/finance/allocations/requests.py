"""Name what payments request of engagements: take a part on an invoice, and give it back."""

from chassis.domain.commands import Command
from contracts.money import PositiveMoney
from contracts.values import AccountId, Conversion, Correction, Day, Identifier
from finance.payments.requests import PaymentId


class TakeAllocation(Command):
    """Take a part of a payment on an invoice, at most what is outstanding on it."""

    payment: PaymentId
    company: Identifier
    """Company at which the payment arrived."""
    account: AccountId
    """Customer whom the payment is for."""
    allocation: Identifier
    invoice: Identifier
    amount: PositiveMoney
    bank_charge: PositiveMoney | None = None
    written_off: PositiveMoney | None = None
    received_on: Day
    conversion: Conversion | None = None
    """`amount` in the currency of the payment; null where that is the same."""


class GiveBackAllocation(Correction, Command):
    """Give back what is left of an allocation."""

    allocation: Identifier
    deallocated_on: Day
