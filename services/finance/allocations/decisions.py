"""Take parts of payments on invoices, give them back, and note what is overdue.

An invoice takes at most what is outstanding on it. What a credit note leaves over on a paid invoice
goes back to the payment.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.ids import derived_id
from chassis.domain.requests import Outcome
from chassis.domain.rules import require_currency
from common.exchange import convert
from contracts.decimals import ROUNDING, canonical_decimal
from contracts.event import Event
from contracts.finance import (
    Allocation,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    WriteOffRecorded,
)
from contracts.money import Money
from contracts.values import Conversion
from finance.allocations import work_items
from finance.allocations.requests import GiveBackAllocation, TakeAllocation
from finance.billing.receivables import HeldAllocation, OpeningInvoice, Receivable
from finance.companies.policy import base_currency_on
from finance.engagement import Engagement, Stage
from finance.payments.requests import NoteDeallocation
from finance.policies import require_receivable, rounding_of
from finance.time_billing.unbilled import advances_left
from finance.write_offs.reversal import reversal

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)
noting = capability.request(NoteDeallocation, of="payment")


@capability.decide(TakeAllocation, by=None)
def take_allocation(
    state: Engagement, command: TakeAllocation, context: Context
) -> Iterable[Event]:
    """Record the allocation, of the payment first, then of bank charge, then the write-off.

    Raises Refused where the invoice is unknown, not issued, void or paid, is in another currency,
    or is of another customer or company.
    """
    if command.company != state.company:
        raise Refused(
            "payment-of-other-company",
            f"the payment arrived at {command.company}; {state.company} sells",
        )
    invoice = require_receivable(state, command.invoice)
    customer = invoice.customer or state.account
    if command.account != customer:
        raise Refused(
            "payment-of-other-account",
            f"the payment is of {command.account}, the invoice of {customer}",
        )
    require_currency(invoice.currency, amount=command.amount)
    rest = invoice.outstanding
    if rest.amount <= 0:
        sentence = f"nothing is outstanding on invoice {invoice.number}"
        if invoice.write_offs:
            sentence = f"{sentence}: {invoice.written_off} is written off"
        raise Refused("invoice-paid", sentence)
    amount, rest = _at_most(command.amount, rest)
    charge, rest = _at_most(command.bank_charge, rest)
    written_off, _ = _at_most(command.written_off, rest)
    allocated = PaymentAllocated(
        payment=command.payment,
        allocation=command.allocation,
        invoice=command.invoice,
        amount=amount or command.amount,
        bank_charge=charge,
        received_on=command.received_on,
        conversion=_part_of(command.conversion, amount, command.amount),
    )
    yield _in_books(allocated, state, invoice, context)
    if written_off is not None:
        yield WriteOffRecorded(
            write_off=derived_id("W", command.allocation),
            invoice=command.invoice,
            amount=written_off,
            why=f"Difference on payment {command.payment}.",
            allocation=command.allocation,
            written_off_on=context.today,
        )


def _at_most(asked: Money | None, rest: Money) -> tuple[Money | None, Money]:
    """Return what is taken of an amount, None for nothing, and what is outstanding then."""
    if asked is None or rest.amount <= 0:
        return None, rest
    taken = min(asked, rest)
    return taken, rest - taken


def _part_of(conversion: Conversion | None, part: Money | None, whole: Money) -> Conversion | None:
    """Return the part of a conversion in proportion to its amount; None where nothing is left."""
    if conversion is None or part is None or not part.amount:
        return None
    converted = _share(conversion.converted, part, whole)
    return conversion.model_copy(update={"amount": part, "converted": converted})


def _share(amount: Money, part: Money, whole: Money) -> Money:
    """Return the share of an amount that a part has of a whole, rounded half up."""
    exact = amount.amount * part.amount / whole.amount
    return Money.nearest(exact, amount.currency, ROUNDING)


def _in_books(
    allocated: PaymentAllocated, state: Engagement, invoice: Receivable, context: Context
) -> PaymentAllocated:
    """Return the allocation with its amounts in the company's base currency, where it is known."""
    records, received_on = context.reference_data, allocated.received_on
    base = base_currency_on(records, state.company, received_on)
    if base is None or invoice.issue_on is None:
        return allocated

    def converted(amount: Money, day: date) -> Conversion | None:
        if amount.currency == base:
            return None
        return convert(records, amount, base, day, rounding_of(state, records, day))

    booked = converted(allocated.amount, invoice.issue_on)
    received = converted(allocated.used, received_on)
    return allocated.model_copy(
        update={
            "booked": booked,
            "received": received,
            "exchange_difference": _difference(allocated, booked, received, base),
        }
    )


def _difference(
    part: Allocation, booked: Conversion | None, received: Conversion | None, base: str
) -> Money | None:
    """Return what money is worth more than when its invoice was booked, in the base currency.

    None where nothing is converted, or one of both is not known.
    """
    before = booked.converted if booked else part.amount
    now = received.converted if received else part.used
    if booked is received is None or {before.currency, now.currency} != {base}:
        return None
    return now - before


@capability.decide(GiveBackAllocation, by=None)
def give_back_allocation(
    state: Engagement, command: GiveBackAllocation, context: Context
) -> Iterable[Event]:
    """Take back what is left of the allocation; nothing happens where nothing is.

    What was written off beside it is outstanding again, too.
    """
    why, on = command.why, command.deallocated_on
    for invoice in state.billing.receivables:
        held = invoice.allocations.get(command.allocation)
        if held is not None:
            yield _deallocated(held, held.paid, why, on)
        for each in invoice.write_offs.values():
            if each.allocation == command.allocation:
                yield reversal(each, each.amount, why, max(on, each.written_off_on))


@capability.react
def give_back_what_is_not_owed(state: Engagement, context: Context) -> Iterable[Event]:
    """Take back what is paid and written off beyond what an invoice comes to.

    Write-offs are reversed first, then allocations are taken back, of which the payments are told;
    the newest one first.
    """
    for invoice in state.billing.issued:
        over = invoice.overpaid
        if over.amount <= 0:
            continue
        why = f"A credit note on invoice {invoice.number}."
        credited_on = max(each.issued_on for each in invoice.credits)
        for each in reversed(invoice.write_offs.values()):
            if over.amount > 0:
                part = min(over, each.amount)
                over = over - part
                yield reversal(each, part, why, max(credited_on, each.written_off_on))
        for held in reversed(invoice.allocations.values()):
            if over.amount > 0:
                part = min(over, held.paid)
                over = over - part
                yield from _not_owed(held, part, why, max(credited_on, held.received_on))


def _not_owed(held: HeldAllocation, part: Money, why: str, on: date) -> Iterator[Event]:
    event = _deallocated(held, part, why, on)
    yield event
    note = NoteDeallocation(allocation=held.allocation, used=event.used)
    number = str(held.times_reduced + 1)
    yield noting(held.payment, note, id=f"note.{held.allocation}", item=number)


def _deallocated(held: HeldAllocation, part: Money, why: str, on: date) -> PaymentDeallocated:
    """Return that a part is taken back: money first, then bank charge."""
    amount, rest = _back(held.amount, part)
    charge, _ = _back(held.bank_charge, rest)
    taken = amount or Money.zero(part.currency)
    back = PaymentDeallocated(
        payment=held.payment,
        allocation=held.allocation,
        invoice=held.invoice,
        amount=taken,
        bank_charge=charge,
        received_on=held.received_on,
        conversion=_part_of(held.conversion, amount, held.amount),
        why=why,
        deallocated_on=on,
    )
    if amount is None:
        return back
    booked = _part_of(held.booked, amount, held.amount)
    received = _part_of(held.received, back.used, held.used)
    known = held.exchange_difference
    difference = _difference(back, booked, received, known.currency) if known else None
    return back.model_copy(
        update={"booked": booked, "received": received, "exchange_difference": difference}
    )


def _back(held: Money | None, rest: Money) -> tuple[Money | None, Money]:
    taken, rest = _at_most(held, rest)
    return (taken if taken and taken.amount else None), rest


@noting.outcome
def noted(
    state: Engagement, outcome: Outcome[NoteDeallocation], context: Context
) -> Iterable[Event]:
    """Conclude nothing: the payment knows that its money is free again."""
    return ()


@capability.deadlines
def due_days(state: Engagement) -> Iterable[Deadline]:
    """Yield the unpaid invoices, on the day after they are due (00:00 UTC)."""
    for invoice, due_on in _unpaid(state):
        late = datetime.combine(due_on + timedelta(days=1), time(), UTC)
        yield Deadline(_deadline(invoice), late)


@capability.decide(DeadlinePassed, by=None)
def due_day_passed(state: Engagement, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    """Record what is overdue, unless it was paid or credited meanwhile."""
    for invoice, due_on in _unpaid(state):
        if _deadline(invoice) == command.deadline and due_on < command.at.date():
            yield PaymentOverdue(
                invoice=invoice.invoice, due_on=due_on, outstanding=invoice.outstanding
            )


def _unpaid(state: Engagement) -> Iterable[tuple[Receivable, date]]:
    """Yield the invoices that are unpaid and not known to be overdue, with their due day."""
    for invoice in state.billing.receivables:
        if invoice.outstanding.amount > 0 and not invoice.overdue and invoice.due_on is not None:
            yield invoice, invoice.due_on


def _deadline(invoice: Receivable) -> str:
    """Return the name of a deadline, another one each time: a deadline passes once."""
    again = (str(invoice.times_overdue + 1),) if invoice.times_overdue else ()
    return derived_id("overdue", invoice.invoice, *again)


class OpeningReceivableView(ViewModel):
    """Invoice from before of which `open` was owed at the take-over; amounts are with tax."""

    invoice: str
    number: str
    gross: Money
    open: Money
    issued_on: date
    due_on: date
    paid: Money
    written_off: Money
    outstanding: Money
    overdue: bool


class AllocationFields(ViewModel):
    """Billed and paid amounts, and the rest of advances, in the view of an engagement.

    `gross` is what was billed, with tax. `paid` contains what banks kept; `written_off` is what
    customers do not have to pay any more. These and `outstanding` are with tax, the others without.
    `outstanding` and `overdue` contain the `opening_receivables`, the other amounts do not.
    """

    billed: Money | None
    gross: Money | None
    paid: Money | None
    written_off: Money | None
    outstanding: Money | None
    advance_left: Money | None
    overdue: bool
    opening_receivables: list[OpeningReceivableView]


class EngagementRow(ViewModel):
    """Columns of the list of engagements; amounts are decimals in the engagement's currency."""

    stage: Stage
    currency: str | None
    billed: str | None
    outstanding: str | None
    overdue: bool


@capability.view
def allocations_view(state: Engagement) -> AllocationFields:
    """Return what was billed and paid for the view of an engagement."""
    billing, currency = state.billing, state.currency
    return AllocationFields(
        billed=billing.billed(currency) if currency else None,
        gross=billing.gross(currency) if currency else None,
        paid=billing.paid(currency) if currency else None,
        written_off=billing.written_off(currency) if currency else None,
        outstanding=billing.outstanding(currency) if currency else None,
        advance_left=advances_left(state) if currency else None,
        overdue=any(invoice.overdue for invoice in billing.receivables),
        opening_receivables=[_opening(each) for each in billing.opening.values()],
    )


def _opening(invoice: OpeningInvoice) -> OpeningReceivableView:
    names = OpeningReceivableView.model_fields
    return OpeningReceivableView(**{name: getattr(invoice, name) for name in names})


@capability.row
def engagement_row(state: Engagement) -> EngagementRow:
    """Return the columns of the list of engagements."""
    figures = allocations_view(state)
    billed, outstanding = figures.billed, figures.outstanding
    return EngagementRow(
        stage=state.stage,
        currency=state.currency,
        billed=canonical_decimal(billed.amount) if billed else None,
        outstanding=canonical_decimal(outstanding.amount) if outstanding else None,
        overdue=figures.overdue,
    )
