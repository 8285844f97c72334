"""Number invoices: one register for the company, so that numbers have no gaps.

It processes the approval of a draft and assigns the next number of the year of issue, such as
2026-00042. An invoice gets one number only, however often its approval is repeated or processed.
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event, Recorded
from contracts.finance import InvoiceApproved, InvoiceNumbered
from finance.invoice_numbering.state import Register

INVOICES = "invoices"
"""Subject of the only stream of this kind."""

capability = Capability[Register](__name__)


@capability.react
def number(state: Register, context: Context) -> Iterable[Event]:
    """Assign the next number of its year to the first waiting invoice."""
    for key, approved in tuple(state.waiting.items())[:1]:
        year = approved.issue_on.year
        yield InvoiceNumbered(
            engagement=key.partition("/")[0],
            invoice=approved.invoice,
            number=f"{year}-{state.used.get(year, 0) + 1:05}",
            issue_on=approved.issue_on,
        )


def route(recorded: Recorded[Event]) -> str | None:
    """Return the register's subject for the approval of an invoice, else None."""
    return INVOICES if isinstance(recorded.event, InvoiceApproved) else None
