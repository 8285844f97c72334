"""Run the delivery service: ``python -m delivery.service``."""

from chassis.runtime.service import Service, run
from contracts.reference import AccountPublished, PersonPublished, TemplatePublished
from delivery.api import engagements, people, templates
from delivery.decider import ENGAGEMENT

SERVICE = Service(
    "delivery",
    "Delivery",
    description=(
        "The work of an engagement: estimates, plans, resources, time, progress, change control, "
        "acceptance and closing, each behind its gate; records of people and templates."
    ),
    routes=(engagements(ENGAGEMENT), people(), templates()),
    reads=(AccountPublished, PersonPublished, TemplatePublished),
)


def main() -> None:
    """Run the service until it is stopped by a signal."""
    run(SERVICE)


if __name__ == "__main__":
    main()
