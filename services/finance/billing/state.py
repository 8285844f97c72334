"""State of billing: billing events, and invoices from their draft to their payment."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self

from chassis.domain.commands import Missing
from chassis.domain.state import Keep, KeepDay, Part, on_event
from contracts.event import Recorded
from contracts.finance import (
    BillingEventDue,
    Credit,
    CreditedLine,
    CreditIntent,
    CreditNoteIssued,
    DraftWithdrawn,
    EngagementImported,
    InvoiceApproved,
    InvoiceDraft,
    InvoiceDrafted,
    InvoiceEdited,
    InvoiceHeld,
    InvoiceIssued,
    InvoiceLine,
    InvoiceLineTerms,
    InvoiceRejected,
    InvoiceReleased,
    InvoiceVoided,
    PaymentAllocated,
    PaymentDeallocated,
    PaymentOverdue,
    TaxTotals,
    WriteOffRecorded,
    WriteOffReversed,
)
from contracts.money import Money
from contracts.values import ExactHours, Identifier, ShortText
from finance.billing.events import CreditNoteApproved, DraftChecked, NumberRefused
from finance.billing.receivables import HeldAllocation, OpeningInvoice, Receivable, movements


class IssuedCreditLine(CreditedLine):
    """Line of an issued credit note: how many works it takes back, their hours and amount.

    The works are in the event only, so that the state grows with lines and not with works. Of those
    that a note gives back for good, it keeps the keys.
    """

    given_back: tuple[str, ...] = ()
    number_of_works: int = 0
    hours: ExactHours | None = None
    worth: Money | None = None


class IssuedCredit(Credit):
    """Credit note that has its number."""

    credit_note: Identifier
    number: Identifier
    lines: tuple[IssuedCreditLine, ...]
    issued_on: date


def without_works(line: CreditedLine, intent: CreditIntent) -> IssuedCreditLine:
    """Return a credited line with the number, hours and amount of its works in their place."""
    if isinstance(line, IssuedCreditLine):
        return line
    hours = [each.hours for each in line.works if each.hours is not None]
    return IssuedCreditLine(
        **{**dict(line), "works": ()},
        given_back=tuple(each.key for each in line.works) if intent == "give-back" else (),
        number_of_works=len(line.works),
        hours=sum(hours, Decimal(0)) if hours else None,
        worth=worth_of_works(line),
    )


def worth_of_works(line: CreditedLine) -> Money | None:
    """Return what the invoice billed for the works of a credited line; None without works."""
    if isinstance(line, IssuedCreditLine):
        return line.worth
    if not line.works:
        return None
    return Money.total((each.amount for each in line.works), line.amount.currency)


def taken_off(line: CreditedLine) -> Money:
    """Return what the invoice bills less by a line that is credited to be billed again.

    Works whose approval was reversed count whole, also where a part of their line was given back
    before. A line that billed ahead of approvals charges more than its works.
    """
    worth = worth_of_works(line)
    return line.amount if worth is None else max(worth, line.amount)


class Invoice(Receivable, InvoiceDraft):
    """Invoice from its draft on; `amount` is the lines' total less the advance drawn down.

    `amount` and `credited` are without tax, what is paid, written off and outstanding is with tax.
    `missing` is what a draft needs for its approval, `edited` the reason for its last edit by a
    person, `issued_by` the cause of the commit that issued it. `number_refused` has a sentence for
    each time that the approved draft got no number, `credit_refused` one where the last credit note
    got none.
    """

    stage: Literal["drafted", "approved", "issued", "voided", "rejected"] = "drafted"
    approved: InvoiceApproved | None = None
    issued_by: str | None = None
    missing: tuple[Missing, ...] = ()
    edited: ShortText | None = None
    held: InvoiceHeld | None = None
    released: bool = False
    rejected: InvoiceRejected | None = None
    voided: InvoiceVoided | None = None
    number_refused: tuple[str, ...] = ()
    credit_refused: str | None = None
    credits: tuple[IssuedCredit, ...] = ()
    credits_approved: tuple[CreditNoteApproved, ...] = ()

    @property
    def currency(self) -> str:
        """Return its currency."""
        return self.amount.currency

    @property
    def is_over(self) -> bool:
        """Return whether it is void or rejected, and bills nothing."""
        return self.stage in {"voided", "rejected"}

    @property
    def customer(self) -> str | None:
        """Return the account that the invoice names: that of the engagement, or of its line."""
        return self.approved.details.customer.account if self.approved else None

    @property
    def issue_on(self) -> date | None:
        """Return the invoice date, or None before the approval."""
        return self.approved.issue_on if self.approved else None

    @property
    def credited(self) -> Money:
        """Return the net total of the invoice's credit notes, also of those not numbered yet."""
        return self.credited_to(date.max)

    def credited_to(self, day: date) -> Money:
        """Return the net total of the credit notes up to and including a day."""
        notes = (each.amount for each in self.notes if each.issued_on <= day)
        return Money.total(notes, self.amount.currency)

    @property
    def notes(self) -> tuple[IssuedCredit | CreditNoteApproved, ...]:
        """Return the invoice's credit notes, also those not numbered yet."""
        return (*self.credits, *self.credits_approved)

    @property
    def tax(self) -> TaxTotals | None:
        """Return the tax by code, or None before the approval."""
        return self.approved.tax if self.approved else None

    @property
    def whole(self) -> Money:
        """Return the net amount with what edits of the draft wrote down."""
        lines = Money.total((each.whole for each in self.lines), self.amount.currency)
        return lines - self.advance_drawn

    @property
    def left(self) -> Money:
        """Return the net amount that no credit note takes back."""
        return self.amount - self.credited

    def left_of(self, line: InvoiceLine, *, issued: bool = False) -> Money:
        """Return what no credit note takes back of a line, before the advance.

        With `issued`, credit notes without a number do not count.
        """
        back = (
            each.amount
            for note in (self.credits if issued else self.notes)
            for each in note.lines
            if each.invoice_line == line.invoice_line
        )
        return line.amount - Money.total(back, self.amount.currency)

    @property
    def given_back_works(self) -> frozenset[tuple[str, str]]:
        """Return the works that were given back for good by name, by line of the invoice and key.

        They stay on the invoice, of which nothing is left for them.
        """
        return frozenset(
            (line.invoice_line, key)
            for note in self.notes
            if note.intent == "give-back"
            for line in note.lines
            for key in without_works(line, note.intent).given_back
        )

    def cancelled(self, line: str) -> Money:
        """Return what credit notes took off a contract line to be billed again.

        Before the advance. Works whose approval was reversed count whole, also where a part of
        their line was given back before: what is left is given back for other works.
        """
        lines = (each for note in self._cancelling for each in note.lines if each.line == line)
        back = (taken_off(each) for each in lines)
        return Money.total(back, self.amount.currency)

    def given_back(self, line: str) -> Money:
        """Return what was given back for good on a contract line, without restored advances."""
        notes = [each for each in self.notes if each.intent == "give-back"]
        back = (each.amount for note in notes for each in note.lines if each.line == line)
        restored = (note.advance_restored for note in notes if note.advance_restored)
        currency = self.amount.currency
        return Money.total(back, currency) - Money.total(restored, currency)

    def given_back_to(self, day: date) -> Money:
        """Return what was given back for good to a day, before the advance, of all lines.

        What was given back of works that left the invoice whole, since their approval was reversed,
        is not in it.
        """
        notes = [each for each in self.notes if each.issued_on <= day]
        back = (each.amount for note in notes for each in note.lines)
        cancelled = (
            taken_off(each)
            for note in notes
            if note.intent == "cancel-and-rebill"
            for each in note.lines
        )
        return Money.total(back, self.currency) - Money.total(cancelled, self.currency)

    def charged_to(self, day: date) -> Money:
        """Return what it charges to a day, without the advance that it draws down.

        What was written down is charged, what was credited to be billed again is not.
        """
        back = (each.amount for each in self._cancelling if each.issued_on <= day)
        ended = self._whole_again(self.lines, day)
        return self.whole - Money.total(back, self.currency) - ended

    def charge_of(self, line: str) -> Money:
        """Return what it charges of a contract line, before the advance; nothing once it is over.

        What was written down is charged, what was credited to be billed again is not.
        """
        if self.is_over:
            return Money.zero(self.currency)
        own = [each for each in self.lines if each.line == line]
        charges = Money.total((each.whole for each in own), self.currency)
        return charges - self.cancelled(line) - self._whole_again(own)

    def _whole_again(self, lines: Iterable[InvoiceLine], day: date = date.max) -> Money:
        """Return what was written down of lines whose rest was credited by a day to bill it again.

        It ends with the line, as that of works does: what is billed again is whole.
        """
        ended = Money.zero(self.currency)
        for line in lines:
            notes = [
                (note.intent, each.amount)
                for note in self.notes
                if note.issued_on <= day
                for each in note.lines
                if each.invoice_line == line.invoice_line
            ]
            back = Money.total((amount for _, amount in notes), self.currency)
            is_gone = (
                line.amount == back and notes[-1][0] == "cancel-and-rebill" if notes else False
            )
            if line.written_down is not None and is_gone:
                ended = ended + line.written_down
        return ended

    @property
    def due_again(self) -> Money:
        """Return what is due again by credit notes, without what advances had paid of it.

        What was written down of time fell due no more with the edit of its draft.
        """
        back = Money.total((each.amount for each in self._cancelling), self.amount.currency)
        return back if self.kind == "time" else back + self._whole_again(self.lines)

    @property
    def _cancelling(self) -> Iterable[IssuedCredit | CreditNoteApproved]:
        return (each for each in self.notes if each.intent == "cancel-and-rebill")

    @property
    def restored(self) -> Money:
        """Return the part of its advance that credit notes restored."""
        parts = (each.advance_restored for each in self.notes if each.advance_restored)
        return Money.total(parts, self.amount.currency)

    @property
    def drawn(self) -> Money:
        """Return the part of an advance that it draws down and that is not restored."""
        return self.advance_drawn - self.restored

    def credits_without(self, credit_note: str) -> tuple[CreditNoteApproved, ...]:
        """Return the approved credit notes that wait for their number, without one of them."""
        return tuple(each for each in self.credits_approved if each.credit_note != credit_note)

    @property
    def overpaid(self) -> Money:
        """Return what is paid and written off beyond the invoice less its issued credit notes.

        With tax; negative where less is, zero before the approval.
        """
        if self.tax is None:
            return Money.zero(self.amount.currency)
        credited = Money.total((each.tax.gross for each in self.credits), self.amount.currency)
        return self.paid + self.written_off + credited - self.tax.gross

    @property
    def outstanding(self) -> Money:
        """Return what the customer owes on the invoice.

        With tax; zero unless the invoice is issued. Negative where more is paid and written off
        than is owed, while a credit note waits for its number.
        """
        if self.stage != "issued" or self.tax is None:
            return Money.zero(self.amount.currency)
        credited = Money.total((each.tax.gross for each in self.notes), self.amount.currency)
        return self.tax.gross - credited - self.paid - self.written_off


class Billing(Part):
    """Billing events and invoices by id; `currency` arguments are that of the engagement.

    `before` is what was billed before the engagement was taken over, by entry of the schedule and
    line; it has no invoice here. `opening` are the invoices of it that were not paid.
    `requested_by` are the people who requested an exception, by its billing event, `exceptions` the
    lines that they gave, which edits of the draft leave as they are. `held_on` is the
    day (UTC) on which a draft was held, by invoice. `write_off_reversed` is the last reversal.
    """

    events: Annotated[dict[str, BillingEventDue], Keep(by="billing_event")] = {}
    requested_by: dict[str, tuple[str, ...]] = {}
    exceptions: dict[str, tuple[InvoiceLineTerms, ...]] = {}
    held_on: Annotated[
        dict[str, date], KeepDay((InvoiceHeld,), "invoice", (InvoiceReleased, InvoiceRejected))
    ] = {}
    invoices: dict[Identifier, Invoice] = {}
    before: dict[Identifier, dict[Identifier, Money]] = {}
    opening: dict[Identifier, OpeningInvoice] = {}
    write_off_reversed: Annotated[WriteOffReversed | None, Keep()] = None

    @on_event
    def _taken_over(self, event: EngagementImported) -> Self:
        """Replace what was taken over; what was paid here of an invoice stays."""
        before: dict[Identifier, dict[Identifier, Money]] = {}
        for line in event.lines:
            for each in line.entries:
                before.setdefault(each.item, {})[line.line] = each.amount
        opening = {
            each.invoice: OpeningInvoice(**dict(each), **movements(self.opening.get(each.invoice)))
            for each in event.receivables
        }
        return self.updated(before=before, opening=opening)

    @on_event
    def _requested(self, recorded: Recorded[BillingEventDue]) -> Self:
        return self if recorded.event.exception is None else self.requested_also_by(recorded)

    @on_event
    def _held(self, event: InvoiceHeld) -> Self:
        return self._with(event.invoice, held=event, released=False)

    @on_event
    def _released(self, event: InvoiceReleased) -> Self:
        return self._with(event.invoice, held=None, released=True)

    @on_event
    def _rejected(self, event: InvoiceRejected) -> Self:
        rejected = self._with(
            event.invoice, stage="rejected", rejected=event, held=None, missing=()
        )
        if not event.ends_event:
            return rejected
        due = self.invoices[event.invoice].billing_event
        return rejected.updated(events=self._events_without(due))

    @on_event
    def _drafted(self, event: InvoiceDrafted) -> Self:
        drafted = self.updated(invoices={**self.invoices, event.invoice: Invoice(**dict(event))})
        if self.events[event.billing_event].exception is None:
            return drafted
        terms = tuple(
            InvoiceLineTerms(
                **{name: getattr(each, name) for name in InvoiceLineTerms.model_fields}
            )
            for each in event.lines
        )
        return drafted.updated(exceptions={**self.exceptions, event.billing_event: terms})

    @on_event
    def _edited(self, recorded: Recorded[InvoiceEdited]) -> Self:
        """Replace the draft; who edits an exception is one of those who request it."""
        event = recorded.event
        content = InvoiceDraft.model_fields.keys() - {"invoice"}
        fields: dict[str, object] = {name: getattr(event, name) for name in content}
        why = event.why or self.invoices[event.invoice].edited
        changed = self._with(event.invoice, **{**fields, "edited": why})
        due = self.events[event.billing_event]
        if due.exception is not None and event.why is not None:
            changed = changed.requested_also_by(recorded)
        if due.kind != "time":
            return changed
        less = due.model_copy(update={"amount": event.amount})
        return changed.updated(events={**self.events, event.billing_event: less})

    @on_event
    def _withdrawn(self, event: DraftWithdrawn) -> Self:
        return self.without(event.invoice)

    @on_event
    def _approved(self, event: InvoiceApproved) -> Self:
        return self._with(event.invoice, stage="approved", approved=event, missing=())

    @on_event
    def _issued(self, recorded: Recorded[InvoiceIssued]) -> Self:
        """Note the number; from now on the works alone know their days, and what of them is billed.

        The state grows with lines, not with works and days; the event has them as they were issued.
        """
        event = recorded.event
        fields = {
            "stage": "issued",
            "number": event.number,
            "due_on": event.due_on,
            "issued_by": recorded.cause,
        }
        lines = self.invoices[event.invoice].lines
        without = tuple(
            each.model_copy(update={"works": (), "days": ()}) if each.works else each
            for each in lines
        )
        return self._with(event.invoice, lines=without, **fields)

    @on_event
    def _checked(self, event: DraftChecked) -> Self:
        return self._with(event.invoice, missing=event.missing)

    @on_event
    def _number_refused(self, event: NumberRefused) -> Self:
        invoice = self.invoices[event.invoice]
        if event.credit_note is not None:
            left = invoice.credits_without(event.credit_note)
            return self._with(event.invoice, credits_approved=left, credit_refused=event.why)
        refused = (*invoice.number_refused, event.why)
        return self._with(event.invoice, stage="drafted", approved=None, number_refused=refused)

    @on_event
    def _credit_approved(self, event: CreditNoteApproved) -> Self:
        return self._with_movement(event.invoice, "credits_approved", event, credit_refused=None)

    @on_event
    def _voided(self, event: InvoiceVoided) -> Self:
        """Void the invoice, and remove its billing event if `ends_event` says so."""
        due = self.events[self.invoices[event.invoice].billing_event]
        voided = self._with(event.invoice, stage="voided", voided=event, overdue=False)
        if not event.ends_event:
            return voided
        return voided.updated(events=self._events_without(due.billing_event))

    @on_event
    def _credited(self, event: CreditNoteIssued) -> Self:
        left = self.invoices[event.invoice].credits_without(event.credit_note)
        note = IssuedCredit(
            **{
                **dict(event),
                "lines": tuple(without_works(each, event.intent) for each in event.lines),
            }
        )
        return self._with_movement(event.invoice, "credits", note, credits_approved=left)

    @on_event
    def _allocated(self, event: PaymentAllocated) -> Self:
        held = HeldAllocation(**dict(event))
        return self._with_allocation(event.invoice, held, event.received_on)

    @on_event
    def _deallocated(self, event: PaymentDeallocated) -> Self:
        held = self.owing(event.invoice).allocations[event.allocation].without(event)
        return self._with_allocation(event.invoice, held, event.deallocated_on)

    def _with_allocation(self, invoice: str, held: HeldAllocation, on: date) -> Self:
        known = self.owing(invoice)
        others = {name: each for name, each in known.allocations.items() if name != held.allocation}
        left = {held.allocation: held} if held.paid.amount else {}
        moved_on = max(on, known.moved_on or on)
        return self._settled_by(invoice, allocations={**others, **left}, moved_on=moved_on)

    @on_event
    def _written_off(self, event: WriteOffRecorded) -> Self:
        return self._with_write_off(event, event.written_off_on)

    @on_event
    def _write_off_reversed(self, event: WriteOffReversed) -> Self:
        known = self.owing(event.invoice).write_offs[event.write_off]
        left = known.model_copy(update={"amount": known.amount - event.amount})
        return self._with_write_off(left, event.reversed_on)

    def _with_write_off(self, write_off: WriteOffRecorded, on: date) -> Self:
        known = self.owing(write_off.invoice)
        left = {**known.write_offs, write_off.write_off: write_off}
        return self._settled_by(
            write_off.invoice,
            write_offs={name: each for name, each in left.items() if each.amount.amount},
            moved_on=max(on, known.moved_on or on),
        )

    @on_event
    def _overdue(self, event: PaymentOverdue) -> Self:
        times = self.owing(event.invoice).times_overdue + 1
        return self._with(event.invoice, overdue=True, times_overdue=times)

    @cached_property
    def event_ids(self) -> frozenset[str]:
        """Return the ids of all billing events, also of those that were removed with an invoice."""
        return frozenset((*self.events, *(each.billing_event for each in self.invoices.values())))

    @cached_property
    def _due(self) -> Mapping[str, Money]:
        """Return what fell due by entry of the schedule, here and before."""
        due: dict[str, Money] = {}
        for item, parts in self.before.items():
            due[item] = Money.total(parts.values(), next(iter(parts.values())).currency)
        for each in self.events.values():
            due[each.item] = due[each.item] + each.amount if each.item in due else each.amount
        for invoice in self.live:
            item = self.events[invoice.billing_event].item
            due[item] = due[item] - invoice.due_again
        return due

    @cached_property
    def _void(self) -> tuple[Invoice, ...]:
        """Return the voided invoices; each bills the contract line of its first line."""
        return tuple(each for each in self.invoices.values() if each.stage == "voided")

    @cached_property
    def _by_item(self) -> Mapping[str, tuple[Invoice, ...]]:
        return _grouped((self.events[each.billing_event].item, each) for each in self.live)

    @cached_property
    def _by_line(self) -> Mapping[str, tuple[Invoice, ...]]:
        return _grouped((self.events[each.billing_event].line, each) for each in self.live)

    @property
    def live(self) -> tuple[Invoice, ...]:
        """Return the invoices and drafts that are neither void nor rejected."""
        return tuple(each for each in self.invoices.values() if not each.is_over)

    @property
    def issued(self) -> tuple[Invoice, ...]:
        """Return the issued invoices that are not void."""
        return tuple(each for each in self.invoices.values() if each.stage == "issued")

    @property
    def receivables(self) -> tuple[Receivable, ...]:
        """Return the invoices from before, and the issued ones that are not void."""
        return (*self.opening.values(), *self.issued)

    def owing(self, invoice: str) -> Receivable:
        """Return an invoice, of here or from before; raises KeyError where it is unknown."""
        return self.opening[invoice] if invoice in self.opening else self.invoices[invoice]

    def due_on_item(self, item: str, currency: str) -> Money:
        """Return what fell due on an entry of the schedule, invoiced, drafted or billed before."""
        return self._due.get(item, Money.zero(currency))

    def invoiced_on_item(self, item: str, currency: str) -> Money:
        """Return what is invoiced on an entry before discounts, without unapproved drafts."""
        return Money.total(
            (
                self.charged(invoice) - invoice.drawn
                for invoice in self.of_item(item)
                if invoice.stage != "drafted"
            ),
            currency,
        ) + self.charged_before(item, currency)

    def charged_before(self, item: str, currency: str) -> Money:
        """Return what was billed of an entry before the take-over, before discounts."""
        parts = self.before.get(item, {}).values()
        return Money.total((each for each in parts if each.amount > 0), currency)

    def charged(self, invoice: Invoice) -> Money:
        """Return the lines of an invoice that belong to its contract line: without discounts.

        What was credited to be billed again is not charged.
        """
        line = self.events[invoice.billing_event].line
        charges = (each.amount for each in invoice.lines if each.line == line)
        return Money.total(charges, invoice.amount.currency) - invoice.cancelled(line)

    def charged_on_line(self, item: str, line: str, currency: str) -> Money:
        """Return what invoices and drafts of an entry, and those before, bill of a line.

        What was written down is charged, what was credited to be billed again is not.
        """
        here = Money.total((each.charge_of(line) for each in self.of_item(item)), currency)
        return here + self.before.get(item, {}).get(line, Money.zero(currency))

    def given_back_on_item(self, item: str, currency: str) -> Money:
        """Return what was given back for good of an entry, before discounts and advances."""
        line_of = {
            each.invoice: self.events[each.billing_event].line for each in self.of_item(item)
        }
        return Money.total(
            (each.given_back(line_of[each.invoice]) for each in self.of_item(item)), currency
        )

    def billed(
        self, currency: str, day: date = date.max, lines: Iterable[str] | None = None
    ) -> Money:
        """Return issued invoices less credit notes, both up to a day: of some lines, or of all.

        Amounts are without tax. A voided invoice counts until the day on which it was voided.
        """
        named = None if lines is None else frozenset(lines)
        live = self.live if named is None else (one for each in named for one in self.of_line(each))
        voided = (
            each
            for each in self._void
            if each.voided is not None
            and day < each.voided.voided_on
            and (named is None or each.lines[0].line in named)
        )
        issued = (
            each
            for each in (*live, *voided)
            if each.stage != "approved" and each.issue_on and each.issue_on <= day
        )
        return Money.total((each.amount - each.credited_to(day) for each in issued), currency)

    def paid(self, currency: str) -> Money:
        """Return what the customer paid, also what banks kept of it; with tax."""
        return Money.total((each.paid for each in self.issued), currency)

    def written_off(self, currency: str) -> Money:
        """Return what the customer does not have to pay any more; with tax."""
        return Money.total((each.written_off for each in self.issued), currency)

    def gross(self, currency: str) -> Money:
        """Return issued invoices less credit notes, with tax."""
        owed = Money.total((each.outstanding for each in self.issued), currency)
        return self.paid(currency) + self.written_off(currency) + owed

    def outstanding(self, currency: str) -> Money:
        """Return what the customer owes on issued invoices, also those from before; with tax."""
        return Money.total((each.outstanding for each in self.receivables), currency)

    def of_item(self, item: str) -> tuple[Invoice, ...]:
        """Return the invoices and drafts of an entry of the schedule that are not void."""
        return self._by_item.get(item, ())

    def of_line(self, line: str) -> tuple[Invoice, ...]:
        """Return the invoices and drafts of a line of the contract that are not void."""
        return self._by_line.get(line, ())

    def requested_also_by(
        self, recorded: Recorded[BillingEventDue] | Recorded[InvoiceEdited]
    ) -> Self:
        """Return the part with who recorded an exception, or an edit of it."""
        by, due = (recorded.actor, recorded.on_behalf_of), recorded.event.billing_event
        known = self.requested_by.get(due, ())
        people = dict.fromkeys((*known, *(each for each in by if each is not None)))
        return self.updated(requested_by={**self.requested_by, due: tuple(people)})

    def without(self, invoice: str) -> Self:
        """Return the part without an invoice and its billing event."""
        kept = {name: each for name, each in self.invoices.items() if name != invoice}
        due = self._events_without(self.invoices[invoice].billing_event)
        return self.updated(invoices=kept, events=due)

    def _with(self, invoice: str, **fields: object) -> Self:
        if invoice in self.opening:
            known = self.opening[invoice].model_copy(update=fields)
            return self.updated(opening={**self.opening, invoice: known})
        changed = self.invoices[invoice].model_copy(update=fields)
        return self.updated(invoices={**self.invoices, invoice: changed})

    def _with_movement(self, invoice: str, field: str, movement: Credit, **fields: object) -> Self:
        """Add a movement, and settle by it."""
        movements = (*getattr(self.invoices[invoice], field), movement)
        return self._settled_by(invoice, **{field: movements}, **fields)

    def _settled_by(self, invoice: str, **fields: object) -> Self:
        """Change fields; an invoice on which nothing is outstanding is not overdue any more."""
        changed = self.owing(invoice).model_copy(update=fields)
        overdue = changed.overdue and changed.outstanding.amount > 0
        return self._with(invoice, **fields, overdue=overdue)

    def _events_without(self, billing_event: str) -> dict[str, BillingEventDue]:
        return {name: each for name, each in self.events.items() if name != billing_event}


def _grouped(invoices: Iterable[tuple[str, Invoice]]) -> Mapping[str, tuple[Invoice, ...]]:
    groups: dict[str, list[Invoice]] = {}
    for name, invoice in invoices:
        groups.setdefault(name, []).append(invoice)
    return {name: tuple(each) for name, each in groups.items()}
