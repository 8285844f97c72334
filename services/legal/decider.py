"""Decider of Legal for engagements."""

from chassis.domain.decider import Decider
from legal import amendments, early_start, evolution, filing, hearing, sows, terminating
from legal.react import react
from legal.state import Engagement, decide, evolve

CAPABILITIES = (filing, sows, early_start, amendments, terminating, evolution, hearing)
"""Modules that, when imported, register their decisions and steps in `decide` and `evolve`."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="legal",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    evolve=evolve,
    decide=decide,
    react=react,
    deadlines=early_start.deadlines,
)
"""Decider of Legal's engagement streams; the first event of another department begins one."""
