"""What Delivery says by itself, read off what it knows."""

from collections.abc import Iterator

from chassis.domain.decider import Context
from contracts.delivery import ResourceReleased
from contracts.event import Event
from delivery.state import Engagement


def react(state: Engagement, context: Context) -> Iterator[Event]:
    """When the deal is lost or the contract ends, whoever was given to it is free from that day."""
    if state.over_on is None:
        return
    for request, resource in state.resources.items():
        for person in resource.allocated:
            yield ResourceReleased(request=request, person=person, released_on=state.over_on)
