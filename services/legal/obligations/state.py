"""State of the obligations."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.legal import (
    ObligationMet,
    ObligationRecorded,
    ObligationReopened,
    ObligationWithdrawn,
)


class Obligations(Part):
    """The obligations of the contract by id; those that were met, and those that were withdrawn."""

    recorded: Annotated[dict[str, ObligationRecorded], Keep("obligation")] = {}
    met: Annotated[dict[str, ObligationMet], Keep("obligation", until=(ObligationReopened,))] = {}
    withdrawn: Annotated[dict[str, ObligationWithdrawn], Keep("obligation")] = {}

    @property
    def valid(self) -> tuple[ObligationRecorded, ...]:
        """Return the obligations that are not withdrawn, in the order of recording."""
        return tuple(each for name, each in self.recorded.items() if name not in self.withdrawn)

    @property
    def open(self) -> tuple[ObligationRecorded, ...]:
        """Return the obligations that are neither met nor withdrawn, in the order of recording."""
        return tuple(each for each in self.valid if each.obligation not in self.met)
