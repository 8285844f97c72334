"""Put the engagement on hold, and resume it."""

from collections.abc import Iterable

from pydantic import Field

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from chassis.domain.rules import past_day, unless_recorded
from contracts.delivery import EngagementPutOnHold, EngagementResumed
from contracts.event import Event
from contracts.values import Day, ShortText
from delivery.engagement import Engagement
from delivery.policies import require_open
from delivery.roles import MANAGERS

capability = Capability[Engagement](__name__)


class PutOnHold(Command):
    """Put the engagement on hold until it is resumed."""

    reason: ShortText
    held_on: Day | None = Field(default=None, description="today unless given")


class Resume(Command):
    """Resume an engagement that is on hold."""

    resumed_on: Day | None = Field(default=None, description="today unless given")


@capability.decide(PutOnHold, by=MANAGERS)
def put_on_hold(state: Engagement, command: PutOnHold, context: Context) -> Iterable[Event]:
    """Put the engagement on hold.

    Time, progress, submissions and the implementation of changes are then refused; approving work
    that was done is not. Raises Refused where it is on hold for another reason or since another
    day.
    """
    require_open(state)
    known = state.hold.current
    day = past_day("held_on", command.held_on or (known.held_on if known else None), context)
    event = EngagementPutOnHold(reason=command.reason, held_on=day)
    yield from unless_recorded(known, event, "the hold")


@capability.decide(Resume, by=MANAGERS)
def resume(state: Engagement, command: Resume, context: Context) -> Iterable[Event]:
    """Resume the engagement; nothing happens where it is not on hold.

    Raises Refused where the day is before the hold began.
    """
    require_open(state)
    hold = state.hold.current
    if hold:
        day = past_day("resumed_on", command.resumed_on, context)
        if day < hold.held_on:
            raise Refused("date-before-hold", f"work is on hold only since {hold.held_on}")
        yield EngagementResumed(resumed_on=day)


class HoldFields(ViewModel):
    """The hold in the view of an engagement; None once the engagement is over."""

    on_hold: EngagementPutOnHold | None


@capability.view
def hold_view(state: Engagement) -> HoldFields:
    """Return the hold for the view of an engagement."""
    return HoldFields(on_hold=None if state.is_over else state.hold.current)
