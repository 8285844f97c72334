"""Decide on the termination of an engagement before its work is complete."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command
from chassis.domain.context import Context
from chassis.domain.reference import require_record
from chassis.domain.rules import same_day, unless_recorded
from contracts.event import Event
from contracts.legal import EngagementTerminated, Termination
from contracts.reference import PersonPublished
from contracts.values import Day, PersonId
from legal.engagement import Engagement
from legal.policies import require_open
from legal.roles import COUNSEL

capability = Capability[Engagement](__name__)


class TerminateEngagement(Termination, Command):
    """Terminate the engagement; nothing can be drafted or signed afterwards."""

    terminated_on: Day | None = Field(default=None, description="today unless given")
    decided_by: PersonId | None = Field(default=None, description="the caller unless given")


@capability.decide(TerminateEngagement, by=COUNSEL)
def terminate_engagement(
    state: Engagement, command: TerminateEngagement, context: Context
) -> Iterable[Event]:
    """Terminate once; an equal repetition changes nothing.

    Raises Refused where the person who is named as having decided it is not on record.
    """
    known = state.ending.terminated
    if known is None:
        require_open(state)
        require_record("person-unknown", "decided_by", PersonPublished, command.decided_by, context)
    terms = {
        **dict(command),
        "terminated_on": same_day("terminated_on", command, known, context),
        "decided_by": command.decided_by or (known.decided_by if known else context.acting_for),
    }
    yield from unless_recorded(known, EngagementTerminated(**terms), "the termination")


class EndingFields(ViewModel):
    """The termination in the view of an engagement."""

    terminated: EngagementTerminated | None


@capability.view
def ending_view(state: Engagement) -> EndingFields:
    """Return the termination for the view of an engagement."""
    return EndingFields(terminated=state.ending.terminated)
