"""The legal service: ``python -m legal.app``."""

from chassis.runtime.service import Service, run
from legal.api import engagements
from legal.decider import ENGAGEMENT

SERVICE = Service(
    "legal",
    "Legal",
    description=(
        "The papers of an engagement: agreements, the statement of work and its gate, early "
        "starts, amendments of the contract, and its termination."
    ),
    routes=(engagements(ENGAGEMENT),),
)


def main() -> None:
    """Run the service until it is told to stop."""
    run(SERVICE)


if __name__ == "__main__":
    main()
