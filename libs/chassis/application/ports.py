"""The port that a department's event handler and the gateway implement for the consumer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from chassis.base.failures import ValueFreeError
from chassis.domain.stream import PassedOver
from chassis.domain.trouble import Head
from contracts.event import Event, Recorded

Batch: TypeAlias = Mapping[str, Sequence[Recorded[Event]]]
"""Events by stream, in order."""

StreamRouter: TypeAlias = Callable[[Recorded[Event]], str | None]
"""A function that returns the id of the stream that processes an event, or None."""


class CannotBeKept(ValueFreeError):
    """The results of some engagements cannot be written; those of all others are written.

    `why` has the reason by engagement. The event handler keeps their results in memory and raises
    this again until `EventHandler.give_up` was called for all of them. Until then no offset after
    their events may be committed.
    """

    def __init__(self, why: Mapping[str, str]) -> None:
        super().__init__(
            "; ".join(f"{name} cannot be written: {each}" for name, each in why.items())
        )
        self.why = why


class EventHandler(Protocol):
    """A handler of consumed events, called by the batch processor of the consumer."""

    async def process(self, batch: Batch) -> Mapping[str, Exception]:
        """Process events, by stream and in order; skip repeats; return the errors by stream.

        The events of a stream with an error, or of all streams if this raises, are given again one
        by one. After a transient fault (StoreAway) the whole batch is given again later.
        `chassis.domain.stream.is_next` decides which event is next; an event for which it raises
        NotTakenIn is set aside before the next one is given.
        """

    async def flush(self, *, now: bool) -> bool:
        """Return whether the results of all processed events are durable: offsets may be committed.

        With `now` they are written first. Raises CannotBeKept, StoreAway.
        """

    async def give_up(self, engagement: str) -> Sequence[Recorded[Event]]:
        """Reset an engagement to its last written state; return the events since then, in order.

        The caller parks them; until they are processed, a later event raises Gap.
        """

    async def pass_over(self, engagement: str, passed: PassedOver) -> None:
        """Skip missing events that a person decided to skip, and show the decision in views."""

    async def show_parked(self, engagement: str, head: Head | None) -> None:
        """Show the first parked event of an engagement; None if it is no longer parked."""

    async def show_only_parked(self, heads: Mapping[str, Head]) -> None:
        """Show these engagements, and no others on the assigned partitions, as parked."""

    async def assigned(self, partitions: frozenset[int]) -> Callable[[], Awaitable[None]] | None:
        """Accept the assignment of these partitions of all topics; all others are revoked.

        To consume them again from their first records, return a callback. It is called after the
        reset of the offsets is committed.
        """

    async def revoked(self) -> None:
        """Discard what is not durable: the partitions may be assigned to another process now."""
