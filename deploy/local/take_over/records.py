"""Define the records of the files: what each department takes over of an engagement.

The fields of Legal, Delivery and Finance are those of their command `import-engagement`. What a
record leaves out and the file, or the sale, says is added before it is checked.
"""

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import model_validator

from chassis.domain.documents import DocumentCommand
from contracts.delivery import ImportedProgress
from contracts.finance import OpeningBalances
from contracts.legal import ImportedContract
from contracts.money import NotNegativeTotal, PositiveMoney
from contracts.values import Day, ShortText, SourceRecord

Department: TypeAlias = Literal["sales", "legal", "delivery", "finance"]
DEPARTMENTS: tuple[Department, ...] = ("sales", "legal", "delivery", "finance")
"""The departments in the order in which they take over."""
OTHERS = DEPARTMENTS[1:]
"""The departments that take over after Sales, by the command `import-engagement`."""


class Sale(SourceRecord):
    """An opportunity that was won; the account is one that is published in Sales."""

    account: ShortText
    """Id or name of the account."""
    title: ShortText
    """Product or service that was sold."""
    owner: ShortText
    """Name or id of the person of Sales who is responsible."""
    opened_on: Day | None = None
    """Day on which the opportunity was opened; null where it is not known."""
    won_on: Day
    """Day on which it was won."""
    value: PositiveMoney
    """Value of the deal."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opened_on is not None and self.won_on < self.opened_on:
            raise ValueError(f"won_on must not be before opened_on, {self.opened_on}")
        return self


class Contract(ImportedContract, DocumentCommand):
    """The contract; the customer is the account of the sale unless it is given."""


class Progress(ImportedProgress):
    """Baseline and progress."""


class Balances(OpeningBalances):
    """The balances, and the cost to date where it is known."""

    cost_to_date: NotNegativeTotal | None = None
    """Cost to the company up to the day; null where it is not known yet."""


Record: TypeAlias = Sale | Contract | Progress | Balances
RECORDS: Mapping[Department, type[Record]] = {
    "sales": Sale,
    "legal": Contract,
    "delivery": Progress,
    "finance": Balances,
}
"""The record of each department."""
