"""The legal service: ``python -m legal.service``."""

from chassis.runtime.service import Service, run
from legal.api import engagements
from legal.decider import ENGAGEMENT

SERVICE = Service(
    "legal",
    "Legal",
    description=(
        "Contract documents of an engagement: agreements, the statement of work and its gate, "
        "early starts, amendments and termination."
    ),
    routes=(engagements(ENGAGEMENT),),
)


def main() -> None:
    """Run the service until it receives SIGTERM."""
    run(SERVICE)


if __name__ == "__main__":
    main()
