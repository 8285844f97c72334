"""State of the customer's inputs and delays."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.delivery import (
    CustomerDelayRecorded,
    CustomerDelayWithdrawn,
    CustomerInputReceived,
    CustomerInputReopened,
    CustomerInputRequested,
    CustomerInputWithdrawn,
)


class CustomerInputs(Part):
    """The inputs that were requested, received and withdrawn, and the delays, each by id."""

    requested: Annotated[dict[str, CustomerInputRequested], Keep("input")] = {}
    received: Annotated[
        dict[str, CustomerInputReceived], Keep("input", until=(CustomerInputReopened,))
    ] = {}
    withdrawn: Annotated[dict[str, CustomerInputWithdrawn], Keep("input")] = {}
    delays: Annotated[dict[str, CustomerDelayRecorded], Keep("delay")] = {}
    delays_withdrawn: Annotated[dict[str, CustomerDelayWithdrawn], Keep("delay")] = {}

    @property
    def valid(self) -> tuple[CustomerInputRequested, ...]:
        """Return the requests that are not withdrawn."""
        return tuple(each for name, each in self.requested.items() if name not in self.withdrawn)

    @property
    def valid_delays(self) -> tuple[CustomerDelayRecorded, ...]:
        """Return the delays that are not withdrawn."""
        known = self.delays.items()
        return tuple(each for name, each in known if name not in self.delays_withdrawn)
