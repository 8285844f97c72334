"""Define the decider of Delivery's engagements: state, decisions and reactions."""

from chassis.domain.decider import Decider
from delivery import (
    acceptance,
    assignment,
    changes,
    closing,
    estimating,
    evolution,
    hearing,
    kickoff,
    planning,
    progress,
    raid,
    requirements,
    resources,
    sow_review,
    timekeeping,
)
from delivery.react import react
from delivery.state import Engagement, decide, evolve

CAPABILITIES = (
    acceptance,
    changes,
    closing,
    estimating,
    assignment,
    planning,
    progress,
    raid,
    requirements,
    resources,
    sow_review,
    timekeeping,
    kickoff,
)
"""Modules whose decisions are registered by importing them."""

EVENT_HANDLERS = (evolution, hearing)
"""Modules whose event handlers are registered by importing them."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="delivery",
    kind="engagement",
    initial=lambda engagement: Engagement(engagement=engagement),
    evolve=evolve,
    decide=decide,
    react=react,
)
