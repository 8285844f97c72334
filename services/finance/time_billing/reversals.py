"""Take work whose approval was reversed off drafts, and name what invoices bill of it."""

from collections.abc import Collection, Iterable, Iterator

from chassis.domain.commands import Missing
from contracts.event import Event
from contracts.finance import (
    BilledWork,
    BilledWorkReversed,
    DraftWithdrawn,
    InvoiceDraft,
    InvoiceEdited,
    InvoiceLine,
    ReversedWork,
)
from contracts.money import Money
from finance.billing.schedule import too_much_due
from finance.billing.state import Invoice
from finance.engagement import Engagement
from finance.time_billing.edits import without_works
from finance.work.state import billed_work

_MOST_NAMED = 5
"""Number of works that a sentence names."""


def corrected(
    state: Engagement,
) -> Iterable[Event]:
    """Yield what follows for drafts and invoices from the reversal of their work.

    A draft is edited. It is withdrawn where it has a discount, draws an advance down or is an
    exception, so that the rest is billed anew, or where nothing is left. What is approved stays.
    """
    for name, works in state.work.to_credit().items():
        invoice = state.billing.invoices[name]
        if invoice.stage == "drafted" and not _is_withdrawn(state, invoice):
            yield _edited(state, invoice, works)
        elif invoice.stage in {"approved", "issued"}:
            yield from _reversed(state, invoice)


def _reversed(state: Engagement, invoice: Invoice) -> Iterator[Event]:
    """Yield which works an invoice bills although they were reversed, if there are new ones."""
    lines = {each.invoice_line: each for each in invoice.lines}
    named = []
    for work in state.work.reversed.values():
        for bill in work.bills:
            if bill.invoice == invoice.invoice and not bill.to_credit:
                line = lines[bill.invoice_line]
                named.append(
                    ReversedWork(
                        **dict(billed_work(work, bill)),
                        invoice_line=line.invoice_line,
                        line=line.line,
                        role=line.role,
                        rate=line.rate,
                    )
                )
    if named:
        amount = _sum(named, state.money)
        yield BilledWorkReversed(invoice=invoice.invoice, works=tuple(named), amount=amount)


def to_credit(state: Engagement) -> Iterator[tuple[Invoice, tuple[BilledWork, ...], Money]]:
    """Yield approved and issued invoices with reversed works, and what is to credit for them.

    What was given back of a line is not credited again.
    """
    for name in state.work.to_credit():
        invoice = state.billing.invoices[name]
        if invoice.stage in {"approved", "issued"} and invoice.left.amount > 0:
            by_line = tuple(_to_credit(state, invoice))
            if by_line:
                works = tuple(each for works, _ in by_line for each in works)
                yield invoice, works, Money.total((each for _, each in by_line), state.money)


def _to_credit(
    state: Engagement, invoice: Invoice
) -> Iterator[tuple[tuple[BilledWork, ...], Money]]:
    """Yield the reversed works on each line of which something is left, and at most that.

    Nothing is left of a work that was given back for good by name.
    """
    back = invoice.given_back_works
    for line in invoice.lines:
        works = tuple(
            billed_work(work, bill)
            for work in state.work.reversed.values()
            for bill in work.bills
            if (bill.invoice, bill.invoice_line) == (invoice.invoice, line.invoice_line)
            and (line.invoice_line, work.key) not in back
        )
        left = invoice.left_of(line, issued=True)
        if works and left.amount > 0:
            yield works, min(left, _sum(works, state.money))


def missing_credit(invoice: Invoice, works: Collection[BilledWork], amount: Money) -> Missing:
    """Return that an invoice with reversed works has to be credited, or voided."""
    named = [each.entry for each in works][:_MOST_NAMED]
    more = ", ..." if len(works) > len(named) else ""
    return Missing(
        "reversed-work-billed",
        f"invoice {invoice.number or invoice.invoice} bills {amount} for work whose approval was"
        f" reversed ({', '.join(named)}{more}): credit it or void the invoice",
        "finance",
    )


def _is_withdrawn(state: Engagement, invoice: Invoice) -> bool:
    """Return whether the draft is withdrawn for another reason: too much fell due."""
    return too_much_due(state, state.billing.events[invoice.billing_event].item)


def _edited(
    state: Engagement, invoice: Invoice, gone: tuple[BilledWork, ...]
) -> InvoiceEdited | DraftWithdrawn:
    due, keys = state.billing.events[invoice.billing_event], {each.key for each in gone}
    lines = tuple(line for each in invoice.lines if (line := without_works(state, each, keys)))
    amount = _sum(lines, state.money)
    is_simple = (
        due.exception is None
        and not invoice.advance_drawn.amount
        and all(line.line == due.line for line in invoice.lines)
    )
    if not is_simple or amount.amount <= 0:
        return DraftWithdrawn(
            invoice=invoice.invoice,
            billing_event=invoice.billing_event,
            amount=invoice.amount,
            works=state.work.billed_on(invoice.invoice),
        )
    content = {name: getattr(invoice, name) for name in InvoiceDraft.model_fields}
    return InvoiceEdited(**{**content, "lines": lines, "amount": amount, "removed": gone})


def _sum(items: Iterable[BilledWork | InvoiceLine], currency: str) -> Money:
    return Money.total((each.amount for each in items), currency)
