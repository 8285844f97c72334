"""What a listener asks of whoever hears through it: a department's engine, the gateway's fold."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from chassis.base.failures import SaysNoValues
from chassis.domain.decider import PassedOver
from chassis.domain.trouble import Head
from contracts.event import Event, Recorded

Batch: TypeAlias = Mapping[str, Sequence[Recorded[Event]]]

StreamRouter: TypeAlias = Callable[[Recorded[Event]], Iterable[str]]
"""Return the streams that take an event in."""


class CannotBeKept(SaysNoValues):
    """What was taken in for some engagements cannot be written; everything else was.

    `why` says for each of them what is wrong with it. The reader holds them in memory and raises
    this again, until `EventHandler.give_up` was called for all of them. Until then no offset behind
    their events may be committed.
    """

    def __init__(self, why: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name} cannot be kept: {each}" for name, each in why.items()))
        self.why = why


class EventHandler(Protocol):
    """What a service does with the events it hears."""

    async def take(self, batch: Batch) -> Mapping[str, Exception]:
        """Take events in, by stream and in order; seen ones pass by. What went wrong, by stream.

        Events of a stream that is named in the answer, or of all where this raises, are given again
        one by one. A fault that passes by itself (StoreAway) means: all of it again, later.
        Whether an event is the next one, `chassis.domain.decider.is_next` says; one for which that
        raises NotTakenIn is set aside before the next is given.
        """

    async def settle(self, *, now: bool) -> bool:
        """Whether all that was taken in is durable, so that offsets may be committed.

        With `now` it must be made so, or this must raise. Raises CannotBeKept.
        """

    async def give_up(self, engagement: str) -> Sequence[Recorded[Event]]:
        """Leave an engagement as it was last written; return, in order, the events not kept.

        Whoever calls this keeps them; a later event is a gap until they were taken in.
        """

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Do without missing events that a person decided to do without, and show that it does."""

    async def waits(self, engagement: str, head: Head | None) -> None:
        """Show what an engagement waits for, or that it waits no longer (None)."""

    async def wait(self, heads: Mapping[str, Head]) -> None:
        """Show that these engagements wait, and no others on the partitions that were given."""

    async def given(self, partitions: frozenset[int]) -> Callable[[], Awaitable[None]] | None:
        """These partitions of all topics are this reader's now, and no others are.

        A reader that must read them again from their first records answers with what is to be
        done once that is certain, even if the process ends.
        """

    async def withdrawn(self) -> None:
        """The partitions may be another reader's now: what is not durable is to be forgotten."""
