"""Define the events of opening balances: the accounts from before the platform was introduced."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.channels import FINANCE, FINANCE_CONFIDENTIAL
from contracts.event import Event
from contracts.money import Money, NotNegativeTotal, PositiveMoney, PositiveTotal, invalid
from contracts.values import (
    Day,
    DistinctBy,
    Identifier,
    RevenueMethod,
    ShortText,
    SourceRecord,
    TakenOver,
    Value,
)

BY_COST: RevenueMethod = "cost-to-cost"
"""Method whose revenue is confidential, since it discloses cost."""


class BilledEntry(Value):
    """Billed amount of an entry of a billing schedule."""

    item: Identifier
    """Id of the entry; of a discount that of the entry that it reduces."""
    amount: Money
    """Amount that was billed, less credit notes; negative for a discount."""


class OpeningBalance(Value):
    """The balances of a contract line, without tax; those of a discount are negative.

    They are compared with the price of the line, which is without tax.
    """

    line: Identifier
    """Id of the contract line."""
    price: Money
    """Price of the line; negative for a discount."""
    billed: Money
    """Amount of the invoices less credit notes, without tax."""
    paid: Money
    """Amount received on the invoices less refunds, without the tax in it; at most `billed`.

    Of an invoice that is paid in part, the tax in a payment is its share of the amount with tax.
    """
    method: RevenueMethod
    """Method by which revenue is recognised."""
    recognised: Money | None = None
    """Revenue recognised; null where it is not known, and in events where the method uses cost.

    Of a discount it is null where the lines that it reduces state theirs after it.
    """
    entries: Annotated[tuple[BilledEntry, ...], Field(max_length=500), DistinctBy("item")] = ()
    """Billed amounts by entry of the billing schedule; they add up to `billed`.

    Empty in a command where the entries were billed in their order. What was billed in advance
    counts as used by the work before.
    """

    @model_validator(mode="after")
    def _of_one_sign(self) -> Self:
        for field in ("billed", "paid", "recognised"):
            amount: Money | None = getattr(self, field)
            if amount is None:
                continue
            if amount.currency != self.price.currency:
                raise invalid(field, f"must be in {self.price.currency}", amount.currency)
            if self.price.amount >= 0 > amount.amount:
                raise invalid(field, "must not be negative", amount)
            if self.price.amount < 0 < amount.amount:
                raise invalid(field, "must not be positive on a discount", amount)
        for each in self.entries:
            if each.amount.currency != self.price.currency:
                raise invalid("entries", f"must be in {self.price.currency}", each.amount.currency)
            if each.amount.amount * (-1 if self.price.amount < 0 else 1) < 0:
                raise invalid("entries", f"{each.item} must not have another sign", each.amount)
        total = Money.total((each.amount for each in self.entries), self.price.currency)
        if self.entries and total != self.billed:
            raise invalid("entries", f"must add up to what was billed, {self.billed}", total)
        if abs(self.paid.amount) > abs(self.billed.amount):
            most = f"must not be more than was billed, {self.billed}; both are without tax"
            raise invalid("paid", most, self.paid)
        return self


class OpenReceivable(Value):
    """An invoice from before of which something is owed. Amounts are with tax."""

    number: ShortText
    """Number of the invoice."""
    gross: PositiveMoney
    """Amount of the invoice less credit notes."""
    open: PositiveMoney
    """Amount that the customer still owes; at most `gross`."""
    issued_on: Day
    """Invoice date."""
    due_on: Day
    """Last day for payment."""

    @model_validator(mode="after")
    def _owes_a_part(self) -> Self:
        if self.open.currency != self.gross.currency:
            raise invalid("open", f"must be in {self.gross.currency}", self.open.currency)
        if self.gross < self.open:
            raise invalid("open", f"must not be more than `gross`, {self.gross}", self.open)
        if self.due_on < self.issued_on:
            raise invalid("due_on", f"must not be before {self.issued_on}", self.due_on)
        return self


class OpeningReceivable(OpenReceivable):
    """An invoice from before of which something is owed, with its id here."""

    invoice: Identifier
    """Id of the invoice, by which payments are allocated to it."""


class OpeningBalances(TakenOver, SourceRecord):
    """The balances of an engagement that was under way before the platform was introduced."""

    as_of: Day
    """Last day that the balances include."""
    lines: Annotated[
        tuple[OpeningBalance, ...], Field(min_length=1, max_length=200), DistinctBy("line")
    ]
    """Balances by contract line."""
    price: PositiveTotal
    """Price of the contract: the sum of the lines."""
    billed: NotNegativeTotal
    """Amount billed without tax: the sum of the lines."""
    paid: NotNegativeTotal
    """Amount paid without the tax in it: the sum of the lines."""
    receivables: Annotated[
        tuple[OpenReceivable, ...], Field(max_length=500), DistinctBy("number")
    ] = ()
    """Unpaid invoices, to which payments are allocated here; empty where they are not known.

    Together they are as much as is billed and not paid, or more by the tax.
    """

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        currency = self.price.currency
        for each in self.lines:
            if each.price.currency != currency:
                raise invalid("lines", f"must be in {currency}", each.price.currency)
        for field in ("price", "billed", "paid"):
            total = Money.total((getattr(each, field) for each in self.lines), currency)
            if getattr(self, field) != total:
                raise invalid(field, f"must be the sum of the lines, {total}", getattr(self, field))
        if self.receivables:
            self._require_owed(self.billed - self.paid)
        return self

    def _require_owed(self, unpaid: Money) -> None:
        for each in self.receivables:
            if each.gross.currency != unpaid.currency:
                raise invalid("receivables", f"must be in {unpaid.currency}", each.gross.currency)
            if each.issued_on > self.as_of:
                raise invalid("receivables", f"must be issued by {self.as_of}", each.issued_on)
        owed = Money.total((each.open for each in self.receivables), unpaid.currency)
        if owed < unpaid or not unpaid.amount:
            least = f"must be {unpaid} together, what is billed and not paid, and the tax on it"
            raise invalid("receivables", least, owed)


class EngagementImported(
    OpeningBalances, Event, channel=FINANCE, consumed_by=("delivery", "legal")
):
    """The opening balances of an engagement under way were taken over from another system.

    Published by Finance; again when they are corrected. What Finance bills and recognises later
    does not contain them: it bills what they leave of the contract. What happened before is not
    judged: no gate of Finance was applied.
    """

    receivables: Annotated[
        tuple[OpeningReceivable, ...], Field(max_length=500), DistinctBy("number")
    ] = ()
    """Unpaid invoices, with tax; payments, write-offs and `payment-overdue` name their ids."""


class OpeningRevenue(Value):
    """Revenue of a contract line that was recognised in proportion to cost."""

    line: Identifier
    """Id of the contract line."""
    recognised: Money
    """Revenue recognised."""


class OpeningCostRecorded(TakenOver, Event, channel=FINANCE_CONFIDENTIAL):
    """The cost of an engagement under way, and its revenue by cost, were taken over.

    Published by Finance in confidence; again when they are corrected. The cost that accrues later
    does not contain them.
    """

    as_of: Day
    """Last day that the amounts include."""
    cost: NotNegativeTotal | None
    """Cost to the company; null where it is not known."""
    lines: Annotated[tuple[OpeningRevenue, ...], Field(max_length=200), DistinctBy("line")] = ()
    """Revenue of the lines whose method uses cost."""
