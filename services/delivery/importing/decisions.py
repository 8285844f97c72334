"""Take over baseline and progress of an engagement from before the platform was introduced."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, refused_field
from chassis.domain.context import Context, ReferenceData
from chassis.domain.rules import past_day
from common.imports import ImportingFields, ImportingRow, require_imported, unless_taken_over
from contracts.delivery import EngagementImported, ImportedProgress
from contracts.event import Event
from contracts.reference import PersonPublished, TemplatePublished
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import RECORD_KEEPERS

capability = Capability[Engagement](__name__)


class ImportEngagement(ImportedProgress, Command):
    """Take over baseline and progress of an engagement whose opportunity Sales imported as won.

    What happened before is not judged. The same content again changes nothing; other content
    replaces it, until a plan is baselined here or the engagement ends, if `why` says what was
    wrong.
    """


@capability.decide(ImportEngagement, by=RECORD_KEEPERS)
def import_engagement(
    state: Engagement, command: ImportEngagement, context: Context
) -> Iterable[Event]:
    """Record baseline and progress; an equal repetition changes nothing.

    Raises Refused where Sales did not import the opportunity as won from this record, the
    engagement is over or has a baseline of its own, the day is in the future, a role is unknown, or
    other content is recorded and no reason for a correction is given; the refusal names the field.
    """
    require_imported(state.deal.imported, command)
    event = EngagementImported(**dict(command))
    before = state.importing.taken_over
    for new in unless_taken_over(before, event, "the imported progress", again=True):
        require_open(state)
        own = state.planning.baseline
        if own is not None:
            sentence = f"baselined_on: a plan of Delivery is the baseline since {own.baselined_on}"
            raise refused_field("plan-baselined", "baselined_on", sentence)
        past_day("as_of", event.as_of, context)
        known = _roles(context.reference_data)
        unknown = [each.role for each in event.hours if each.role not in known]
        if unknown:
            raise Refused(
                "role-unknown",
                f"hours: no person holds the role {', '.join(unknown)}, and no template plans it",
            )
        yield new


def _roles(records: ReferenceData) -> set[str]:
    """Return the roles that people hold or templates plan."""
    people = (role for each in records.all(PersonPublished) for role in each.event.roles)
    planned = (line.role for each in records.all(TemplatePublished) for line in each.event.estimate)
    return {*people, *planned}


@capability.view
def importing_view(state: Engagement) -> ImportingFields[EngagementImported]:
    """Return baseline and progress that were taken over for the view of an engagement."""
    return ImportingFields(imported=state.importing.taken_over)


@capability.row
def importing_row(state: Engagement) -> ImportingRow:
    """Return whether baseline and progress were taken over, for the list of engagements."""
    return ImportingRow(imported=state.importing.taken_over is not None)
