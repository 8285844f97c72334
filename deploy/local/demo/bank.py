"""Keep what customers transfer to the companies' bank accounts until it is on a statement.

Scenarios add transfers. Those of all engagements are on one statement for each bank account, which
Finance takes before the scenarios continue (`Calendar.later`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount that a customer transfers; `reference` is a text by which it is found again."""

    reference: str
    amount: Mapping[str, str]
    payer: str


@dataclass(slots=True)
class Bank:
    """Transfers by bank account, and the ids of the payments that they became, by reference."""

    transfers: dict[str, list[Transfer]] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)

    def transfer(self, account: str, transfer: Transfer) -> None:
        """Add a transfer to a bank account."""
        self.transfers.setdefault(account, []).append(transfer)

    def note(self, payments: list[Mapping[str, str]]) -> None:
        """Keep the ids of the payments of a statement."""
        self.payments |= {each["reference"]: each["payment"] for each in payments}


def statement(account: Mapping[str, Any], transfers: list[Transfer], today: date) -> dict[str, Any]:
    """Return a statement of these transfers that follows the last one of an account."""
    currency = transfers[0].amount["currency"]
    opening = account["closing"] or {"amount": "0", "currency": currency}
    total = sum((Decimal(each.amount["amount"]) for each in transfers), Decimal(0))
    number = account["number"] + 1
    return {
        "statement": f"S-{number}",
        "number": number,
        "opening": opening,
        "closing": {"amount": str(Decimal(opening["amount"]) + total), "currency": currency},
        "entries": [
            {
                "entry": f"{number}-{place}",
                "booked_on": today.isoformat(),
                "value_on": today.isoformat(),
                "details": [
                    {
                        "amount": each.amount,
                        "payer": each.payer,
                        "reference": each.reference,
                    }
                ],
            }
            for place, each in enumerate(transfers, 1)
        ],
    }
