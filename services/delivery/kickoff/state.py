"""State of the kickoff."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.delivery import KickoffHeld, KickoffWithdrawn


class Kickoff(Part):
    """The kickoff meeting, or None before it and after its withdrawal."""

    held: Annotated[KickoffHeld | None, Keep(until=(KickoffWithdrawn,))] = None
