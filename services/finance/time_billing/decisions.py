"""Bill approved time at contracted rates, and expenses, line by line, up to the cap of the line.

Gate 5 (``amount-not-billable``): only approved time, at the contracted rate of its day, up to the
cap. Work that belongs to no line, or has no rate, blocks nothing else. Time is billed by the
accountant's command ``bill-time`` and not by a deadline at the end of the month, since imported
history arrives late and a month would be billed before its hours are approved.
"""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.work_items import WorkItem
from contracts.event import Event
from contracts.money import Money
from contracts.values import Hours, Month
from finance.budgeting.state import Budget
from finance.calendar_months import end_of, require_begun
from finance.details import items_of_reader, missing_of_reader, sees_details
from finance.engagement import Engagement
from finance.exchange_rates.missing import missing_rate
from finance.policies import require_budget, require_open_account
from finance.roles import ACCOUNTING
from finance.time_billing import work_items
from finance.time_billing.assignment import missing_line
from finance.time_billing.reversals import corrected, missing_credit, to_credit
from finance.time_billing.unbilled import (
    advance_left,
    beyond_cap,
    billable,
    time_billed,
    time_entries,
    unassigned,
    worth_of_free,
)

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class BillTime(Command):
    """Bill approved, unbilled time and expenses up to the end of a month that has begun.

    Time and expenses belong to the month of their day. What is approved later is billed with the
    next month.
    """

    month: Month


@capability.decide(BillTime, by=ACCOUNTING)
def bill_time(state: Engagement, command: BillTime, context: Context) -> Iterable[Event]:
    """Record the billing events and drafts of a month's approved time, if gate 5 is open.

    Raises Refused where there is no budget, the account is settled, the month has not begun, or
    nothing can be billed.
    """
    budget = require_budget(state)
    require_open_account(state)
    require_begun(command.month, context.today)
    until = end_of(command.month)
    events = tuple(
        event
        for line in budget.hourly_lines
        for event in time_billed(state, budget, line, command.month, context.today)
    )
    if not events:
        gate("amount-not-billable", _not_billable(state, budget, until))
    yield from events


def _not_billable(state: Engagement, budget: Budget, until: date) -> Iterable[Missing]:
    """Yield why nothing can be billed: no entry, no approved work, no rate, advances and caps."""
    lines = [line for line in budget.hourly_lines if time_entries(budget, line)]
    if not lines:
        yield Missing("time-item-missing", "the billing schedule has no entry that bills time")
        return
    waiting = [line for line in lines if billable(state, line.line, until)]
    open_work = [each for each in unassigned(state) if each.on <= until]
    unknown = [
        (each, amount)
        for each, amount in state.work.unconverted(state.money)
        if each.billable and each.on <= until
    ]
    if not waiting and not open_work and not unknown:
        yield Missing(
            "work-not-approved",
            f"no approved time or expense up to {until} waits to be billed",
            "delivery",
        )
    yield from map(missing_line, open_work)
    for each, amount in unknown:
        yield missing_rate(each.entry, amount, state.money, each.on)
    for line in waiting:
        left = advance_left(state, line.line)
        if left.amount > 0:
            yield Missing(
                "work-covered-by-advance",
                f"the advance of line {line.line}, of which {left} is left, covers its work",
            )
        else:
            yield Missing(
                "cap-spent",
                f"the cap of {line.price} of line {line.line} leaves nothing to bill",
                "legal",
            )


@capability.react
def reversals(state: Engagement, context: Context) -> Iterable[Event]:
    """Edit or withdraw drafts with reversed work, and name the invoices that bill it."""
    yield from corrected(state)


class LineWorkView(ViewModel):
    """Approved work on a line by time and materials or at cost that is not billed.

    `beyond_cap` is the part of `unbilled` that exceeds the cap of the line. What is held or written
    down is not a part of `unbilled`.
    """

    line: str
    unbilled: Money
    beyond_cap: Money
    advance_left: Money


class UnassignedView(ViewModel):
    """Approved billable work that belongs to no line, or whose line has no rate for it."""

    entry: str
    role: str | None
    hours: Hours
    amount: Money | None
    reason: Missing


class ToCreditView(ViewModel):
    """Invoice that bills work whose approval was reversed, until it is credited or voided."""

    invoice: str
    number: str | None
    works: list[str]
    amount: Money
    reason: Missing


class TimeBillingFields(ViewModel):
    """Unbilled, unassigned, and billed but reversed work in the view of an engagement.

    `unassigned`, and the `works` to credit, are empty for readers who may not see the time and
    expenses of people.
    """

    unbilled: list[LineWorkView]
    unassigned: list[UnassignedView]
    to_credit: list[ToCreditView]


@capability.view
def time_billing_view(state: Engagement) -> TimeBillingFields:
    """Return unbilled and unassigned work for the view of an engagement."""
    budget = state.budget
    if budget is None:
        return TimeBillingFields(unbilled=[], unassigned=[], to_credit=[])
    return TimeBillingFields(
        unbilled=[
            LineWorkView(
                line=line.line,
                unbilled=worth_of_free(state, billable(state, line.line)),
                beyond_cap=beyond_cap(state, budget, line),
                advance_left=advance_left(state, line.line),
            )
            for line in budget.hourly_lines
        ],
        unassigned=[
            UnassignedView(
                entry=each.entry,
                role=each.role,
                hours=each.hours,
                amount=each.amount,
                reason=missing_line(each),
            )
            for each in unassigned(state)
        ],
        to_credit=[
            ToCreditView(
                invoice=invoice.invoice,
                number=invoice.number,
                works=[each.entry for each in works],
                amount=amount,
                reason=missing_credit(invoice, works, amount),
            )
            for invoice, works, amount in to_credit(state)
        ],
    )


@capability.narrow("unassigned")
def unassigned_of_reader(
    works: list[UnassignedView], state: Engagement, context: Context
) -> list[UnassignedView]:
    """Return the works to those who may see the time and expenses of people."""
    return works if sees_details(context) else []


@capability.narrow("to_credit")
def to_credit_of_reader(
    invoices: list[ToCreditView], state: Engagement, context: Context
) -> list[ToCreditView]:
    """Return the invoices to credit, without the works that were reversed."""
    if sees_details(context):
        return invoices
    return [
        each.model_copy(
            update={"works": [], "reason": missing_of_reader([each.reason], context)[0]}
        )
        for each in invoices
    ]


@capability.narrow("work")
def work_of_reader(
    items: tuple[WorkItem, ...], state: Engagement, context: Context
) -> tuple[WorkItem, ...]:
    """Return the work items without naming single works."""
    return items_of_reader(items, work_items.NAMING_WORKS, context)
