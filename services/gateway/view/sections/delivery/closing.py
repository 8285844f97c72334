"""Describe go-live and review, a hold of the work, and the closing of the engagement."""

from datetime import date
from typing import Protocol

from contracts import delivery
from contracts.event import Recorded
from contracts.holds import after_hold
from gateway.formatting import day, hours, listed
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import Kept, PartSteps, ref


class Fields(Protocol):
    """Fields of the section that these steps change."""

    held: Kept[delivery.EngagementPutOnHold] | None
    past_holds: dict[date, date]


steps = PartSteps[Fields]()

steps.describe(delivery.SolutionWentLive, lambda event, _: f"Live since {day(event.live_on)}.")
steps.describe(
    delivery.GoLiveWithdrawn,
    lambda event, _: (
        f"Go-live on {day(event.live_on)} withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    delivery.PirHeld,
    lambda event, _: (
        f"Review held on {day(event.held_on)}: {hours(event.delivered_hours)} delivered of "
        f"{hours(event.sold_hours)} sold.{if_given(' Went well: {}.', event.went_well, listed)}"
        f"{if_given(' Went badly: {}.', event.went_badly, listed)}"
    ),
)
steps.describe(
    delivery.EngagementPutOnHold,
    lambda event, _: f"On hold since {day(event.held_on)}: “{event.reason}”",
)


@steps.on(delivery.EngagementPutOnHold)
def _held(section: Fields, recorded: Recorded[delivery.EngagementPutOnHold]) -> None:
    section.held = Kept(recorded.event, ref(recorded))


steps.describe(
    delivery.EngagementResumed,
    lambda event, _: f"Work resumed on {day(event.resumed_on)}.",
)


@steps.on(delivery.EngagementResumed)
def _resumed(section: Fields, recorded: Recorded[delivery.EngagementResumed]) -> None:
    if section.held is not None:
        since, until = section.held.event.held_on, recorded.event.resumed_on
        section.past_holds = after_hold(section.past_holds, since, until)
        section.held = None


steps.describe(
    delivery.EngagementClosed,
    lambda event, _: f"Engagement closed on {day(event.closed_on)}.",
)
