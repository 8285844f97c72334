"""Publish the events that follow from Delivery's state without a command."""

from collections.abc import Iterator

from chassis.domain.context import Context
from contracts.delivery import ResourceReleased
from contracts.event import Event
from delivery.state import Engagement


def react(state: Engagement, context: Context) -> Iterator[Event]:
    """Release every allocated person on the day the deal is lost or the contract is terminated."""
    if state.over_on is None:
        return
    for request, resource in state.resources.items():
        for person in resource.allocated:
            yield ResourceReleased(request=request, person=person, released_on=state.over_on)
