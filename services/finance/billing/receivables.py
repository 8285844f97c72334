"""Receivables: what is paid and written off of invoices, of here or from before the take-over."""

from abc import abstractmethod
from datetime import date
from typing import Any, Self

from pydantic import Field

from contracts.finance import Allocation, OpeningReceivable, WriteOffRecorded
from contracts.money import Money
from contracts.values import Conversion, Identifier, ShortText, Value


class HeldAllocation(Allocation):
    """An allocation, as far as it is not taken back.

    `times_reduced` counts the parts that were taken back.
    """

    times_reduced: int = 0

    def without(self, part: Allocation) -> Self:
        """Return the allocation without a part of it."""
        return self.model_copy(
            update={
                "amount": self.amount - part.amount,
                "bank_charge": _less(self.bank_charge, part.bank_charge),
                "conversion": _left(self.conversion, part.conversion),
                "booked": _left(self.booked, part.booked),
                "received": _left(self.received, part.received),
                "exchange_difference": _less(self.exchange_difference, part.exchange_difference),
                "times_reduced": self.times_reduced + 1,
            }
        )


def _left(conversion: Conversion | None, part: Conversion | None) -> Conversion | None:
    """Return a conversion without that of a part; None where nothing is left."""
    if conversion is None or part is None:
        return conversion
    left = conversion.amount - part.amount
    parts = {"amount": left, "converted": conversion.converted - part.converted}
    return conversion.model_copy(update=parts) if left.amount else None


def _less(amount: Money | None, part: Money | None) -> Money | None:
    """Return an amount without a part; None where nothing is left."""
    left = amount - part if amount and part else amount
    return left if left and left.amount else None


class Receivable(Value):
    """Invoice that can be paid; all amounts are with tax.

    `times_overdue` counts how often it was overdue. `allocations` and `write_offs` are those in
    force, by id, with what is left of them; `moved_on` is the last day of any.
    """

    invoice: Identifier
    number: ShortText | None = None
    due_on: date | None = None
    overdue: bool = False
    times_overdue: int = 0
    allocations: dict[str, HeldAllocation] = Field(default_factory=dict)
    write_offs: dict[str, WriteOffRecorded] = Field(default_factory=dict)
    moved_on: date | None = None

    @property
    @abstractmethod
    def currency(self) -> str:
        """Return its currency."""

    @property
    def customer(self) -> str | None:
        """Return the account that got it; None where it is that of the engagement."""
        return None

    @property
    @abstractmethod
    def issue_on(self) -> date | None:
        """Return the invoice date, or None before the approval."""

    @property
    @abstractmethod
    def outstanding(self) -> Money:
        """Return what the customer owes on it; negative where more is paid than is owed."""

    @property
    def paid(self) -> Money:
        """Return what the customer paid on the invoice, also what banks kept of it; with tax."""
        held = self.allocations.values()
        return Money.total((each.paid for each in held), self.currency)

    @property
    def written_off(self) -> Money:
        """Return what the customer does not have to pay any more; with tax."""
        return Money.total((each.amount for each in self.write_offs.values()), self.currency)


class OpeningInvoice(Receivable, OpeningReceivable):
    """Invoice from before, of which `open` was owed when the engagement was taken over."""

    number: ShortText
    due_on: date

    @property
    def currency(self) -> str:
        """Return its currency."""
        return self.gross.currency

    @property
    def issue_on(self) -> date:
        """Return the invoice date."""
        return self.issued_on

    @property
    def outstanding(self) -> Money:
        """Return what the customer owes on it."""
        return self.open - self.paid - self.written_off


def movements(known: OpeningInvoice | None) -> dict[str, Any]:
    """Return what happened here to an invoice from before: what is paid, written off, overdue."""
    taken_over = OpeningReceivable.model_fields
    return {name: each for name, each in known or () if name not in taken_over}
