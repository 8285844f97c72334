"""Retry of parked engagements: one that fails does not delay others."""

import logging

import pytest

from chassis.application.ports import EventHandler
from chassis.domain.stream import PassedOver
from chassis.domain.trouble import Trouble
from chassis.eventstore.mongo import StoreAway
from chassis.kafka.parked_retry import ParkedRetry
from tests.component.consumer_harness import Counting, said
from tests.unit.chassis.cannot_write import CannotWrite
from tests.unit.chassis.parked_in_memory import NOW, ParkedInMemory, arrival

E, OTHER = "E-0000000000001", "E-0000000000002"


def retries(event_handler: EventHandler, parked_records: ParkedInMemory) -> ParkedRetry:
    return ParkedRetry(
        "readers", event_handler, parked_records, lambda event: f"engagement:{event.subject}"
    )


class Failing(ParkedRetry):
    """A queue of engagements, of which `E-bad` always fails."""

    def __init__(self, error: Exception, *queue: str) -> None:
        super().__init__("readers", Counting(), ParkedInMemory(), lambda event: event.subject)
        self.error = error
        self.tried: list[str] = []
        self._queue = dict.fromkeys(queue, False)

    async def take_up(self, engagement: str) -> None:
        self.tried.append(engagement)
        if engagement == "E-bad":
            raise self.error


async def test_an_engagement_that_keeps_failing_delays_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = Failing(ArithmeticError("a bug"), "E-bad", "E-1", "E-2")

    with caplog.at_level(logging.ERROR):
        await failing.work_off_queue(0.5)
        await failing.work_off_queue(0.5)

    assert failing.tried == ["E-bad", "E-1", "E-2", "E-bad"], "it is tried again, after the others"
    assert len(caplog.records) == 1, "it is not logged each second"


async def test_the_others_are_tried_first_after_a_transient_fault() -> None:
    failing = Failing(StoreAway("too slow"), "E-bad", "E-1")

    for _ in range(2):
        with pytest.raises(StoreAway):
            await failing.work_off_queue(0.5)

    assert failing.tried == ["E-bad", "E-1", "E-bad"]


async def test_an_engagement_is_released_although_another_cannot_be_written() -> None:
    event_handler, parked_records = CannotWrite(), ParkedInMemory()
    await parked_records.park([(arrival(said(E, 1), 0), Trouble("failed", "a bug"), None)])
    event_handler.unwritten = {OTHER}

    result = await retries(event_handler, parked_records).try_again(E)

    assert (result.taken, result.waiting, result.head) == (1, 0, None)
    assert (parked_records.records, dict(parked_records.heads)) == ({}, {})


async def test_a_process_that_takes_over_carries_out_a_stored_decision() -> None:
    """Assume that the process that stored it ended before it skipped the missing events."""
    event_handler, parked_records = Counting(), ParkedInMemory()
    await parked_records.park([(arrival(said(E, 3), 0), Trouble("gap", "3 came"), 1)])
    parked_records.decisions = [PassedOver("sales", 1, 2, "olga", "They were lost.", NOW)]

    await retries(event_handler, parked_records).take_up(E)

    assert event_handler.heard[E] == ["sales-3"]
    assert not parked_records.heads
