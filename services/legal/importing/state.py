"""State of the import: the opportunity that Sales imported, and the contract."""

from chassis.domain.state import Kept, Part
from contracts.legal import EngagementImported
from contracts.sales import OpportunityImported


class Importing(Part):
    """The imported opportunity, and the contract that was taken over for it."""

    opportunity: Kept[OpportunityImported] = None
    taken_over: Kept[EngagementImported] = None
