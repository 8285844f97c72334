"""Settle the account once everything due is invoiced and all invoices are paid.

A change order reopens it, and so does an invoice issued later, or work approved later that can
still be billed; then it is settled again.
"""

from collections.abc import Iterable
from datetime import date

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import AccountReopened, AccountSettled, InvoiceDrafted
from contracts.money import Money
from contracts.values import LAST_DAY, Day
from finance.billing import billed_on
from finance.calendar_months import month_of
from finance.invoicing import lapsed
from finance.state import Budget, Engagement, decide, least, require_past
from finance.time_billing import advance_left, time_billed, unbilled_worth


class SettleAccount(Command):
    """Settle the account, today unless a day is named: nothing is owed by or to the customer.

    The refusal lists what is open. Entries of the schedule that bill time need not be used up, and
    time covered by an advance counts as paid; the unused rest of an advance must be credited. After
    a termination, entries that never fell due are not billed, and the rest of an advance is kept as
    revenue unless it was credited before.

    If billable work that cannot be billed was approved since, the settlement is recorded again, on
    the same day unless another is named. Delivery then sees that this work was included.
    """

    settled_on: Day | None = None


@decide.on(SettleAccount)
def settle_account(state: Engagement, command: SettleAccount, context: Context) -> Iterable[Event]:
    """Record the settlement if nothing is open.

    Raises Refused where something is open, where the day is in the future or before the last
    invoice, credit note, payment or refund, or where the account was settled on another day.
    """
    if state.settled_on is not None and state.settled_works == state.billable_works:
        if command.settled_on in {None, state.settled_on}:
            return
        raise Refused("account-settled", f"the account was settled on {state.settled_on}")
    settled_on = command.settled_on or state.settled_on or context.today
    require_past(settled_on, context.today, "the account was settled")
    gate("account-not-settled", open_points(state))
    last = max(_movements(state), default=settled_on)
    if settled_on < last:
        raise Refused(
            "date-before-last-movement",
            f"the account was not settled on {settled_on}: its last movement was on {last}",
        )
    yield AccountSettled(billed=billed(state), paid=paid(state), settled_on=settled_on)


def reopened(state: Engagement, context: Context) -> Iterable[Event]:
    """Reopen a settled account if time or expenses approved since can be billed."""
    if state.settled_on is None or state.budget is None:
        return
    waits = billable_now(state, state.budget)
    if waits.amount > 0:
        yield AccountReopened(settled_on=state.settled_on, unbilled=waits)


def open_points(state: Engagement) -> Iterable[Missing]:
    """Yield what is missing before the account can be settled."""
    if state.budget is None:
        if state.terminated_on is None or state.currency is None:
            yield Missing("budget-not-set", "no contract is signed and budgeted", "legal")
        return
    if state.terminated_on is None:
        for one in state.amendments:
            if one.amendment not in state.amended:
                yield Missing("budget-not-amended", f"{one.amendment} is not in the budget yet")
    yield from _unbilled(state, state.budget)
    for invoice in state.live():
        if invoice.stage != "issued" and not lapsed(
            state, state.billing_events[invoice.billing_event]
        ):
            yield Missing(
                "invoice-not-issued",
                f"{invoice.invoice} over {invoice.amount} is due and not issued",
            )
        owed = invoice.outstanding
        if owed.amount > 0:
            yield Missing(
                "invoice-unpaid", f"{owed} is outstanding on {invoice.number}, due {invoice.due_on}"
            )
        if owed.amount < 0:
            yield Missing("refund-owed", f"{-owed} is to be refunded on {invoice.number}")
    beyond = billed(state) - state.budget.price
    if beyond.amount > 0:
        yield Missing("billing-beyond-price", f"{beyond} was billed beyond the price: credit it")


def billed(state: Engagement) -> Money:
    """Return the total of issued invoices, less voided ones and credit notes."""
    return Money.total((one.amount - one.credited for one in state.issued()), state.money)


def paid(state: Engagement) -> Money:
    """Return the total of payments, less refunds."""
    return Money.total((one.paid for one in state.issued()), state.money)


def outstanding(state: Engagement) -> Money:
    """Return what the customer owes on issued invoices."""
    return Money.total((one.outstanding for one in state.issued()), state.money)


def _movements(state: Engagement) -> Iterable[date]:
    """Yield the days of all invoices, credit notes, payments and refunds."""
    for invoice in state.issued():
        yield from (one.on for one in (*invoice.credits, *invoice.payments, *invoice.refunds))
        if invoice.issue_on is not None:
            yield invoice.issue_on


def billable_now(state: Engagement, budget: Budget) -> Money:
    """Return what could be billed now for approved time and expenses, beyond the advance."""
    last = LAST_DAY
    drafts = time_billed(state, budget, month_of(last), last)
    return Money.total(
        (one.amount for one in drafts if isinstance(one, InvoiceDrafted)), state.money
    )


def _unbilled(state: Engagement, budget: Budget) -> Iterable[Missing]:
    """Yield what is not billed: entries of the schedule, time, the rest of an advance."""
    for item in budget.schedule:
        rest = item.amount - billed_on(state, item.item)
        if item.kind != "time" and rest.amount > 0 and state.terminated_on is None:
            yield Missing("billing-item-unbilled", f"{rest} of {item.item} never fell due")
    waits = billable_now(state, budget)
    if waits.amount > 0:
        yield Missing("time-unbilled", f"approved time over {waits} is not billed")
    advance = advance_left(state)
    unused = advance - least(unbilled_worth(state, budget), advance)
    if unused.amount > 0 and state.terminated_on is None:
        yield Missing("advance-unused", f"{unused} of the advance is unused: credit it")
