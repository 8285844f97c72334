"""Publish stand-ins as reference data: who acts for a person, from when, until when, for what.

A stand-in sends the header `Concord-On-Behalf-Of` with a command, to any service.
"""

from collections.abc import Iterable

from chassis.domain.capability import Capability
from chassis.domain.commands import Refused
from chassis.domain.context import Context
from chassis.domain.reference import Publish, Record, next_version
from contracts.event import Event
from contracts.reference import StandInsDetails, StandInsPublished
from contracts.roles import COMPANY
from delivery.policies import known_person, known_staff, require_own_or_team
from delivery.roles import DIRECTORS

capability: Capability[Record[StandInsPublished]] = Capability(__name__)


class PublishStandIns(StandInsDetails, Publish):
    """Publish the stand-ins of a person: the person, a manager above them, or a PMO director.

    All stand-ins are given, not only what changed.
    """


@capability.decide(PublishStandIns, by=COMPANY, opens=True)
def publish_stand_ins(
    state: Record[StandInsPublished], command: PublishStandIns, context: Context
) -> Iterable[Event]:
    """Publish the next version, unless it equals the one in force.

    Raises Refused where a person is unknown or is not with the company on the days, where a
    person would stand in for themselves, or where it is not the actor's to record.
    """
    known_person(context, state.id)
    require_own_or_team(state.id, context, else_by=DIRECTORS)
    for entry in command.stand_ins:
        if entry.stand_in == state.id:
            raise Refused("stand-in-is-self", "a person cannot stand in for themselves")
        known_staff(context, entry.stand_in, entry.first, entry.last)
    yield from next_version(state, command, context)
