"""Hold, reject and approve drafts; issue, void and credit invoices.

An approved draft requests the next number of its year from its number series; with the number it
is issued, and due after the contract's payment terms. No invoice gets a number before its draft is
approved. A wrong invoice is voided and drafted again, or credited. Credit notes get their numbers
in the same way. Where the number is refused, so is the command: an invoice is a draft again, and a
credit note is withdrawn. What is credited to be billed again leaves as much to bill; what is given
back does not.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate, refused_field
from chassis.domain.context import Context
from chassis.domain.pending import Refusal, Requested
from chassis.domain.requests import Outcome
from chassis.domain.rules import same_day, unless_recorded
from contracts.decimals import Number, Rounding
from contracts.event import Event
from contracts.finance import (
    BilledWork,
    BillingEventDue,
    CreditedLine,
    CreditIntent,
    CreditNoteIssued,
    DraftJudgement,
    InvoiceApproved,
    InvoiceDetails,
    InvoiceHeld,
    InvoiceIssued,
    InvoiceLine,
    InvoiceRejected,
    InvoiceReleased,
    InvoiceVoided,
    TaxTotals,
    Voiding,
)
from contracts.lines import BillingKind
from contracts.money import Money, PositiveMoney, Rate, invalid
from contracts.values import Day, DistinctBy, Identifier, ProjectRole, ShortText, days_after
from finance.billing.events import CreditNoteApproved, NumberRefused
from finance.billing.schedule import lapsed, too_much_due
from finance.billing.state import Invoice, IssuedCredit, without_works
from finance.companies.policy import rounding_on
from finance.engagement import Engagement
from finance.invoices import work_items
from finance.invoices.credits import LineCredit, of_lines, of_works, shared
from finance.moved_works.events import CorrectionBegun, CorrectionMade, CorrectionRefused
from finance.number_series.events import NumberTaken
from finance.number_series.requests import (
    SeriesKind,
    TakeNumber,
    series_of,
    settings_on,
    written,
)
from finance.policies import (
    day_since_issue,
    require_at_most,
    require_company,
    require_draft,
    require_invoice,
    require_issued,
    require_open_account,
    require_open_day,
)
from finance.roles import ACCOUNTING, CONTROLLING
from finance.tax.invoice_tax import Taxed, credit_note_details, credited_tax, taxed
from finance.time_billing.unbilled import advance_left, is_advance
from finance.work.names import WorkIds, keys_of

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)
numbering = capability.request(TakeNumber, of="number-series")


class HoldInvoice(DraftJudgement, Command):
    """Hold a draft, so that it is not approved before it is released."""


class ReleaseInvoice(Command):
    """Release a draft that is held."""

    invoice: Identifier


class RejectInvoice(DraftJudgement, Command):
    """Reject a draft; what it bills is due again.

    Works are unbilled until time is billed again. The entry of the billing schedule is drafted
    anew, under another id. An exception ends.
    """


class ApproveInvoice(Command):
    """Approve a draft; it gets its number and is issued today unless an earlier day is named.

    Without the number of a purchase order, the invoice names that of the last invoice that was
    approved for the same account.
    """

    invoice: Identifier
    purchase_order: ShortText | None = None
    """Number of the customer's purchase order."""
    issue_on: Day | None = None


class VoidInvoice(Voiding, Command):
    """Void an issued invoice on which nothing was paid or credited; its number stays used.

    Its billing event is drafted again, unless it was an exception, which ends with its invoice. If
    the entry was reduced meanwhile, what is left of it falls due again. An invoice over works of
    booked months waits some moments for these works.
    """

    voided_on: Day | None = None


class IssueCreditNote(Command):
    """Credit part or all of an issued invoice: an amount, lines, or works that it bills.

    Where none of them is given, all that is left of the invoice is credited. An amount is shared by
    the lines in proportion to what is left of each. What an advance had paid is restored where it
    is billed again. The same again changes nothing while the credit note waits for its number; to
    credit as much once more, give another reason.
    """

    invoice: Identifier
    intent: CreditIntent
    """Intent, which says if the amount can be billed again; reversed work is only cancelled."""
    amount: PositiveMoney | None = None
    """Amount without tax; null where lines or works are named, or all is credited."""
    lines: Annotated[tuple[LineCredit, ...], Field(max_length=200), DistinctBy("invoice_line")] = ()
    """Lines of the invoice; empty where an amount or works are given, or all is credited."""
    why: ShortText
    """Reason for the credit."""
    entries: WorkIds = ()
    """Ids of time entries on the invoice."""
    expenses: WorkIds = ()
    """Ids of expenses on the invoice."""
    issued_on: Day | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.amount is not None and (self.lines or self.entries or self.expenses):
            raise invalid("amount", "must be null where lines or works are named", self.amount)
        if self.lines and (self.entries or self.expenses):
            raise invalid("lines", "must be empty where works are named", self.lines)
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the works, each once."""
        return keys_of(self.entries, self.expenses)


@capability.decide(HoldInvoice, by=ACCOUNTING)
def hold_invoice(state: Engagement, command: HoldInvoice, context: Context) -> Iterable[Event]:
    """Record that the draft is held; an equal repetition changes nothing.

    Raises Refused where it is unknown, not a draft, or held for another reason.
    """
    invoice = require_draft(require_invoice(state, command.invoice))
    yield from unless_recorded(invoice.held, InvoiceHeld(**dict(command)), "the hold")


@capability.decide(ReleaseInvoice, by=ACCOUNTING)
def release_invoice(
    state: Engagement, command: ReleaseInvoice, context: Context
) -> Iterable[Event]:
    """Record that the draft can be approved; a draft that was released before is left as it is.

    Raises Refused where it is unknown, not a draft, or was never held.
    """
    invoice = require_draft(require_invoice(state, command.invoice))
    if invoice.held is not None:
        yield InvoiceReleased(invoice=invoice.invoice)
    elif not invoice.released:
        raise Refused("invoice-not-held", f"draft {invoice.invoice} is not held")


@capability.decide(RejectInvoice, by=CONTROLLING)
def reject_invoice(state: Engagement, command: RejectInvoice, context: Context) -> Iterable[Event]:
    """Record that the draft is rejected; an equal repetition changes nothing.

    Raises Refused where it is unknown or not a draft.
    """
    invoice, known = require_invoice(state, command.invoice), None
    if invoice.rejected is None:
        require_draft(invoice)
    known = invoice.rejected
    rejected = InvoiceRejected(
        invoice=invoice.invoice,
        amount=invoice.amount,
        why=command.why,
        ends_event=known.ends_event if known else _ends_with_draft(state, invoice),
        works=known.works if known else _works(state, invoice),
    )
    yield from unless_recorded(known, rejected, "the rejection")


def _ends_with_draft(state: Engagement, invoice: Invoice) -> bool:
    return invoice.kind == "time" or _ends_event(state, invoice)


@capability.decide(ApproveInvoice, by=CONTROLLING)
def approve_invoice(
    state: Engagement, command: ApproveInvoice, context: Context
) -> Iterable[Event]:
    """Record the approval if gate 5 is open: the amount is due by the day of issue, its tax known.

    An equal repetition changes nothing. Raises Refused where the gate is closed, the invoice is
    unknown, void or rejected, the day is in the future, the company that sells is unknown, or the
    caller requested the exception that it bills.
    """
    invoice = require_invoice(state, command.invoice)
    if invoice.approved is None or invoice.stage == "voided":
        require_draft(invoice)
    issue_on = same_day("issue_on", command, invoice.approved, context)
    if invoice.approved is not None:
        yield from _approved_again(invoice.approved, command, issue_on)
    else:
        require_open_day(state, "issue_on", issue_on)
        company = require_company(state)
        due = state.billing.events[invoice.billing_event]
        if not context.acting.isdisjoint(state.billing.requested_by.get(due.billing_event, ())):
            raise Refused(
                "approver-is-author",
                "a person cannot approve an exception that they requested or edited",
            )
        records, order = context.reference_data, command.purchase_order
        found = taxed(state, invoice, issue_on, records, order)
        missing = () if isinstance(found, Taxed) else found
        gate("amount-not-billable", (*_not_due(state, invoice, due, issue_on), *missing))
        if isinstance(found, Taxed):
            yield InvoiceApproved(
                invoice=invoice.invoice,
                amount=invoice.amount,
                tax=found.tax,
                details=found.details,
                issue_on=issue_on,
            )
        item = len(invoice.number_refused) + 1
        yield _number(company, "invoice", invoice.invoice, item, issue_on, context)


def _approved_again(
    known: InvoiceApproved, command: ApproveInvoice, issue_on: date
) -> Iterable[Event]:
    """Refuse another day or purchase order than the recorded ones."""
    order = command.purchase_order or known.details.purchase_order
    details = known.details.model_copy(update={"purchase_order": order})
    again = known.model_copy(update={"details": details, "issue_on": issue_on})
    return unless_recorded(known, again, "the approval")


@capability.decide(VoidInvoice, by=CONTROLLING)
def void_invoice(state: Engagement, command: VoidInvoice, context: Context) -> Iterable[Event]:
    """Record that the invoice is void; an equal repetition changes nothing.

    Raises Refused where it is unknown or not issued, the account is settled, something was paid,
    written off or credited on it, or an advance that it billed is drawn down.
    """
    invoice = require_invoice(state, command.invoice)
    known = invoice.voided
    if known is None:
        _require_voidable(state, require_issued(state, command.invoice))
    voided = InvoiceVoided(
        invoice=invoice.invoice,
        number=invoice.number or invoice.invoice,
        amount=invoice.amount,
        why=command.why,
        voided_on=day_since_issue(invoice, "voided_on", command, context, known),
        ends_event=known.ends_event if known else _ends_event(state, invoice),
        works=known.works if known else _works(state, invoice),
    )
    for event in unless_recorded(known, voided, "the voiding"):
        require_open_day(state, "voided_on", event.voided_on)
        if state.moved_works.has_works_of(invoice.invoice):
            on_day = command.model_copy(update={"voided_on": event.voided_on})
            yield from _begun(state, invoice, on_day, context)
        else:
            yield event


def _begun(
    state: Engagement, invoice: Invoice, command: Command, context: Context
) -> Iterable[Event]:
    """Let a correction wait for works of its invoice that have moved; see `finance.moved_works`.

    Raises Refused where another one waits.
    """
    begun = CorrectionBegun(
        invoice=invoice.invoice,
        command=command.named(),
        content=command.model_dump_json(exclude_defaults=True),
        by=context.actor,
        cause=context.cause,
    )
    known = state.moved_works.corrections.get(invoice.invoice)
    if known is not None:
        begun = begun.model_copy(update={"cause": known.cause})
    yield from unless_recorded(known, begun, "the correction")


@capability.decide(IssueCreditNote, by=CONTROLLING)
def issue_credit_note(
    state: Engagement, command: IssueCreditNote, context: Context
) -> Iterable[Event]:
    """Record the credit note, up to what is left of the invoice, and request its number.

    An equal repetition changes nothing while the number is awaited. Raises Refused where the
    invoice is unknown or not issued, the account is settled, an equal credit note has a number or
    another day, a line is unknown, less is left of it or of the invoice, a work is not on it, an
    advance that it billed is drawn down, or the company that sells is unknown.
    """
    invoice = require_issued(state, command.invoice)
    require_open_account(state)
    if _waits_for_number(invoice, command):
        return
    issued_on = day_since_issue(invoice, "issued_on", command, context)
    require_open_day(state, "issued_on", issued_on)
    if _needs_moved_works(state, invoice, command):
        if not command.keys:
            _note(state, invoice, command, issued_on, context)  # raises what works do not change
        on_day = command.model_copy(update={"issued_on": issued_on})
        yield from _begun(state, invoice, on_day, context)
    else:
        company = require_company(state)
        note = _note(state, invoice, command, issued_on, context)
        yield note
        yield _number(company, "credit-note", invoice.invoice, note.credit_note, issued_on, context)


def _waits_for_number(invoice: Invoice, command: IssueCreditNote) -> bool:
    """Return whether an equal credit note waits; raises Refused where it does not wait any more.

    A credit note on named works takes them off the invoice and cannot be repeated.
    """
    for note in invoice.notes:
        if not _is_same(note, command):
            continue
        waits = isinstance(note, CreditNoteApproved)
        if waits and command.issued_on in {None, note.issued_on}:
            return True
        sentence = (
            f"why: the credit note of {note.issued_on} credits the same for the same reason; give"
            " another reason to credit it once more"
        )
        raise refused_field("already-recorded", "why", sentence)
    return False


def _is_same(note: IssuedCredit | CreditNoteApproved, command: IssueCreditNote) -> bool:
    """Return whether a credit note credits the amount or lines of a command, for its reason."""
    if (note.intent, note.why) != (command.intent, command.why):
        return False
    credited = {each.invoice_line: each.amount for each in note.lines}
    if command.amount is not None:
        return Money.total(credited.values(), note.amount.currency) == command.amount
    named = {each.invoice_line: each.amount for each in command.lines}
    return named.keys() == credited.keys() and all(
        amount in (None, credited[line]) for line, amount in named.items()
    )


def _note(
    state: Engagement, invoice: Invoice, command: IssueCreditNote, issued_on: date, context: Context
) -> CreditNoteApproved:
    """Return the credit note of a command; raises Refused where it would credit too much."""
    lines = _credited(state, invoice, command)
    gross = Money.total((each.amount for each in lines), state.money)
    if gross.amount <= 0:
        raise Refused("credit-not-positive", f"the lines come to {gross}; credit more than nothing")
    restored = Money.zero(state.money)
    if command.intent == "cancel-and-rebill":
        restored = min(gross - min(gross, invoice.left), invoice.drawn)
    amount = gross - restored
    require_at_most(amount, invoice.left, "credit-too-large", invoice)
    if amount.amount <= 0:
        raise Refused("credit-too-large", f"nothing is left of invoice {invoice.number}")
    _require_advance(state, invoice, amount)
    main = state.billing.events[invoice.billing_event].line
    return CreditNoteApproved(
        invoice=invoice.invoice,
        intent=command.intent,
        lines=lines,
        amount=amount,
        tax=credited_tax(invoice, lines, main, restored, _tax_rounding(invoice, context)),
        details=credit_note_details(invoice),
        why=command.why,
        advance_restored=restored if restored.amount else None,
        credit_note=context.new_id("credit"),
        issued_on=issued_on,
    )


CORRECTIONS: dict[str, tuple[type[Command], Callable[..., Iterable[Event]]]] = {
    IssueCreditNote.named(): (IssueCreditNote, issue_credit_note),
    VoidInvoice.named(): (VoidInvoice, void_invoice),
}
"""The commands that may wait for the works of an invoice, with their decisions, by name."""


@capability.react
def corrections(state: Engagement, context: Context) -> Iterable[Event]:
    """Decide the corrections whose works are back; record what prevents them by now."""
    for begun in state.moved_works.corrections.values():
        if state.moved_works.has_works_of(begun.invoice):
            continue
        kind, decision = CORRECTIONS[begun.command]
        # What brought the works back may have occurred before the command was given.
        now = replace(context, occurred_at=context.recorded_at, cause=begun.cause)
        try:
            yield from decision(state, kind.model_validate_json(begun.content), now)
        except Refused as refused:
            yield CorrectionRefused(
                invoice=begun.invoice,
                command=begun.command,
                cause=begun.cause,
                refusal=Refusal(refused.code, refused.sentence),
            )
        else:
            yield CorrectionMade(invoice=begun.invoice, cause=begun.cause)


def _tax_rounding(invoice: Invoice, context: Context) -> Rounding:
    """Return the policy that rounded the tax of an issued invoice."""
    approved = invoice.approved
    company = approved.details.seller.company if approved else None
    day = invoice.issue_on or context.today
    return rounding_on(context.reference_data, company, day)


def _needs_moved_works(state: Engagement, invoice: Invoice, command: IssueCreditNote) -> bool:
    """Return whether works that are named or billed again are in the streams of booked months."""
    if not state.moved_works.has_works_of(invoice.invoice):
        return False
    if not command.keys:
        return command.intent == "cancel-and-rebill"
    here = {work.key for work, _ in state.work.bills_of(invoice.invoice)}
    return not here.issuperset(command.keys)


def _credited(
    state: Engagement, invoice: Invoice, command: IssueCreditNote
) -> tuple[CreditedLine, ...]:
    """Return what a command credits, by line of the invoice; raises Refused where it is too much.

    Without an amount, what an advance had paid is credited only where it is billed again.
    """
    keys = tuple(command.keys)
    if keys:
        return of_works(state, invoice, command.intent, keys)
    if command.lines:
        return of_lines(state, invoice, command.intent, command.lines)
    amount = command.amount
    if amount is None:
        again = command.intent == "cancel-and-rebill"
        amount = invoice.left + invoice.drawn if again else invoice.left
    else:
        require_at_most(amount, invoice.left, "credit-too-large", invoice)
    if amount.amount <= 0:
        raise Refused("credit-too-large", f"nothing is left of invoice {invoice.number}")
    shares = shared(invoice, amount, state.rounding)
    return of_lines(state, invoice, command.intent, shares)


def _number(
    company: str, kind: SeriesKind, invoice: str, item: object, on: date, context: Context
) -> Requested:
    """Return the request for the number of an invoice, or of a credit note on it.

    `item` is the number of times that the invoice was approved, or the id of the credit note.
    Whether numbers follow the days is a setting of the company on the day of the document.
    """
    follow_days = settings_on(context.reference_data, company, kind, on).follow_days
    command = TakeNumber(on=on, follow_days=follow_days)
    series = series_of(company, kind, on)
    name = f"{kind}.{invoice}"
    return numbering(series, command, id=name, item=str(item), decides=context.cause)


@numbering.outcome
def number_known(
    state: Engagement, outcome: Outcome[TakeNumber], context: Context
) -> Iterable[Event]:
    """Issue the invoice or credit note under its number, or withdraw the approval."""
    request = outcome.request
    kind, _, name = request.id.partition(".")
    invoice = state.billing.invoices[name]
    if kind == "invoice":
        if outcome.refusal:
            yield NumberRefused(invoice=name, why=outcome.refusal.sentence)
        else:
            taken = outcome.only(NumberTaken)
            if invoice.approved is not None:
                number = _written(state, "invoice", taken, context)
                yield _issued(state, invoice, invoice.approved, number)
        return
    (note,) = (each for each in invoice.credits_approved if each.credit_note == request.item)
    if outcome.refusal:
        why = outcome.refusal.sentence
        yield NumberRefused(invoice=name, credit_note=note.credit_note, why=why)
    else:
        number = _written(state, "credit-note", outcome.only(NumberTaken), context)
        yield CreditNoteIssued(**dict(note), number=number)


def _written(state: Engagement, kind: SeriesKind, taken: NumberTaken, context: Context) -> str:
    settings = settings_on(context.reference_data, state.company, kind, taken.on)
    return written(settings.prefix, taken.on, taken.number)


def _issued(
    state: Engagement, invoice: Invoice, approved: InvoiceApproved, number: str
) -> InvoiceIssued:
    terms, on = state.terms, approved.issue_on
    return InvoiceIssued(
        invoice=invoice.invoice,
        number=number,
        billing_event=invoice.billing_event,
        kind=invoice.kind,
        amount=invoice.amount,
        tax=approved.tax,
        details=approved.details,
        advance_drawn=invoice.advance_drawn,
        deliverables=state.billing.events[invoice.billing_event].deliverables,
        lines=invoice.lines,
        issued_on=on,
        due_on=days_after(on, terms.payment_terms_days if terms else 0),
    )


def _not_due(
    state: Engagement, invoice: Invoice, due: BillingEventDue, issue_on: date
) -> Iterable[Missing]:
    if invoice.held is not None:
        yield Missing("invoice-held", f"the draft is held: {invoice.held.why}", "finance")
    if issue_on < due.due_on:
        yield Missing(
            "billing-item-not-due", f"{due.item} is due on {due.due_on}, after {issue_on}"
        )
    if lapsed(state, due):
        yield Missing(
            "engagement-terminated",
            f"{due.item} would have been due on {due.due_on}; the engagement was terminated"
            f" on {state.contract.terminated_on}",
            "legal",
        )


def _require_voidable(state: Engagement, invoice: Invoice) -> None:
    require_open_account(state)
    settled = (invoice.allocations, invoice.write_offs, invoice.credits, invoice.credits_approved)
    if any(settled):
        raise Refused(
            "invoice-settled-in-part",
            f"invoice {invoice.number} was paid, written off or credited in part: issue a credit"
            " note instead",
        )
    _require_advance(state, invoice, invoice.amount)


def _works(state: Engagement, invoice: Invoice) -> tuple[BilledWork, ...]:
    return state.work.billed_on(invoice.invoice) if invoice.kind == "time" else ()


def _ends_event(state: Engagement, invoice: Invoice) -> bool:
    """Return whether the billing event ends with its invoice.

    It does for an exception, where too much is due, and where work on the invoice was reversed.
    """
    due = state.billing.events[invoice.billing_event]
    is_reversed = invoice.invoice in state.work.to_credit()
    return due.exception is not None or too_much_due(state, due.item) or is_reversed


def _require_advance(state: Engagement, invoice: Invoice, amount: Money) -> None:
    """Refuse to credit or void what time billed since has drawn down of an advance."""
    due = state.billing.events[invoice.billing_event]
    if state.budget is None or not is_advance(state.budget, due):
        return
    left = advance_left(state, due.line)
    if left < min(amount, invoice.amount):
        raise Refused(
            "advance-drawn",
            f"{left} of the advances on line {due.line} is left; the rest is drawn down by billed"
            " time",
        )


class InvoiceLineView(ViewModel):
    """Line of an invoice; `left` is what no credit note takes back, before the advance.

    Its tax code is known from the approval on; the tax is rounded once for each code.
    """

    invoice_line: str
    line: str
    description: str
    role: ProjectRole | None
    hours: Number | None
    rate: Rate | None
    amount: Money
    written_down: Money | None
    tax_code: str | None
    left: Money


class CreditedLineView(ViewModel):
    """Line of an invoice that a credit note takes back; `hours` are those of its works."""

    invoice_line: str
    line: str
    role: ProjectRole | None
    amount: Money
    works: int
    hours: Number | None


class CreditNoteView(ViewModel):
    """Credit note on an invoice; without a number while it waits for one.

    `amount` is without tax: the lines less what of an advance is restored.
    """

    credit_note: str
    number: str | None
    intent: CreditIntent
    issued_on: date
    amount: Money
    tax: TaxTotals
    advance_restored: Money | None
    why: str
    lines: list[CreditedLineView]


class InvoiceView(ViewModel):
    """Invoice from its draft on.

    `amount`, `advance_drawn` and `credited` are without tax, `paid` and `outstanding` with tax.
    `missing` is what a draft needs before it can be approved, `edited` the reason for the last edit
    by a person. `credit_refused` says why the last credit note got no number and is withdrawn.
    """

    invoice: str
    number: str | None
    stage: str
    billing_event: str
    line: str | None
    item: str | None
    kind: BillingKind
    exception: str | None
    held: str | None
    rejected: str | None
    number_refused: str | None
    missing: list[Missing]
    edited: str | None
    lines: list[InvoiceLineView]
    amount: Money
    tax: TaxTotals | None
    details: InvoiceDetails | None
    advance_drawn: Money
    issued_on: date | None
    due_on: date | None
    credited: Money
    credit_notes: list[CreditNoteView]
    credit_refused: str | None
    paid: Money
    written_off: Money
    outstanding: Money
    overdue: bool


class InvoiceFields(ViewModel):
    """The invoices in the view of an engagement."""

    invoices: list[InvoiceView]


@capability.view
def invoices_view(state: Engagement) -> InvoiceFields:
    """Return the invoices for the view of an engagement."""
    return InvoiceFields(invoices=[_shown(state, each) for each in state.billing.invoices.values()])


def _shown(state: Engagement, invoice: Invoice) -> InvoiceView:
    due = state.billing.events.get(invoice.billing_event)
    return InvoiceView(
        invoice=invoice.invoice,
        number=invoice.number,
        stage=invoice.stage,
        billing_event=invoice.billing_event,
        line=due.line if due else None,
        item=due.item if due else None,
        kind=invoice.kind,
        exception=due.exception if due else None,
        held=invoice.held.why if invoice.held else None,
        rejected=invoice.rejected.why if invoice.rejected else None,
        number_refused=invoice.number_refused[-1]
        if invoice.number_refused and invoice.stage == "drafted"
        else None,
        missing=list(invoice.missing),
        edited=invoice.edited,
        lines=[_line(invoice, each) for each in invoice.lines],
        amount=invoice.amount,
        tax=invoice.tax,
        details=invoice.approved.details if invoice.approved else None,
        advance_drawn=invoice.advance_drawn,
        issued_on=invoice.issue_on if invoice.stage in {"issued", "voided"} else None,
        due_on=invoice.due_on,
        credited=invoice.credited,
        credit_notes=[_shown_note(each) for each in invoice.notes],
        credit_refused=invoice.credit_refused,
        paid=invoice.paid,
        written_off=invoice.written_off,
        outstanding=invoice.outstanding,
        overdue=invoice.overdue,
    )


def _line(invoice: Invoice, line: InvoiceLine) -> InvoiceLineView:
    codes = invoice.tax.by_code if invoice.tax else ()
    return InvoiceLineView(
        invoice_line=line.invoice_line,
        line=line.line,
        description=line.description,
        role=line.role,
        hours=line.hours,
        rate=line.rate,
        amount=line.amount,
        written_down=line.written_down,
        tax_code=next((each.tax_code for each in codes if line.line in each.lines), None),
        left=invoice.left_of(line),
    )


def _shown_note(note: IssuedCredit | CreditNoteApproved) -> CreditNoteView:
    return CreditNoteView(
        credit_note=note.credit_note,
        number=note.number if isinstance(note, IssuedCredit) else None,
        intent=note.intent,
        issued_on=note.issued_on,
        amount=note.amount,
        tax=note.tax,
        advance_restored=note.advance_restored,
        why=note.why,
        lines=[
            CreditedLineView(
                invoice_line=each.invoice_line,
                line=each.line,
                role=each.role,
                amount=each.amount,
                works=each.number_of_works,
                hours=each.hours,
            )
            for each in (without_works(line, note.intent) for line in note.lines)
        ],
    )
