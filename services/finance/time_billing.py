"""Bill approved time at contracted rates, and expenses, up to the contract's cap.

Gate 5 (``amount-not-billable``): only approved time, at the contracted rate, up to the cap. Time
is billed by the accountant's command ``bill-time`` and not by a deadline at the end of the month,
since imported history arrives late and a month would be billed before its hours are approved. On a
contract by time and materials, what was billed on signature or on a date is an advance: time billed
later draws it down, and nothing is invoiced while it covers everything. Entries of a fixed price
are billed without such a deduction.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from chassis.domain.commands import Command, Missing, gate
from chassis.domain.context import Context
from chassis.domain.ids import derived_id
from contracts.event import Event
from contracts.finance import BillingEventDue, InvoiceDrafted, InvoiceLine
from contracts.money import Money, Rate
from contracts.values import BillingItem, Month, RoleRate
from finance.billing import billed_on, draft
from finance.calendar_months import end_of, require_begun
from finance.state import (
    Budget,
    Engagement,
    Work,
    decide,
    least,
    rates_of,
    require_budget,
    require_open_account,
)

_ADVANCES = ("on-signature", "on-date")
_HUNDREDTH = Decimal("0.01")


class BillTime(Command):
    """Bill approved, unbilled time and expenses up to the end of a month that has begun.

    A week belongs to the month of its Monday. Time approved later is billed with the next month.
    """

    month: Month


@decide.on(BillTime)
def bill_time(state: Engagement, command: BillTime, context: Context) -> Iterable[Event]:
    """Record the billing events and drafts of a month's approved time, if gate 5 is open.

    Raises Refused where there is no budget, the account is settled, the month has not begun, or
    nothing can be billed.
    """
    budget = require_budget(state)
    require_open_account(state)
    require_begun(command.month, context.today)
    until = end_of(command.month)
    gate("amount-not-billable", _not_billable(state, budget, until))
    events = tuple(time_billed(state, budget, command.month, context.today))
    if not events:
        gate("amount-not-billable", [_nothing_to_bill(state, budget)])
    yield from events


def advance_left(state: Engagement) -> Money:
    """Return what was invoiced in advance of time, not credited, and not drawn down yet."""
    nothing = Money.zero(state.money)
    if state.contract is None or state.contract.pricing != "time-and-materials":
        return nothing
    paid_ahead = Money.total(
        (one.amount - one.credited for one in state.issued() if one.kind in _ADVANCES),
        state.money,
    )
    drawn = Money.total((one.advance_drawn for one in state.live()), state.money)
    return paid_ahead - least(paid_ahead, drawn)


def worth(works: Iterable[Work], rates: Iterable[RoleRate], currency: str) -> Decimal | None:
    """Return the value of billable time at contracted rates and of billable expenses, not rounded.

    None where a role has no contracted rate. Expenses in another currency count as zero.
    """
    known, total = rates_of(rates), Decimal(0)
    for work in works:
        if not work.billable:
            continue
        if work.role is None:
            total += _expense(work, currency).amount
        elif work.role in known:
            total += known[work.role].amount * work.hours
        else:
            return None
    return total


def unbilled_hours(state: Engagement, until: date) -> dict[str, Decimal]:
    """Return approved billable hours by role, dated up to a day, that no invoice bills yet."""
    hours: dict[str, Decimal] = {}
    for work in state.work.values():
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
            _expense(work, state.money)
            for work in state.work.values()
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
    rates = rates_of(budget.rates)
    hours = unbilled_hours(state, date.max)
    worths = (rates[role].amount * waiting for role, waiting in hours.items() if role in rates)
    time = Money.nearest(sum(worths, Decimal(0)), state.money)
    return time + unbilled_expenses(state, date.max)


def time_billed(
    state: Engagement, budget: Budget, month: Month, today: date
) -> Iterable[BillingEventDue | InvoiceDrafted]:
    """Yield a billing event and a draft for each entry that bills some of the unbilled work."""
    rates, advance = rates_of(budget.rates), advance_left(state)
    waiting = unbilled_hours(state, end_of(month)).items()
    hours = {role: left for role, left in waiting if role in rates}
    expenses = unbilled_expenses(state, end_of(month))
    for item in time_items(budget):
        remaining = item.amount - billed_on(state, item.item) + advance
        lines = _lines(hours, expenses, rates, remaining, month)
        gross = Money.total((line.amount for line in lines), state.money)
        drawn = least(advance, gross)
        if gross.amount <= 0 or gross <= drawn:
            continue
        billing_event = BillingEventDue(
            billing_event=_unused(state, derived_id("due", item.item, month)),
            item=item.item,
            kind="time",
            amount=gross - drawn,
            due_on=min(end_of(month), today),
        )
        yield billing_event
        yield draft(billing_event, lines, drawn)
        advance = advance - drawn
        for line in lines:
            if line.role is None:
                expenses = expenses - line.amount
            else:
                hours[line.role] -= line.hours or Decimal(0)


def time_items(budget: Budget) -> tuple[BillingItem, ...]:
    """Return the entries of the schedule that bill time."""
    return tuple(item for item in budget.schedule if item.kind == "time")


def _time_lines(state: Engagement) -> Iterable[InvoiceLine]:
    return (line for one in state.live() if one.kind == "time" for line in one.lines)


def _expense(work: Work, currency: str) -> Money:
    known = work.amount is not None and work.amount.currency == currency
    return work.amount if known and work.amount else Money.zero(currency)


def _not_billable(state: Engagement, budget: Budget, until: date) -> Iterable[Missing]:
    hours, rates = unbilled_hours(state, until), rates_of(budget.rates)
    if not time_items(budget):
        yield Missing("time-item-missing", "the billing schedule has no entry that bills time")
        return
    if not hours and unbilled_expenses(state, until).amount == 0:
        yield Missing(
            "work-not-approved",
            f"no approved time or expense up to {until} waits to be billed",
            "delivery",
        )
    for role in hours:
        if role not in rates:
            yield Missing("rate-not-contracted", f"the contract has no rate for {role}", "legal")


def _nothing_to_bill(state: Engagement, budget: Budget) -> Missing:
    left = advance_left(state)
    if left.amount > 0:
        return Missing(
            "work-covered-by-advance",
            f"the advance, of which {left} is left, covers all unbilled work",
        )
    cap = Money.total((item.amount for item in time_items(budget)), state.money)
    return Missing(
        "cap-spent", f"the contract's cap of {cap} for time leaves nothing to bill", "legal"
    )


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
        fitting = (remaining.amount / rates[role].amount).quantize(_HUNDREDTH, ROUND_FLOOR)
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
        amount = least(expenses, remaining)
        lines.append(InvoiceLine(description=f"Expenses to {month}", amount=amount))
    return tuple(lines)


def _unused(state: Engagement, billing_event: str) -> str:
    """Return the id, with the next free number where it was used before."""
    nth, name = 1, billing_event
    taken = {*state.billing_events, *(one.billing_event for one in state.invoices.values())}
    while name in taken:
        nth += 1
        name = derived_id(billing_event, str(nth))
    return name
