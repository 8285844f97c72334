"""State of the customer's inputs and delays."""

from typing import Annotated

from chassis.domain.state import Keep, Part
from contracts.delivery import (
    CustomerDelayRecorded,
    CustomerInputReceived,
    CustomerInputRequested,
)


class CustomerInputs(Part):
    """The inputs that were requested and received, and the delays, each by id."""

    requested: Annotated[dict[str, CustomerInputRequested], Keep("input")] = {}
    received: Annotated[dict[str, CustomerInputReceived], Keep("input")] = {}
    delays: Annotated[dict[str, CustomerDelayRecorded], Keep("delay")] = {}
