"""The gateway's service: its parts and how they are connected."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from chassis.runtime.container import Container, EventHandling
from chassis.runtime.service import Service, run
from contracts.event import EVENTS, Event
from contracts.reference import (
    AccountPublished,
    AgreementPublished,
    CalendarPublished,
    ContactPublished,
    ExchangeRatePublished,
    LeavePublished,
    LedgerPublished,
    PersonPublished,
    StandInsPublished,
    TolerancesPublished,
)
from gateway import api, decider
from gateway.pages import pages
from gateway.projection.projector import CONSUMED_CHANNELS, Projector
from gateway.projection.tolerances import CompanyTolerances
from gateway.projection.view_store import ViewStore
from gateway.publisher import DisconnectPublisher
from gateway.view.engagement_view import is_described, is_projected

_BEHIND = 500
"""Records of consumer lag above which disconnects are not published."""


class Today:
    """The day (UTC) on which rules are evaluated, or the day that an operator holds it at."""

    def __init__(self) -> None:
        self.held_at: date | None = None

    def __call__(self) -> date:
        """Return the day."""
        return self.held_at or datetime.now(UTC).date()


def event_handling(
    container: Container, projector_class: type[Projector] = Projector
) -> EventHandling[Projector]:
    """Connect the projector to the consumer, and run the publisher of disconnects beside it."""
    store = ViewStore(container.store)
    today = Today()
    projector = projector_class(store, today, CompanyTolerances(container.reference_data))

    def behind() -> bool:
        consumer = container.consumer
        return consumer is None or sum(consumer.progress.lag.values()) > _BEHIND

    async def read_held_day() -> None:
        held_at = await container.deadlines.held_at()
        today.held_at = held_at.date() if held_at is not None else None

    async def prepare() -> None:
        # Before the first rule is evaluated: an operator may hold the day since before the start.
        await read_held_day()
        await store.prepare()
        await projector.refresh_other_rows()  # lists have rows before Kafka is reached

    async def before_each_round() -> None:
        await read_held_day()
        if container.consumer is not None and await projector.must_rebuild():
            container.consumer.prepare_again()

    publisher = DisconnectPublisher(projector, container.commands, behind, before_each_round)
    return EventHandling(
        handler=projector,
        router=lambda recorded: recorded.subject,
        channels=CONSUMED_CHANNELS,
        prepare=prepare,
        tasks={"announcing": publisher.run},
        rest_per_record=0.002,
        lists_read_at=lambda: projector.other_rows_read_at,
    )


def omissions_of(kind: type[Event]) -> Iterator[str]:
    """Yield what is missing for a consumed type of event: a section of the view, a sentence."""
    if not is_projected(kind):
        yield f"no section keeps, applies or ignores {kind.type}"
    if not is_described(kind):
        yield f"{kind.type} has no sentence"


SERVICE = Service(
    "gateway",
    "Gateway",
    description="Every engagement across all departments, and where departments disagree.",
    deciders=(decider.ENGAGEMENT,),
    reads=(
        AccountPublished,
        AgreementPublished,
        CalendarPublished,
        ContactPublished,
        ExchangeRatePublished,
        LeavePublished,
        LedgerPublished,
        PersonPublished,
        StandInsPublished,
        TolerancesPublished,
    ),
    routers=(api.router, pages()),
    consumes=tuple(kind for kind in EVENTS.values() if kind.channel in CONSUMED_CHANNELS),
    omissions_of=omissions_of,
    event_handling=event_handling,
)


if __name__ == "__main__":
    run(SERVICE)
