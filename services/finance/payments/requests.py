"""Name what bank accounts, engagements and other payments request of payments."""

from typing import Annotated

from pydantic import Field, StringConstraints

from chassis.domain.commands import Command
from contracts.money import NotNegativeMoney, PositiveMoney
from contracts.values import Day, Identifier, ShortText, Text, Value, Version

PaymentId = Annotated[
    str,
    StringConstraints(pattern=r"^P-[0-9A-HJKMNP-TV-Z]{13}$"),
    Field(examples=["P-0D5R2K8WQ3V7X"]),
]
"""Id of a payment, made by the server."""

BankAccountId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}/[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$".replace(
            "/", r"\."
        ),
        max_length=129,
    ),
    Field(examples=["concord-de.main"]),
]
"""Id of a bank account: the company, a dot, and the id of the account within the company."""


class Payer(Value):
    """The payer of a payment, as the bank names them."""

    payer: ShortText | None = None
    """Name of the payer; null where the bank gives none."""
    payer_account: ShortText | None = None
    """IBAN or other number of the payer's account; null where the bank gives none."""
    reference: Text | None = None
    """Text of the payer, such as an invoice number; null where there is none."""


class ReceivedAmount(Payer):
    """An amount that arrived on a bank account."""

    bank_account: BankAccountId
    """Id of the bank account."""
    amount: PositiveMoney
    """Amount in the currency of the account."""
    received_on: Day
    """Day on which the bank booked the amount."""


class StatementLine(Value):
    """The place of a payment in the statements of its bank account."""

    entry: ShortText
    """Reference of the entry."""
    booked_on: Day
    """Booking day of the entry."""
    place: Version
    """Number of the entry among those of the same reference and booking day, from 1."""
    detail: Version
    """Number of the detail within the entry, from 1."""


class ReceivePayment(ReceivedAmount, Command):
    """Record a payment that a statement of the bank account contains."""

    line: StatementLine


class NoteDeallocation(Command):
    """Note that an engagement took back an allocation, or a part of it, by itself."""

    allocation: Identifier
    used: NotNegativeMoney
    """Money of the payment that is free again, in the currency of the payment."""


class GiveWay(Command):
    """Give way to a payment that was entered by hand and is the same one."""

    payment: PaymentId
    bank_account: BankAccountId
    amount: PositiveMoney
