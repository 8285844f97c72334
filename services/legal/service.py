"""The legal service: ``python -m legal.service``."""

from chassis.domain.decider import Decider
from chassis.runtime.service import Service, run
from chassis.web.command_routes import CommandRoutes
from common.disconnects import decisions as disconnects
from contracts.reference import StandInsPublished
from legal.agreements import decisions as agreements
from legal.amendments import decisions as amendments
from legal.deal import decisions as deal
from legal.early_starts import decisions as early_starts
from legal.ending import decisions as ending
from legal.engagement import Engagement
from legal.file import decisions as file
from legal.receivables import decisions as receivables
from legal.roles import READERS
from legal.signing import decisions as signing
from legal.sows import decisions as sows

ENGAGEMENT: Decider[Engagement] = Decider(
    department="legal",
    kind="engagement",
    initial=lambda subject: Engagement(engagement=subject),
    capabilities=(
        file.capability,
        agreements.capability,
        deal.capability,
        sows.capability,
        signing.capability,
        early_starts.capability,
        amendments.capability,
        receivables.capability,
        ending.capability,
        disconnects.capability_of(Engagement),
    ),
)
"""Decider of Legal's engagement streams; the first event of another department begins one."""

SERVICE = Service(
    "legal",
    "Legal",
    description=(
        "Contract documents of an engagement: agreements, the statement of work and its gate, "
        "early starts, amendments and termination."
    ),
    routes=(CommandRoutes(ENGAGEMENT, path="engagements", seen_by=READERS),),
    reads=(StandInsPublished,),
)


def main() -> None:
    """Run the service until it receives SIGTERM."""
    run(SERVICE)


if __name__ == "__main__":
    main()
