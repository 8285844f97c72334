"""Record payments, allocate them to invoices, and give back what no invoice takes.

A payment asks engagements to take parts of it. The invoice decides how much it takes; the payment
keeps the rest. What an engagement took is given back by a request, too. An engagement may take back
a part by itself, after a credit note, and tells the payment so. Each of these is an amount that is
added, so that their order does not matter.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, NotAllowed, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.ids import derived
from chassis.domain.pending import Refusal
from chassis.domain.reference import require_record
from chassis.domain.requests import Outcome
from chassis.domain.rules import correction_day, past_day, same_day, unless_recorded
from common.exchange import convert
from contracts.decimals import canonical_decimal
from contracts.event import Event
from contracts.finance import PaymentAllocated, PaymentDeallocated, WriteOffRecorded
from contracts.money import Money, PositiveMoney
from contracts.reference import AccountPublished
from contracts.values import AccountId, Correction, Day, EngagementId, Identifier, Value
from finance.allocations.requests import GiveBackAllocation, TakeAllocation
from finance.bank_accounts.accounts import require_account_currency, require_bank_account
from finance.companies.policy import accountant_limits, rounding_on
from finance.payments import work_items
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
from finance.payments.requests import (
    BankAccountId,
    GiveWay,
    NoteDeallocation,
    PaymentId,
    ReceivedAmount,
    ReceivePayment,
    StatementLine,
)
from finance.payments.state import AllocatedPart, Payment, RefusedPart, Status
from finance.roles import ACCOUNTING, CONTROLLING

capability = Capability[Payment](__name__)
capability.work(work_items.KINDS, work_items.items)
taking = capability.request(TakeAllocation, of="engagement")
giving_back = capability.request(GiveBackAllocation, of="engagement")
giving_way = capability.request(GiveWay, of="payment")

MOST_PARTS = 50
"""Maximum number of parts that a payment is allocated in by one command."""


class RecordPayment(ReceivedAmount, Command):
    """Record a payment by hand, before the bank's statement contains it."""


class AssignAccount(Command):
    """State which customer a payment is for, as long as nothing of it is allocated."""

    account: AccountId
    """Id of the customer's account."""


class Part(Value):
    """A part of a payment for an invoice, in the currency of the invoice."""

    engagement: EngagementId
    """Id of the engagement."""
    invoice: Identifier
    """Id of the invoice."""
    amount: PositiveMoney
    """Money of the payment; like the invoice to be paid, with tax."""
    bank_charge: PositiveMoney | None = None
    """Amount that banks kept of what the customer paid; null where they kept nothing."""
    written_off: PositiveMoney | None = None
    """Small difference that the customer does not have to pay; null where there is none."""

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        for beside in (self.bank_charge, self.written_off):
            if beside is not None and beside.currency != self.amount.currency:
                raise ValueError("bank_charge and written_off must have the currency of amount")
        return self


class AllocatePayment(Command):
    """Allocate parts of a payment to invoices.

    An invoice takes no more than is outstanding on it: first of the amount, then of the bank
    charge, then of what is written off. The payment keeps the rest. The answer shows what each
    invoice took, and which engagement refused and why. Where all of them refuse, the command is
    refused.
    """

    items: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MOST_PARTS)]
    """The parts, one for each invoice."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(each.engagement, each.invoice) for each in self.items}) < len(self.items):
            raise ValueError("items must not name an invoice more than once")
        return self


class DeallocatePayment(Correction, Command):
    """Take back allocations that were wrong; their money is free again."""

    allocations: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_PARTS)]
    """Ids of the allocations."""
    deallocated_on: Day | None = None
    """Day of the correction; today unless given."""


class ReturnPayment(Correction, Command):
    """Record that the bank took a payment back; all of its allocations are taken back."""

    returned_on: Day | None = None
    """Day on which the bank took it back; today unless given."""


class RefundPayment(Command):
    """Record that the rest of a payment, or a part of the rest, was paid back."""

    amount: PositiveMoney | None = None
    """Amount in the currency of the payment; the whole rest unless given."""
    paid_on: Day | None = None
    """Day on which it was paid back; today unless given."""


class MatchPayment(Command):
    """State that a payment of a statement is the same as this one, which was entered by hand.

    The payment of the statement must be as it arrived: for no customer yet, and with no allocation.
    """

    payment: PaymentId
    """Id of the payment of the statement."""


# ---- arrival ---------------------------------------------------------------------------------


@capability.decide(ReceivePayment, by=None, opens=True)
def receive_payment(state: Payment, command: ReceivePayment, context: Context) -> Iterable[Event]:
    """Record the payment; nothing happens where it is recorded already."""
    if state.recorded is None:
        yield PaymentRecorded(**dict(command))


@capability.decide(RecordPayment, by=ACCOUNTING, prefix="P")
def record_payment(state: Payment, command: RecordPayment, context: Context) -> Iterable[Event]:
    """Record the payment.

    Raises Refused where the bank account is unknown or has another currency, or the day is in the
    future.
    """
    account = require_bank_account(command.bank_account, "bank_account", context)
    require_account_currency(account, amount=command.amount)
    past_day("received_on", command.received_on, context)
    yield PaymentRecorded(**dict(command))


@capability.decide(AssignAccount, by=ACCOUNTING)
def assign_account(state: Payment, command: AssignAccount, context: Context) -> Iterable[Event]:
    """Record the customer; an equal repetition changes nothing.

    Raises Refused where the account is unknown, a part is allocated, or nothing can be done with
    the payment any more.
    """
    require_record("account-unknown", "account", AccountPublished, command.account, context)
    if command.account == state.account:
        return
    _require_usable(state)
    if state.parts:
        raise Refused("payment-differs", "a part of the payment is allocated: take that back first")
    yield AccountAssigned(account=command.account)


def _require_usable(state: Payment) -> None:
    if state.superseded_by:
        raise Refused(
            "payment-superseded", f"the payment is the same as {state.superseded_by}: use that one"
        )
    if state.returning:
        raise Refused(
            "payment-returned", f"the bank took the payment back on {state.returning.returned_on}"
        )


def _require_answered(state: Payment, parts: Iterable[AllocatedPart]) -> None:
    """Refuse what depends on parts about which an engagement has not answered yet."""
    waiting = sorted({each.part.engagement for each in parts if each.asked})
    if state.matching:
        waiting.append(state.matching)
    if waiting:
        sentence = f"{', '.join(waiting)} has not answered the last request yet: try again"
        raise Refused("payment-awaits-answer", sentence)


# ---- allocation ------------------------------------------------------------------------------


@capability.decide(AllocatePayment, by=ACCOUNTING)
def allocate_payment(state: Payment, command: AllocatePayment, context: Context) -> Iterable[Event]:
    """Ask the engagements to take the parts.

    Raises Refused where the customer is not known, less is left of the payment, no exchange rate is
    known for its day, or nothing can be done with it any more, and NotAllowed where the role may
    not accept so large a bank charge or write-off.
    """
    _require_usable(state)
    if state.account is None:
        raise Refused("payment-unassigned", "it is not known which customer the payment is for")
    parts: list[AskedPart] = []
    for number, item in enumerate(command.items, state.asked + 1):
        _require_within_limits(state, item, context)
        parts.append(_asked(state, item, number, context))
    used = Money.total((each.used for each in parts), state.currency)
    if state.unallocated < used:
        sentence = f"items: {state.unallocated} of the payment is left, not {used}"
        raise refused_field("payment-too-small", "items", sentence)
    yield AllocationBegun(number=state.asked + len(parts), parts=tuple(parts))
    for each in parts:
        take = TakeAllocation(
            payment=state.payment,
            company=state.company or "",
            account=state.account,
            allocation=each.allocation,
            invoice=each.invoice,
            amount=each.amount,
            bank_charge=each.bank_charge,
            written_off=each.written_off,
            received_on=state.known.received_on,
            conversion=each.conversion,
        )
        yield taking(each.engagement, take, id="take", item=each.allocation, decides=context.cause)


def _asked(state: Payment, item: Part, number: int, context: Context) -> AskedPart:
    """Return the part with an id made of payment and number, so that no two have one."""
    day, conversion = state.known.received_on, None
    if item.amount.currency != state.currency:
        rounding = rounding_on(context.reference_data, state.company, day)
        conversion = convert(context.reference_data, item.amount, state.currency, day, rounding)
        if conversion is None or not conversion.converted.amount:
            sentence = (
                f"items: the exchange rate {item.amount.currency} to {state.currency} on {day} is"
                " missing"
            )
            raise Refused("exchange-rate-missing", sentence)
    return AskedPart(
        **dict(item),
        allocation=f"A-{derived(f'{state.payment}/{number}')}",
        conversion=conversion,
    )


def _require_within_limits(state: Payment, item: Part, context: Context) -> None:
    """Refuse a bank charge or write-off above the limit of the company, unless by a controller."""
    if context.roles & {*CONTROLLING}:
        return
    charge, write_off = accountant_limits(context.reference_data, state.company, context.today)
    limits = (
        ("bank_charge", item.bank_charge, charge),
        ("written_off", item.written_off, write_off),
    )
    for field, amount, percent in limits:
        if amount is not None and amount.amount * 100 > item.amount.amount * percent:
            sentence = (
                f"{field}: {amount} on invoice {item.invoice} is more than"
                f" {canonical_decimal(percent)}% of {item.amount}; a controller may accept it"
            )
            raise NotAllowed("write-off-too-large", sentence)


@taking.outcome
def taken(state: Payment, outcome: Outcome[TakeAllocation], context: Context) -> Iterable[Event]:
    """Record how much the invoice took, or why it took nothing."""
    allocation = outcome.command.allocation
    if outcome.refusal:
        yield AllocationRefused(allocation=allocation, refusal=outcome.refusal)
    else:
        event = outcome.only(PaymentAllocated)
        write_offs = [each.amount for each in outcome.events if isinstance(each, WriteOffRecorded)]
        yield AllocationTaken(
            allocation=allocation,
            amount=event.amount,
            bank_charge=event.bank_charge,
            written_off=write_offs[0] if write_offs else None,
            used=event.used,
        )


@capability.decide(DeallocatePayment, by=ACCOUNTING)
def deallocate_payment(
    state: Payment, command: DeallocatePayment, context: Context
) -> Iterable[Event]:
    """Ask the engagements to give the allocations back; an equal repetition changes nothing.

    The last deallocation is recognised. Raises Refused where one is unknown, or was taken back for
    another reason or on another day, an engagement has not answered a request yet, the day is
    before the payment or in the future, or nothing can be done with the payment any more.
    """
    names = tuple(dict.fromkeys(command.allocations))
    last = state.deallocation
    if last is not None and all(map(state.is_taken_back, names)):
        day = same_day("deallocated_on", command, last, context)
        again = last.model_copy(update={"why": command.why, "deallocated_on": day})
        yield from unless_recorded(last, again, "the deallocation")
        return
    _require_usable(state)
    unknown = [name for name in names if name not in state.parts]
    if unknown:
        sentence = f"allocations: {', '.join(unknown)} is unknown, or was taken back"
        raise refused_field("allocation-unknown", "allocations", sentence)
    _require_answered(state, (state.parts[name] for name in names))
    day = correction_day("deallocated_on", command, state.known.received_on, context)
    yield from _taking_back(state, names, command.why, day, decides=context.cause)


def _taking_back(
    state: Payment, names: tuple[str, ...], why: str, day: date, *, decides: str | None = None
) -> Iterator[Event]:
    number = state.asked + 1
    yield DeallocationBegun(number=number, allocations=names, why=why, deallocated_on=day)
    for name in names:
        back = GiveBackAllocation(allocation=name, why=why, deallocated_on=day)
        engagement = state.parts[name].part.engagement
        asked = f"give-back-{number}"
        yield giving_back(engagement, back, id=asked, item=name, decides=decides)


@giving_back.outcome
def given_back(
    state: Payment, outcome: Outcome[GiveBackAllocation], context: Context
) -> Iterable[Event]:
    """Record what the engagement gave back: nothing where it had done so by itself."""
    allocation = outcome.command.allocation
    for event in outcome.events:
        if isinstance(event, PaymentDeallocated):
            yield AllocationReleased(allocation=allocation, used=event.used)
    yield DeallocationAnswered(allocation=allocation)


@capability.decide(NoteDeallocation, by=None)
def note_deallocation(
    state: Payment, command: NoteDeallocation, context: Context
) -> Iterable[Event]:
    """Record that money is free again."""
    yield AllocationReleased(**dict(command))


# ---- the money goes back ---------------------------------------------------------------------


@capability.decide(ReturnPayment, by=ACCOUNTING)
def return_payment(state: Payment, command: ReturnPayment, context: Context) -> Iterable[Event]:
    """Ask the engagements to give all allocations back; an equal repetition changes nothing.

    Raises Refused where it was returned for another reason or on another day, a part was paid back,
    an engagement has not answered a request yet, the day is before the payment or in the future, or
    the payment gave way to another one.
    """
    day = correction_day("returned_on", command, state.known.received_on, context)
    known = state.returning
    if known:
        again = ReturnBegun(why=command.why, returned_on=command.returned_on or known.returned_on)
        yield from unless_recorded(known, again, "the return")
        return
    _require_usable(state)
    if state.paid_back:
        raise Refused("payment-refunded", f"{state.refunds} of the payment was paid back")
    _require_answered(state, state.parts.values())
    yield ReturnBegun(why=command.why, returned_on=day)
    if state.parts:
        yield from _taking_back(state, tuple(state.parts), command.why, day)


@capability.react
def returned(state: Payment, context: Context) -> Iterable[Event]:
    """Record that the payment is returned once nothing of it is allocated."""
    if state.returning and not state.is_returned and not state.parts:
        yield PaymentReturned(amount=state.known.amount)


@capability.decide(RefundPayment, by=CONTROLLING)
def refund_payment(state: Payment, command: RefundPayment, context: Context) -> Iterable[Event]:
    """Record the refund, up to the rest.

    Raises Refused where less is left, the day is before the payment or in the future, the currency
    is another one, or nothing can be done with the payment any more.
    """
    _require_usable(state)
    paid_on = correction_day("paid_on", command, state.known.received_on, context)
    amount = command.amount or state.unallocated
    if amount.currency != state.currency:
        sentence = f"amount: the payment is in {state.currency}, not in {amount.currency}"
        raise refused_field("currency-differs", "amount", sentence)
    if state.unallocated < amount or not amount.amount:
        sentence = f"amount: {state.unallocated} of the payment is left"
        raise refused_field("payment-too-small", "amount", sentence)
    yield PaymentRefunded(amount=amount, paid_on=paid_on)


# ---- matching --------------------------------------------------------------------------------


@capability.decide(MatchPayment, by=ACCOUNTING)
def match_payment(state: Payment, command: MatchPayment, context: Context) -> Iterable[Event]:
    """Ask the payment of the statement to give way; an equal repetition changes nothing.

    Raises Refused where this payment is in a statement itself, or the same as another one, which it
    names, the other one has not answered the
    last request yet, or nothing can be done with this one any more.
    """
    if state.matched:
        known = MatchBegun(number=state.asked, payment=state.matched)
        again = known.model_copy(update={"payment": command.payment})
        yield from unless_recorded(known, again, "the match")
        return
    _require_usable(state)
    if state.line is not None or command.payment == state.payment:
        raise Refused("payment-differs", "the payment is in a statement itself")
    _require_answered(state, ())
    number = state.asked + 1
    yield MatchBegun(number=number, payment=command.payment)
    arrived = state.known
    give = GiveWay(payment=state.payment, bank_account=arrived.bank_account, amount=arrived.amount)
    yield giving_way(
        command.payment,
        give,
        id=f"match-{number}",
        item=command.payment,
        decides=context.cause,
    )


@capability.decide(GiveWay, by=None)
def give_way(state: Payment, command: GiveWay, context: Context) -> Iterable[Event]:
    """Give way to the other payment.

    Raises Refused where account or amount differ, this one is in no statement, or it is used.
    """
    _require_usable(state)
    known = state.known
    if (known.bank_account, known.amount) != (command.bank_account, command.amount):
        raise Refused(
            "payment-differs", f"{state.payment} is {known.amount} on {known.bank_account}"
        )
    if state.line is None or state.account or state.parts or state.paid_back or state.matching:
        raise Refused("payment-differs", f"{state.payment} is in no statement, or in use")
    yield PaymentSuperseded(by=command.payment, line=state.line)


@giving_way.outcome
def gave_way(state: Payment, outcome: Outcome[GiveWay], context: Context) -> Iterable[Event]:
    """Record the place in the statement, or why the other payment did not give way."""
    if outcome.refusal:
        yield MatchRefused(refusal=outcome.refusal)
    else:
        yield PaymentMatched(line=outcome.only(PaymentSuperseded).line)


# ---- view ------------------------------------------------------------------------------------


class AllocationView(ViewModel):
    """A part of the payment on an invoice.

    `amount`, `bank_charge` and `written_off` are what the invoice took at first, in its currency,
    or what was asked for while it `awaits_answer`; `used` is what is on it now, in the currency of
    the payment.
    """

    allocation: str
    engagement: str
    invoice: str
    amount: Money
    bank_charge: Money | None
    written_off: Money | None
    used: Money
    awaits_answer: bool


class RefusedView(ViewModel):
    """A part of the last allocation that an engagement refused."""

    engagement: str
    invoice: str
    amount: Money
    refusal: Refusal


class PaymentFields(ViewModel):
    """A payment: `unallocated` is the rest, which is owed to the customer or an unknown payer."""

    payment: str
    status: Status
    bank_account: BankAccountId
    amount: Money
    received_on: date
    payer: str | None
    payer_account: str | None
    reference: str | None
    line: StatementLine | None
    account: str | None
    allocated: Money
    unallocated: Money
    refunded: Money
    returned: Money
    allocations: tuple[AllocationView, ...]
    refused: tuple[RefusedView, ...]
    superseded_by: str | None
    match_refused: Refusal | None


@capability.view
def payment_view(state: Payment) -> PaymentFields:
    """Return the view of a payment."""
    known = state.known
    return PaymentFields(
        payment=state.payment,
        status=state.status,
        bank_account=known.bank_account,
        amount=known.amount,
        received_on=known.received_on,
        payer=known.payer,
        payer_account=known.payer_account,
        reference=known.reference,
        line=state.line,
        account=state.account,
        allocated=state.allocated,
        unallocated=state.unallocated,
        refunded=state.refunds,
        returned=state.returned,
        allocations=tuple(_shown(each) for each in state.parts.values()),
        refused=tuple(_refused(each) for each in state.refused),
        superseded_by=state.superseded_by,
        match_refused=state.match_refused,
    )


def _shown(each: AllocatedPart) -> AllocationView:
    return AllocationView(
        allocation=each.part.allocation,
        engagement=each.part.engagement,
        invoice=each.part.invoice,
        amount=each.part.amount,
        bank_charge=each.part.bank_charge,
        written_off=each.part.written_off,
        used=each.left,
        awaits_answer=each.asked is not None,
    )


def _refused(each: RefusedPart) -> RefusedView:
    return RefusedView(
        engagement=each.part.engagement,
        invoice=each.part.invoice,
        amount=each.part.amount,
        refusal=each.refusal,
    )


class PaymentRow(ViewModel):
    """Columns of the list of payments; amounts are decimals in the currency of the payment."""

    status: Status
    bank_account: str
    account: str | None
    received_on: str
    currency: str
    amount: str
    unallocated: str


@capability.row
def payment_row(state: Payment) -> PaymentRow:
    """Return the columns of the list of payments."""
    known = state.known
    return PaymentRow(
        status=state.status,
        bank_account=known.bank_account,
        account=state.account,
        received_on=known.received_on.isoformat(),
        currency=state.currency,
        amount=canonical_decimal(known.amount.amount),
        unallocated=canonical_decimal(state.unallocated.amount),
    )
