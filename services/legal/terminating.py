"""Decide on the termination of an engagement before its work is complete."""

from collections.abc import Iterator
from typing import Literal

from chassis.domain.commands import Command, Refused
from chassis.domain.context import Context
from contracts.event import Event
from contracts.legal import EngagementTerminated
from contracts.values import Day, PersonId, Text
from legal.state import Engagement, decide, require_open, require_past


class TerminateEngagement(Command):
    """Terminate the engagement; nothing can be drafted or signed afterwards.

    `terminated_on` is today (UTC), and `decided_by` the caller, unless given.
    """

    reason: Literal["convenience", "breach", "insolvency", "mutual"]
    comment: Text | None = None
    terminated_on: Day | None = None
    decided_by: PersonId | None = None


@decide.on(TerminateEngagement)
def terminate_engagement(
    state: Engagement, command: TerminateEngagement, context: Context
) -> Iterator[Event]:
    """Terminate once; a repetition changes nothing where it agrees, and is refused otherwise."""
    earlier = state.terminated
    event = EngagementTerminated(
        reason=command.reason,
        comment=command.comment,
        terminated_on=command.terminated_on
        or (earlier.terminated_on if earlier else context.today),
        decided_by=command.decided_by or (earlier.decided_by if earlier else context.actor),
    )
    if earlier == event:
        return
    if earlier:
        raise Refused(
            "already-recorded",
            f"terminated on {earlier.terminated_on} for {earlier.reason}",
        )
    require_open(state)
    require_past(event.terminated_on, context.today, "the engagement was terminated")
    yield event
