"""Batch processor: what is durable before an engagement is parked."""

import pytest

from chassis.application.ports import EventHandler
from chassis.eventstore.mongo import StoreAway
from chassis.kafka.batch_processor import BatchProcessor
from chassis.kafka.parked import ParkedRecordStore
from tests.component.consumer_harness import Counting, said
from tests.unit.chassis.cannot_write import CannotWrite
from tests.unit.chassis.parked_in_memory import ParkedInMemory, arrival

E, OTHER = "E-0000000000001", "E-0000000000002"


class Deferred(Counting):
    """An event handler that writes later, to a store that does not answer."""

    is_away = True

    async def flush(self, *, now: bool) -> bool:
        if self.is_away:
            raise StoreAway("no answer")
        return await super().flush(now=now)


def batch_processor(
    event_handler: EventHandler, parked_records: ParkedRecordStore
) -> BatchProcessor:
    return BatchProcessor(
        "readers", event_handler, parked_records, lambda event: f"engagement:{event.subject}"
    )


async def test_an_engagement_that_cannot_show_why_it_waits_does_not_block_the_consumer() -> None:
    event_handler = CannotWrite(E)
    event_handler.unwritten = {E, OTHER}

    assert await batch_processor(event_handler, ParkedInMemory()).flush(now=True)


async def test_nothing_is_parked_before_earlier_events_are_durable() -> None:
    """Otherwise a process that takes over would queue them behind the parked ones."""
    event_handler, parked_records = Deferred(), ParkedInMemory()
    batch = [arrival(said(E, 1), 0), arrival(said(E, 3), 1)]

    with pytest.raises(StoreAway):
        await batch_processor(event_handler, parked_records).process(batch)

    assert not parked_records.records
    event_handler.is_away = False
    await batch_processor(event_handler, parked_records).process(batch)
    assert [each.code for each in parked_records.records.values()] == ["gap"]
