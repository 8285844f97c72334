"""The view of the receivables; Legal decides nothing about them."""

from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from legal.engagement import Engagement
from legal.receivables.state import Receivable

capability = Capability[Engagement](__name__)


class ReceivableFields(ViewModel):
    """The receivables in the view of an engagement, and the day on which they were settled."""

    receivables: tuple[Receivable, ...]
    settled_on: date | None


@capability.view
def receivables_view(state: Engagement) -> ReceivableFields:
    """Return the receivables for the view of an engagement."""
    known = state.receivables
    return ReceivableFields(
        receivables=tuple(
            each for each in known.by_invoice.values() if each.outstanding.amount > 0
        ),
        settled_on=known.settled_on,
    )
