"""Settling: the account is square when all that was due is invoiced, and all invoices are paid.

A change order opens it again, and so does an invoice that goes out later, or work approved later
that can still be billed: then it is settled anew.
"""

from collections.abc import Iterable
from datetime import date

from chassis.domain.decider import Command, Context, Missing, Refused, gate
from contracts.event import Event
from contracts.finance import AccountReopened, AccountSettled, InvoiceDrafted
from contracts.money import Money
from contracts.values import LAST_DAY, Day
from finance.billing import billed_on
from finance.invoicing import lapsed
from finance.months import month_of
from finance.state import Budget, Engagement, decide, least, require_past
from finance.time_billing import advance_left, time_billed, unbilled_worth


class SettleAccount(Command):
    """Settle the account, today unless a day is named: nothing is owed by or to the customer.

    The gate says what is open. Entries of the schedule that bill time need not be used up, and time
    that an advance covers is paid by it; what time leaves of an advance is credited. After a
    termination, what never fell due is not billed any more, and what is left of an advance is kept
    as revenue unless it was credited before.

    Where billable work was approved since that cannot be billed any more, it is said again, of the
    same day unless another is named: so Delivery knows that this work, too, was thought of.
    """

    settled_on: Day | None = None


@decide.on(SettleAccount)
def settle_account(state: Engagement, command: SettleAccount, context: Context) -> Iterable[Event]:
    """Only once nothing is open, and not before the day on which that came about."""
    if state.settled_on is not None and state.settled_knowing == state.billable_works:
        if command.settled_on in {None, state.settled_on}:
            return
        raise Refused("account-settled", f"the account was settled on {state.settled_on}")
    settled_on = command.settled_on or state.settled_on or context.today
    require_past(settled_on, context.today, "the account was settled")
    gate("not-settled", open_points(state))
    last = max(_movements(state), default=settled_on)
    if settled_on < last:
        raise Refused(
            "settled-before-last-movement",
            f"the account cannot have been settled on {settled_on}: it last moved on {last}",
        )
    yield AccountSettled(billed=billed(state), paid=paid(state), settled_on=settled_on)


def reopened(state: Engagement, context: Context) -> Iterable[Event]:
    """What keeps an account from being settled opens it again, where work was approved later."""
    if state.settled_on is None or state.budget is None:
        return
    waits = billable_now(state, state.budget)
    if waits.amount > 0:
        yield AccountReopened(settled_on=state.settled_on, unbilled=waits)


def open_points(state: Engagement) -> Iterable[Missing]:
    """All that keeps the account open."""
    if state.budget is None:
        if state.terminated_on is None or state.currency is None:
            yield Missing("no-budget", "no contract is signed and budgeted", "legal")
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
                "draft-open", f"{invoice.invoice} over {invoice.amount} is due and not issued"
            )
        owed = invoice.outstanding
        if owed.amount > 0:
            yield Missing(
                "invoice-unpaid", f"{owed} is outstanding on {invoice.number}, due {invoice.due_on}"
            )
        if owed.amount < 0:
            yield Missing("refund-owed", f"the customer gets {-owed} back on {invoice.number}")
    beyond = billed(state) - state.budget.price
    if beyond.amount > 0:
        yield Missing("billed-beyond-price", f"{beyond} was billed beyond the price: credit it")


def billed(state: Engagement) -> Money:
    """Invoices that went out, less voided ones and credit notes."""
    return Money.total((one.amount - one.credited for one in state.issued()), state.money)


def paid(state: Engagement) -> Money:
    """Payments less refunds."""
    return Money.total((one.paid for one in state.issued()), state.money)


def outstanding(state: Engagement) -> Money:
    """What the customer owes on invoices that went out."""
    return Money.total((one.outstanding for one in state.issued()), state.money)


def _movements(state: Engagement) -> Iterable[date]:
    """The days on which something was invoiced, credited, paid or refunded."""
    for invoice in state.issued():
        yield from (one.on for one in (*invoice.credits, *invoice.payments, *invoice.refunds))
        if invoice.issue_on is not None:
            yield invoice.issue_on


def billable_now(state: Engagement, budget: Budget) -> Money:
    """What approved time and expenses could be billed at this moment, beyond what is paid ahead."""
    last = LAST_DAY
    drafts = time_billed(state, budget, month_of(last), last)
    return Money.total(
        (one.amount for one in drafts if isinstance(one, InvoiceDrafted)), state.money
    )


def _unbilled(state: Engagement, budget: Budget) -> Iterable[Missing]:
    """What the schedule still holds, as far as it can be billed, and what an advance has left."""
    for item in budget.schedule:
        rest = item.amount - billed_on(state, item.item)
        if item.kind != "time" and rest.amount > 0 and state.terminated_on is None:
            yield Missing("entry-unbilled", f"{item.item} has {rest} that never fell due")
    waits = billable_now(state, budget)
    if waits.amount > 0:
        yield Missing("time-unbilled", f"approved time over {waits} is not billed")
    advance = advance_left(state)
    unused = advance - least(unbilled_worth(state, budget), advance)
    if unused.amount > 0 and state.terminated_on is None:
        yield Missing("advance-unused", f"{unused} of the advance was never used: credit it")
