"""Take over the contract of an engagement that was under way before the platform was introduced."""

from collections.abc import Iterable, Iterator

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Missing, Refused, gate
from chassis.domain.context import Context
from chassis.domain.documents import DocumentCommand, DocumentKept
from chassis.domain.rules import past_day, require_currency, unless_recorded
from common.imports import require_imported
from contracts.event import Event
from contracts.legal import EngagementImported, ImportedContract
from contracts.line_faults import billing_faults
from contracts.lines import with_usual_billing
from contracts.values import ContentHash
from legal.engagement import Engagement
from legal.roles import IMPORTERS

capability = Capability[Engagement](__name__)


class ImportEngagement(ImportedContract, DocumentCommand):
    """Take over the contract of an engagement whose opportunity Sales imported as won.

    The content is the signed document. Lines without a billing schedule have the usual one. What
    happened before is not judged. The contract is taken over once.
    """


@capability.decide(ImportEngagement, by=IMPORTERS)
def import_engagement(
    state: Engagement, command: ImportEngagement, context: Context
) -> Iterable[Event]:
    """Record the contract; an equal repetition changes nothing.

    Raises Refused where Sales did not import the opportunity as won from this record, the customer
    or a currency differs, the day of the signature is in the future, the lines are inconsistent, or
    other content is recorded; the refusal names the field.
    """
    require_imported(state.importing.opportunity, command)
    content_hash, kept = _document(state, command)
    terms = {name: getattr(command, name) for name in ImportedContract.model_fields}
    event = EngagementImported(**terms, content_hash=content_hash)
    for new in unless_recorded(state.importing.taken_over, event, "the imported contract"):
        past_day("signed_on", event.signed_on, context)
        account = state.file.account
        if account not in {None, event.customer}:
            raise Refused(
                "account-differs",
                f"customer: Sales imported this engagement for {account}, not {event.customer}",
            )
        require_currency(state.currency, lines=event.price)
        gate("sow-inconsistent", _faults(event))
        yield new
        yield from kept


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
    lines = (with_usual_billing(line, contract.finishes_on) for line in contract.lines)
    for code, sentence in billing_faults(lines, named):
        yield Missing(code, sentence, field="lines")


class ImportingFields(ViewModel):
    """The contract that was taken over, in the view of an engagement; null where there is none."""

    imported: EngagementImported | None


@capability.view
def importing_view(state: Engagement) -> ImportingFields:
    """Return the contract that was taken over for the view of an engagement."""
    return ImportingFields(imported=state.importing.taken_over)


class ImportingRow(ViewModel):
    """The column of the import in the list of engagements."""

    imported: bool


@capability.row
def importing_row(state: Engagement) -> ImportingRow:
    """Return whether the contract was taken over, for the list of engagements."""
    return ImportingRow(imported=state.importing.taken_over is not None)
