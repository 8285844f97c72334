"""Internal events of a payment."""

from chassis.domain.internal import Internal
from chassis.domain.pending import Refusal
from contracts.money import Money, NotNegativeMoney, PositiveMoney
from contracts.values import (
    AccountId,
    Conversion,
    Correction,
    Day,
    EngagementId,
    Identifier,
    Value,
    Version,
)
from finance.payments.requests import PaymentId, ReceivedAmount, StatementLine


class PaymentRecorded(ReceivedAmount, Internal):
    """A payment arrived on a bank account."""

    line: StatementLine | None = None
    """Its place in the statements; null where it was entered by hand."""


class AccountAssigned(Internal):
    """It is known which customer the payment is for."""

    account: AccountId


class AskedPart(Value):
    """A part of the payment that an invoice is asked to take."""

    allocation: Identifier
    engagement: EngagementId
    invoice: Identifier
    amount: PositiveMoney
    """In the currency of the invoice."""
    bank_charge: PositiveMoney | None
    written_off: PositiveMoney | None
    conversion: Conversion | None
    """`amount` in the currency of the payment; null where that is the same."""

    @property
    def used(self) -> Money:
        """Return the money of the payment."""
        return self.conversion.converted if self.conversion else self.amount


class AllocationBegun(Internal):
    """Engagements are asked to take parts of the payment."""

    number: Version
    """Number of the last part."""
    parts: tuple[AskedPart, ...]


class AllocationTaken(Internal):
    """An invoice took a part, or less than it was asked to take."""

    allocation: Identifier
    amount: PositiveMoney
    bank_charge: PositiveMoney | None = None
    written_off: PositiveMoney | None = None
    used: NotNegativeMoney


class AllocationRefused(Internal):
    """An engagement refused to take a part."""

    allocation: Identifier
    refusal: Refusal


class DeallocationBegun(Correction, Internal):
    """Engagements are asked to give back allocations."""

    number: Version
    allocations: tuple[Identifier, ...]
    deallocated_on: Day


class AllocationReleased(Internal):
    """An allocation was taken back, in part or as a whole: its money is free again."""

    allocation: Identifier
    used: NotNegativeMoney


class DeallocationAnswered(Internal):
    """An engagement had nothing to give back any more, or refused to."""

    allocation: Identifier


class ReturnBegun(Correction, Internal):
    """The bank took the payment back: its allocations are taken back first."""

    returned_on: Day


class PaymentReturned(Internal):
    """Nothing of the payment is allocated any more, and it is returned to the payer."""

    amount: PositiveMoney


class PaymentRefunded(Internal):
    """Money that no invoice takes was paid back to the customer."""

    amount: PositiveMoney
    paid_on: Day


class MatchBegun(Internal):
    """The payment of a statement is asked to give way."""

    number: Version
    payment: PaymentId


class PaymentMatched(Internal):
    """The payment was found in a statement."""

    line: StatementLine


class MatchRefused(Internal):
    """The payment of the statement is another one, or is used already."""

    refusal: Refusal


class PaymentSuperseded(Internal):
    """The payment is the same as one that was entered by hand, which takes its place."""

    by: PaymentId
    line: StatementLine
