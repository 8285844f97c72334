"""The gateway as a service: its parts put together."""

from datetime import UTC, date, datetime

from chassis.runtime.container import Container, EventHandling
from chassis.runtime.service import Service, run
from contracts.event import EVENTS
from contracts.reference import AccountPublished, PersonPublished
from gateway import api, findings
from gateway.announcing import Announcing
from gateway.folding import HEARD, Folding
from gateway.pages import pages
from gateway.shelf import Shelf

_BEHIND = 500


class Today:
    """The day (UTC) by which engagements are judged; the clock's while an operator holds it."""

    def __init__(self) -> None:
        self.held: date | None = None

    def __call__(self) -> date:
        """The day."""
        return self.held or datetime.now(UTC).date()


def hearing(container: Container) -> EventHandling:
    """Events are folded, and what is found in them is announced."""
    shelf = Shelf(container.store)
    today = Today()
    folding = Folding(shelf, today)

    def behind() -> bool:
        consumer = container.consumer
        return consumer is None or sum(consumer.progress.lag.values()) > _BEHIND

    async def look_at_the_clock() -> None:
        held_at = await container.deadlines.held_at()
        today.held = held_at.date() if held_at is not None else None

    async def prepare() -> None:
        # Before the first event is judged: a hold may have been there before this process was.
        await look_at_the_clock()
        await shelf.prepare()
        await folding.look_at_others()  # lists show what was written before Kafka is reached

    async def look_after() -> None:
        await look_at_the_clock()
        if container.consumer is not None and await folding.must_fold_again():
            container.consumer.prepare_again()

    announcing = Announcing(folding, container.commands, behind, look_after)
    return EventHandling(
        handler=folding,
        router=lambda recorded: (recorded.subject,),
        channels=HEARD,
        prepare=prepare,
        tasks={"announcing": announcing.run},
        rest_per_record=0.002,
        lists_read_at=lambda: folding.others_read_at,
    )


SERVICE = Service(
    "gateway",
    "Gateway",
    description="Every engagement as all departments together tell it, and where they disagree.",
    deciders=(findings.ENGAGEMENT,),
    reads=(AccountPublished, PersonPublished),
    routers=(api.router, pages()),
    consumes=tuple(kind for kind in EVENTS.values() if kind.channel in HEARD),
    event_handling=hearing,
)


def main() -> None:
    """Run the gateway until it is told to stop."""
    run(SERVICE)


if __name__ == "__main__":
    main()
