"""Beginning the work: the kickoff, with everybody in one room."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from chassis.domain.decider import Command, Context, gate
from contracts.delivery import KickoffHeld
from contracts.event import Event
from contracts.values import Day, PersonId
from delivery.gates import at_work, covered, day_of, once
from delivery.state import Engagement, decide


class HoldKickoff(Command):
    """Record the kickoff. It waits for a signed statement of work or an early start in force."""

    held_on: Day | None = None
    attendees: Annotated[tuple[PersonId, ...], Field(min_length=1, max_length=200)]


@decide.on(HoldKickoff)
def hold_kickoff(state: Engagement, command: HoldKickoff, context: Context) -> Iterator[Event]:
    """Gate 3, by the day of the kickoff; an early start counts while its cap is not spent."""
    at_work(state)
    known = state.kickoff
    day = day_of(context, command.held_on or (known.held_on if known else None))
    event = KickoffHeld(held_on=day, attendees=command.attendees)
    if known is None:
        gate("not-released", [covered(state, day, day, context.today, hours=Decimal(0))])
    yield from once(known, event, "kickoff-already-held", "the kickoff was held already")
