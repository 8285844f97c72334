"""Record the kickoff meeting."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.commands import Command, gate
from chassis.domain.context import Context
from contracts.delivery import KickoffHeld
from contracts.event import Event
from contracts.values import Day, PersonId
from delivery.policies import day_of, not_covered, once, require_active
from delivery.state import Engagement, decide


class HoldKickoff(Command):
    """Record the kickoff; it needs a signed statement of work or an early start in force."""

    held_on: Day | None = None
    attendees: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=200)]


@decide.on(HoldKickoff)
def hold_kickoff(state: Engagement, command: HoldKickoff, context: Context) -> Iterator[Event]:
    """Record the kickoff if gate 3 is open on its day.

    An early start opens the gate while its cap is not used up. Raises Refused where the gate is
    closed or a different kickoff is recorded.
    """
    require_active(state)
    known = state.kickoff
    day = day_of(context, command.held_on or (known.held_on if known else None))
    event = KickoffHeld(held_on=day, attendees=command.attendees)
    if known is None:
        gate("work-not-released", [not_covered(state, day, day, context.today, hours=Decimal(0))])
    yield from once(known, event, "already-recorded", "the kickoff was held already")
