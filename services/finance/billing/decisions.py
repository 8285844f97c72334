"""Bill the entries of the billing schedule when they fall due, and draft their invoices.

An entry falls due without a command: on signature with the budget, on acceptance with the last of
its deliverables, on its date or the first day of a retainer's month by a deadline. Discounts are
billed with the entries that they reduce. Entries that bill time are in `time_billing`. Every draft
needs a controller's approval. Only a controller's recorded exception bills what the schedule
does not make due, or at another rate.
"""

from collections.abc import Container, Iterable
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context
from chassis.domain.deadlines import Deadline, DeadlinePassed
from chassis.domain.ids import derived_id
from chassis.domain.rules import require_currency
from contracts.decimals import ROUNDING
from contracts.event import Event
from contracts.finance import (
    BillingEventDue,
    DraftWithdrawn,
    InvoiceDrafted,
    InvoiceLine,
    InvoiceLineContent,
    InvoiceLineTerms,
)
from contracts.lines import BillingItem
from contracts.money import Money, invalid
from contracts.values import Identifier, ShortText
from finance.billing.schedule import (
    draft,
    event_of,
    lapsed,
    period_due,
    scheduled_lines,
    too_much_due,
)
from finance.billing.state import Invoice
from finance.budgeting.state import Budget
from finance.engagement import Engagement
from finance.policies import require_budget, require_open_account
from finance.rate_cards.pricing import rate_card_on
from finance.roles import ACCOUNTING
from finance.time_billing.unbilled import days_of, with_works_of_exception

capability = Capability[Engagement](__name__)


def _priced(line: InvoiceLineTerms) -> InvoiceLineTerms:
    """Refuse a line of time without role, hours or rate, or of another amount than they give."""
    if line.role is None and line.hours is None and line.rate is None:
        return line
    if line.role is None:
        raise invalid("role", "is required where hours or rate is given", None)
    if line.hours is None:
        raise invalid("hours", "is required where role or rate is given", None)
    if line.rate is None:
        raise invalid("rate", "is required where role or hours is given", None)
    if not line.rate.agrees(line.hours, line.amount):
        expected = line.rate.for_hours(line.hours, ROUNDING)
        raise invalid("amount", f"must be hours x rate, {expected}", str(line.amount))
    return line


class BillOutsideSchedule(Command):
    """Bill an entry of the schedule before it is due, or time at other than contracted rates.

    The exception is recorded with its reason, and another person has to approve its draft. Its
    lines belong to the line of the entry, or to a discount that reduces the entry. It can bill at
    most what is left of the entry, and the entry's own terms apply to the rest. A line of time has
    role, hours and rate, and their amount. The rate may be any; the role is one of the contract
    line or of the rate card. The same again changes nothing until the invoice is issued; to bill
    the same once more, give another reason.
    """

    item: Identifier
    lines: Annotated[
        tuple[Annotated[InvoiceLineTerms, AfterValidator(_priced)], ...],
        Field(min_length=1, max_length=100),
    ]
    reason: ShortText

    @field_validator("lines")
    @classmethod
    def _add_up(cls, lines: tuple[InvoiceLineTerms, ...]) -> tuple[InvoiceLineTerms, ...]:
        if len({line.amount.currency for line in lines}) > 1:
            raise ValueError("must be in one currency")
        if sum(line.amount.amount for line in lines) <= 0:
            raise ValueError("must add up to more than nothing")
        return lines


@capability.decide(BillOutsideSchedule, by=ACCOUNTING)
def bill_outside_schedule(
    state: Engagement, command: BillOutsideSchedule, context: Context
) -> Iterable[Event]:
    """Record the exception to gate 5: a billing event with its reason, and a draft.

    An equal exception changes nothing while its draft waits. Raises Refused where there is no
    budget or no such entry, the account is settled, the currency or the contract line differs, a
    role is unknown, an equal exception was issued, or the entry has less left.
    """
    budget = require_budget(state)
    require_open_account(state)
    entry = budget.entry(command.item)
    if entry is None:
        raise Refused("billing-item-unknown", f"the billing schedule has no entry {command.item}")
    if _waits(state, command):
        return
    item = entry.item
    other = {each.line for each in command.lines} - {entry.line.line, *entry.discounts}
    if other:
        raise Refused(
            "line-unknown", f"entry {item.item} does not belong to {', '.join(sorted(other))}"
        )
    require_currency(state.money, lines=command.lines[0].amount)
    _require_known_roles(state, budget, command, context)
    amount = Money.total((line.amount for line in command.lines), state.money)
    rest = entry.amount - state.billing.due_on_item(item.item, state.money)
    if rest < amount and not entry.unlimited:
        raise Refused(
            "amount-beyond-schedule", f"entry {item.item} has {rest} left to bill, not {amount}"
        )
    billing_event = BillingEventDue(
        billing_event=context.new_id("due"),
        line=entry.line.line,
        item=item.item,
        kind=item.kind,
        amount=amount,
        due_on=context.today,
        deliverables=item.deliverables,
        exception=command.reason,
    )
    yield billing_event
    lines: Iterable[InvoiceLineContent] = (
        with_works_of_exception(state, command.lines)
        if item.kind == "time"
        else (InvoiceLineContent(**dict(each)) for each in command.lines)
    )
    yield draft(billing_event, lines, Money.zero(state.money), state.billing.invoices)


def _waits(state: Engagement, command: BillOutsideSchedule) -> bool:
    """Return whether an equal exception has a draft; raises Refused where it was issued."""
    asked = (command.item, command.reason, command.lines)
    for invoice in state.billing.of_item(command.item):
        due = state.billing.events[invoice.billing_event]
        lines = state.billing.exceptions.get(due.billing_event)
        if (due.item, due.exception, lines) != asked:
            continue
        if invoice.stage != "issued":
            return True
        sentence = (
            f"reason: invoice {invoice.number} bills the same for the same reason; give another"
            " reason to bill it once more"
        )
        raise refused_field("already-recorded", "reason", sentence)
    return False


def _require_known_roles(
    state: Engagement, budget: Budget, command: BillOutsideSchedule, context: Context
) -> None:
    """Refuse a role that neither the contract line nor the rate card of the account knows."""
    card = rate_card_on(context.reference_data, state.money, state.account, context.today)
    on_card = card.event.by_role.keys() if card else ()
    for place, terms in enumerate(command.lines):
        line = budget.line(terms.line)
        known = set(on_card)
        if line is not None:
            known |= {each.role for each in line.rates} | {each.role for each in line.hours}
        if terms.role is not None and terms.role not in known:
            raise Refused(
                "rate-not-contracted",
                f"lines[{place}].role: neither line {terms.line} nor the rate card has the role"
                f" {terms.role}, but {', '.join(sorted(known)) or 'none'}",
            )


@capability.react
def billing(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield billing events that fall due, and a draft for every billing event without an invoice.

    Drafts of an entry that an amendment reduced below what fell due are withdrawn; what is left of
    the entry then falls due again. So are drafts on an acceptance that was withdrawn; their entry
    falls due with the next acceptance. What is approved stays.
    """
    budget = state.budget
    if budget is None:
        return
    for entry in budget.entries:
        due_on = _due_on(state, budget, entry.item)
        if due_on is not None:
            due = event_of(state, entry, due_on)
            if due:
                yield due
    invoices = {each.billing_event: each for each in reversed(state.billing.live)}
    taken = set(state.billing.invoices)
    for billing_event in state.billing.events.values():
        invoice = invoices.get(billing_event.billing_event)
        if invoice is None:
            drafted = _next_draft(state, budget, billing_event, taken)
            taken.add(drafted.invoice)
            yield drafted
        elif invoice.stage == "drafted" and (
            too_much_due(state, billing_event.item) or _acceptance_withdrawn(state, billing_event)
        ):
            yield DraftWithdrawn(
                invoice=invoice.invoice,
                billing_event=billing_event.billing_event,
                amount=invoice.amount,
                works=state.work.billed_on(invoice.invoice) if invoice.kind == "time" else (),
            )


def _due_on(state: Engagement, budget: Budget, item: BillingItem) -> date | None:
    """Return the day an entry fell due; None while it is not, or if it is due on a date."""
    if item.kind == "on-signature":
        return budget.entry_signed_on(item.item) or state.signed_on
    return state.accepted_on(item.deliverables) if item.kind == "on-acceptance" else None


def _acceptance_withdrawn(state: Engagement, due: BillingEventDue) -> bool:
    """Return whether this is billed on an acceptance, by schedule, that was withdrawn since.

    A deliverable that an amendment removed needs none.
    """
    waiting = state.progress.withdrawn.keys() - state.descoped().keys()
    return (
        due.kind == "on-acceptance"
        and due.exception is None
        and not waiting.isdisjoint(due.deliverables)
    )


def _next_draft(
    state: Engagement, budget: Budget, billing_event: BillingEventDue, taken: Container[str]
) -> InvoiceDrafted:
    """Return the first draft of a billing event, or a repeated one after it was voided or rejected.

    The lines of before are repeated, with the edits of the draft, only after it was voided, and if
    the amount due has not changed since. `taken` are the ids of invoices, of this round of
    reactions, too.
    """
    before = [
        each
        for each in state.billing.invoices.values()
        if each.billing_event == billing_event.billing_event
    ]
    is_same = before and billing_event.amount in {before[-1].amount, before[-1].whole}
    if is_same and before[-1].stage != "rejected":
        again = (_works_again(state, before[-1], line) for line in before[-1].lines)
        return draft(billing_event, again, before[-1].advance_drawn, taken)
    lines = scheduled_lines(state, budget.entry(billing_event.item), billing_event)
    return draft(billing_event, lines, Money.zero(billing_event.amount.currency), taken)


def _works_again(state: Engagement, voided: Invoice, line: InvoiceLine) -> InvoiceLine:
    """Return a line of a voided invoice with the works that it billed."""
    every = voided.voided.works if voided.voided else ()
    works = [
        each
        for each in every
        if (work := state.work.known(each.key, each.on)) is not None
        and (line.line, line.role, line.rate) == (work.paid_by, work.role, work.rate)
        and line.expense == (work.entry if work.conversion else None)
    ]
    if not works:
        return line
    days = days_of(works) if line.role is not None else ()
    return line.model_copy(update={"works": tuple(works), "days": days})


@capability.deadlines
def dates(state: Engagement) -> Iterable[Deadline]:
    """Yield the dated entries that are not due yet, on their date (00:00 UTC).

    A retainer has one deadline at a time, on the first day of its next month.

    A deadline passes only once. After an amendment, what remains of an entry that already fell due
    falls due again on the same date, so the name contains the number of amendments.
    """
    for name, due in _dated_entries(state):
        yield Deadline(name, datetime.combine(due.due_on, time(), UTC))


@capability.decide(DeadlinePassed, by=None)
def date_reached(state: Engagement, command: DeadlinePassed, context: Context) -> Iterable[Event]:
    """Record what fell due, unless something changed meanwhile."""
    yield from (due for name, due in _dated_entries(state) if name == command.deadline)


def _dated_entries(state: Engagement) -> Iterable[tuple[str, BillingEventDue]]:
    """Yield the billing events of dated entries that are not due yet, by their deadlines' names."""
    if state.budget is None or state.settlement.settled:
        return
    amendments = len(state.budgeting.amended)
    for entry in state.budget.entries:
        item = entry.item
        due = None
        if item.kind == "on-date" and item.due_on is not None:
            due = event_of(state, entry, item.due_on)
        elif item.kind == "period":
            due = period_due(state, entry)
        if due and not lapsed(state, due):
            name = due.billing_event
            yield derived_id(name, f"a{amendments}") if amendments else name, due
