"""Define the decider of Finance's engagements: state, decisions, reactions and deadlines."""

from chassis.domain.decider import Decider
from finance import (
    budgeting,
    evolution,
    hearing,
    invoicing,
    revenue,
    settling,
    sow_review,
    time_billing,
)
from finance.deadlines import deadlines
from finance.react import react
from finance.state import Engagement, decide, evolve

CAPABILITIES = (
    sow_review,
    budgeting,
    time_billing,
    invoicing,
    revenue,
    settling,
    evolution,
    hearing,
)
"""Modules whose decisions or event handlers are registered by importing them."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="finance",
    kind="engagement",
    initial=lambda _: Engagement(),
    evolve=evolve,
    decide=decide,
    react=react,
    deadlines=deadlines,
)
