"""Edit the lines of a draft before its approval.

Works are taken off it and unbilled again, or held; what the contract fixes is lowered, which writes
the difference down, and never raised. Discounts and the advance of time follow from what is left.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import require_currency
from contracts.event import Event
from contracts.finance import BilledWork, InvoiceDraft, InvoiceEdited, InvoiceLine
from contracts.money import ItemMoney, Money, invalid
from contracts.values import DistinctBy, ExactHours, Identifier, ShortText, Value, YesNo
from finance.billing.schedule import discounts_on, with_ids
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.policies import require_draft, require_invoice, require_open_account
from finance.roles import ACCOUNTING
from finance.time_billing.edits import at_amount, with_works, without_works, works_of
from finance.time_billing.unbilled import advance_left
from finance.withholding.by_line import held
from finance.work.names import WorkIds, keys_of

capability = Capability[Engagement](__name__)


class LineEdit(Value):
    """New content of a line of a draft; what is null stays as it is."""

    invoice_line: Identifier
    """Id of the line of the invoice."""
    description: ShortText | None = None
    """New text."""
    hours: ExactHours | None = None
    """Fewer hours: the last works are taken off the draft, one of them perhaps in part."""
    amount: ItemMoney | None = None
    """Lower amount without tax, or one that takes back what was written down before."""


class EditInvoice(Command):
    """Change texts, hours and amounts of a draft, or take works off it.

    What is taken off is unbilled again. What an amount is lowered by is written down. The edit of
    an exception needs the approval of somebody else.
    """

    invoice: Identifier
    why: ShortText
    """Reason for the edit, and for what is written down or held."""
    lines: Annotated[tuple[LineEdit, ...], Field(max_length=200), DistinctBy("invoice_line")] = ()
    """Lines that change."""
    entries: WorkIds = ()
    """Ids of time entries that the draft is not to bill."""
    expenses: WorkIds = ()
    """Ids of expenses that the draft is not to bill."""
    hold: YesNo = False
    """True if the named works are held, too."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.lines and not self.entries and not self.expenses:
            raise invalid("lines", "name a line, or works in entries and expenses", self.lines)
        if self.hold and not self.entries and not self.expenses:
            raise invalid("hold", "name the works in entries and expenses", self.hold)
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the works, each once."""
        return keys_of(self.entries, self.expenses)


@capability.decide(EditInvoice, by=ACCOUNTING)
def edit_invoice(state: Engagement, command: EditInvoice, context: Context) -> Iterable[Event]:
    """Record the draft as edited; an edit that changes nothing is not recorded.

    Raises Refused where the invoice is unknown or not a draft, a line is unknown, a work is not on
    it, an amount or hours are higher than the contract fixes, or nothing would be left.
    """
    invoice = require_draft(require_invoice(state, command.invoice))
    on_draft = works_of(state, invoice)
    before = tuple(with_works(each, on_draft) for each in invoice.lines)
    _require_known(invoice, on_draft, command)
    lines = tuple(_changed(state, before, command))
    if lines == before:
        return
    drawn = invoice.advance_drawn
    due = state.billing.events[invoice.billing_event]
    if invoice.kind == "time" and due.exception is None:
        lines, drawn = _with_discounts(state, invoice, before, lines)
    amount = Money.total((each.amount for each in lines), state.money) - drawn
    if amount.amount <= 0:
        raise Refused(
            "invoice-empty",
            f"the draft would come to {amount}, of which the advance pays {drawn}: reject it"
            " instead",
        )
    content = {name: getattr(invoice, name) for name in InvoiceDraft.model_fields}
    changed = {"lines": lines, "amount": amount, "advance_drawn": drawn}
    removed = tuple(_removed(before, lines))
    yield InvoiceEdited(**{**content, **changed, "removed": removed, "why": command.why})
    if command.hold:
        require_open_account(state)
        yield from _held(state, invoice, command)


def _require_known(
    invoice: Invoice, on_draft: Mapping[str, tuple[BilledWork, ...]], command: EditInvoice
) -> None:
    """Refuse lines and works that are not on the draft."""
    lines = [each.invoice_line for each in invoice.lines]
    unknown = [each.invoice_line for each in command.lines if each.invoice_line not in lines]
    if unknown:
        raise Refused(
            "invoice-line-unknown",
            f"lines: draft {invoice.invoice} has no line {', '.join(unknown)}, but"
            f" {', '.join(lines)}",
        )
    billed = {each.key for works in on_draft.values() for each in works}
    others = [key.partition(":")[2] for key in command.keys if key not in billed]
    if others:
        raise Refused(
            "work-not-on-invoice", f"draft {invoice.invoice} does not bill {', '.join(others)}"
        )


def _changed(
    state: Engagement, lines: Iterable[InvoiceLine], command: EditInvoice
) -> Iterator[InvoiceLine]:
    """Yield the lines as a command changes them, without those of which no work is left."""
    edits = {each.invoice_line: each for each in command.lines}
    for line in lines:
        edit = edits.get(line.invoice_line)
        hours = edit.hours if edit is not None else None
        if hours is not None and (line.hours is None or line.hours < hours or not line.works):
            most = f"{line.hours} h of approved work" if line.works else "no approved work"
            raise Refused(
                "invoice-line-fixed",
                f"lines: line {line.invoice_line} bills {most}; it cannot bill {hours} h",
            )
        changed = without_works(state, line, command.keys, hours)
        if changed is None:
            continue
        if edit is not None and edit.amount is not None:
            _require_lower(changed, edit.amount)
            changed = at_amount(state, changed, edit.amount)
        if edit is not None and edit.description is not None:
            changed = changed.model_copy(update={"description": edit.description})
        yield changed


def _require_lower(line: InvoiceLine, amount: Money) -> None:
    """Refuse an amount above what the contract fixes, and any other of a discount."""
    require_currency(line.amount.currency, lines=amount)
    most = line.whole
    if most.amount < 0 and amount != most:
        raise Refused(
            "invoice-line-fixed",
            f"lines: line {line.invoice_line} is a discount of {most}; lower the line that it"
            " reduces instead",
        )
    if most < amount or (amount.amount < 0 <= most.amount):
        what = f"{line.hours} h at {line.rate}" if line.rate is not None else "its entry or works"
        raise Refused(
            "invoice-line-fixed",
            f"lines: line {line.invoice_line} can bill 0 to {most} ({what}), not {amount}",
        )


def _with_discounts(
    state: Engagement,
    invoice: Invoice,
    before: Iterable[InvoiceLine],
    lines: tuple[InvoiceLine, ...],
) -> tuple[tuple[InvoiceLine, ...], Money]:
    """Return the lines of time with their discounts, and what an advance pays of them."""
    due = state.billing.events[invoice.billing_event]
    own = tuple(each for each in lines if each.line == due.line)
    gross = Money.total((each.amount for each in own), state.money)
    if gross == Money.total((e.amount for e in before if e.line == due.line), state.money):
        return lines, invoice.advance_drawn
    without = state.updated(billing=state.billing.without(invoice.invoice))
    drawn = min(advance_left(without, due.line), gross)
    entry = state.budget.entry(due.item) if state.budget else None
    if entry is None:
        return lines, drawn
    known = {each.line: each for each in lines if each.line != due.line}
    discounts = [
        known[new.line].model_copy(update={"amount": new.amount}) if new.line in known else new
        for new in with_ids(invoice.invoice, discounts_on(without, entry, gross - drawn))
    ]
    return (*own, *discounts), drawn


def _removed(before: Iterable[InvoiceLine], lines: Iterable[InvoiceLine]) -> Iterator[BilledWork]:
    """Yield the works that the lines bill no more, or of those billed in part only, the rest."""
    left = {(line.invoice_line, each.key): each for line in lines for each in line.works}
    for line in before:
        for each in line.works:
            now = left.get((line.invoice_line, each.key))
            if now is None:
                yield each
            elif now.hours is not None and each.hours is not None and now.hours < each.hours:
                hours, amount = each.hours - now.hours, each.whole - now.whole
                yield each.model_copy(
                    update={"hours": hours, "amount": amount, "written_down": None}
                )


def _held(state: Engagement, invoice: Invoice, command: EditInvoice) -> Iterable[Event]:
    """Yield that what the draft bills no more of the named works is held."""
    known = (state.work.known(key) for key in command.keys)
    return held(state, [each.without_bill(invoice.invoice) for each in known if each], command.why)
