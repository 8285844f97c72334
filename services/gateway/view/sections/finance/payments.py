"""Apply payments and write-offs to invoices, and mark the invoices that are overdue."""

from typing import Protocol

from contracts import finance
from contracts.event import Recorded
from gateway.formatting import day, money
from gateway.view.sections.finance.conversions import original_amount
from gateway.view.sections.finance.importing import OpeningInvoice
from gateway.view.sections.finance.invoices import Invoice, clear_overdue
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps, ref


class Fields(Protocol):
    """The invoices of the section, which these steps change."""

    def owing(self, invoice: str) -> Invoice | OpeningInvoice | None:
        """Return an invoice, of here or from before, or None where it is unknown."""


steps = PartSteps[Fields]()

steps.describe(
    finance.PaymentAllocated,
    lambda event, _: (
        f"{money(event.amount)} received on {day(event.received_on)}"
        f"{if_given(', {} kept by banks', event.bank_charge, money)}"
        f"{if_given(', {}', event.conversion, original_amount)}"
        f"{if_given(' (exchange difference {})', event.exchange_difference, money)}."
    ),
)


@steps.on(finance.PaymentAllocated)
def _allocated(section: Fields, recorded: Recorded[finance.PaymentAllocated]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.paid = invoice.paid + event.paid
        clear_overdue(invoice)


steps.describe(
    finance.PaymentDeallocated,
    lambda event, _: (
        f"{money(event.paid)} of the payment of {day(event.received_on)} is no longer on the "
        f"invoice: “{event.why}”"
    ),
)


@steps.on(finance.PaymentDeallocated)
def _deallocated(section: Fields, recorded: Recorded[finance.PaymentDeallocated]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.paid = invoice.paid - event.paid


steps.describe(
    finance.WriteOffRecorded,
    lambda event, _: (
        f"{money(event.amount)} written off on {day(event.written_off_on)}: “{event.why}”"
    ),
)


@steps.on(finance.WriteOffRecorded)
def _written_off(section: Fields, recorded: Recorded[finance.WriteOffRecorded]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.written_off = invoice.written_off + event.amount
        clear_overdue(invoice)


steps.describe(
    finance.WriteOffReversed,
    lambda event, _: f"{money(event.amount)} is no longer written off: “{event.why}”",
)


@steps.on(finance.WriteOffReversed)
def _write_off_reversed(section: Fields, recorded: Recorded[finance.WriteOffReversed]) -> None:
    event = recorded.event
    invoice = section.owing(event.invoice)
    if invoice is not None:
        invoice.written_off = invoice.written_off - event.amount


steps.describe(
    finance.PaymentOverdue,
    lambda event, _: f"{money(event.outstanding)} overdue since {day(event.due_on)}.",
)


@steps.on(finance.PaymentOverdue)
def _overdue(section: Fields, recorded: Recorded[finance.PaymentOverdue]) -> None:
    invoice = section.owing(recorded.event.invoice)
    if invoice is not None and invoice.outstanding.amount > 0:
        invoice.overdue = ref(recorded)
