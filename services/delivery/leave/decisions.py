"""Publish the leave of people as reference data: days on which they do not work."""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import LeaveDetails, LeavePublished
from contracts.roles import COMPANY
from delivery.policies import known_person, require_own_or_team
from delivery.roles import RECORD_KEEPERS

capability: Capability[Record[LeavePublished]] = Capability(__name__)


class PublishLeave(LeaveDetails, Publish):
    """Publish the leave of a person: the person, a manager above them, or a PMO director.

    All periods are given, not only what changed. The reason for a leave is not recorded.
    """


@capability.decide(PublishLeave, by=(*COMPANY, "operator"), opens=True)
def publish_leave(
    state: Record[LeavePublished], command: PublishLeave, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where the person is unknown, or where it is not the actor's to record.
    """
    known_person(context, state.id)
    require_own_or_team(state.id, context, else_by=RECORD_KEEPERS)
    yield from next_version(state, command, context)
