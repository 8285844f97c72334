"""Take over the contract of an engagement that was under way before the platform was introduced."""

from collections.abc import Iterable, Iterator

from chassis.domain.capability import Capability
from chassis.domain.commands import Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.documents import DocumentCommand, DocumentKept
from chassis.domain.reference import require_record
from chassis.domain.rules import past_day, require_currency
from common.imports import ImportingFields, ImportingRow, require_imported, unless_taken_over
from contracts.event import Event
from contracts.legal import EngagementImported, ImportedContract
from contracts.line_faults import billing_faults
from contracts.reference import AccountPublished, CompanyPublished
from contracts.values import ContentHash
from legal.engagement import Engagement
from legal.policies import require_not_ended
from legal.roles import IMPORTERS

capability = Capability[Engagement](__name__)


class ImportEngagement(ImportedContract, DocumentCommand):
    """Take over the contract of an engagement whose opportunity Sales imported as won.

    The content is the signed document. Lines without a billing schedule have the usual one. What
    happened before is not judged. The same contract again changes nothing; another one replaces it
    if `why` says what was wrong, until an amendment is drafted or the engagement ends. From then on
    the contract is as good as signed here: work, billing and amendments rest on it.
    """


@capability.decide(ImportEngagement, by=IMPORTERS)
def import_engagement(
    state: Engagement, command: ImportEngagement, context: Context
) -> Iterable[Event]:
    """Record the contract; an equal repetition changes nothing.

    Raises Refused where Sales did not import the opportunity as won from this record, the
    engagement is over, a company or an account is not published, the customer or a currency
    differs, the day of the signature is in the future, the lines are inconsistent, an amendment is
    drafted, or other content is recorded and no reason for a correction is given; the refusal names
    the field.
    """
    require_imported(state.importing.opportunity, command)
    content_hash, kept = _document(state, command)
    terms = {name: getattr(command, name) for name in ImportedContract.model_fields}
    event = EngagementImported(**terms, content_hash=content_hash)
    known = state.importing.taken_over
    for new in unless_taken_over(known, event, "the imported contract", again=True):
        require_not_ended(state)
        _require_not_amended(state)
        past_day("signed_on", event.signed_on, context)
        _require_parties(state, event, context)
        require_currency(state.currency, lines=event.price)
        gate("sow-inconsistent", _faults(event))
        yield new
        yield from kept


def _require_not_amended(state: Engagement) -> None:
    """Refuse a correction of the contract that an amendment, drafted or signed, changes."""
    if state.amendments.by_id:
        names = ", ".join(state.amendments.by_id)
        raise Refused(
            "amendment-drafted", f"lines: {names} rests on the contract: amend it instead"
        )


def _require_parties(state: Engagement, contract: ImportedContract, context: Context) -> None:
    """Refuse unless company and accounts are published, and the customer is that of Sales."""
    require_record("company-unknown", "company", CompanyPublished, contract.company, context)
    account = state.file.account
    if account not in {None, contract.customer}:
        raise Refused(
            "account-differs",
            f"customer: Sales imported this engagement for {account}, not {contract.customer}",
        )
    require_record("account-unknown", "customer", AccountPublished, contract.customer, context)
    for line in contract.lines:
        require_record("account-unknown", "lines", AccountPublished, line.bill_to, context)


def _document(
    state: Engagement, command: ImportEngagement
) -> tuple[ContentHash, tuple[DocumentKept, ...]]:
    """Return the hash of the signed document, and what keeps it unless it was uploaded before."""
    if command.content_hash is not None:
        return command.content_hash, ()
    content = {"engagement": state.engagement, "body": command.content}
    kept = DocumentKept.of("imported-contract", content)
    return kept.content_hash, (kept,)


def _faults(contract: ImportedContract) -> Iterator[Missing]:
    """Yield the contradictions of lines and billing schedules; a line names its deliverables."""
    named = [name for line in contract.lines for name in line.deliverables]
    for code, sentence in billing_faults(contract.scheduled_lines, named):
        yield Missing(code, sentence, field="lines")


@capability.view
def importing_view(state: Engagement) -> ImportingFields[EngagementImported]:
    """Return the contract that was taken over for the view of an engagement."""
    return ImportingFields(imported=state.importing.taken_over)


@capability.row
def importing_row(state: Engagement) -> ImportingRow:
    """Return whether the contract was taken over, for the list of engagements."""
    return ImportingRow(imported=state.importing.taken_over is not None)
