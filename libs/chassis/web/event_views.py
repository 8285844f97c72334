"""The view of the events that a command recorded, in answers to commands."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel

from contracts.event import Event, Recorded


class EventView(BaseModel):
    """An event that a command recorded."""

    type: str
    id: str
    channel: str
    streamsequence: int
    occurred_at: datetime


def event_views(events: Iterable[Recorded[Event]], *, confidential: bool) -> list[EventView]:
    """Return the views of events; those of confidential channels only to whom may see them."""
    return [
        EventView(
            type=each.event.type,
            id=each.id,
            channel=each.channel.name,
            streamsequence=each.sequence,
            occurred_at=each.occurred_at,
        )
        for each in events
        if confidential or not each.channel.confidential
    ]
