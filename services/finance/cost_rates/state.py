"""State of a record of cost rates. Confidential."""

from chassis.domain.state import Kept, Part
from contracts.reference import CostRatesPublished


class CostRateRecord(Part):
    """A record of cost rates: its newest published version."""

    cost_rates: str
    published: Kept[CostRatesPublished] = None
