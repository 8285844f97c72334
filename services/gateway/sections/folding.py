"""How a section takes in its facts: one small step per type, changing the section in place.

Sections are changed in place because a fold of a hundred thousand facts pays for every copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from contracts.fact import Fact, Recorded, write_position

Section = TypeVar("Section")
F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Ref:
    """Which fact said a thing: enough to find it in the timeline and to prove a finding with it."""

    fact: str
    type: str
    channel: str
    sequence: int
    occurred_at: datetime
    heard: str


def ref(recorded: Recorded[Fact]) -> Ref:
    """The reference of a recorded fact."""
    fact = recorded.fact
    return Ref(
        recorded.id,
        fact.type,
        fact.channel.name,
        recorded.sequence,
        recorded.occurred_at,
        write_position(recorded.heard),
    )


@dataclass(frozen=True, slots=True)
class Review:
    """A department's word on a version of the statement of work."""

    verdict: str
    said: Ref


class Steps(Generic[Section]):
    """The steps of one section by type of fact."""

    def __init__(self) -> None:
        self.by_type: dict[type[Fact], Callable[[Section, Any], None]] = {}

    def on(
        self, kind: type[F]
    ) -> Callable[[Callable[[Section, Recorded[F]], None]], Callable[[Section, Recorded[F]], None]]:
        """Register the step for a type of fact."""

        def register(
            step: Callable[[Section, Recorded[F]], None],
        ) -> Callable[[Section, Recorded[F]], None]:
            self.by_type[kind] = step
            return step

        return register
