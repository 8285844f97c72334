"""State of the kickoff."""

from chassis.domain.state import Kept, Part
from contracts.delivery import KickoffHeld


class Kickoff(Part):
    """The kickoff meeting, or None before it."""

    held: Kept[KickoffHeld] = None
