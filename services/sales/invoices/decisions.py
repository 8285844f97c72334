"""The view of the invoices; Sales decides nothing about them."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from contracts.money import Money
from sales.engagement import Engagement

capability = Capability[Engagement](__name__)


class InvoiceView(ViewModel):
    """An invoice to the customer, with the amounts paid and credited.

    All amounts but `amount` are with tax.
    """

    number: str
    amount: Money
    gross: Money
    paid: Money
    written_off: Money
    credited: Money
    voided: bool
    issued_on: date
    due_on: date
    overdue: bool


class InvoiceFields(ViewModel):
    """The invoices in the view of an engagement."""

    invoices: tuple[InvoiceView, ...]


@capability.view
def invoices_view(state: Engagement) -> InvoiceFields:
    """Return the invoices for the view of an engagement."""
    return InvoiceFields(
        invoices=tuple(
            InvoiceView(
                number=invoice.issued.number,
                amount=invoice.issued.amount,
                gross=invoice.issued.tax.gross,
                paid=invoice.paid,
                written_off=invoice.written_off,
                credited=invoice.credited,
                voided=invoice.voided,
                issued_on=invoice.issued.issued_on,
                due_on=invoice.issued.due_on,
                overdue=invoice.overdue,
            )
            for invoice in state.invoices.by_id.values()
        )
    )
