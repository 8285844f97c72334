"""Compute billing events and drafts for entries of the billing schedule."""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from chassis.domain.ids import derived, derived_id
from contracts.finance import (
    BillingEventDue,
    InvoiceDrafted,
    InvoiceLine,
    InvoiceLineContent,
)
from contracts.money import Money
from finance.budgeting.state import Entry
from finance.calendar_months import first_of_month, month_of, months_between
from finance.engagement import Engagement


def event_of(state: Engagement, entry: Entry, due_on: date) -> BillingEventDue | None:
    """Return a billing event for what is left of an entry; None where nothing is."""
    rest = entry.amount - state.billing.due_on_item(entry.item.item, state.money)
    return _event(state, entry, derived_id("due", entry.item.item), rest, due_on)


def _event(
    state: Engagement, entry: Entry, name: str, amount: Money, due_on: date
) -> BillingEventDue | None:
    """Return a billing event; None where its amount is not positive.

    Its id is distinct from the entry's earlier events: after an exception ends, what it leaves
    falls due beside them.
    """
    if amount.amount <= 0:
        return None
    while name in state.billing.events:
        name = derived_id(name, "rest")
    return BillingEventDue(
        billing_event=name,
        line=entry.line.line,
        item=entry.item.item,
        kind=entry.item.kind,
        amount=amount,
        due_on=due_on,
        deliverables=entry.item.deliverables,
    )


def charged(state: Engagement, entry: Entry) -> Money:
    """Return what invoices and drafts charge for an entry, before discounts."""
    return state.billing.charged_on_line(entry.item.item, entry.line.line, state.money)


def discounts_on(state: Engagement, entry: Entry, charge: Money) -> tuple[InvoiceLineContent, ...]:
    """Return the discount lines of an invoice that charges an amount of an entry.

    A discount is given in proportion to what is charged of the entry, and whole with its end.
    """
    whole = entry.item.amount.amount
    part = min((charged(state, entry) + charge).amount / whole, Decimal(1))
    lines = []
    for line, discount in entry.discounts.items():
        given = state.billing.charged_on_line(entry.item.item, line, state.money)
        amount = Money.nearest(discount.amount * part, state.money, state.rounding) - given
        if amount.amount:
            text = f"Discount on {entry.item.description}"[:200]
            lines.append(InvoiceLineContent(description=text, line=line, amount=amount))
    return tuple(lines)


def scheduled_lines(
    state: Engagement, entry: Entry | None, billing_event: BillingEventDue
) -> tuple[InvoiceLineContent, ...]:
    """Return the lines of the invoice of an entry: the amount that is charged, less discounts.

    What remains of an entry that an amendment changed meanwhile is one line, after discounts.
    """
    line = billing_event.line
    if entry is None:
        text = billing_event.item
        return (InvoiceLineContent(description=text, line=line, amount=billing_event.amount),)
    text, charge = entry.item.description, entry.item.amount - charged(state, entry)
    if entry.item.kind == "period":
        following = _next_charge(state, entry)
        if following is not None and following[0] == billing_event.due_on:
            charge = following[1]
        else:
            charge = charge_to(state, entry, billing_event.due_on)
    lines = (
        InvoiceLineContent(description=text, line=line, amount=charge),
        *discounts_on(state, entry, charge),
    )
    if Money.total((each.amount for each in lines), state.money) == billing_event.amount:
        return lines
    return (InvoiceLineContent(description=text, line=line, amount=billing_event.amount),)


def charge_to(state: Engagement, entry: Entry, day: date) -> Money:
    """Return what a retainer charges for its months to that of a day, less what was charged.

    The last month charges all that is left of the entry.
    """
    retainer, whole = entry.line.retainer, entry.item.amount
    if retainer is None:
        return whole - charged(state, entry)
    months = months_between(retainer.starts_on, day) + 1
    fees = whole if months >= retainer.periods else min(whole, retainer.fee * months)
    return fees - charged(state, entry)


def period_due(state: Engagement, entry: Entry) -> BillingEventDue | None:
    """Return the billing event of the first month of a retainer that is not charged, or None."""
    following = _next_charge(state, entry)
    if following is None:
        return None
    first, charge = following
    discounts = discounts_on(state, entry, charge)
    amount = Money.total((each.amount for each in discounts), state.money) + charge
    return _event(state, entry, derived_id("due", entry.item.item, month_of(first)), amount, first)


def _next_charge(state: Engagement, entry: Entry) -> tuple[date, Money] | None:
    """Return the first day of the next month that a retainer charges, and the charge.

    A month whose invoice was cancelled is charged again as itself, since an invoice states the
    month of the supply (Directive 2006/112/EC, article 226, point 7).
    """
    retainer = entry.line.retainer
    if retainer is None or entry.item.amount <= charged(state, entry):
        return None
    cancelled = _cancelled_by_month(state, entry)
    for nth in range(retainer.periods):
        first = first_of_month(retainer.starts_on, nth)
        charge = charge_to(state, entry, first)
        if charge.amount > 0:
            again = min((month for month in cancelled if month <= first), default=None)
            return (again, min(cancelled[again], charge)) if again else (first, charge)
    return None


def _cancelled_by_month(state: Engagement, entry: Entry) -> Mapping[date, Money]:
    """Return what invoices of a retainer's months charged and no longer charge, by first day."""
    charges: dict[date, Money] = {}
    left: dict[date, Money] = {}
    billing, nothing = state.billing, Money.zero(state.money)
    for invoice in billing.invoices.values():
        due = billing.events.get(invoice.billing_event)  # removed with a rejected exception
        if due is None or due.item != entry.item.item or due.kind != "period":
            continue
        whole = Money.total(
            (each.whole for each in invoice.lines if each.line == due.line), state.money
        )
        charges[due.due_on] = max(whole, charges.get(due.due_on, nothing))
        left[due.due_on] = left.get(due.due_on, nothing) + invoice.charge_of(due.line)
    return {day: charges[day] - left[day] for day in charges if charges[day] > left[day]}


def too_much_due(state: Engagement, item: str) -> bool:
    """Return whether more fell due on an entry than it contains since an amendment reduced it."""
    entry = state.budget.entry(item) if state.budget else None
    if entry is not None and entry.unlimited:
        return False
    amount = entry.amount if entry else Money.zero(state.money)
    return amount < state.billing.due_on_item(item, state.money)


def lapsed(state: Engagement, billing_event: BillingEventDue) -> bool:
    """Return whether the engagement was terminated before the date that makes this due."""
    ended = state.contract.terminated_on
    dated = billing_event.kind in {"on-date", "period"}
    return ended is not None and dated and ended < billing_event.due_on


def draft(
    billing_event: BillingEventDue,
    lines: Iterable[InvoiceLineContent],
    drawn: Money,
    invoices: Container[str],
) -> InvoiceDrafted:
    """Return a draft of a billing event's invoice: its lines less the advance that it draws down.

    `invoices` are the ids in use. A second draft of ``due-x`` and the first one of ``due-x-2``
    would otherwise have the same id.
    """
    name = billing_event.billing_event
    invoice = unused(derived_id("invoice", name.removeprefix("due-")), invoices)
    named = tuple(with_ids(invoice, lines))
    return InvoiceDrafted(
        invoice=invoice,
        billing_event=name,
        kind=billing_event.kind,
        lines=named,
        amount=Money.total((each.amount for each in named), drawn.currency) - drawn,
        advance_drawn=drawn,
    )


def with_ids(invoice: str, lines: Iterable[InvoiceLineContent]) -> Iterator[InvoiceLine]:
    """Yield the lines of a new draft with ids, which they keep when the draft is edited.

    An id follows from the invoice and from what the line bills. Lines of an exception that bill the
    same are told apart by a number.
    """
    taken = set[str]()
    for each in lines:
        billed = (invoice, each.line, each.role, each.rate, each.expense)
        name = unused(f"line-{derived('/'.join(map(str, billed)), 10)}", taken)
        taken.add(name)
        content = {field: getattr(each, field) for field in InvoiceLineContent.model_fields}
        yield InvoiceLine(**content, invoice_line=name)


def unused(name: str, taken: Container[str]) -> str:
    """Return the id, with the first number from 2 that makes it distinct where it is taken."""
    nth, free = 1, name
    while free in taken:
        nth += 1
        free = derived_id(name, str(nth))
    return free
