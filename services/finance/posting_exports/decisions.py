"""Release the postings of a closed month for the general ledger, once."""

from collections.abc import Iterable

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused
from chassis.domain.context import Context
from chassis.domain.reference import known_on
from contracts.event import Event
from contracts.reference import AccountMappingDetails, AccountMappingPublished
from contracts.values import Month
from finance.calendar_months import end_of, refused_month
from finance.ledgers.state import Ledger
from finance.posting_exports.events import PostingsExported
from finance.roles import CONTROLLING

capability = Capability[Ledger](__name__)


class ExportPostings(Command):
    """Release the postings of a closed month, with the accounts of its last day.

    They can be downloaded from then on, with the same bytes each time; the view of the ledger says
    who released them. An equal repetition changes nothing.
    """

    month: Month


@capability.decide(ExportPostings, by=CONTROLLING)
def export_postings(state: Ledger, command: ExportPostings, context: Context) -> Iterable[Event]:
    """Record the release, with the accounts.

    Raises Refused where the month is not closed, or the company has no accounts on its last day.
    """
    month = command.month
    if month not in state.closed:
        raise refused_month("month-not-closed", f"{month} is not closed")
    if month in state.exported:
        return
    known = known_on(context.reference_data, AccountMappingPublished, state.company, end_of(month))
    if known is None:
        sentence = f"no accounts of {state.company} are published: see /account-mappings"
        raise Refused(
            "account-mapping-missing",
            sentence,
            [Missing("account-mapping-missing", sentence, "finance")],
        )
    accounts = AccountMappingDetails(accounts=known.event.accounts)
    yield PostingsExported(month=month, accounts=accounts, exported_by=context.acting_for)


class PostingExportsFields(ViewModel):
    """List who released the postings of a month for the general ledger, by month."""

    exported_by: dict[Month, str]


@capability.view
def posting_exports_view(state: Ledger) -> PostingExportsFields:
    """Return the exports for the view of a ledger."""
    exported = {month: each.exported_by for month, each in state.exported.items()}
    return PostingExportsFields(exported_by=exported)
