"""Bill the entries of the billing schedule when they fall due, and draft their invoices.

An entry falls due without a command: on signature with the budget, on acceptance with the last of
its deliverables, on its date by a deadline. Entries that bill time are in `time_billing`. Every
draft needs a controller's approval. Only a controller's recorded exception bills what the schedule
does not make due, or at another rate.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import Field, field_validator

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.ids import derived_id
from contracts.event import Event
from contracts.finance import BillingEventDue, DraftWithdrawn, InvoiceDrafted, InvoiceLine
from contracts.money import Money
from contracts.values import BillingItem, Identifier, ShortText
from finance.state import (
    BillingEvent,
    Budget,
    Engagement,
    decide,
    require_budget,
    require_open_account,
)


class BillOutsideSchedule(Command):
    """Bill an entry of the schedule before it is due, or time at other than contracted rates.

    The exception is recorded with its reason. It can bill at most what is left of the entry, and
    the entry's own terms apply to the rest.
    """

    item: Identifier
    lines: tuple[InvoiceLine, ...] = Field(min_length=1, max_length=100)
    reason: ShortText

    @field_validator("lines")
    @classmethod
    def _add_up(cls, lines: tuple[InvoiceLine, ...]) -> tuple[InvoiceLine, ...]:
        if len({line.amount.currency for line in lines}) > 1:
            raise ValueError("must be in one currency")
        if sum(line.amount.amount for line in lines) <= 0:
            raise ValueError("must add up to more than nothing")
        for line in lines:
            if line.hours is None or line.rate is None:
                continue
            if not line.rate.agrees(line.hours, line.amount):
                raise ValueError(f"amount must be hours x rate, {line.rate * line.hours}")
        return lines


@decide.on(BillOutsideSchedule)
def bill_outside_schedule(
    state: Engagement, command: BillOutsideSchedule, context: Context
) -> Iterable[Event]:
    """Record the exception to gate 5: a billing event with its reason, and a draft.

    Raises Refused where there is no budget or no such entry, the account is settled, the currency
    differs, or the entry has less left.
    """
    budget = require_budget(state)
    require_open_account(state)
    item = next((one for one in budget.schedule if one.item == command.item), None)
    if item is None:
        raise Refused("billing-item-unknown", f"the billing schedule has no entry {command.item}")
    currency = command.lines[0].amount.currency
    if currency != state.money:
        raise Refused("currency-differs", f"the engagement is in {state.money}, not in {currency}")
    amount = Money.total((line.amount for line in command.lines), currency)
    rest = item.amount - billed_on(state, item.item)
    if rest < amount:
        raise Refused(
            "amount-beyond-schedule", f"entry {item.item} has {rest} left to bill, not {amount}"
        )
    billing_event = BillingEventDue(
        billing_event=context.new_id("due"),
        item=item.item,
        kind=item.kind,
        amount=amount,
        due_on=context.today,
        deliverables=item.deliverables,
        exception=command.reason,
    )
    yield billing_event
    yield draft(billing_event, command.lines, Money.zero(currency))


def billing(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield billing events that fall due, and a draft for every billing event without an invoice.

    Drafts of an entry that an amendment reduced below what fell due are withdrawn; what is left of
    the entry then falls due again.
    """
    budget = state.budget
    if budget is None:
        return
    for item in budget.schedule:
        due_on = _due_on(state, budget, item)
        if due_on is not None:
            due = event_of(state, item, due_on)
            if due:
                yield due
    for billing_event in state.billing_events.values():
        invoice = next(
            (one for one in state.live() if one.billing_event == billing_event.billing_event), None
        )
        if invoice is None:
            yield _next_draft(state, budget, billing_event)
        elif invoice.stage == "drafted" and too_much_due(state, billing_event.item):
            yield DraftWithdrawn(
                invoice=invoice.invoice,
                billing_event=billing_event.billing_event,
                amount=invoice.amount,
            )


def event_of(state: Engagement, item: BillingItem, due_on: date) -> BillingEventDue | None:
    """Return a billing event for what is left of an entry; None where nothing is.

    Its id is distinct from the entry's earlier events: after an exception ends, what it leaves
    falls due beside them.
    """
    rest = item.amount - billed_on(state, item.item)
    if rest.amount <= 0:
        return None
    name = derived_id("due", item.item)
    while name in state.billing_events:
        name = derived_id(name, "rest")
    return BillingEventDue(
        billing_event=name,
        item=item.item,
        kind=item.kind,
        amount=rest,
        due_on=due_on,
        deliverables=item.deliverables,
    )


def billed_on(state: Engagement, item: str) -> Money:
    """Return what fell due on an entry of the schedule, invoiced or drafted."""
    return Money.total(
        (
            billing_event.amount
            for billing_event in state.billing_events.values()
            if billing_event.item == item
        ),
        state.money,
    )


def invoiced_on(state: Engagement, item: str) -> Money:
    """Return what is invoiced on an entry of the schedule, without unapproved drafts."""
    invoiced = (one for one in state.live() if one.stage != "drafted")
    return Money.total(
        (one.amount for one in invoiced if state.billing_events[one.billing_event].item == item),
        state.money,
    )


def credited_on(state: Engagement, item: str) -> Money:
    """Return what was credited on invoices of an entry of the schedule."""
    return Money.total(
        (
            one.credited
            for one in state.live()
            if state.billing_events[one.billing_event].item == item
        ),
        state.money,
    )


def too_much_due(state: Engagement, item: str) -> bool:
    """Return whether more fell due on an entry than it contains since an amendment reduced it."""
    schedule = state.budget.schedule if state.budget else ()
    amount = Money.total((one.amount for one in schedule if one.item == item), state.money)
    return amount < billed_on(state, item)


def in_scope(state: Engagement, day: date) -> tuple[str, ...]:
    """Return the deliverables signed by a day, of contract and amendments, without descoped ones.

    Amendments signed after that day do not count.
    """
    gone = _descoped(state, day)
    sold = [one.deliverable for one in (state.contract.deliverables if state.contract else ())]
    for amendment in state.amendments:
        if amendment.signed_on <= day:
            sold += [one.deliverable for one in amendment.deliverables_added]
    return tuple(one for one in dict.fromkeys(sold) if one not in gone)


def _descoped(state: Engagement, day: date = date.max) -> Mapping[str, date]:
    """Return the descoped deliverables with the day of the amendment that removed them.

    A deliverable that a later amendment added again is not descoped.
    """
    gone: dict[str, date] = {}
    for amendment in state.amendments:
        if day < amendment.signed_on:
            continue
        gone |= dict.fromkeys(amendment.deliverables_descoped, amendment.signed_on)
        for added in amendment.deliverables_added:
            gone.pop(added.deliverable, None)
    return gone


def _due_on(state: Engagement, budget: Budget, item: BillingItem) -> date | None:
    """Return the day an entry fell due; None while it is not, or if it is due on a date."""
    if item.kind == "on-signature":
        return budget.agreed_on(item.item)
    if item.kind != "on-acceptance" or not any(one in state.accepted for one in item.deliverables):
        return None
    done = {**_descoped(state), **state.accepted}
    if any(one not in done for one in item.deliverables):
        return None
    return max(done[one] for one in item.deliverables)


def draft(
    billing_event: BillingEventDue | BillingEvent,
    lines: tuple[InvoiceLine, ...],
    drawn: Money,
    nth: int = 1,
) -> InvoiceDrafted:
    """Return the nth draft of a billing event's invoice, less the advance that it draws down."""
    name = billing_event.billing_event
    again = [str(nth)] if nth > 1 else []
    return InvoiceDrafted(
        invoice=derived_id("invoice", name.removeprefix("due-"), *again),
        billing_event=name,
        kind=billing_event.kind,
        lines=lines,
        amount=billing_event.amount,
        advance_drawn=drawn,
    )


def _next_draft(state: Engagement, budget: Budget, billing_event: BillingEvent) -> InvoiceDrafted:
    """Return the first draft of a billing event, or a repeated one after its invoice was voided.

    The voided invoice's lines are repeated only if the amount due has not changed since.
    """
    before = [
        one for one in state.invoices.values() if one.billing_event == billing_event.billing_event
    ]
    if before and before[-1].amount == billing_event.amount:
        return draft(billing_event, before[-1].lines, before[-1].advance_drawn, len(before) + 1)
    item = next((one for one in budget.schedule if one.item == billing_event.item), None)
    description = item.description if item else billing_event.item
    line = InvoiceLine(description=description, amount=billing_event.amount)
    return draft(billing_event, (line,), Money.zero(billing_event.amount.currency), len(before) + 1)
