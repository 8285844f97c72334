"""State of the register that numbers invoices."""

from typing import Self

from chassis.domain.state import Part, on_event
from contracts.event import Recorded
from contracts.finance import InvoiceApproved, InvoiceNumbered


class Register(Part):
    """Count of used numbers by year, the numbered invoices, and those to be numbered, in order.

    Invoices are named by engagement and invoice, with a slash between them.
    """

    used: dict[int, int] = {}
    numbered: frozenset[str] = frozenset()
    waiting: dict[str, InvoiceApproved] = {}

    @on_event
    def _approved(self, recorded: Recorded[InvoiceApproved]) -> Self:
        key = f"{recorded.subject}/{recorded.event.invoice}"
        if key in self.numbered or key in self.waiting:
            return self
        return self.updated(waiting={**self.waiting, key: recorded.event})

    @on_event
    def _numbered(self, event: InvoiceNumbered) -> Self:
        year, count = event.issue_on.year, int(event.number.rpartition("-")[2])
        key = f"{event.engagement}/{event.invoice}"
        return self.updated(
            used={**self.used, year: count},
            numbered=self.numbered | {key},
            waiting={name: each for name, each in self.waiting.items() if name != key},
        )
