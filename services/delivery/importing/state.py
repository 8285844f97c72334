"""State of the import: the opportunity that Sales imported, and the baseline and progress."""

from chassis.domain.state import Kept, Part
from contracts.delivery import EngagementImported
from contracts.sales import OpportunityImported


class Importing(Part):
    """The imported opportunity, and the baseline and progress that were taken over for it."""

    opportunity: Kept[OpportunityImported] = None
    taken_over: Kept[EngagementImported] = None
