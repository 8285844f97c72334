"""Record what a draft invoice still needs for its tax and its details, and who owes it.

Nothing else waits for it: only the approval of the draft is refused.
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from contracts.event import Event
from finance.billing.events import DraftChecked
from finance.engagement import Engagement
from finance.tax.invoice_tax import Taxed, taxed

capability = Capability[Engagement](__name__)


@capability.react
def drafts_checked(state: Engagement, context: Context) -> Iterable[Event]:
    """Yield what is missing on each draft today, where it has changed, once the deal is won."""
    if state.company is None:
        return
    for invoice in state.billing.invoices.values():
        if invoice.stage != "drafted":
            continue
        found = taxed(state, invoice, context.today, context.reference_data)
        missing = () if isinstance(found, Taxed) else found
        if missing != invoice.missing:
            yield DraftChecked(invoice=invoice.invoice, missing=missing)
