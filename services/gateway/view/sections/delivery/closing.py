"""Describe go-live and review, a hold of the work, and the closing of the engagement."""

from contracts import delivery
from gateway.formatting import day, hours, listed
from gateway.view.sections.sentences import if_given
from gateway.view.sections.steps import PartSteps

steps = PartSteps[object]()

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
steps.describe(
    delivery.EngagementResumed,
    lambda event, _: f"Work resumed on {day(event.resumed_on)}.",
)
steps.describe(
    delivery.EngagementClosed,
    lambda event, _: f"Engagement closed on {day(event.closed_on)}.",
)
