"""Settle the account once everything due is invoiced and all invoices are paid.

A change order reopens it, and so does an invoice issued later, work approved later that can still
be billed, the reversal of billed work, or a payment that is taken back; then it is settled again.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.rules import same_day, unless_recorded
from contracts.event import Event
from contracts.finance import AccountReopened, AccountSettled
from contracts.money import Money
from contracts.values import Day, ShortText
from finance.billing.receivables import Receivable
from finance.billing.schedule import lapsed
from finance.billing.state import Invoice
from finance.budgeting.state import Budget
from finance.details import missing_of_reader
from finance.engagement import Engagement, Stage
from finance.exchange_rates.missing import missing_rate
from finance.importing.opening import billed_before, unpaid_before
from finance.roles import ACCOUNTING
from finance.settlement import work_items
from finance.time_billing.assignment import missing_line
from finance.time_billing.reversals import missing_credit, to_credit
from finance.time_billing.unbilled import (
    advance_left,
    billable,
    billable_now,
    unassigned,
    worth_of_free,
)

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class SettleAccount(Command):
    """Settle the account: nothing is owed by or to the customer.

    It is settled today unless a day is named, or on the day of its last movement where that is
    dated tomorrow.

    The refusal lists what is open, line by line. Entries of the schedule that bill time need not be
    used up. Work beyond the cap of a line is written down before, or left unbilled for a reason:
    the settlement states its worth. Time covered by an advance counts as paid; the unused rest of
    an advance must be credited. After a termination, entries that never fell due are not billed,
    and the rest of an advance is kept as revenue unless it was credited before.

    If billable work was approved or reversed since and did not reopen the account, the settlement
    is recorded again, on the same day unless another is named. Delivery then sees that it includes
    this work.
    """

    settled_on: Day | None = None
    why_not_billed: ShortText | None = None
    """Why work beyond the caps of lines is not billed; null where no such work is left."""


@capability.decide(SettleAccount, by=ACCOUNTING)
def settle_account(state: Engagement, command: SettleAccount, context: Context) -> Iterable[Event]:
    """Record the settlement if nothing is open; an equal repetition changes nothing.

    A repetition is compared by what the caller gives, its day and reason. Raises Refused where
    something is open, where the day is in the future or before the last invoice, credit note or
    payment, or where the account was settled on another day or for another reason.
    """
    before, billing = state.settlement, state.billing
    settled_on = same_day("settled_on", command, before.settled, context)
    in_force = None if before.work_since else before.settled
    if in_force is None:
        beyond = () if command.why_not_billed else _beyond_caps(state)
        gate("account-not-settled", (*open_points(state), *beyond))
        last = max(_movements(state), default=settled_on)
        if command.settled_on is None:
            settled_on = max(settled_on, last)
        elif settled_on < last:
            sentence = f"settled_on: {settled_on} is before the last movement, on {last}"
            raise refused_field("date-before-last-movement", "settled_on", sentence)
    not_billed = in_force.not_billed if in_force else _not_billed(state)
    why = command.why_not_billed or (in_force.why_not_billed if in_force else None)
    settled = AccountSettled(
        billed=in_force.billed if in_force else billing.billed(state.money),
        paid=in_force.paid if in_force else billing.paid(state.money),
        written_off=in_force.written_off if in_force else billing.written_off(state.money),
        not_billed=not_billed,
        why_not_billed=why if not_billed else None,
        settled_on=settled_on,
    )
    yield from unless_recorded(in_force, settled, "the settlement")


def _not_billed(state: Engagement) -> Money | None:
    """Return the worth of work that is beyond the caps; None where there is none."""
    lines = state.budget.hourly_lines if state.budget else ()
    total = Money.total((_left(state, line.line) for line in lines), state.money)
    return total if total.amount else None


def _left(state: Engagement, line: str) -> Money:
    """Return the worth of a line's unbilled work that no advance covers and that is not held."""
    worth = worth_of_free(state, billable(state, line))
    return worth - min(worth, advance_left(state, line))


def _beyond_caps(state: Engagement) -> Iterable[Missing]:
    """Yield the lines of which nothing can be billed any more, with the work that is left."""
    budget = state.budget
    for line in budget.hourly_lines if budget else ():
        beyond = _left(state, line.line)
        if budget and beyond.amount > 0 and not billable_now(state, budget, line).amount:
            yield Missing(
                "cap-spent",
                f"approved work over {beyond} on line {line.line} is beyond its cap of"
                f" {line.price}: write it down, or state why_not_billed",
                field="why_not_billed",
            )


@capability.react
def reopened(state: Engagement, context: Context) -> Iterable[Event]:
    """Reopen a settled account if approved work can be billed, or something is owed again.

    Billed work that was reversed has to be credited, and a payment may have been taken back.
    """
    settled_on = state.settlement.settled_on
    if settled_on is None or state.budget is None:
        return
    budget = state.budget
    waits = Money.total(
        (billable_now(state, budget, line) for line in budget.hourly_lines), state.money
    )
    owed = Money.total((amount for _, _, amount in to_credit(state)), state.money)
    unpaid = state.billing.outstanding(state.money)
    if waits.amount > 0 or owed.amount > 0 or unpaid.amount > 0:
        yield AccountReopened(
            settled_on=settled_on, unbilled=waits, to_credit=owed, outstanding=unpaid
        )


def open_points(state: Engagement) -> Iterable[Missing]:
    """Yield what is missing before the account can be settled, also for a reason."""
    budget, terminated = state.budget, state.contract.terminated is not None
    for work, amount in state.work.unconverted(state.currency) if state.currency else ():
        yield missing_rate(work.entry, amount, state.money, work.on)
    if budget is None:
        if not terminated or state.currency is None:
            yield Missing("budget-not-set", "no contract is signed and budgeted", "legal")
        return
    if not terminated:
        for each in state.budgeting.waiting:
            yield Missing("budget-not-amended", f"{each.amendment} is not in the budget yet")
    yield from _unbilled(state, budget)
    for invoice in state.billing.live:
        yield from _open(state, invoice)
    for before in state.billing.opening.values():
        yield from _unpaid(before)
    unpaid = unpaid_before(state)
    if unpaid.amount > 0 and not state.billing.opening:
        sentence = f"{unpaid} of the opening balances is unpaid: correct them when it is paid"
        yield Missing("opening-balance-unpaid", sentence, "finance")
    beyond = state.billing.billed(state.money) + billed_before(state) - _most(state, budget)
    if beyond.amount > 0:
        yield Missing("billing-beyond-price", f"{beyond} was billed beyond the price: credit it")


def _most(state: Engagement, budget: Budget) -> Money:
    """Return the price, with what was billed beyond the estimates of lines without a cap."""
    most = budget.price
    for line in budget.hourly_lines:
        if line.cap is None:
            billed = state.billing.billed(state.money, lines={line.line})
            billed = billed + billed_before(state, {line.line})
            most = most + max(billed - line.price, Money.zero(state.money))
    return most


def _open(state: Engagement, invoice: Invoice) -> Iterable[Missing]:
    due = state.billing.events[invoice.billing_event]
    if invoice.stage != "issued" and not lapsed(state, due):
        yield Missing(
            "invoice-not-issued", f"{invoice.invoice} over {invoice.amount} is due and not issued"
        )
    for note in invoice.credits_approved:
        yield Missing("credit-note-not-issued", f"{note.credit_note} waits for its number")
    yield from _unpaid(invoice)


def _unpaid(invoice: Receivable) -> Iterable[Missing]:
    owed = invoice.outstanding
    if owed.amount > 0:
        yield Missing(
            "invoice-unpaid", f"{owed} is outstanding on {invoice.number}, due {invoice.due_on}"
        )


def _unbilled(state: Engagement, budget: Budget) -> Iterable[Missing]:
    """Yield what is not billed of each line: entries of the schedule, time, rests of advances."""
    terminated = state.contract.terminated is not None
    for entry in budget.entries:
        item = entry.item
        rest = entry.amount - state.billing.due_on_item(item.item, state.money)
        if item.kind != "time" and rest.amount > 0 and not terminated:
            yield Missing(
                "billing-item-unbilled",
                f"{rest} of {item.item} (line {entry.line.line}) never fell due",
            )
    for each in state.work.waiting:
        if each.held:
            yield Missing(
                "work-held",
                f"{each.entry} over {each.held.worth} on line {each.held.line} is held:"
                f" {each.held.why}",
            )
    for line in budget.hourly_lines:
        name = line.line
        waits = billable_now(state, budget, line)
        if waits.amount > 0:
            yield Missing(
                "time-unbilled", f"approved time over {waits} on line {name} is not billed"
            )
        advance = advance_left(state, name)
        unused = advance - min(worth_of_free(state, billable(state, name)), advance)
        if unused.amount > 0 and not terminated:
            yield Missing(
                "advance-unused", f"{unused} of the advance on line {name} is unused: credit it"
            )
    for invoice, works, amount in to_credit(state):
        yield missing_credit(invoice, works, amount)
    if not terminated:
        yield from map(missing_line, unassigned(state))


def _movements(state: Engagement) -> Iterable[date]:
    """Yield the days of all invoices and credit notes, and the last day of payments on each."""
    for invoice in state.billing.issued:
        yield from (each.issued_on for each in invoice.credits)
    for each in state.billing.receivables:
        yield from (day for day in (each.issue_on, each.moved_on) if day is not None)


class SettlementFields(ViewModel):
    """Billing stage and settlement in the view of an engagement.

    `settled_without` is the worth of work beyond caps that the settlement left unbilled. Until the
    settlement, an open point has that work; it needs a reason, or to be written down.
    """

    stage: Stage
    open_points: list[Missing]
    settled_on: date | None
    settled_without: Money | None


@capability.view
def settlement_view(state: Engagement) -> SettlementFields:
    """Return billing stage and settlement for the view of an engagement."""
    points = [*open_points(state)] if state.budget else []
    if state.settlement.settled is None or state.settlement.work_since:
        points += _beyond_caps(state)
    return SettlementFields(
        stage=state.stage,
        open_points=points,
        settled_on=state.settlement.settled_on,
        settled_without=state.settlement.settled.not_billed if state.settlement.settled else None,
    )


@capability.narrow("open_points")
def open_points_of_reader(
    missing: list[Missing], state: Engagement, context: Context
) -> list[Missing]:
    """Return what the settlement waits for, without details of people's time and expenses."""
    return missing_of_reader(missing, context)
