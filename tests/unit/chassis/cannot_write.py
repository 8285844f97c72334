"""An event handler that cannot write some engagements, for unit tests."""

from collections.abc import Sequence

from chassis.application.ports import CannotBeKept
from chassis.domain.trouble import Head
from contracts.event import Event, Recorded
from tests.component.consumer_harness import Counting


class CannotWrite(Counting):
    """An event handler that cannot write some engagements; `full` ones not even with their head."""

    def __init__(self, *full: str) -> None:
        super().__init__()
        self.unwritten: set[str] = set()
        self.full = set(full)

    async def flush(self, *, now: bool) -> bool:
        if self.unwritten:
            raise CannotBeKept(dict.fromkeys(self.unwritten, "it is too large"))
        return True

    async def give_up(self, engagement: str) -> Sequence[Recorded[Event]]:
        self.unwritten.discard(engagement)
        return ()

    async def show_parked(self, engagement: str, head: Head | None) -> None:
        await super().show_parked(engagement, head)
        if engagement in self.full:
            self.unwritten.add(engagement)
