"""State of the import: the baseline and progress that were taken over."""

from chassis.domain.state import Kept, Part
from contracts.delivery import EngagementImported


class Importing(Part):
    """The baseline and progress that were taken over for an imported opportunity."""

    taken_over: Kept[EngagementImported] = None
