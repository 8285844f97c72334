"""Compute billing events and drafts for entries of the billing schedule."""

from collections.abc import Container
from datetime import date

from chassis.domain.ids import derived_id
from contracts.finance import BillingEventDue, InvoiceDrafted, InvoiceLine
from contracts.money import Money
from contracts.values import BillingItem
from finance.engagement import Engagement


def event_of(state: Engagement, item: BillingItem, due_on: date) -> BillingEventDue | None:
    """Return a billing event for what is left of an entry; None where nothing is.

    Its id is distinct from the entry's earlier events: after an exception ends, what it leaves
    falls due beside them.
    """
    rest = item.amount - state.billing.due_on_item(item.item, state.money)
    if rest.amount <= 0:
        return None
    name = derived_id("due", item.item)
    while name in state.billing.events:
        name = derived_id(name, "rest")
    return BillingEventDue(
        billing_event=name,
        item=item.item,
        kind=item.kind,
        amount=rest,
        due_on=due_on,
        deliverables=item.deliverables,
    )


def too_much_due(state: Engagement, item: str) -> bool:
    """Return whether more fell due on an entry than it contains since an amendment reduced it."""
    schedule = state.budget.schedule if state.budget else ()
    amount = Money.total((one.amount for one in schedule if one.item == item), state.money)
    return amount < state.billing.due_on_item(item, state.money)


def lapsed(state: Engagement, billing_event: BillingEventDue) -> bool:
    """Return whether the engagement was terminated before the date that makes this due."""
    ended = state.contract.terminated_on
    return ended is not None and billing_event.kind == "on-date" and ended < billing_event.due_on


def draft(
    billing_event: BillingEventDue,
    lines: tuple[InvoiceLine, ...],
    drawn: Money,
    invoices: Container[str],
) -> InvoiceDrafted:
    """Return a draft of a billing event's invoice, less the advance that it draws down.

    `invoices` are the ids in use. A second draft of ``due-x`` and the first one of ``due-x-2``
    would otherwise have the same id.
    """
    name = billing_event.billing_event
    return InvoiceDrafted(
        invoice=unused(derived_id("invoice", name.removeprefix("due-")), invoices),
        billing_event=name,
        kind=billing_event.kind,
        lines=lines,
        amount=billing_event.amount,
        advance_drawn=drawn,
    )


def unused(name: str, taken: Container[str]) -> str:
    """Return the id, with the first number from 2 that makes it distinct where it is taken."""
    nth, free = 1, name
    while free in taken:
        nth += 1
        free = derived_id(name, str(nth))
    return free
