"""Compute the value of approved time and expenses, and what of it is not billed yet.

On a contract by time and materials, what was billed on signature or on a date is an advance: time
billed later draws it down, and nothing is invoiced while it covers everything. Entries of a fixed
price are billed without such a deduction.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from chassis.domain.ids import derived_id
from contracts.finance import BillingEventDue, InvoiceDrafted, InvoiceLine
from contracts.money import Money, Rate
from contracts.values import Month
from finance.billing.schedule import draft, unused
from finance.budgeting.state import Budget
from finance.calendar_months import end_of
from finance.engagement import Engagement
from finance.work.state import Work

ADVANCES = ("on-signature", "on-date")
"""Kinds of entries that are advances on a contract by time and materials."""


def advance_left(state: Engagement) -> Money:
    """Return what was invoiced in advance of time, not credited, and not drawn down yet."""
    nothing = Money.zero(state.money)
    if not state.contract.hourly:
        return nothing
    paid_ahead = Money.total(
        (each.amount - each.credited for each in state.billing.issued if each.kind in ADVANCES),
        state.money,
    )
    drawn = Money.total((each.advance_drawn for each in state.billing.live), state.money)
    return paid_ahead - min(paid_ahead, drawn)


def worth(works: Iterable[Work], rates: Mapping[str, Rate], currency: str) -> Decimal | None:
    """Return the value of billable time at contracted rates and of billable expenses, not rounded.

    None where a role has no contracted rate. Expenses in another currency count as zero.
    """
    total = Decimal(0)
    for work in works:
        if not work.billable:
            continue
        if work.role is None:
            total += (work.expense_in(currency) or Money.zero(currency)).amount
        elif work.role in rates:
            total += rates[work.role].amount * work.hours
        else:
            return None
    return total


def unbilled_hours(state: Engagement, until: date) -> dict[str, Decimal]:
    """Return approved billable hours by role, dated up to a day, that no invoice bills yet."""
    hours: dict[str, Decimal] = {}
    for work in state.work.entries:
        if work.billable and work.role is not None and work.on <= until:
            hours[work.role] = hours.get(work.role, Decimal(0)) + work.hours
    for line in _time_lines(state):
        if line.role is not None and line.role in hours:
            hours[line.role] -= line.hours or Decimal(0)
    return {role: left for role, left in hours.items() if left > 0}


def unbilled_expenses(state: Engagement, until: date) -> Money:
    """Return approved billable expenses, dated up to a day, that no invoice bills yet."""
    nothing = Money.zero(state.money)
    approved = Money.total(
        (
            work.expense_in(state.money) or nothing
            for work in state.work.entries
            if work.billable and work.role is None and work.on <= until
        ),
        state.money,
    )
    billed = Money.total(
        (one.amount for one in _time_lines(state) if one.role is None), state.money
    )
    return approved - billed if billed < approved else nothing


def unbilled_worth(state: Engagement, budget: Budget) -> Money:
    """Return the value of all unbilled time and expenses; roles without a rate are left out."""
    rates = budget.rate_by_role
    hours = unbilled_hours(state, date.max)
    worths = (rates[role].amount * waiting for role, waiting in hours.items() if role in rates)
    time = Money.nearest(sum(worths, Decimal(0)), state.money)
    return time + unbilled_expenses(state, date.max)


def time_billed(
    state: Engagement, budget: Budget, month: Month, today: date
) -> Iterable[BillingEventDue | InvoiceDrafted]:
    """Yield a billing event and a draft for each entry that bills some of the unbilled work."""
    rates, advance, invoices = budget.rate_by_role, advance_left(state), state.billing.invoices
    billed = {*state.billing.events, *(each.billing_event for each in invoices.values())}
    waiting = unbilled_hours(state, end_of(month)).items()
    hours = {role: left for role, left in waiting if role in rates}
    expenses = unbilled_expenses(state, end_of(month))
    for item in budget.time_items:
        remaining = item.amount - state.billing.due_on_item(item.item, state.money) + advance
        lines = _lines(hours, expenses, rates, remaining, month)
        gross = Money.total((line.amount for line in lines), state.money)
        drawn = min(advance, gross)
        if gross.amount <= 0 or gross <= drawn:
            continue
        billing_event = BillingEventDue(
            billing_event=unused(derived_id("due", item.item, month), billed),
            item=item.item,
            kind="time",
            amount=gross - drawn,
            due_on=min(end_of(month), today),
        )
        yield billing_event
        yield draft(billing_event, lines, drawn, invoices)
        advance = advance - drawn
        for line in lines:
            if line.role is None:
                expenses = expenses - line.amount
            else:
                hours[line.role] -= line.hours or Decimal(0)


def _time_lines(state: Engagement) -> Iterable[InvoiceLine]:
    return (line for one in state.billing.live if one.kind == "time" for line in one.lines)


def _lines(
    hours: Mapping[str, Decimal],
    expenses: Money,
    rates: Mapping[str, Rate],
    remaining: Money,
    month: Month,
) -> tuple[InvoiceLine, ...]:
    """Return invoice lines for hours by role, then expenses, up to the amount `remaining`."""
    lines: list[InvoiceLine] = []
    for role, waiting in hours.items():
        fitting = (remaining.amount / rates[role].amount).quantize(Decimal("0.01"), ROUND_FLOOR)
        taken = min(waiting, fitting)
        amount = rates[role] * taken
        if amount.amount <= 0 or remaining < amount:
            continue
        lines.append(
            InvoiceLine(
                description=f"{role}, approved time to {month}",
                amount=amount,
                role=role,
                hours=taken,
                rate=rates[role],
            )
        )
        remaining = remaining - amount
    if expenses.amount > 0 and remaining.amount > 0:
        amount = min(expenses, remaining)
        lines.append(InvoiceLine(description=f"Expenses to {month}", amount=amount))
    return tuple(lines)
