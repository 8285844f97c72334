"""Take over an engagement that was under way: what Sales imported, repetitions, corrections."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from chassis.base.view_model import ViewModel
from chassis.domain.commands import Refused, refused_field
from chassis.domain.rules import unless_recorded
from contracts import delivery, finance, legal
from contracts.sales import OpportunityImported
from contracts.values import SourceRecord

T = TypeVar(
    "T",
    legal.EngagementImported,
    delivery.EngagementImported,
    finance.EngagementImported,
    finance.OpeningCostRecorded,
)


class ImportingFields(ViewModel, Generic[T]):
    """Content of the import in the view of an engagement; null where there was none."""

    imported: T | None


class ImportingRow(ViewModel):
    """The column of the import in the list of engagements."""

    imported: bool


def require_imported(opportunity: OpportunityImported | None, given: SourceRecord) -> None:
    """Refuse unless Sales imported the opportunity as won, from the record that is given.

    Raises Refused where it was not imported, was not won, or came from another record; the refusal
    names the field.
    """
    if opportunity is None:
        raise Refused("opportunity-not-imported", "Sales did not import this opportunity")
    if opportunity.outcome != "won":
        raise Refused(
            "deal-not-won", f"Sales imported this opportunity as {opportunity.outcome}, not as won"
        )
    for field in SourceRecord.model_fields:
        imported, named = getattr(opportunity, field), getattr(given, field)
        if imported != named:
            raise Refused("source-differs", f"{field}: Sales imported {imported}, not {named}")


def unless_taken_over(known: T | None, event: T, what: str, *, again: bool = False) -> Iterator[T]:
    """Yield the event if nothing was taken over yet, or if it says why it corrects that.

    An event with the same content changes nothing, also with another reason; with `again`, another
    reason publishes it again, for a department that skipped it. Raises Refused where
    other content without a reason is given, as `unless_recorded` does, and where there is nothing
    that a reason could be for. `what` is the subject of the sentence.
    """
    if known is None and event.why is not None:
        sentence = f"why: {what} is not recorded yet, so that nothing is corrected: leave it out"
        raise refused_field("engagement-not-imported", "why", sentence)
    if known is None or event.why is None:
        before = known and known.model_copy(update={"why": None})
        try:
            yield from unless_recorded(before, event, what)
        except Refused as refused:
            sentence = f"{refused.sentence}; a correction says why"
            raise Refused(refused.code, sentence, refused.missing) from None
    elif event != (known if again else known.model_copy(update={"why": event.why})):
        yield event
