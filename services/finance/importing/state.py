"""State of the import: the opportunity that Sales imported, and the opening balances."""

from chassis.domain.state import Kept, Part
from contracts.finance import EngagementImported, OpeningCostRecorded
from contracts.sales import OpportunityImported


class Importing(Part):
    """The imported opportunity, and the opening balances that were taken over for it."""

    opportunity: Kept[OpportunityImported] = None
    taken_over: Kept[EngagementImported] = None
    cost: Kept[OpeningCostRecorded] = None
