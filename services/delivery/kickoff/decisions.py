"""Record the kickoff meeting, and withdraw a wrong record of it."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused, gate
from chassis.domain.context import Context
from chassis.domain.rules import correction_day, same_day, unless_recorded
from contracts.delivery import Attendance, KickoffHeld, KickoffWithdrawn
from contracts.event import Event
from contracts.values import Correction, Day
from delivery.coverage import not_begun
from delivery.engagement import Engagement
from delivery.kickoff import work_items
from delivery.policies import require_active, require_on_record, require_open
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)
capability.work(work_items.KINDS, work_items.items)


class HoldKickoff(Attendance, Command):
    """Record the kickoff; it needs a signed statement of work or an early start in force."""

    held_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(HoldKickoff, by=MANAGERS)
def hold_kickoff(state: Engagement, command: HoldKickoff, context: Context) -> Iterable[Event]:
    """Record the kickoff if gate 3 is open on its day.

    An early start opens the gate while its cap is not used up. Raises Refused where the gate is
    closed, a different kickoff is recorded, or a person who attended is not on record.
    """
    known = state.kickoff.held
    day = same_day("held_on", command, known, context)
    require_active(state, day)
    event = KickoffHeld(held_on=day, attendees=command.attendees)
    for new in unless_recorded(known, event, "the kickoff"):
        for place, person in enumerate(command.attendees):
            require_on_record(state, f"attendees.{place}", person, context)
        gate("work-not-released", [not_begun(state, day, context.today)])
        yield new


class WithdrawKickoff(Correction, Command):
    """Withdraw a kickoff that was recorded by mistake; the right one may be recorded then."""

    withdrawn_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(WithdrawKickoff, by=MANAGERS)
def withdraw_kickoff(
    state: Engagement, command: WithdrawKickoff, context: Context
) -> Iterable[Event]:
    """Withdraw the kickoff; also after a termination.

    Raises Refused where none is recorded, or where the solution is live: that needs a kickoff.
    """
    require_open(state, after_termination=True)
    held = state.kickoff.held
    if held is None:
        raise Refused("kickoff-not-held", "no kickoff is recorded, or it was withdrawn")
    if state.closing.live:
        sentence = f"the solution is live since {state.closing.live.live_on}: withdraw that first"
        raise Refused("solution-live", sentence)
    day = correction_day("withdrawn_on", command, held.held_on, context)
    yield KickoffWithdrawn(held_on=held.held_on, why=command.why, withdrawn_on=day)


class KickoffFields(ViewModel):
    """The kickoff in the view of an engagement."""

    kickoff: KickoffHeld | None


@capability.view
def kickoff_view(state: Engagement) -> KickoffFields:
    """Return the kickoff for the view of an engagement."""
    return KickoffFields(kickoff=state.kickoff.held)
