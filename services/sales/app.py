"""The sales service: ``python -m sales.app``."""

from chassis.runtime.service import Service, run
from contracts.reference import AccountPublished, PersonPublished
from sales.api import accounts, engagements, imports

SERVICE = Service(
    "sales",
    "Sales",
    description=(
        "From the first call to a deal won or lost: opportunities, proposals and their gate, "
        "accounts, and history taken over from a CRM."
    ),
    routes=(engagements(), accounts()),
    routers=(imports,),
    reads=(AccountPublished, PersonPublished),
)


def main() -> None:
    """Run the service until it is told to stop."""
    run(SERVICE)


if __name__ == "__main__":
    main()
