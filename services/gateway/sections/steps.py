"""Registry of the functions that apply events to a section, one per type of event.

They change the section in place: copies would cost too much over a hundred thousand events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from contracts.event import Event, Recorded, write_position

Section = TypeVar("Section")
F = TypeVar("F", bound=Event)


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an event, with which the timeline finds it and a disconnect proves itself.

    `heard` is the position that the event's author had processed, as text.
    """

    event: str
    type: str
    channel: str
    sequence: int
    occurred_at: datetime
    heard: str


def ref(recorded: Recorded[Event]) -> Ref:
    """Return a reference to a recorded event."""
    event = recorded.event
    return Ref(
        recorded.id,
        event.type,
        event.channel.name,
        recorded.sequence,
        recorded.occurred_at,
        write_position(recorded.heard),
    )


@dataclass(frozen=True, slots=True)
class Review:
    """A department's review of a version of the statement of work."""

    verdict: str
    said: Ref


class Steps(Generic[Section]):
    """The steps of one section by type of event."""

    def __init__(self) -> None:
        self.by_type: dict[type[Event], Callable[[Section, Any], None]] = {}

    def on(
        self, kind: type[F]
    ) -> Callable[[Callable[[Section, Recorded[F]], None]], Callable[[Section, Recorded[F]], None]]:
        """Register the step for a type of event."""

        def register(
            step: Callable[[Section, Recorded[F]], None],
        ) -> Callable[[Section, Recorded[F]], None]:
            self.by_type[kind] = step
            return step

        return register
