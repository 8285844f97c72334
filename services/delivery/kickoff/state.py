"""State of the kickoff."""

from typing import Self

from chassis.domain.state import Kept, Part, on_event
from contracts.delivery import KickoffHeld, KickoffWithdrawn


class Kickoff(Part):
    """The kickoff meeting, or None before it and after its withdrawal."""

    held: Kept[KickoffHeld] = None

    @on_event
    def _withdrawn(self, _: KickoffWithdrawn) -> Self:
        return self.updated(held=None)
