"""Run the finance service: ``python -m finance.service``."""

from chassis.runtime.service import Service, run
from contracts.reference import CostRatesPublished, RateCardPublished
from finance.api import cost_rates, engagements, rate_cards
from finance.invoice_numbering import REGISTER

SERVICE = Service(
    "finance",
    "Finance",
    description=(
        "Prices, budget, billing and revenue of an engagement, and (confidentially) its cost, "
        "earned value and margins."
    ),
    routes=(engagements(), rate_cards(), cost_rates()),
    deciders=(REGISTER,),
    reads=(RateCardPublished, CostRatesPublished),
)


def main() -> None:
    """Run the service until it is stopped by a signal."""
    run(SERVICE)


if __name__ == "__main__":
    main()
