"""The decider of engagements: what Delivery knows, decides, and says by itself."""

from chassis.domain.decider import Decider
from delivery import (
    acceptance,
    changes,
    closing,
    estimating,
    evolution,
    hearing,
    managing,
    planning,
    progress,
    raid,
    requirements,
    resources,
    sow_review,
    timekeeping,
    working,
)
from delivery.react import react
from delivery.state import Engagement, decide, evolve

CAPABILITIES = (
    acceptance,
    changes,
    closing,
    estimating,
    managing,
    planning,
    progress,
    raid,
    requirements,
    resources,
    sow_review,
    timekeeping,
    working,
)
"""Modules whose decisions register themselves when they are imported."""

KNOWLEDGE = (evolution, hearing)
"""Modules whose steps register themselves when they are imported."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="delivery",
    kind="engagement",
    initial=lambda engagement: Engagement(engagement=engagement),
    evolve=evolve,
    decide=decide,
    react=react,
)
