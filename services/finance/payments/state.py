"""State of a payment: its amount, and where the money is."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from chassis.domain.pending import Refusal
from chassis.domain.state import Kept, Part, on_event
from contracts.event import Recorded
from contracts.money import Money
from contracts.values import Value
from finance.payments.events import (
    AccountAssigned,
    AllocationBegun,
    AllocationRefused,
    AllocationReleased,
    AllocationTaken,
    AskedPart,
    DeallocationAnswered,
    DeallocationBegun,
    MatchBegun,
    MatchRefused,
    PaymentMatched,
    PaymentRecorded,
    PaymentRefunded,
    PaymentReturned,
    PaymentSuperseded,
    ReturnBegun,
)
from finance.payments.requests import StatementLine

Status = Literal["open", "used", "returning", "returned", "superseded"]
"""Status of a payment; it is used when nothing of it is left."""


class AllocatedPart(Value):
    """A part of the payment on an invoice, in the currency of the payment.

    While `asked` is ``take`` or ``give-back`` the engagement has not answered. `used` is reserved
    at first, and then what the invoice took. Of that, `released` is free again; it may be known
    before the engagement's answer.
    """

    part: AskedPart
    asked: Literal["take", "give-back"] | None
    used: Money
    released: Money

    @property
    def left(self) -> Money:
        """Return the money that is on the invoice, or reserved for it."""
        return self.used - self.released


class RefusedPart(Value):
    """A part that an engagement refused to take."""

    part: AskedPart
    refusal: Refusal


class Payment(Part):
    """A payment.

    `refused` are the parts of the last allocation that were refused; `asked` counts requests.
    `deallocation` is the last one, which recognises a command that comes again. `matched` is the
    payment of a statement that gave way to this one.
    """

    payment: str
    recorded: Kept[PaymentRecorded] = None
    recorded_on: date | None = None
    line: StatementLine | None = None
    account: str | None = None
    asked: int = 0
    parts: dict[str, AllocatedPart] = {}
    refused: tuple[RefusedPart, ...] = ()
    deallocation: Kept[DeallocationBegun] = None
    paid_back: Money | None = None
    returning: Kept[ReturnBegun] = None
    is_returned: bool = False
    matching: str | None = None
    matched: str | None = None
    match_refused: Refusal | None = None
    superseded_by: str | None = None

    @property
    def known(self) -> PaymentRecorded:
        """Return how the payment arrived; raises ValueError before it is recorded."""
        if self.recorded is None:
            raise ValueError(f"payment {self.payment} is not recorded")
        return self.recorded

    @property
    def company(self) -> str | None:
        """Return the company at which the payment arrived, or None before it is recorded."""
        return self.recorded.bank_account.rpartition(".")[0] if self.recorded else None

    @property
    def currency(self) -> str:
        """Return the currency of the payment."""
        return self.known.amount.currency

    @property
    def allocated(self) -> Money:
        """Return the money on invoices, also what is reserved for them."""
        return Money.total((each.left for each in self.parts.values()), self.currency)

    @property
    def refunds(self) -> Money:
        """Return the money that was paid back."""
        return self.paid_back or Money.zero(self.currency)

    @property
    def returned(self) -> Money:
        """Return the money that the bank took back."""
        return self.known.amount if self.is_returned else Money.zero(self.currency)

    @property
    def unallocated(self) -> Money:
        """Return the rest, which is owed to the customer or to an unknown payer."""
        if self.is_returned or self.superseded_by:
            return Money.zero(self.currency)
        return self.known.amount - self.allocated - self.refunds

    def is_taken_back(self, allocation: str) -> bool:
        """Return whether the last deallocation took an allocation back, or asked for that."""
        part, last = self.parts.get(allocation), self.deallocation
        is_gone = part is None or part.asked == "give-back"
        return is_gone and last is not None and allocation in last.allocations

    @property
    def awaits_answer(self) -> bool:
        """Return whether another stream has not answered a request."""
        return self.matching is not None or any(each.asked for each in self.parts.values())

    @property
    def status(self) -> Status:
        """Return the status."""
        if self.superseded_by:
            return "superseded"
        if self.returning:
            return "returned" if self.is_returned else "returning"
        return "open" if self.unallocated.amount else "used"

    @on_event
    def _recorded(self, recorded: Recorded[PaymentRecorded]) -> Self:
        return self.updated(line=recorded.event.line, recorded_on=recorded.recorded_at.date())

    @on_event
    def _assigned(self, event: AccountAssigned) -> Self:
        return self.updated(account=event.account)

    @on_event
    def _begun(self, event: AllocationBegun) -> Self:
        new = {
            each.allocation: AllocatedPart(
                part=each, asked="take", used=each.used, released=Money.zero(self.currency)
            )
            for each in event.parts
        }
        return self.updated(parts={**self.parts, **new}, refused=(), asked=event.number)

    @on_event
    def _taken(self, event: AllocationTaken) -> Self:
        took = {name: getattr(event, name) for name in ("amount", "bank_charge", "written_off")}
        part = self.parts[event.allocation].part.model_copy(update=took)
        return self._with(event.allocation, part=part, used=event.used, asked=None)

    @on_event
    def _refused(self, event: AllocationRefused) -> Self:
        refused = RefusedPart(part=self.parts[event.allocation].part, refusal=event.refusal)
        others = {name: each for name, each in self.parts.items() if name != event.allocation}
        return self.updated(parts=others, refused=(*self.refused, refused))

    @on_event
    def _taking_back(self, event: DeallocationBegun) -> Self:
        asked = {
            name: self.parts[name].model_copy(update={"asked": "give-back"})
            for name in event.allocations
        }
        return self.updated(parts={**self.parts, **asked}, asked=event.number)

    @on_event
    def _released(self, event: AllocationReleased) -> Self:
        known = self.parts.get(event.allocation)
        if known is None:
            return self
        return self._with(event.allocation, released=known.released + event.used)

    @on_event
    def _answered(self, event: DeallocationAnswered) -> Self:
        return self._with(event.allocation, asked=None)

    @on_event
    def _returned(self, event: PaymentReturned) -> Self:
        return self.updated(is_returned=True)

    @on_event
    def _refunded(self, event: PaymentRefunded) -> Self:
        return self.updated(paid_back=self.refunds + event.amount)

    @on_event
    def _matching(self, event: MatchBegun) -> Self:
        return self.updated(matching=event.payment, match_refused=None, asked=event.number)

    @on_event
    def _matched(self, event: PaymentMatched) -> Self:
        return self.updated(matching=None, matched=self.matching, line=event.line)

    @on_event
    def _match_refused(self, event: MatchRefused) -> Self:
        return self.updated(matching=None, match_refused=event.refusal)

    @on_event
    def _superseded(self, event: PaymentSuperseded) -> Self:
        return self.updated(superseded_by=event.by)

    def _with(self, allocation: str, **fields: object) -> Self:
        """Return it with a part changed; a part of which nothing is left is removed."""
        changed = self.parts[allocation].model_copy(update=fields)
        parts: Mapping[str, AllocatedPart] = {**self.parts, allocation: changed}
        return self.updated(
            parts={name: each for name, each in parts.items() if each.asked or each.left.amount}
        )
