"""The sales service: ``python -m sales.app``."""

from chassis.runtime.service import Service, run
from contracts.reference import AccountPublished, PersonPublished
from sales.api import accounts, engagements, imports

SERVICE = Service(
    "sales",
    "Sales",
    description=(
        "Opportunities, proposals and the gate before their submission, deals won and lost, "
        "accounts, and the import of CRM exports."
    ),
    routes=(engagements(), accounts()),
    routers=(imports,),
    reads=(AccountPublished, PersonPublished),
)


def main() -> None:
    """Run the service until it receives SIGTERM."""
    run(SERVICE)


if __name__ == "__main__":
    main()
