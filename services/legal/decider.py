"""All that Legal decides about an engagement, in one place."""

from chassis.domain.decider import Decider
from legal import amendments, early_start, evolution, filing, hearing, sows, terminating
from legal.react import react
from legal.state import Engagement, decide, evolve

CAPABILITIES = (filing, sows, early_start, amendments, terminating, evolution, hearing)
"""The modules whose decisions and steps stand in `decide` and `evolve` once they are imported."""

ENGAGEMENT: Decider[Engagement] = Decider(
    department="legal",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    evolve=evolve,
    decide=decide,
    react=react,
    deadlines=early_start.deadlines,
)
"""Legal's stream of an engagement. It begins when another department's first event is heard."""
