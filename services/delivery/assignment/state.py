"""State of the assignment."""

from chassis.domain.state import Kept, Part
from contracts.delivery import ManagerAssigned


class Assignment(Part):
    """The current engagement manager."""

    manager: Kept[ManagerAssigned] = None
